"""The mean of the last checkpoints of a training run."""

from collections.abc import Iterator, Sequence

from harness.config import MakingConfig
from harness.errors import ConfigError
from harness.producers.producer import Ground, Step
from harness.producers.trained import Trained
from harness.stages.kept import make_average_stage


class Averaged(Trained):
    """The mean of the weights of the last `train.average` of the `train.keep` checkpoints."""

    kind = "averaged"
    stops = (*Trained.stops, "average")

    def __init__(self, config: MakingConfig) -> None:
        super().__init__(config)
        self.name = f"{self.name}, mean of last {config.train.average}"

    @classmethod
    def find(cls, config: MakingConfig) -> Sequence[Trained]:
        keep, average = config.train.keep, config.train.average
        if average > keep:
            raise ConfigError(
                f"producers: averaged is the mean of the last {average} checkpoints "
                f"(train.average), and train.keep is {keep}. Remedy: train.keep={average} or more."
            )
        return [cls(config)]

    def plan(self, ground: Ground) -> Iterator[Step]:
        yield from super().plan(ground)
        made = make_average_stage(self.trained, self.name, self.config.train.average)
        yield Step("average", (made,))
