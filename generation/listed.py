"""Read a Markdown list as a list of texts, each with the points and lines below it."""

import re
from dataclasses import dataclass, field

from core.lines import split_lines

_ITEM = re.compile(r"( *)(?:(\d{1,3})[.)]|([-*•–]))\s+(?:\[[ xX]?\]\s+)?(\S.*)")
_HEADING = re.compile(r"#.*|\*\*[^*]+\*\*:?|.*:")
_FENCE = re.compile(r"```\w*")


@dataclass
class _List:
    """Holds the part of a list that was read so far. `numbers` are those of the items, 0 of
    bullets; `free` says that prose stands around the items, and `headed` that a heading stands
    before the next one.
    """

    items: list[str] = field(default_factory=list)
    numbers: list[int] = field(default_factory=list)
    indent: int = 0
    bullet: str | None = None
    free: bool = False
    headed: bool = False
    closed: bool = False


def has_items(text: str) -> bool:
    """Tell whether a line of the text is an item of a list."""
    return any(_ITEM.fullmatch(line.expandtabs(4)) for line in split_lines(text))


def read_listed(text: str, limit: int) -> list[str] | None:
    """The items of the list in a text, or None where there is none or it cannot be told.

    Prose may stand before the list and, behind a blank line, after it; headings within it. An item
    keeps what is indented below it, and bullets below a number. Numbers that are missing, and other
    text between items, make it no list. Where one item is wanted, it has to be all of the text.
    """
    found = _List()
    gap = False
    for line in split_lines(text):
        line = line.expandtabs(4).rstrip()
        if not line:
            gap = True
            continue
        if _FENCE.fullmatch(line.lstrip()) and not (found.items and line.startswith("  ")):
            continue  # around the list, or what comes next cannot be told
        if not _take(found, line, gap):
            return None
        gap = False
    if limit == 1:
        return found.items if len(found.items) == 1 and not found.free else None
    return found.items if len(found.items) > 1 else None


def _take(found: _List, line: str, gap: bool) -> bool:
    """Add a line to the list; False where it cannot be told what it is."""
    item = _ITEM.fullmatch(line)
    indent = len(line) - len(line.lstrip())
    if not found.items:
        if item is None:
            found.free = True
            return True
        found.indent, found.bullet = indent, item[3]
        return _begin(found, item)
    deeper = indent > found.indent + (1 if found.bullet is None else 0)
    if item and not deeper:
        if item[3] == found.bullet:
            return _begin(found, item)
        if found.bullet is not None or found.closed:
            return False  # numbers below a bullet, at its level
        deeper = True
    if deeper and not found.closed:
        found.items[-1] += ("\n\n" if gap else "\n") + line[found.indent :]
        return True
    if not gap and not found.closed:
        return False  # the item's next line, or the first of what follows
    found.free = found.closed = True
    found.headed = bool(_HEADING.fullmatch(line.strip()))
    return True


def _begin(found: _List, item: re.Match[str]) -> bool:
    """Begin an item; False where it does not follow the one before."""
    number = int(item[2]) if item[2] else 0
    last = found.numbers[-1] if found.numbers else None
    if found.closed and not found.headed:
        return False
    if item[2] and last is None and number > 1:
        return False
    follows = last is None or number == last + 1 or (found.headed and number == 1)
    if item[2] and not follows and set(found.numbers) | {number} != {1}:
        return False
    found.closed = found.headed = False
    found.items.append(item[4])
    found.numbers.append(number)
    return True
