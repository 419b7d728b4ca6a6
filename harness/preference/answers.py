"""Two arms' answers: read from files, normalised alike, and refused where they would unblind."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from harness.preference.errors import AnswersError
from harness.preference.files import read_rows
from harness.preference.normalise import names_of, normalise, self_names, template_traces


@dataclass(frozen=True)
class RawAnswer:
    """An answer as the model gave it. finished: it ended by itself; None if a file does not say."""

    question: str
    text: str
    finished: bool | None = None
    tokens: int | None = None


@dataclass(frozen=True)
class Arm:
    """One of the two: how it is called (never shown before unblinding), and its answers."""

    name: str
    answers: Mapping[str, RawAnswer]
    recorded: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Compared:
    """Both arms' normalised texts by question, and which questions were left out and why."""

    texts: dict[str, tuple[str, str]]
    dropped: dict[str, str]


def read_answers(path: Path, name: str) -> Arm:
    """Reads an answers file: our own (`question_id`, `text`), MT-Bench's `model_answer` (its first
    turn), or whole chat completions in place of the turns. Raises AnswersError with the line."""
    answers: dict[str, RawAnswer] = {}
    recorded: dict[str, Any] = {}
    for number, row in read_rows(path, AnswersError):
        try:
            if "recorded" in row and "question_id" not in row:
                recorded |= row["recorded"]
                continue
            answer = _answer(row)
        except (ValueError, KeyError, TypeError, IndexError) as error:
            raise AnswersError(
                f"{path}, line {number}: no answer could be read ({type(error).__name__}: {error})."
                ' Each line is {"question_id": ..., "text": ...} or a line of MT-Bench\'s'
                " model_answer"
            ) from None
        if answer.question in answers:
            raise AnswersError(
                f"{path}, line {number}: question {answer.question} is answered twice"
            )
        answers[answer.question] = answer
        if "model_id" in row:
            recorded.setdefault("model_id", row["model_id"])
    if not answers:
        raise AnswersError(f"{path}: holds no answers")
    return Arm(name, answers, recorded)


def named(given: str) -> tuple[str, Path]:
    """NAME=PATH in its two parts. Raises AnswersError."""
    name, separator, path = given.partition("=")
    if not separator or not name or not path:
        raise AnswersError(f"{given!r} is no NAME=PATH")
    return name, Path(path)


def asked_alike(arms: Sequence[Arm], questions_sha256: str) -> list[str]:
    """In words, how the arms were asked differently where that is a choice (system prompt,
    thinking). Raises AnswersError where their texts cannot be compared: made from other questions
    than these, or decoded in different ways. Says nothing of what a file does not record."""
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
            notes.append(said)
        elif key in ("temperature", "repetition_penalty", "max_new_tokens", "precision"):
            problems.append(said)
    if problems:
        raise AnswersError(
            "the arms cannot be compared: "
            + "; ".join(problems)
            + ". Remedy: kakugo-preference answer, alike for both"
        )
    return notes


def compare(
    arms: Sequence[Arm],
    questions: Sequence[str],
    *,
    names: Sequence[str] = (),
    empty: str = "refuse",
    naming: str = "refuse",
) -> Compared:
    """Normalises both arms and checks that nothing but what was said can tell them apart.

    names: further strings that would name a model. empty, naming: what to do with a question of
    which an answer is empty or names its model, `refuse` or `drop`; a dropped question is left out
    for both arms and listed. Raises AnswersError with every problem, one a line.
    """
    if len(arms) != 2 or arms[0].name == arms[1].name:
        raise AnswersError("two arms of different names are needed")
    problems: list[str] = []
    for arm in arms:
        missing = [q for q in questions if q not in arm.answers]
        extra = sorted(set(arm.answers) - set(questions))
        if missing:
            problems.append(
                f"{arm.name} does not answer {_some(missing)}. Remedy: answer them, or leave them"
                " out of both"
            )
        if extra:
            problems.append(f"{arm.name} answers {_some(extra)}, which the frozen questions lack")
    forbidden = sorted(
        {*names}.union(
            *(
                names_of(str(v))
                for a in arms
                for v in (a.name, a.recorded.get("model_id", ""), a.recorded.get("checkpoint", ""))
            )
        )
    )
    policies = {"empty": empty, "naming": naming}
    texts: dict[str, tuple[str, str]] = {}
    dropped: dict[str, str] = {}
    for question in questions:
        if any(question not in arm.answers for arm in arms):
            continue
        shown: list[str] = []
        for arm in arms:
            result = normalise(arm.answers[question].text)
            faults: list[tuple[str, str]] = []
            if not result.text:
                how = "ends inside its thinking" if result.cut_in_thinking else "is empty"
                faults.append(("empty", f"{arm.name}: the answer {how}"))
            if names_in := self_names(result.text, forbidden):
                faults.append(("naming", f"{arm.name}: the answer names {', '.join(names_in)}"))
            for option, why in faults:
                if policies[option] == "drop":
                    dropped[question] = "; ".join(filter(None, (dropped.get(question), why)))
                else:
                    problems.append(
                        f"question {question}, {why}. Remedy: mend the file, or leave the question"
                        f" out of both arms with --{option} drop"
                    )
            if traces := template_traces(result.text):
                problems.append(
                    f"question {question}, {arm.name}: template text is left over:"
                    f" {' '.join(traces)}. Remedy: strip it in the answers file, or generate it"
                    " anew with the checkpoint's chat template"
                )
            shown.append(result.text)
        if question not in dropped:
            texts[question] = (shown[0], shown[1])
    if problems:
        raise AnswersError("the answers cannot be shown blindly:\n  " + "\n  ".join(problems))
    if not texts:
        raise AnswersError(
            "every question was dropped; there is nothing to rate:\n  "
            + "\n  ".join(list(dropped.values())[:8])
        )
    return Compared(texts, dropped)


def _answer(row: Mapping[str, Any]) -> RawAnswer:
    question = str(row["question_id"])
    if "text" in row:
        return RawAnswer(question, _text(row["text"]), row.get("finished"), row.get("tokens"))
    turn = row["choices"][0]["turns"][0]
    if isinstance(turn, str):
        return RawAnswer(question, turn)
    choice = turn["choices"][0]
    reason = choice.get("finish_reason")
    return RawAnswer(
        question,
        _text(choice["message"].get("content") or ""),
        None if reason is None else reason == "stop",
        (turn.get("usage") or {}).get("completion_tokens"),
    )


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"the text is {type(value).__name__}, not a string")
    return value


def _some(ids: Sequence[str]) -> str:
    head = ", ".join(ids[:8])
    return f"question{'s' if len(ids) > 1 else ''} {head}" + (
        f" and {len(ids) - 8} more" if len(ids) > 8 else ""
    )
