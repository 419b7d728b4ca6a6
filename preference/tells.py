"""Find what in an answer tells of its model or of the tools around it: names, and error texts.

The names and words stand in tells.yaml, a list to add to. What the question itself says tells
nothing: an answer about Google to a question about Google names no model.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from core.text import fold, remove_invisible

_DATA = Path(__file__).with_name("tells.yaml")
# An answer that says who it is mostly begins with it.
_BEGINNING = 160
# How far a name may stand from the words "I am", and from another name of its maker.
_NEAR = 60
_ERROR_LENGTH = 600
_BRACKETS = "$[]<>{}"
# Chinese, Japanese and Korean signs, between which there are no words or which take endings.
_UNSPACED = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")
_GENERIC = {
    "base", "trained", "model", "models", "checkpoint", "tuned", "student", "arm", "home",
}  # fmt: skip


@dataclass(frozen=True)
class Names:
    """Names that stand in an answer and not in its question. own: with which it (probably) says
    who it is or who made it; mentioned: others, of which only a person can say what they mean."""

    own: tuple[str, ...]
    mentioned: tuple[str, ...]


def find_names(text: str, question: Sequence[str], arms: Iterable[str] = ()) -> Names:
    """Names of models and makers in an answer. arms: the arms' own names, of which any mention
    counts; question: the question's texts.

    Not covered: a model that names itself in words that tells.yaml lacks, far from the beginning,
    by a name that is a word as well.
    """
    asked = "\n".join(map(_squeeze, question))
    squeezed = _squeeze(text)
    own: set[str] = set()
    mentioned: set[str] = set()
    for name in arms:
        if _find_places(name, squeezed):
            (mentioned if _find_places(name, asked) else own).add(name)
    for names in _read_makers():
        found = {
            name: places
            for name, distinct in names.items()
            if (places := _find_places(name, squeezed, common=not distinct))
        }
        for name, places in found.items():
            others = [
                p for other in found if not _is_part_of_other(other, name) for p in found[other]
            ]
            of_itself = any(_speaks_of_itself(squeezed, place) for place in places)
            if not _find_places(name, asked) and (
                of_itself or (names[name] and places[0] <= _BEGINNING)
            ):
                own.add(name)
            elif of_itself or (
                not _find_places(name, asked)
                and (
                    names[name] or any(abs(p - place) <= _NEAR for p in others for place in places)
                )
            ):
                mentioned.add(name)
    return Names(tuple(sorted(own)), tuple(sorted(mentioned - own)))


def find_self_names(text: str, names: Iterable[str]) -> list[str]:
    """Find the names that stand in the text, whatever their case, spacing or hyphens."""
    squeezed = _squeeze(text)
    return [name for name in names if _find_places(name, squeezed)]


def list_names(identity: str) -> list[str]:
    """Names to look for, from an arm's name or a repository: `openai/gpt-oss-120b` gives the whole,
    its owner, its model and the model without its size."""
    parts = [part for part in re.split(r"[/\\]", identity) if part]
    names = {identity, *parts}
    names |= {
        re.sub(r"[-_ ]?\d+(\.\d+)?[bm]\b.*$", "", part, flags=re.IGNORECASE) for part in parts
    }
    return sorted(name for name in names if len(name) >= 4 and name.lower() not in _GENERIC)


def find_tool_error(text: str, question: Sequence[str]) -> str | None:
    """Find what of an answer is the error of a tool, not a model's words; None if nothing is."""
    data = _read_data()["errors"]
    bare = " ".join(remove_invisible(text).split())
    said = bare.strip(" .!*`\"'")
    for whole in data["whole"]:
        if said == whole or (
            _strip_brackets(said) and _strip_brackets(said) == _strip_brackets(whole)
        ):
            return str(whole)
    if len(bare) <= _ERROR_LENGTH:
        for pattern in data["begins"]:
            found = re.match(pattern, bare.lstrip("*`\"' "), re.IGNORECASE)
            if found and found[0].casefold() not in "\n".join(question).casefold():
                return found[0]
    return None


def _strip_brackets(text: str) -> str:
    return text.strip(_BRACKETS)


@cache
def _read_data() -> dict[str, Any]:
    value: dict[str, Any] = yaml.safe_load(_DATA.read_text(encoding="utf-8"))
    return value


@cache
def _read_makers() -> tuple[Mapping[str, bool], ...]:
    """Map each maker's names to whether it is distinct, and no common word as well."""
    return tuple(
        dict.fromkeys(row.get("common", ()), False) | dict.fromkeys(row.get("distinct", ()), True)
        for row in _read_data()["makers"].values()
    )


@cache
def _make_pattern(name: str, prefix: bool) -> re.Pattern[str]:
    """prefix: the name may go on as a longer word, since many languages add endings to it."""
    escaped = re.escape(_squeeze(name))
    if _UNSPACED.search(name):
        return re.compile(escaped)
    # A Latin name in a text of another script needs no space around it.
    letter = r"[a-z0-9\u00df-\u024f]" if name.isascii() else r"[^\W_]"
    end = "" if prefix else rf"(?!{letter.replace('0-9', '')})"
    return re.compile(rf"(?<!{letter}){escaped}{end}")


def _find_places(name: str, squeezed: str, *, common: bool = False) -> list[int]:
    """Find where a name stands; names of up to five letters, and common ones, as a whole word."""
    pattern = _make_pattern(name, not common and len(name) > 5)
    return [match.start() for match in pattern.finditer(squeezed)]


def _is_part_of_other(one: str, other: str) -> bool:
    """Tell whether a name is part of the other: "Google" beside "Google DeepMind" says nothing
    more.
    """
    one, other = _squeeze(one), _squeeze(other)
    return one in other or other in one


@cache
def _make_self_pattern() -> re.Pattern[str]:
    """Match what stands before a name where a text speaks of itself."""
    near, next_to = (
        "|".join(_escape_word(word) for word in sorted(_read_data()[key], key=len, reverse=True))
        for key in ("first_person", "pronouns")
    )
    return re.compile(rf"(?:{near})|(?:{next_to})\W{{0,3}}\Z")


def _escape_word(word: str) -> str:
    escaped = re.escape(_squeeze(word))
    return escaped if _UNSPACED.search(word) else rf"(?<![^\W_]){escaped}(?![^\W_])"


def _speaks_of_itself(squeezed: str, place: int) -> bool:
    """Tell whether the sentence speaks of itself before the name at `place`."""
    before = re.split(r"[.!?。！？।]", squeezed[max(0, place - _NEAR) : place])[-1]
    return bool(_make_self_pattern().search(before))


def _squeeze(text: str) -> str:
    return re.sub(r"[\s_\-‐‑–]+", "-", fold(text).replace("’", "'"))
