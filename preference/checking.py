"""Check two arms' answers before raters see them: everything that speaks against it, at once.

Each finding has a kind. Most kinds are refused until the questions are left out of both arms, or
allowed by someone who has looked; the others are listed, with the numbers of the questions.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from core.text import remove_invisible
from preference.answers import Arm
from preference.errors import AnswersError
from preference.languages import StudyLanguage
from preference.normalise import find_template_traces, normalise
from preference.questions import Question
from preference.tells import find_names, find_self_names, find_tool_error, list_names

# What is refused (other kinds are listed), and how to mend it. Besides, the questions may be left
# out (--leave-out), or it may be allowed (--allow) where it is what the study wants.
REFUSED: Mapping[str, str] = {
    "unanswered": "answer these questions",
    "unasked": "take the file that answers the frozen questions",
    "empty": "answer these questions anew",
    "error": "these are errors of the tools around the model; answer these questions anew",
    "template": "strip it in the answers file, or answer anew with the checkpoint's chat template",
    "naming": "raters would know the arm; answer these questions anew",
    "identical": "most answers of the two arms are the same; take two checkpoints",
    "language": "take the arm's right file, and look whether the arms are exchanged",
    "same-model": "take two checkpoints",
}
LEFT_OUT = ("unanswered", "empty", "error", "template", "naming", "mention")
ALLOWED = ("unasked", "error", "template", "naming", "identical", "language", "same-model")
# Below it, which language a text is in cannot be told.
_LEAST_LETTERS = 15
_NO_WORDS = re.compile(r"```.*?(?:```|\Z)|`[^`\n]*`|\\[(\[].*?\\[)\]]|https?://\S+", re.DOTALL)


@dataclass(frozen=True)
class Finding:
    """question: None where it is the arm as a whole. arm: the arm's name, or both."""

    kind: str
    arm: str
    what: str
    question: str | None = None


@dataclass(frozen=True)
class Examined:
    """Both arms' normalised texts by question; which questions were left out and why; what is
    refused, and what is only told, each a line."""

    texts: dict[str, tuple[str, str]]
    dropped: dict[str, str]
    problems: list[str]
    notes: list[str]


def examine(
    arms: Sequence[Arm],
    questions: Sequence[Question],
    language: StudyLanguage,
    *,
    hide: Sequence[str] = (),
    leave_out: Collection[str] = (),
    allow: Collection[str] = (),
) -> Examined:
    """Normalises both arms alike and looks for all that would unblind raters or waste their votes.

    hide: further strings that would name a model; leave_out: kinds of LEFT_OUT whose questions are
    left out of both arms; allow: kinds of ALLOWED that are listed instead of refused.
    Raises AnswersError for arms of one name. `Preparation` has checked the kinds and words.
    """
    if len(arms) != 2 or arms[0].name == arms[1].name:
        raise AnswersError("two arms of different names are needed")
    ids = [question.id for question in questions]
    shown = {
        arm.name: {key: normalise(answer.text) for key, answer in arm.answers.items()}
        for arm in arms
    }
    own_names = list_own_names(arms, hide)
    found = _find_unanswered(arms, ids)
    for question in questions:
        about = (question.prompt, question.source)
        for arm in arms:
            if question.id not in arm.answers:
                continue
            answer = shown[arm.name][question.id]

            def add(kind: str, what: str, arm: str = arm.name, key: str = question.id) -> None:
                found.append(Finding(kind, arm, what, key))

            if not answer.text:
                how = "ends inside its thinking" if answer.cut_in_thinking else "is empty"
                add("empty", f"the answer {how}")
            elif error := find_tool_error(answer.text, about):
                add("error", f"the answer is the error {error}")
            names = find_names(answer.text, about, sorted(own_names))
            if names.own:
                add("naming", f"the answer names {', '.join(names.own)}")
            if names.mentioned:
                add("mention", f"the answer mentions {', '.join(names.mentioned)}")
            asked = set(find_template_traces("\n".join(about)))
            if traces := [
                trace for trace in find_template_traces(answer.text) if trace not in asked
            ]:
                add("template", f"template text is left over: {' '.join(traces)}")
            if arm.answers[question.id].finished is False:
                add("cut", "the answer did not end by itself (the limit of tokens, or a filter)")
    dropped: dict[str, list[str]] = defaultdict(list)
    for one in found:
        if one.kind in leave_out and one.question is not None:
            dropped[one.question].append(f"{one.arm}: {one.what}")
    kept = [key for key in ids if key not in dropped and all(key in arm.answers for arm in arms)]
    texts = {key: (shown[arms[0].name][key].text, shown[arms[1].name][key].text) for key in kept}
    found = [one for one in found if one.question not in dropped]
    found += _find_alike(arms, texts) + _find_other_languages(arms, texts, language)
    problems, notes = _write_findings(found, allow, len(ids))
    if not texts and not problems:
        problems.append(f"none of the {len(ids)} questions is left; there is nothing to rate")
    left_out = {key: "; ".join(why) for key, why in dropped.items()}
    return Examined(texts, left_out, problems, notes)


def find_differing_settings(
    arms: Sequence[Arm], questions_sha256: str
) -> tuple[list[str], list[str]]:
    """Finds where the arms were not asked alike. Returns (problems, notes).

    A problem is why their texts cannot be compared: they were made from other questions than
    these, or decoded in different ways. A note is a difference that may be a choice (system
    prompt, thinking). Nothing is said of what a file does not record.
    """
    problems = [
        f"{arm.name} answers other questions than the frozen ones"
        for arm in arms
        if arm.recorded.get("questions_sha256", questions_sha256) != questions_sha256
    ]
    notes = []
    one, other = (arm.recorded for arm in arms)
    for key in sorted(one.keys() & other.keys()):
        said = f"{key} is {one[key]!r} for {arms[0].name} and {other[key]!r} for {arms[1].name}"
        if one[key] == other[key]:
            continue
        if key in ("system_prompt", "thinking"):
            notes.append(f"the arms were asked differently: {said}")
        elif key in ("temperature", "repetition_penalty", "max_new_tokens", "precision"):
            problems.append(said)
    if problems:
        problems.append("Remedy: kakugo-preference answer, alike for both")
    return problems, notes


def list_own_names(arms: Sequence[Arm], hide: Sequence[str] = ()) -> set[str]:
    """List what must stand in nothing that raters see: the arms' names and origins, and `hide`."""
    said = [
        str(identity)
        for arm in arms
        for identity in (arm.name, arm.recorded.get("model_id"), arm.recorded.get("checkpoint"))
        if identity
    ]
    return {*hide}.union(*map(list_names, said))


def check_words(words: Mapping[str, str], names: Collection[str]) -> list[str]:
    """Say what is wrong with the study's own words. words: by option, such as --title."""
    found = {option: find_self_names(text, sorted(names)) for option, text in words.items()}
    problems = [
        f"{option} names {', '.join(said)}, from which raters would know an arm"
        for option, said in found.items()
        if said
    ]
    remedy = "  Remedy: say it in other words; or, where that is meant, --allow naming"
    return [*problems, remedy] if problems else []


def _find_unanswered(arms: Sequence[Arm], ids: Sequence[str]) -> list[Finding]:
    found = []
    for arm in arms:
        if not set(ids) & set(arm.answers):
            here, there = _list_some(ids), _list_some(list(arm.answers))
            what = f"it answers none of the frozen {here}, but {there}"
            found.append(Finding("unasked", arm.name, what))
            continue
        found += [
            Finding("unanswered", arm.name, f"{arm.name} does not answer", key)
            for key in ids
            if key not in arm.answers
        ]
        if extra := [key for key in arm.answers if key not in set(ids)]:
            what = f"it answers {_list_some(extra)}, which the frozen questions lack"
            found.append(Finding("unasked", arm.name, what))
    return found


def _find_alike(arms: Sequence[Arm], texts: Mapping[str, tuple[str, str]]) -> list[Finding]:
    """Tell whether the two arms are one: by what is recorded of them, and by what they say."""
    found = []
    both = f"{arms[0].name} and {arms[1].name}"
    one, other = (arm.recorded for arm in arms)
    key = next((k for k in ("checkpoint_sha256", "model_id") if k in one and k in other), None)
    if key and one[key] == other[key]:
        found.append(Finding("same-model", both, f"both are recorded as {key} {one[key]}"))
    same = [key for key, (a, b) in texts.items() if _as_seen(a) == _as_seen(b) and a]
    most = len(same) * 2 > len(texts)
    found += [
        Finding("identical" if most else "tie", both, "the same answer from both", key)
        for key in same
    ]
    for place, arm in enumerate(arms):
        counts = Counter(pair[place] for pair in texts.values() if pair[place])
        for text, count in counts.most_common(1):
            if count > 1 and count * 2 > len(texts):
                what = f"one and the same text to {count} of {len(texts)} questions: {text[:60]!r}"
                found.append(Finding("constant", arm.name, what))
    return found


def _as_seen(text: str) -> str:
    """Reduce a text to what a reader can tell from another: no spaces more or less, nothing
    invisible.
    """
    return " ".join(remove_invisible(text).split())


def _find_other_languages(
    arms: Sequence[Arm], texts: Mapping[str, tuple[str, str]], language: StudyLanguage
) -> list[Finding]:
    """Answers in another language. That base models answer in English is what such a study is
    about; a trained arm that mostly does is more likely the wrong file."""
    found = []
    for place, arm in enumerate(arms):
        other = [key for key, pair in texts.items() if _is_in_another(pair[place], language)]
        refused = place == 1 and len(other) * 2 > len(texts)
        what = f"seems to be in another language than {language.name}"
        found += [
            Finding("language" if refused else "other language", arm.name, what, key)
            for key in other
        ]
    return found


def _is_in_another(text: str, language: StudyLanguage) -> bool:
    """Tell whether a text is surely in another language; False where that cannot be told."""
    from core.identify.text import is_in_language

    words = _NO_WORDS.sub(" ", text)
    if sum(letter.isalpha() for letter in words) < _LEAST_LETTERS:
        return False
    return is_in_language(words, flores_code=language.code, name=language.name) is False


def _write_findings(
    found: Sequence[Finding], allow: Collection[str], total: int
) -> tuple[list[str], list[str]]:
    """(problems, notes), a line for each arm and what is wrong, with the questions' numbers."""
    grouped: dict[tuple[str, str, str], list[str]] = defaultdict(list)
    for one in found:
        keys = grouped[one.kind, one.arm, one.what]
        if one.question is not None:
            keys.append(one.question)
    problems: list[str] = []
    notes: list[str] = []
    for kind in dict.fromkeys(one.kind for one in found):
        lines = [
            _write_line(arm, what, keys, total)
            for (k, arm, what), keys in grouped.items()
            if k == kind
        ]
        if kind in REFUSED and kind not in allow:
            problems += [*lines, f"  Remedy: {_write_remedy(kind)}"]
        else:
            notes += lines
    return problems, notes


def _write_line(arm: str, what: str, keys: Sequence[str], total: int) -> str:
    said = what if what.startswith(arm) else f"{arm}: {what}"
    if not keys:
        return said
    of = f" ({len(keys)} of {total})" if len(keys) > 1 else ""
    if what.endswith("does not answer"):
        return f"{said} {_write_numbers(keys)}{of}"
    return f"{_write_numbers(keys)}{of}, {said}"


def _write_remedy(kind: str) -> str:
    ways = [REFUSED[kind]]
    if kind in LEFT_OUT:
        ways.append(f"leave the questions out of both arms with --leave-out {kind}")
    if kind in ALLOWED:
        ways.append(f"where that is meant, --allow {kind}")
    return "; or ".join(ways)


def _write_numbers(keys: Sequence[str]) -> str:
    return f"question{'s' if len(keys) > 1 else ''} {', '.join(keys)}"


def _list_some(keys: Sequence[str]) -> str:
    listed = ", ".join(keys[:8])
    return f"questions {listed}" + (f" and {len(keys) - 8} more" if len(keys) > 8 else "")
