"""An experiment, top to bottom: sources -> mixture -> checkpoint -> scores.

`plan` lays out every stage with its key; `harness.store` then builds what is missing. The stages
themselves, in which generation, training and scoring meet, stand in `harness/stages/`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from harness.config import Config, MakingConfig
from harness.errors import ScoringError
from harness.stage import Stage
from harness.stages.base import base_stage
from harness.stages.benchmarks import benchmark_data, task_or_gap
from harness.stages.contamination import contamination_stage
from harness.stages.mixture import mixture_stage
from harness.stages.scoring import Cell, score_cell
from harness.stages.sources import any_source_stage
from harness.stages.training import packed_stage, train_stage
from tasks.catalogue import TASKS


@dataclass(frozen=True)
class Training:
    """The stages from finished sources to a checkpoint."""

    mixture: Stage
    contamination: Stage
    packed: Stage
    trained: Stage


@dataclass(frozen=True)
class Plan:
    """All stages of an experiment, of which each producer plans only what it needs: base needs no
    source, and a published checkpoint not even the student."""

    base: Stage | None
    sources: Mapping[str, Stage]
    training: Training | None
    cells: tuple[Cell, ...]

    @property
    def taught(self) -> Mapping[str, Stage]:
        """The sources for which a teacher is asked."""
        return {name: stage for name, stage in self.sources.items() if "teacher" in stage.about}

    @property
    def malformed(self) -> list[str]:
        """What a person should mend before the run, or else goes without: each reason once."""
        return list(dict.fromkeys(str(cell.gap) for cell in self.cells if cell.malformed))

    def refuse_without_scores(self) -> None:
        """ScoringError where broken files leave no score of a checkpoint that is still to be made:
        that is for before the teacher is paid. (A language that no benchmark has is trained all the
        same, and where only scores were asked for the report names each gap.)
        """
        if self.training and self.malformed and not any(cell.score for cell in self.cells):
            raise ScoringError(
                "nothing can be scored: no benchmark file that was found can be read, as said "
                "above. Remedy: mend the files, give others (data_dir), or train without scores "
                "(stop_after=train)."
            )

    def targets(self, stop_after: str | None) -> list[Stage]:
        """The stages to build; their inputs are built where a target is missing."""
        made = self.training
        if stop_after == "sources":
            return list(self.sources.values())
        if made and stop_after == "mix":
            return [made.mixture]
        if made and stop_after == "train":
            return [made.trained]
        # Where no benchmark has the language, the checkpoint itself is what was asked for.
        scores = [cell.score for cell in self.cells if cell.score]
        return scores or ([made.trained] if made else [])

    def stages(self) -> list[Stage]:
        """Every stage, in the order of the work."""
        made = self.training
        return [
            *([self.base] if self.base else []),
            *self.sources.values(),
            *([made.mixture, made.contamination, made.packed, made.trained] if made else []),
            *(cell.score for cell in self.cells if cell.score),
        ]


def plan(config: Config, ledgers: Path) -> Plan:
    """Lays out the experiment; no stage is made.

    Input files are read, to hash them, and a Hub student is fetched: its commit is in every key.

    `ledgers` is the directory of the teacher's ledgers. Raises an error of the package concerned
    when an input is missing or malformed.
    """
    student = cache(lambda: base_stage(config.student))  # hashed or fetched where it is needed
    sources: dict[str, Stage] = {}
    training = None
    if isinstance(config, MakingConfig):
        sources = {
            name: any_source_stage(config, name, student, ledgers) for name in config.mix.needed
        }
        if config.stop_after != "sources":
            training = plan_training(config, student(), sources)
    # Who stops before there is a checkpoint needs no benchmark.
    scores = config.stop_after not in ("sources", "mix")
    cells = plan_scores(config, plan_producers(config, student, training)) if scores else ()
    needs_base = bool(student.cache_info().currsize)
    return Plan(student() if needs_base else None, sources, training, cells)


def plan_training(config: MakingConfig, base: Stage, sources: Mapping[str, Stage]) -> Training:
    """From sources to a checkpoint."""
    mixture = mixture_stage(config, base, sources)
    contamination = contamination_stage(config, mixture, benchmark_data(config))
    packed = packed_stage(config, base, mixture)
    return Training(mixture, contamination, packed, train_stage(config, base, mixture, packed))


def plan_producers(
    config: Config, student: Callable[[], Stage], training: Training | None
) -> Mapping[str, Stage]:
    """The checkpoints that are scored, by their producers' names."""
    producers = {"base": student()} if "base" in config.producers else {}
    if isinstance(config, MakingConfig) and training and "trained" in config.producers:
        producers[f"trained:{config.mix.name}"] = training.trained
    for published in config.published:
        producers[f"published:{published.name}"] = base_stage(published)
    return producers


def plan_scores(config: Config, producers: Mapping[str, Stage]) -> tuple[Cell, ...]:
    """Every producer on every task."""
    data = benchmark_data(config)
    tasks = {name: task_or_gap(config, TASKS[name], data) for name in config.evaluate.tasks}
    return tuple(
        score_cell(config, name, loaded, producer, checkpoint)
        for producer, checkpoint in producers.items()
        for name, loaded in tasks.items()
    )
