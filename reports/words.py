"""The words and number forms that the terminal, the page and Markdown share."""

from collections import defaultdict

from reports.signs import set_minus
from reports.store.model import State
from reports.tables.gain import Gain
from reports.tables.panels import Panel, TableCell, describe_data

GAIN_NOTE = (
    "Gain: the producer minus its base on the same items, in points, ± its standard error. "
    "The 95% interval covers the choice of items, not the training seed, and is not corrected for "
    "the number of comparisons."
)


def describe_gain(gain: Gain | None) -> str:
    """Write "+4.2 ± 3.1", "+4.2" where there is no standard error, a dash without a gain."""
    if gain is None:
        return "–"
    stderr = "" if gain.stderr is None else f" ± {gain.stderr:.1f}"
    return set_minus(f"{gain.points:+.1f}") + stderr


def describe_interval(gain: Gain | None) -> str:
    """Write "−1.9 to +10.3", or a dash where there is none."""
    if gain is None or gain.low is None or gain.high is None:
        return "–"
    return set_minus(f"{gain.low:+.1f} to {gain.high:+.1f}")


def describe_score(cell: TableCell | None) -> str:
    """Write the score with one decimal, or the state of a cell without one."""
    if cell is None:
        return "–"
    return f"{cell.score.score:.1f}" if cell.score else cell.state


def describe_duration(seconds: float) -> str:
    """Write "0.4 s", "12 s", "3 min 20 s" or "2 h 5 min"."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def list_facts(panel: Panel) -> list[tuple[str, str]]:
    """List what stands above a language's scores, as titles and values; nothing unknown."""
    data = "; ".join(map(describe_data, panel.data)) or "nothing was scored yet"
    facts = (("Student", panel.student), ("Teacher", ", ".join(panel.teachers)), ("Data", data))
    return [(title, value) for title, value in facts if value]


def merge_gaps(panel: Panel) -> list[tuple[str, State, str]]:
    """Give the cells without a result as (which, state, reason), those alike only once."""
    per_row: dict[tuple[str, State, str], list[str]] = defaultdict(list)
    everyone: dict[str, int] = {}
    for row in panel.rows:
        name = row.full_name
        everyone[name] = len(row.cells)
        for cell in row.cells:
            if cell.state != "result":
                per_row[name, cell.state, cell.reason].append(cell.producer)
    merged: dict[tuple[str, State, str], list[str]] = defaultdict(list)
    for (name, state, reason), producers in per_row.items():
        who = "" if len(producers) == everyone[name] else f" ({', '.join(producers)})"
        merged[who, state, reason].append(name)
    return [
        (", ".join(names) + who, state, reason) for (who, state, reason), names in merged.items()
    ]
