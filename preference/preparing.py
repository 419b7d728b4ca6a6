"""From frozen questions and two answers files to pack, key and commitment."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from core.shell import quote_for_shell
from preference.answering import find_answers_file
from preference.answers import Arm, read_answers, split_named
from preference.checking import check_words, examine, find_differing_settings, list_own_names
from preference.errors import AnswersError
from preference.key import Content, Key, Settings, make_secret
from preference.languages import find_study_language
from preference.messages import Catalogue, find_catalogue, read_catalogue
from preference.normalise import clean_text
from preference.pack import prepare
from preference.preparation import Preparation
from preference.questions import read_frozen

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
    options: Preparation,
    *,
    secret: bytes | None = None,
    say: Callable[[str], None] = lambda line: None,
) -> dict[str, Any]:
    """Writes pack and key; returns what is to be published.

    secret: None for a new one; say: gets what is worth knowing, a line each. Raises AnswersError
    with everything that speaks against the study, before anything is written.
    """
    questions = read_frozen(options.study)
    language = find_study_language(questions.language)
    arms = [
        _read_arm(options.study, "base", options.base),
        _read_arm(options.study, "trained", options.trained),
    ]
    problems, notes = find_differing_settings(arms, questions.sha256)
    examined = examine(
        arms,
        questions.questions,
        language,
        hide=options.hide,
        leave_out=options.leave_out,
        allow=options.allow,
    )
    rows = tuple(
        (q.id, q.category, q.prompt, *examined.texts[q.id])
        for q in questions.questions
        if q.id in examined.texts
    )
    left = len(rows) or len(questions.questions)
    problems += examined.problems + options.list_problems(left)
    counts = options.counts(left)
    title, contact, plan = options.title_line, options.contact_line, clean_text(options.plan)
    catalogue = _choose_catalogue(options.study, options.messages, language.tag)
    words = {"--title": title, "--contact": contact, "--plan": plan}
    if catalogue != find_catalogue(language.tag):
        words["--messages"] = "\n".join(catalogue.messages.values())
    named_in = check_words(words, list_own_names(arms, options.hide))
    if "naming" not in options.allow:
        problems += named_in
    for line in notes + examined.notes:
        say(line)
    for question, why in examined.dropped.items():
        say(f"left out: question {question}: {why}")
    if examined.dropped:
        say(f"{len(rows)} of {len(questions.questions)} questions are left")
    if problems:
        raise AnswersError("the study cannot be prepared:\n  " + "\n  ".join(problems))
    if catalogue.draft:
        say(
            f"the raters' words in {catalogue.language} are a draft that no native speaker has"
            " confirmed. Remedy: let one correct a copy of it, set draft: false, and give it as"
            " --messages"
        )
    if catalogue.tag == "en" and language.tag != "en":
        say(f"there is no catalogue of the raters' words in {language.name}; they read English")
    settings = Settings(
        title=title or catalogue.messages["page_title"],
        language=language.as_dict(),
        messages=dict(catalogue.messages),
        messages_direction=catalogue.direction,
        messages_tag=catalogue.tag,
        slots=options.raters,
        repeats=counts["repeats"],
        checks=counts["checks"],
        guesses=counts["guesses"],
        verdicts=options.verdicts,
        contact=contact,
    )
    key = Key(
        secret=secret or make_secret(),
        content=Content(rows),
        settings=settings,
        arms=(_record(arms[0]), _record(arms[1])),
        trained=1,
        plan=PLAN | ({"words": plan} if plan else {}),
        questions_sha256=questions.sha256,
        dropped=examined.dropped,
    )
    return prepare(options.pack, options.key, key)


def _choose_catalogue(study: Path, given: Path | None, tag: str) -> Catalogue:
    """The one that was given, else the one that a speaker corrected, else the shipped one."""
    corrected = study / "messages.yaml"
    if given is None and corrected.exists():
        given = corrected
    return read_catalogue(given) if given else find_catalogue(tag)


def _read_arm(study: Path, arm: str, given: str | None) -> Arm:
    if given:
        name, path = split_named(given)
        return read_answers(path, name)
    path = find_answers_file(study, arm)
    if not path.exists():
        raise AnswersError(
            f"there is no {path}. Remedy: kakugo-preference answer {quote_for_shell(study)}, or"
            f" --{arm} NAME=FILE"
        )
    found = read_answers(path, arm)
    return replace(found, name=str(found.recorded.get("name", arm)))


def _record(arm: Arm) -> dict[str, Any]:
    return {
        "name": arm.name,
        "recorded": dict(arm.recorded),
        "finished": {question: answer.finished for question, answer in arm.answers.items()},
    }
