"""The teacher's own prompt: what it is shown of a conversation, beside what the student sees.

The abstract of DuDi (arXiv 2606.04694) names a cross-lingual verbalizer that refines the teacher's
feedback. Its form could not be had; ours shows the teacher the prompt's English, and where it is
to judge the student's own response, the corpus's one. (`verbalizer.yaml` has the words.)
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from string import Template
from typing import Any

import yaml

from training.distillation.settings import View
from training.errors import DistillationError

OURS = Path(__file__).with_name("verbalizer.yaml")

_NEEDED: Mapping[str, frozenset[str]] = {
    "english": frozenset({"prompt", "english"}),
    "reference": frozenset({"prompt", "reference"}),
    "both": frozenset({"prompt", "english", "reference"}),
}


@dataclass(frozen=True)
class Shown:
    """A conversation as the teacher sees it, and the view that it is: a row without English is not
    shown any."""

    messages: list[dict[str, Any]]
    view: View


def read_wording(path: Path) -> dict[str, str]:
    """Read the text of each view. Raises DistillationError with all that is wrong with it."""
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise DistillationError(
            f"distillation.verbalizer.wording={path} cannot be read: {error}. Remedy: start from a "
            f"copy of {OURS.name} of this package, saved as UTF-8."
        ) from error
    content = content if isinstance(content, dict) else {}
    problems = [f"{name} is no view" for name in content if name not in _NEEDED]
    for view, needed in _NEEDED.items():
        text = content.get(view)
        if not isinstance(text, str) or not Template(text).is_valid():
            problems.append(f"{view} must be a text, with $$ for a dollar sign")
            continue
        named = set(Template(text).get_identifiers())
        problems += [f"{view} lacks ${name}" for name in sorted(needed - named)]
        unknown = sorted(named - needed - {"language"})
        problems += [f"{view} names ${name}, which it has not" for name in unknown]
    if problems:
        raise DistillationError(
            f"distillation.verbalizer.wording={path}: {'; '.join(problems)}. Remedy: compare it "
            f"with {OURS.name} of this package."
        )
    return {view: content[view].strip() for view in _NEEDED}


def show_conversation(
    messages: Sequence[Mapping[str, Any]],
    view: View,
    wording: Mapping[str, str],
    *,
    language: str,
    english: Sequence[str] | None,
) -> Shown:
    """Write what the teacher is shown of a conversation, all answers included.

    `english` are its turns in English, one for each user and assistant turn in order, or None. With
    the English of prompts alone, each user's turn has its own beside it; a reference stands beside
    the last user's turn only, and is the answer behind it.
    """
    turns = [dict(turn) for turn in messages]
    talk = [place for place, turn in enumerate(turns) if turn["role"] != "system"]
    if english is None or len(english) != len(talk):
        english = None
        without: dict[View, View] = {"english": "plain", "both": "reference"}
        view = without.get(view, view)
    if view == "plain":
        return Shown(turns, view)
    said = dict(zip(talk, english or [""] * len(talk), strict=True))
    users = [place for place in talk if turns[place]["role"] == "user"]
    last = users[-1]
    texts = {place: turns[place]["content"] for place in users}
    for place in users if view == "english" else [last]:
        values = {"language": language, "prompt": texts[place], "english": said[place]}
        if view != "english":
            values["reference"] = turns[place + 1]["content"]
        turns[place]["content"] = Template(wording[view]).substitute(values)
    return Shown(turns, view)
