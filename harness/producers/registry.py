"""The kinds of producers, and what a configuration asks for of them."""

from collections.abc import Mapping, Sequence
from dataclasses import make_dataclass
from functools import cache
from typing import Any

from harness.config import Config
from harness.producers.averaged import Averaged
from harness.producers.base import Base
from harness.producers.distilled import Distilled
from harness.producers.on_the_way import OnTheWay
from harness.producers.producer import Producer
from harness.producers.published import Published
from harness.producers.trained import Trained

# In the order of a report.
KINDS: tuple[type[Producer], ...] = (Base, Trained, OnTheWay, Averaged, Distilled, Published)


def find_producers(config: Config) -> list[Producer]:
    """Returns the producers that an experiment asks for."""
    return [producer for kind in find_kinds(vars(config)) for producer in kind.find(config)]


def find_kinds(values: Mapping[str, Any]) -> list[type[Producer]]:
    """Returns the kinds that a configuration asks for, by name or by where it stops.

    Who stops behind a step that none of the named ones takes asks for the first kind that does:
    data can be made where only the base is scored.
    """
    stop = values.get("stop_after")
    named = [kind for kind in KINDS if kind.is_asked(values)]
    if stop is None or any(stop in kind.stops for kind in named):
        return named
    return [*named, *[kind for kind in KINDS if stop in kind.stops][:1]]


def find_stops() -> list[str]:
    """Finds every step behind which a run may end."""
    return list(dict.fromkeys(stop for kind in KINDS for stop in kind.stops))


def make_config_class(kinds: Sequence[type[Producer]]) -> type[Config]:
    """Makes the configuration class that has what each of some kinds needs.

    Settings by which a kind is asked for are always part of it.
    """
    every = [kind for kind in KINDS if kind in kinds or kind.key != "producers"]
    needed = dict.fromkeys(kind.needs for kind in every)
    bases = [c for c in needed if not any(o is not c and issubclass(o, c) for o in needed)]
    return _join_classes(tuple(bases))


@cache
def _join_classes(bases: tuple[type[Config], ...]) -> type[Config]:
    # Once: a class costs milliseconds, and a converter for it ten times as many.
    return make_dataclass("Experiment", [], bases=bases, frozen=True, kw_only=True)
