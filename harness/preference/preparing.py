"""From frozen questions and two answers files to pack, key and commitment."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from harness.preference.answering import answers_file
from harness.preference.answers import Arm, asked_alike, compare, named, read_answers
from harness.preference.errors import AnswersError, PackError
from harness.preference.key import Content, Key, Settings, new_secret
from harness.preference.languages import study_language
from harness.preference.messages import Catalogue, catalogue_for, read_catalogue
from harness.preference.pack import prepare
from harness.preference.questions import read_frozen

# Bound by the commitment: the analysis cannot be chosen after the votes are seen.
PLAN = {
    "unit": "prompt; raters' scores of +1 (trained), 0 (equal), -1 (base) are averaged first",
    "primary": "two-sided sign-flip test over prompts, level 0.05",
    "estimate": "net preference, wins, ties and losses with BCa bootstrap intervals over prompts",
    "secondary": "per rater, exact sign test without ties",
    "excluded": "repeats, checks, and raters who withdrew",
    "several_languages": "Holm",
    "seed": 0,
}


def prepare_study(
    study: Path,
    *,
    base: str | None = None,
    trained: str | None = None,
    pack_dir: Path,
    key_path: Path,
    raters: int = 2,
    repeats: int = 8,
    checks: int = 3,
    guesses: int = 4,
    title: str = "",
    contact: str = "",
    verdicts: bool = False,
    messages: Path | None = None,
    hide: Sequence[str] = (),
    empty: str = "refuse",
    naming: str = "refuse",
    plan: str = "",
    secret: bytes | None = None,
    say: Callable[[str], None] = lambda line: None,
) -> dict[str, Any]:
    """Writes pack and key; returns what is to be published. base, trained: `NAME=FILE`, or what
    `answer` wrote in the study's directory.

    Raises AnswersError with everything that would unblind, before anything is written.
    """
    if not 1 <= raters <= 200:
        raise PackError(f"{raters} raters; allowed are 1 to 200")
    questions = read_frozen(study)
    language = study_language(questions.language)
    arms = [_arm(study, "base", base), _arm(study, "trained", trained)]
    for note in asked_alike(arms, questions.sha256):
        say(f"the arms were asked differently: {note}")
    compared = compare(
        arms, [q.id for q in questions.questions], names=hide, empty=empty, naming=naming
    )
    for question, why in compared.dropped.items():
        say(f"left out: question {question}: {why}")
    if alike := sum(one == other for one, other in compared.texts.values()):
        say(f"{alike} of {len(compared.texts)} questions have the same answer from both arms")
    catalogue = _catalogue(study, messages, language.tag)
    if catalogue.draft:
        say(
            f"the raters' words in {catalogue.language} are a draft that no native speaker has"
            " confirmed. Remedy: let one correct a copy of it, set draft: false, and give it as"
            " --messages"
        )
    if catalogue.tag == "en" and language.tag != "en":
        say(f"there is no catalogue of the raters' words in {language.name}; they read English")
    rows = tuple(
        (q.id, q.category, q.prompt, *compared.texts[q.id])
        for q in questions.questions
        if q.id in compared.texts
    )
    settings = Settings(
        title=title or catalogue.messages["page_title"],
        language=language.as_dict(),
        messages=dict(catalogue.messages),
        messages_direction=catalogue.direction,
        messages_tag=catalogue.tag,
        slots=raters,
        repeats=min(repeats, len(rows)),
        checks=min(checks, max(0, len(rows) - 1)),
        guesses=guesses,
        verdicts=verdicts,
        contact=contact,
    )
    key = Key(
        secret=secret or new_secret(),
        content=Content(rows),
        settings=settings,
        arms=(_record(arms[0]), _record(arms[1])),
        trained=1,
        plan=PLAN | ({"words": plan} if plan else {}),
        questions_sha256=questions.sha256,
        dropped=compared.dropped,
    )
    return prepare(pack_dir, key_path, key)


def _catalogue(study: Path, given: Path | None, tag: str) -> Catalogue:
    """The one that was given, else the one that a speaker corrected, else the shipped one."""
    corrected = study / "messages.yaml"
    if given is None and corrected.exists():
        given = corrected
    return read_catalogue(given) if given else catalogue_for(tag)


def _arm(study: Path, arm: str, given: str | None) -> Arm:
    if given:
        name, path = named(given)
        return read_answers(path, name)
    path = answers_file(study, arm)
    if not path.exists():
        raise AnswersError(
            f"there is no {path}. Remedy: kakugo-preference answer {study}, or --{arm} NAME=FILE"
        )
    found = read_answers(path, arm)
    return replace(found, name=str(found.recorded.get("name", arm)))


def _record(arm: Arm) -> dict[str, Any]:
    return {
        "name": arm.name,
        "recorded": dict(arm.recorded),
        "finished": {question: answer.finished for question, answer in arm.answers.items()},
    }
