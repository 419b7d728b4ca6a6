"""An arm's answers, read from a file of one of three shapes."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from preference.errors import AnswersError
from preference.files import read_rows


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
            answer = _read_answer(row)
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


def split_named(given: str) -> tuple[str, Path]:
    """NAME=PATH in its two parts. Raises AnswersError."""
    name, separator, path = given.partition("=")
    if not separator or not name or not path:
        raise AnswersError(f"{given!r} is no NAME=PATH")
    return name, Path(path)


def _read_answer(row: Mapping[str, Any]) -> RawAnswer:
    question = str(row["question_id"])
    if "text" in row:
        return RawAnswer(question, _read_text(row["text"]), row.get("finished"), row.get("tokens"))
    turn = row["choices"][0]["turns"][0]
    if isinstance(turn, str):
        return RawAnswer(question, turn)
    choice = turn["choices"][0]
    reason = choice.get("finish_reason")
    return RawAnswer(
        question,
        _read_text(choice["message"].get("content") or ""),
        None if reason is None else reason == "stop",
        (turn.get("usage") or {}).get("completion_tokens"),
    )


def _read_text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"the text is {type(value).__name__}, not a string")
    return value
