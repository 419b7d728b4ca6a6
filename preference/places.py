"""Tell where on the raters' pages each message stands, for those who translate or correct it."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import yaml

from preference.messages import is_counted
from preference.plurals import OTHER, list_forms

_DATA = Path(__file__).with_name("places.yaml")


@dataclass(frozen=True)
class PagePart:
    """A page, or part of one: its name in English, and the notes on its messages by key, "" where
    the English says enough."""

    name: str
    notes: Mapping[str, str]


@cache
def read_places() -> tuple[PagePart, ...]:
    """All places, in the order in which a rater sees them."""
    rows = yaml.safe_load(_DATA.read_text(encoding="utf-8"))
    return tuple(
        PagePart(row["place"], {key: note or "" for key, note in row["messages"].items()})
        for row in rows
    )


def describe_form(key: str, tag: str) -> str:
    """Say for which counts a text of a counted message is; "" where it is for all."""
    name, _, form = key.partition(".")
    forms = list_forms(tag)
    if not is_counted(name) or len(forms) == 1:
        return ""
    counts = forms.get(form or OTHER, ())
    alone = len(counts) == 1
    return f"said of {counts[0]}" if alone else f"said of {', '.join(map(str, counts))} and others"
