"""From frozen questions and two answers files to pack, key and commitment."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from core.shell import pasted
from preference.answering import answers_file
from preference.answers import Arm, named, read_answers
from preference.checking import asked_alike, examine, naming_words, own_names_of
from preference.errors import AnswersError
from preference.key import Content, Key, Settings, new_secret
from preference.languages import study_language
from preference.messages import Catalogue, catalogue_for, read_catalogue
from preference.normalise import clean_text
from preference.pack import prepare
from preference.questions import read_frozen

# A rater's hidden repeats, wrong-prompt checks, and prompts on which to guess at the end.
DEFAULTS = {"repeats": 8, "checks": 3, "guesses": 4}
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
    repeats: int | None = None,
    checks: int | None = None,
    guesses: int | None = None,
    title: str = "",
    contact: str = "",
    verdicts: bool = False,
    messages: Path | None = None,
    hide: Sequence[str] = (),
    leave_out: Collection[str] = (),
    allow: Collection[str] = (),
    plan: str = "",
    secret: bytes | None = None,
    say: Callable[[str], None] = lambda line: None,
) -> dict[str, Any]:
    """Writes pack and key; returns what is to be published.

    base, trained: `NAME=FILE`, or what `answer` wrote in the study's directory. repeats, checks,
    guesses: None for the usual number (DEFAULTS), fewer where there are few questions. leave_out,
    allow: kinds of findings, see `checking`; say: gets what is worth knowing, a line each.
    Raises AnswersError with everything that speaks against the study, before anything is written.
    """
    questions = read_frozen(study)
    language = study_language(questions.language)
    arms = [_arm(study, "base", base), _arm(study, "trained", trained)]
    problems, notes = asked_alike(arms, questions.sha256)
    examined = examine(
        arms, questions.questions, language, hide=hide, leave_out=leave_out, allow=allow
    )
    rows = tuple(
        (q.id, q.category, q.prompt, *examined.texts[q.id])
        for q in questions.questions
        if q.id in examined.texts
    )
    given = {"repeats": repeats, "checks": checks, "guesses": guesses}
    counts, wrong = _counts(raters, given, len(rows) or len(questions.questions))
    problems += examined.problems + wrong
    title, contact = (" ".join(clean_text(words).split()) for words in (title, contact))
    plan = clean_text(plan)
    catalogue = _catalogue(study, messages, language.tag)
    words = {"--title": title, "--contact": contact, "--plan": plan}
    if catalogue != catalogue_for(language.tag):
        words["--messages"] = "\n".join(catalogue.messages.values())
    named_in = naming_words(words, own_names_of(arms, hide))
    if "naming" not in allow:
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
        slots=raters,
        repeats=counts["repeats"],
        checks=counts["checks"],
        guesses=counts["guesses"],
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
        dropped=examined.dropped,
    )
    return prepare(pack_dir, key_path, key)


def _counts(
    raters: int, given: Mapping[str, int | None], questions: int
) -> tuple[dict[str, int], list[str]]:
    """How many repeats, checks and guesses; and what is wrong with those that were given. A check
    needs the answer to another question, so there is one fewer than there are questions."""
    wrong = [] if 1 <= raters <= 200 else [f"--raters {raters}: allowed are 1 to 200"]
    counts = {}
    for name, number in given.items():
        most = questions - (name == "checks")
        counts[name] = min(DEFAULTS[name], most) if number is None else number
        if not 0 <= counts[name] <= most:
            wrong.append(f"--{name} {number}: allowed are 0 to {most} with {questions} questions")
    return counts, wrong


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
            f"there is no {path}. Remedy: kakugo-preference answer {pasted(study)}, or"
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
