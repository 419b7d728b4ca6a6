"""`kakugo submit --status`: where the stages of a store stand, and why what failed did."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from core.contract.names import ENDS, JOBS, LOGS, MANIFEST
from core.files import write_whole
from harness.cluster import slurm
from harness.errors import ClusterError

if TYPE_CHECKING:
    from rich.console import Console

STATES = ("done", "running", "waiting", "failed", "not queued")


@dataclass(frozen=True)
class Submitted:
    """A stage that was submitted: the number of its latest job, those of the jobs that this one
    waited for, and what became of it."""

    number: str
    after: str
    stage: str
    key: str
    label: str
    state: str = ""
    why: str = ""


def read_submitted(store: Path) -> list[Submitted]:
    """Reads which stages were submitted, each with its latest job; `ClusterError` where none
    was."""
    file = store / JOBS / "submitted.tsv"
    try:
        lines = file.read_text(encoding="utf-8").split("\n")
    except OSError:
        raise ClusterError(
            f"nothing was submitted from the store {store}. Remedy: kakugo submit --status "
            "store=DIR, with the store that kakugo submit was given"
        ) from None
    # A line that a crash has cut off is of a job whose number the queue knows.
    whole = [cells for line in lines if len(cells := line.split("\t", 4)) == 5]
    return list({cells[3]: Submitted(*cells) for cells in whole}.values())


def find_states(store: Path, submitted: Sequence[Submitted]) -> list[Submitted]:
    """Finds out how each stage stands. What ended without its own word, as one that was killed for
    its memory before it could say so, is asked of SLURM, and its word is kept in the store."""
    queue = slurm.list_queue(store)
    found = []
    gone: list[Submitted] = []
    for one in submitted:
        end = store / JOBS / ENDS / f"{one.stage}-{one.key}.txt"
        if (store / one.stage / one.key / MANIFEST).exists():
            found.append(_tell(one, "done"))
        elif queued := queue.get(one.key):
            running = queued.state in ("RUNNING", "COMPLETING")
            found.append(_tell(one, "running" if running else "waiting", queued.reason))
        elif end.exists():
            found.append(_tell(one, "failed", end.read_text(encoding="utf-8").partition("\n")[0]))
        else:
            gone.append(one)
    # A job of which another one has failed is cancelled for that alone: reports say so of it.
    lacking = {one.number for one in [*gone, *(one for one in found if one.state == "failed")]}
    own = [one for one in gone if not lacking & set(one.after.split(","))]
    numbers = {one.key: one.number for one in own}
    ended = dict(slurm.describe_ends(numbers, store / JOBS / LOGS))
    for one in gone:
        why = ended.get(one.key)
        if why is not None:
            end = store / JOBS / ENDS / f"{one.stage}-{one.key}.txt"
            end.parent.mkdir(parents=True, exist_ok=True)
            write_whole(end, f"{why}\n")
        found.append(_tell(one, "failed" if why else "not queued", why or ""))
    return found


def show_status(arguments: Sequence[str], console: "Console") -> None:
    """Prints a table of stages by how they stand, and the reason of each that failed."""
    from rich.markup import escape
    from rich.table import Table

    given = [one.partition("=")[2] for one in arguments if one.startswith("store=")]
    store = Path(given[-1] if given else "artifacts")
    found = find_states(store, read_submitted(store))
    counts = Counter((one.stage, one.state) for one in found)
    table = Table("Stage", *(state.capitalize() for state in STATES), box=None)
    for stage in dict.fromkeys(one.stage for one in found):
        numbers = (counts[stage, state] for state in STATES)
        table.add_row(stage, *(str(number or "–") for number in numbers))
    console.print(table)
    reasons: dict[str, list[str]] = {}
    for one in found:
        if one.state == "failed":
            reasons.setdefault(one.why, []).append(one.label)
    for why, labels in reasons.items():
        more = f" and {len(labels) - 1} more" if len(labels) > 1 else ""
        console.print(f"failed: {escape(labels[0] + more)}: {escape(why)}", soft_wrap=True)
    if any(one.state in ("failed", "not queued") for one in found):
        console.print("The same kakugo submit as before submits what is missing.", soft_wrap=True)


def _tell(one: Submitted, state: str, why: str = "") -> Submitted:
    return replace(one, state=state, why=why)
