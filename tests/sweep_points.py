"""The points of a shipped sweep, as the overrides that Hydra makes of its axes."""

from itertools import product
from pathlib import Path

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Transformer
from omegaconf import OmegaConf


def list_points(path: Path) -> list[list[str]]:
    """The overrides of each point, the sweep's own choice first; one axis may hold one value."""
    axes = []
    for key, values in OmegaConf.load(path).hydra.sweeper.params.items():
        given = OverridesParser.create().parse_override(f"{key}={values}")
        several = given.is_sweep_override()
        some = given.sweep_iterator(Transformer.encode) if several else [values]
        axes.append([f"{key}={value}" for value in some])
    return [[f"sweep={path.stem}", *point] for point in product(*axes)]
