"""An experiment, top to bottom: sources -> mixture -> checkpoint -> scores.

`plan_experiment` lays out every stage with its key; `harness.store` then builds what is missing.
How a checkpoint comes to be stands in `harness/producers/`, and the stages themselves, in which
generation, training and scoring meet, in `harness/stages/`.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from harness.config import Config
from harness.errors import ScoringError
from harness.producers.producer import Ground, Producer, Step
from harness.producers.registry import find_producers
from harness.read_once import ReadOnce
from harness.stage import Stage, list_with_inputs
from harness.stages.scoring import Cell, score_cell
from harness.stages.texts import measure_cell


@dataclass(frozen=True)
class Way:
    """The steps of a producer to its checkpoint, or to where the run stops before."""

    producer: Producer
    steps: tuple[Step, ...]

    @property
    def checkpoint(self) -> Stage:
        """The last stage, which yields it."""
        return self.steps[-1].stages[-1]


@dataclass(frozen=True)
class Plan:
    """All stages of an experiment: `cells` are scores, `texts` bits per byte. `stop_after` is the
    step behind which it ends."""

    ways: tuple[Way, ...]
    cells: tuple[Cell, ...]
    texts: tuple[Cell, ...]
    stop_after: str | None

    @cached_property
    def stages(self) -> tuple[Stage, ...]:
        """Every stage, once, in the order of the work."""
        steps = [stage for way in self.ways for step in way.steps for stage in step.stages]
        return tuple(list_with_inputs([*steps, *self.scores]))

    @property
    def scores(self) -> list[Stage]:
        """The stages that score and measure, those of gaps left out."""
        return [cell.score for cell in (*self.cells, *self.texts) if cell.score]

    def list_named(self, name: str) -> list[Stage]:
        """Returns the stages of one name."""
        return [stage for stage in self.stages if stage.name == name]

    @property
    def taught(self) -> list[Stage]:
        """The stages for which a teacher is asked."""
        return [stage for stage in self.stages if stage.about.teacher]

    @property
    def targets(self) -> list[Stage]:
        """The stages to build; their inputs are built where a target is missing."""
        if self.stop_after:
            steps = [step for way in self.ways for step in way.steps]
            found = [s for step in steps if step.name == self.stop_after for s in step.stages]
            return list({stage.key: stage for stage in found}.values())
        # Where no benchmark has the language, the checkpoints that are made are what was asked for.
        return self.scores or [way.checkpoint for way in self.ways if way.checkpoint.inputs]

    @property
    def amiss(self) -> list[str]:
        """Problems that a person should mend before the run, or else accept: each reason once."""
        return list(dict.fromkeys(str(one.gap) for one in (*self.cells, *self.texts) if one.amiss))

    def refuse_without_scores(self) -> None:
        """ScoringError where broken or missing files leave no score of a checkpoint that is still
        to be made: that is for before the teacher is paid. (A language that no benchmark has is
        trained all the same, and where only scores were asked for the report names each gap.)
        """
        makes = any(way.checkpoint.inputs for way in self.ways)
        if makes and self.amiss and not self.scores and not self.stop_after:
            raise ScoringError(
                "nothing can be scored: no benchmark file can be found and read, as said above. "
                "Remedy: mend the files, give others (data_dir), or train without scores "
                "(stop_after=train)."
            )


def plan_experiment(config: Config, ledgers: Path, kept: ReadOnce | None = None) -> Plan:
    """Lays out the experiment; no stage is made.

    Input files are read, to hash them, and a Hub student is fetched: its commit is in every key.

    `ledgers` is the directory of the teacher's ledgers, and `kept` what was read for others that
    are planned in the same go. Raises an error of the package concerned
    when an input is missing or malformed.
    """
    ground, stop = Ground(config, ledgers, kept or ReadOnce()), config.stop_after
    producers = find_producers(config)
    # Who stops before a checkpoint needs no other checkpoint, and no benchmark.
    short = [producer for producer in producers if stop in producer.stops[:-1]]
    ways = tuple(plan_way(producer, ground, stop) for producer in short or producers)
    if short:
        return Plan(ways, (), (), stop)
    return Plan(ways, plan_scores(config, ground, ways), plan_texts(config, ground, ways), stop)


def plan_way(producer: Producer, ground: Ground, stop_after: str | None) -> Way:
    """Plans a producer's steps, as far as they are wanted."""
    steps: list[Step] = []
    for step in producer.plan(ground):
        steps.append(step)
        if step.name == stop_after:
            break
    return Way(producer, tuple(steps))


def plan_scores(config: Config, ground: Ground, ways: Iterable[Way]) -> tuple[Cell, ...]:
    """Plans the scores of every checkpoint on every task."""
    tasks = {name: ground.load(name) for name in config.evaluate.list_tasks()}
    return tuple(
        score_cell(config, name, loaded, way.producer, way.checkpoint)
        for way in ways
        for name, loaded in tasks.items()
    )


def plan_texts(config: Config, ground: Ground, ways: Iterable[Way]) -> tuple[Cell, ...]:
    """Plans the bits per byte of every checkpoint on every text that is asked for."""
    return tuple(
        measure_cell(config, text, way.producer, way.checkpoint)
        for way in ways
        for text in ground.texts
    )
