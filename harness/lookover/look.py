"""One look at one thing that a run needs: it is there, or what is in the way."""

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from core.errors import MendableError

# Most of a look is waiting for an answer from the network.
_AT_ONCE = 8


@dataclass(frozen=True)
class Look:
    """A thing that a run needs. `take` returns a note about it for a person, or raises
    `MendableError`, whose message has the remedy."""

    thing: str
    take: Callable[[], str]


@dataclass(frozen=True)
class Found:
    """The outcome of a look: a note, or the problem."""

    thing: str
    note: str = ""
    problem: str | None = None


def take_looks(looks: Iterable[Look]) -> list[Found]:
    """Takes all looks, several at once, and returns what was found in their order."""
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        return list(pool.map(_take, looks))


def _take(look: Look) -> Found:
    try:
        return Found(look.thing, note=look.take())
    except MendableError as error:
        return Found(look.thing, problem=str(error))
    except OSError as error:
        return Found(look.thing, problem=f"{error}. Remedy: mend what it names, and look again.")
