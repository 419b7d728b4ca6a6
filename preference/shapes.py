"""Check that an event says what its kind may say, and nothing else.

The votes are published, and read by programs that were written for events of these shapes.
"""

import re
from collections.abc import Mapping
from typing import Any

from preference.chain import REMOVED, Event
from preference.screens import CHOICES
from preference.standing import GUESSES, find_subject

_NAME, _NONCE, _HASH = (re.compile(f"[0-9a-f]{{{digits}}}") for digits in (16, 32, 64))
_GUESSES, _VERDICTS = ("a", "b", "unknown"), ("good", "bad")
_NONCES = {"nonce": _NONCE, "pair_nonce": _NONCE}
_VOTE = {"item": _NAME, "a": _NAME, "b": _NAME, "choice": CHOICES, "place": int}
_SAID = {"verdict_a": _VERDICTS, "verdict_b": _VERDICTS, "comment_sha256": _HASH}
_KINDS = ("enrol", "packet", "vote", "guess", "held", "undo", "withdraw", "enough", "close")


def find_odd(event: Event) -> str | None:
    """Find what in an event no event of its kind says; None where it has the shape of its kind."""
    if event.kind == REMOVED:
        return None
    if event.kind not in _KINDS:
        return f"there is no kind {event.kind!r}"
    needed, possible = _find_fields(event)
    body = event.body
    if missing := needed.keys() - body.keys():
        return f"it lacks {', '.join(sorted(missing))}"
    if strange := body.keys() - needed.keys() - possible.keys():
        return f"it also says {', '.join(sorted(strange))}"
    fields = {**needed, **possible}
    wrong = [name for name, value in body.items() if not _fits(value, fields[name])]
    return f"its {wrong[0]} is {body[wrong[0]]!r}" if wrong else None


def _find_fields(event: Event) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    """The fields that an event of this kind has, and those that it may have."""
    if event.kind in ("enrol", "packet"):
        return _NONCES, {}
    if event.kind == "undo":
        return {"item": _NAME, "undone": _HASH}, {}
    if event.kind == "enough":
        return {"word": _HASH}, {}
    if event.kind in ("withdraw", "close"):
        return {}, {}
    guesses = event.kind == "guess" or (event.kind == "held" and find_subject(event) == GUESSES)
    needed = {"guesses": {}} if guesses else _VOTE
    said = {} if guesses else _SAID
    if event.kind == "held":
        return {**needed, "unseen": _HASH}, said
    return needed, {**said, "supersedes": []}


def _fits(value: Any, shape: Any) -> bool:
    if isinstance(shape, re.Pattern):
        return isinstance(value, str) and shape.fullmatch(value) is not None
    if isinstance(shape, tuple):
        return isinstance(value, str) and value in shape
    if shape is int:
        return type(value) is int and value > 0
    if isinstance(shape, list):
        return isinstance(value, list) and all(_fits(one, _HASH) for one in value)
    return isinstance(value, dict) and all(
        _fits(item, _NAME) and _fits(guess, _GUESSES) for item, guess in value.items()
    )
