"""Composes and plans every point of a sweep in one process, for those who submit it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hydra import compose, initialize_config_dir
from hydra._internal.core_plugins.basic_sweeper import BasicSweeper
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
from harness.validate import build_config


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


def plan_points(arguments: Sequence[str], ledgers: str) -> Iterator[PlannedPoint]:
    """Plans the experiments that `kakugo ARGUMENTS` would run, with -m or without, in its order.

    `ledgers` is the folder of the teacher's ledgers below the store. Raises `ConfigError` where no
    experiment can be made of the arguments; what hinders one point is its own problem.
    """
    kept = ReadOnce()
    with initialize_config_dir(str(CONF), version_base="1.3"):
        for overrides in list_points(arguments):
            point = PlannedPoint(tuple(overrides))
            try:
                values = compose("run", overrides=list(overrides))
                resolved: Any = OmegaConf.to_container(values, resolve=True)
                config = build_config(resolved)
                plan = plan_experiment(config, Path(config.store) / ledgers, kept)
                yield PlannedPoint(point.overrides, config, resolved, plan)
            except (MendableError, HydraException, OmegaConfBaseException) as error:
                yield PlannedPoint(point.overrides, problem=" ".join(str(error).split()))


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
