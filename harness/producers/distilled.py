"""The student, distilled from a teacher whose token probabilities are at hand."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from harness.config import MakingConfig, Student
from harness.errors import ConfigError
from harness.producers.producer import Ground, Step
from harness.producers.trained import Trained
from harness.stage import Stage
from harness.stages.base import make_base_stage
from harness.stages.distilling import make_distill_stage, make_guided_stage
from training.distillation.settings import Distillation


@dataclass(frozen=True, kw_only=True)
class DistilledConfig(MakingConfig):
    """Names the model whose probabilities teach, in the way in which a student is named, and how
    it is distilled."""

    teacher_model: Student
    distillation: Distillation


class Distilled(Trained):
    """The producer of a checkpoint that is distilled from the trained one, or from the base."""

    kind = "distilled"
    needs = DistilledConfig
    stops = (*Trained.stops, "distill")
    config: DistilledConfig

    def __init__(self, config: DistilledConfig) -> None:
        super().__init__(config)
        self.name = f"distilled:{config.mix.name}, {config.distillation.name}"

    @classmethod
    def find(cls, config: DistilledConfig) -> Sequence[Trained]:  # type: ignore[override]
        try:
            config.distillation.settle(config.train)
        except ValueError as error:
            raise ConfigError(f"{error}.") from error
        return [cls(config)]

    @cached_property
    def teacher(self) -> Stage | None:
        """The teacher's checkpoint; None where no signal asks for its probabilities."""
        asks = self.config.distillation.asks_teacher
        return make_base_stage(self.config.teacher_model) if asks else None

    def plan(self, ground: Ground) -> Iterator[Step]:
        config, how, teacher = self.config, self.config.distillation, self.teacher
        steps: dict[str, tuple[Stage, ...]] = {}
        for step in super().plan(ground):
            steps[step.name] = step.stages
            if step.name != "train" or how.start == "trained":
                yield step
        mixture, (trained,) = steps["mix"][0], steps["train"]
        data = trained.inputs["packed"]
        if teacher:
            sources = dict(zip(config.mix.needed, steps["sources"], strict=True))
            data = make_guided_stage(config, how, ground.student, teacher, mixture, sources)
        last = trained if how.start == "trained" else ground.student
        for round_ in range(1, how.iterations + 1):
            name = self.name if how.iterations == 1 else f"{self.name}, round {round_}"
            last = make_distill_stage(
                config, how, name, start=last, data=data, mixture=mixture, teacher=teacher
            )
        yield Step("distill", (replace(last, about=replace(last.about, producer=self.name)),))
