"""From frozen questions and two answers files to pack, key and commitment."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from core.shell import quote_for_shell
from preference.answering import find_answers_file
from preference.answers import Arm, read_answers, split_named
from preference.catalogues import read_own_catalogue
from preference.checking import check_words, examine, find_differing_settings, list_own_names
from preference.errors import AnswersError
from preference.exclusions import ExclusionRules, parse_rules
from preference.key import Content, Key, Settings, make_secret
from preference.languages import StudyLanguage, find_study_language
from preference.messages import MESSAGES, Catalogue, find_catalogue, list_english, read_catalogue
from preference.normalise import clean_text
from preference.pace import ReadingPace
from preference.pack import pack_of, prepare
from preference.preparation import Preparation
from preference.questions import read_frozen
from preference.rule import StoppingRule, describe_rule

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


# Of a rater's time. Above it, most give up, or hurry.
_MANY_MINUTES = 60


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
    catalogue = _choose_catalogue(options.study, options.messages, language)
    consent = options.read_consent()
    words = {"--title": title, "--contact": contact, "--plan": plan, "--consent": consent}
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
            f" confirmed. Remedy: kakugo-preference correct {quote_for_shell(options.study)}, where"
            " a speaker reads them, or a corrected copy with draft: false as --messages"
        )
    english = list_english(catalogue)
    if english and language.tag != "en":
        say(
            f"{len(english)} of the raters' {len(catalogue.messages)} texts are in English. Remedy:"
            f" kakugo-preference words {quote_for_shell(options.study)} lets the teacher draft them"
        )
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
        consent=consent,
        practice=options.practice,
        part=0 if options.part in (None, left) else options.part or 0,
    )
    key = Key(
        secret=secret or make_secret(),
        content=Content(rows),
        settings=settings,
        arms=(_record(arms[0]), _record(arms[1])),
        trained=1,
        plan=make_plan(options.rule, parse_rules(options.exclude), plan),
        questions_sha256=questions.sha256,
        dropped=examined.dropped,
    )
    published = prepare(options.pack, options.key, key)
    for line in describe_effort(pack_of(key), options, len(rows)):
        say(line)
    return published


def describe_effort(pack: Mapping[str, Any], options: Preparation, questions: int) -> list[str]:
    """Say how much raters read and how long it takes them, with the remedy where it is much."""
    pace = ReadingPace(pack)
    words = sorted(pace.words)
    minutes = pace.estimate_minutes(pace.words.index(words[-1]))
    fewest, most = options.count_raters_of_each(questions)
    of_each = f"{fewest}" if fewest == most else f"{fewest} to {most}"
    lines = [
        f"each rater reads up to {words[-1]:,} words in {len(pack['slots'][0])} items, about"
        f" {minutes} minutes; every prompt gets {of_each} raters"
    ]
    if minutes > _MANY_MINUTES and not options.part:
        # So many questions as fill an hour, in whole pairs of raters who cover all of them twice.
        part = max(1, questions * _MANY_MINUTES // minutes)
        raters = 2 * -(-questions // part)
        lines.append(
            f"few finish that much. Remedy: --part {part} --raters {raters}, so that each rates"
            f" {part} of them and every prompt still gets 2 raters"
        )
    return lines


def make_plan(rule: StoppingRule | None, exclusions: ExclusionRules, words: str) -> dict[str, Any]:
    """The plan of the analysis. rule: when votes are enough; exclusions: who is left out; words:
    what else it is bound to."""
    return {
        **PLAN,
        **({} if rule is None else describe_rule(rule)),
        **exclusions.as_plan(),
        **({"words": words} if words else {}),
    }


def _choose_catalogue(study: Path, given: Path | None, language: StudyLanguage) -> Catalogue:
    """The one that was given, else the one that a speaker corrected, else the shipped one."""
    if given is not None:
        return read_catalogue(given)
    if (study / MESSAGES).exists():
        return read_own_catalogue(study, language)
    return find_catalogue(language.tag)


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
