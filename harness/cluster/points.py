"""Composes and plans every point of a sweep, for those who submit it."""

import os
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from multiprocessing import get_context, parent_process
from pathlib import Path
from typing import Any

from hydra import compose, initialize_config_dir
from hydra._internal.core_plugins.basic_sweeper import BasicSweeper
from hydra.core.config_store import ConfigStore
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.errors import HydraException
from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException

from core.errors import MendableError
from harness.config import Config
from harness.errors import ConfigError
from harness.experiment import Plan, plan_experiment
from harness.overrides import CONF, prepare_arguments
from harness.read_once import ReadOnce
from harness.resolvers import register_resolvers
from harness.stage import Progress
from harness.validate import build_config

_SEVERAL = 24
"""Points from which on further processes gain more than their start costs."""


@dataclass(frozen=True)
class PlannedPoint:
    """An experiment of a sweep: its plan, or `problem`, which says why there is none."""

    overrides: tuple[str, ...]
    config: Config | None = None
    resolved: Any = None
    plan: Plan | None = None
    problem: str | None = None

    @property
    def label(self) -> str:
        """The point by what was typed of it."""
        return " ".join(self.overrides) or "the defaults"


def plan_points(
    arguments: Sequence[str], ledgers: str, progress: Progress | None = None
) -> Iterator[PlannedPoint]:
    """Plans the experiments that `kakugo ARGUMENTS` would run, with -m or without, in its order.

    `ledgers` is the folder of the teacher's ledgers below the store. Raises `ConfigError` where no
    experiment can be made of the arguments; what hinders one point is its own problem.
    """
    kept = ReadOnce()
    register_resolvers()
    with initialize_config_dir(str(CONF), version_base="1.3"):
        points = [tuple(overrides) for overrides in list_points(arguments)]
        for number, point in enumerate(_compose_all(points), 1):
            if progress:
                progress(number, len(points), "")
            yield point if point.problem else _plan(point, ledgers, kept)


def _plan(point: PlannedPoint, ledgers: str, kept: ReadOnce) -> PlannedPoint:
    """Plans a point that is composed."""
    try:
        config = build_config(point.resolved)
        plan = plan_experiment(config, Path(config.store) / ledgers, kept)
    except MendableError as error:
        return PlannedPoint(point.overrides, problem=" ".join(str(error).split()))
    return replace(point, config=config, plan=plan)


def _compose_all(points: Sequence[tuple[str, ...]]) -> Iterator[PlannedPoint]:
    """Composes points in their order, many of them in further processes.

    Hydra parses each of its files anew for each point, which takes longer than the plan.
    """
    processes = min(os.cpu_count() or 1, len(points) // _SEVERAL, 8)
    if processes < 2:
        yield from map(_compose, points)
        return
    known = ConfigStore.instance().repo
    with ProcessPoolExecutor(processes, get_context("spawn"), _begin, (known,)) as pool:
        yield from pool.map(_compose, points, chunksize=8)


def _begin(known: dict[str, Any]) -> None:
    """Prepares a process that composes: `known` holds the languages that have no file."""
    threading.Thread(target=_end_with_parent, daemon=True).start()
    ConfigStore.instance().repo = known
    register_resolvers()
    initialize_config_dir(str(CONF), version_base="1.3")


def _end_with_parent() -> None:
    """Ends this process when the one that it composes for has gone, however that ended."""
    parent = parent_process()
    assert parent
    parent.join()
    os._exit(1)


def _compose(overrides: tuple[str, ...]) -> PlannedPoint:
    """Composes one point's configuration."""
    try:
        values = compose("run", overrides=list(overrides))
        resolved: Any = OmegaConf.to_container(values, resolve=True)
        return PlannedPoint(overrides, resolved=resolved)
    except (HydraException, OmegaConfBaseException) as error:
        return PlannedPoint(overrides, problem=" ".join(str(error).split()))


def list_points(arguments: Sequence[str]) -> list[list[str]]:
    """Lists the overrides of each point of a sweep, as Hydra's own sweeper does."""
    ready = prepare_arguments(arguments)
    sweeps = bool({"-m", "--multirun"} & set(ready))
    given = [one for one in ready if not one.startswith("-")]
    if not sweeps:
        return [given]
    try:
        values = compose("run", overrides=_keep_single(given), return_hydra_config=True)
        axes = [f"{key}={value}" for key, value in (values.hydra.sweeper.params or {}).items()]
        parsed = OverridesParser.create().parse_overrides([*axes, *given])
        return [list(point) for point in BasicSweeper.split_arguments(parsed, None)[0]]
    except (HydraException, OmegaConfBaseException) as error:
        raise ConfigError(" ".join(str(error).split())) from None


def _keep_single(given: Sequence[str]) -> list[str]:
    """Lists the overrides that hold for every point: a sweep's own choice is one of them."""
    parsed = OverridesParser.create().parse_overrides(list(given))
    return [text for text, one in zip(given, parsed, strict=True) if not one.is_sweep_override()]
