"""The checkpoints that a training run kept on its way, for gains drawn over its steps."""

from collections.abc import Iterator, Sequence

from harness.config import MakingConfig
from harness.errors import ConfigError
from harness.producers.producer import Ground, Step
from harness.producers.trained import Trained
from harness.stages.kept import make_step_stage


class OnTheWay(Trained):
    """One of the checkpoints that `train.keep` asks for, the last one excepted."""

    kind = "steps"
    stops = (*Trained.stops, "step")

    def __init__(self, config: MakingConfig, part: int) -> None:
        super().__init__(config)
        self.part = part
        self.name = f"{self.name} at {part / config.train.keep:.0%}"

    @classmethod
    def find(cls, config: MakingConfig) -> Sequence[Trained]:
        keep = config.train.keep
        if keep < 2:
            raise ConfigError(
                f"producers: steps are the checkpoints that a training keeps on its way, and "
                f"train.keep is {keep}. Remedy: train.keep=4 keeps four, the last one included."
            )
        return [cls(config, part) for part in range(1, keep)]

    def plan(self, ground: Ground) -> Iterator[Step]:
        yield from super().plan(ground)
        yield Step("step", (make_step_stage(self.trained, self.name, self.part),))
