"""Looks over a whole run: every look that its configuration asks for, and what was found.

`kakugo check=true` does only that. A run that is about to pay a teacher does it first, and one that
cannot even be planned, too, so that a person learns of all problems at once.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

from rich.console import Console
from rich.markup import escape

from core.errors import MendableError
from core.quiet import quiet_libraries
from harness.config import Config, MakingConfig
from harness.errors import LookOverError
from harness.experiment import Plan, plan_experiment
from harness.lookover.data import list_benchmarks, list_sources
from harness.lookover.endpoints import list_endpoints
from harness.lookover.look import Found, Look, take_looks
from harness.lookover.machine import list_machine
from harness.lookover.students import list_students
from harness.progress import Display
from harness.store import Store

_LOOKING = "looking whether all that the run needs is there"


def check_run(config: Config, ledgers: Path, store: Store, display: Display, out: Console) -> None:
    """Prints what was found of everything that a run needs. Raises LookOverError."""
    with display.showing_work(_LOOKING):
        found = look_over(config, ledgers, store)
    show_looks(found, out)
    refuse_problems(found)


def look_before_paying(config: Config, ledgers: Path, store: Store, display: Display) -> None:
    """Raises LookOverError where a run that is about to pay a teacher lacks anything."""
    with display.showing_work(_LOOKING):
        found = look_over(config, ledgers, store)
    refuse_problems(found)


def plan_or_look(config: Config, ledgers: Path, store: Store) -> Plan:
    """Plans the run. Where that cannot be done and a teacher would be paid, raises LookOverError
    with all that is in the way; otherwise what planning raises."""
    try:
        return plan_experiment(config, ledgers)
    except MendableError:
        if isinstance(config, MakingConfig) and config.teacher.kind != "embedded":
            refuse_problems(look_over(config, ledgers, store))
        raise


def look_over(config: Config, ledgers: Path, store: Store) -> list[Found]:
    """Takes every look that a run needs; nothing is made, and at most one token is paid."""
    with quiet_libraries():
        return take_looks(list_looks(config, ledgers, store))


def list_looks(config: Config, ledgers: Path, store: Store) -> Iterator[Look]:
    """Lists the looks, in the order in which a run needs the things."""
    if isinstance(config, MakingConfig):
        yield from list_sources(config, ledgers, store)
    yield from list_endpoints(config)
    yield from list_students(config)
    yield from list_machine(config, Path(config.store))
    if not config.stop_after:
        yield from list_benchmarks(config)


def show_looks(found: Sequence[Found], out: Console) -> None:
    """Prints what was found, a line each."""
    for one in found:
        mark = "[green]there  [/green]" if one.problem is None else "[red]missing[/red]"
        note = f": {one.note}" if one.note else ""
        out.print(f"{mark}  {escape(one.thing + note)}", highlight=False, soft_wrap=True)


def refuse_problems(found: Sequence[Found]) -> None:
    """Raises LookOverError with every problem, each with its remedy; the same one once."""
    problems: dict[str, list[str]] = {}
    for one in found:
        if one.problem is not None:
            problems.setdefault(one.problem, []).append(one.thing)
    if problems:
        lines = [f"- {', '.join(things)}: {problem}" for problem, things in problems.items()]
        raise LookOverError(
            "The run cannot have all that it needs, and nothing was paid:\n" + "\n".join(lines)
        )
