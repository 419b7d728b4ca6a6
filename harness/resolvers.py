"""Functions that a configuration may call."""

from collections.abc import Mapping

from omegaconf import OmegaConf

from core.places import expand
from harness.overrides import CONF


def register_resolvers() -> None:
    """Registers the functions that a configuration may call: `${root:...}`, a path in the
    checkout, wherever `kakugo` is called; `${place:...}`, a path with the home folder in place of
    `~`; and `${blend:...}`, the name of a mixture by its weights."""
    OmegaConf.register_new_resolver("root", lambda path: str(CONF.parent / path), replace=True)
    OmegaConf.register_new_resolver("place", expand, replace=True)
    OmegaConf.register_new_resolver("blend", name_blend, replace=True)


def name_blend(weights: Mapping[str, float]) -> str:
    """Names a mixture by its weights, the same whatever their order: "1 topic + 2 translated"."""
    given = {source: weight for source, weight in sorted(weights.items()) if weight}
    return " + ".join(f"{weight:g} {source}" for source, weight in given.items()) or "empty"
