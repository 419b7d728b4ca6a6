"""The words and number forms that the terminal, the page and Markdown share."""

import re
from collections import defaultdict

from reports.store.model import State
from reports.tables.gain import Gain
from reports.tables.panels import Panel, TableCell, data_words

GAIN_NOTE = (
    "Gain: the producer minus its base on the same items, in points, ± its standard error. "
    "The 95% interval holds over items, not over training seeds, and is not corrected for the "
    "number of comparisons."
)
# Controls, direction overrides and lone surrogates. The joiners that scripts need stay.
_UNSAFE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


def safe(text: str) -> str:
    """Untrusted text with its control characters made visible; line breaks and tabs stay."""
    return _UNSAFE.sub("\N{REPLACEMENT CHARACTER}", text)


def clean(text: str) -> str:
    """Untrusted text, made safe and put on one line."""
    return safe(" ".join(text.split()))


def minus(text: str) -> str:
    """A number with a real minus sign."""
    return text.replace("-", "−")


def points(gain: Gain) -> str:
    """ "+4.2 ± 3.1", or "+4.2" where there is no standard error."""
    stderr = "" if gain.stderr is None else f" ± {gain.stderr:.1f}"
    return minus(f"{gain.points:+.1f}") + stderr


def interval(gain: Gain) -> str:
    """ "−1.9 to +10.3", or a dash where there is none."""
    if gain.low is None or gain.high is None:
        return "–"
    return minus(f"{gain.low:+.1f} to {gain.high:+.1f}")


def shown_score(cell: TableCell | None) -> str:
    """The score with one decimal, or the state of a cell without one."""
    if cell is None:
        return "–"
    return f"{cell.score.score:.1f}" if cell.score else cell.state


def duration(seconds: float) -> str:
    """ "0.4 s", "12 s", "3 min 20 s" or "2 h 5 min"."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def data_line(panel: Panel) -> str:
    """Where the panel's benchmark items come from."""
    return "; ".join(data_words(name) for name in panel.data) or "nothing was scored yet"


def merged_gaps(panel: Panel) -> list[tuple[str, State, str]]:
    """The cells without a result as (which, state, reason), alike ones told once."""
    per_row: dict[tuple[str, State, str], list[str]] = defaultdict(list)
    everyone: dict[str, int] = {}
    for row in panel.rows:
        name = f"{row.name} ({row.setting})" if row.setting else row.name
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
