"""The student, fine-tuned on a mixture of sources."""

from collections.abc import Iterator, Sequence
from typing import ClassVar

from harness.config import Config, MakingConfig
from harness.producers.producer import Ground, Producer, Step
from harness.stages.contamination import make_contamination_stage
from harness.stages.mixture import make_mixture_stage
from harness.stages.sources import make_any_source_stage
from harness.stages.training import make_packed_stage, train_stage


class Trained(Producer):
    """Sources, then the mixture, which is looked through for benchmark texts, then training."""

    kind = "trained"
    role = "trained"
    needs: ClassVar[type[Config]] = MakingConfig
    stops: ClassVar[tuple[str, ...]] = ("sources", "mix", "train")

    def __init__(self, config: MakingConfig) -> None:
        self.config = config
        self.name = f"trained:{config.mix.name}"

    @classmethod
    def find(cls, config: MakingConfig) -> Sequence[Producer]:
        return [cls(config)]

    def plan(self, ground: Ground) -> Iterator[Step]:
        config = self.config
        sources = {
            name: make_any_source_stage(config, name, lambda: ground.student, ground.ledgers)
            for name in config.mix.needed
        }
        yield Step("sources", tuple(sources.values()))
        mixture = make_mixture_stage(config, ground.student, sources)
        looked = make_contamination_stage(
            config, mixture, ground.benchmark_items, ground.benchmarks
        )
        yield Step("mix", (mixture, looked))
        packed = make_packed_stage(config, ground.student, mixture)
        self.trained = train_stage(config, ground.student, mixture, packed)
        yield Step("train", (self.trained,))
