"""Splits what a model wrote into its reasoning and its answer: the one place that does.

Teachers' answers, users' own chats and the answers that people compare all pass through
`split_reasoning`. A text without marks comes back as it is. Where a mark is left over, or reasoning
has no end, the result says so, and nothing is guessed: the caller counts it as lost.

Marks in code, between backticks or in a fence, are talked about and mean nothing. Not covered:
reasoning without any mark.
"""

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from core.marks import ANSWERS, HARMONY, HARMONY_ENDS, REASONING, TEMPLATE, TURN_END, UNKNOWN, Mark

UNCLOSED = "reasoning without end"
MARK_LEFT = "mark of reasoning in the answer"
TOKEN_LEFT = "template token in the text"


@dataclass(frozen=True)
class Split:
    """`answer` and `reasoning` ("" where there is none), or the `problem` that makes it no answer:
    UNCLOSED, MARK_LEFT or TOKEN_LEFT. With a problem, `answer` is the text as it was."""

    answer: str
    reasoning: str = ""
    problem: str | None = None


_OPENINGS = [(re.compile(rf"\s*(?:{mark.opens})"), mark) for mark in REASONING]
_CERTAIN = [mark for mark in REASONING if mark.certain]


def _join_patterns(patterns: Iterable[str]) -> re.Pattern[str]:
    return re.compile("|".join(f"(?:{pattern})" for pattern in patterns))


_CERTAIN_OPENING = _join_patterns(mark.opens for mark in _CERTAIN)
_CERTAIN_CLOSING = _join_patterns(mark.closes for mark in _CERTAIN)
_LEFT = _join_patterns(
    [mark.opens for mark in _CERTAIN]
    + [mark.closes for mark in _CERTAIN]
    + [side for mark in ANSWERS if mark.certain for side in (mark.opens, mark.closes)]
    + [r"<\|(?:channel|message|start)\|>", "assistantfinal", UNKNOWN]
)
_TEMPLATE = re.compile(TEMPLATE, re.IGNORECASE)
_LAST_TOKEN = re.compile(rf"(?:{TURN_END})\Z", re.IGNORECASE)
_LAST_LEFT = re.compile(rf"(?:{_LEFT.pattern})\Z")
_LONGEST_TOKEN = 60
_HARMONY = re.compile(HARMONY)
_HARMONY_ENDS = re.compile(rf"(?:{HARMONY_ENDS})\Z")
# Harmony after its special tokens were lost: the names of the channels stick to the text.
_LOST_CHANNEL = re.compile("assistant(?:analysis|commentary)")
_LOST_WITHIN = re.compile(r"(?<=\S)analysis(?=[A-Z])")
_LOST_BEGINNING = re.compile(r"\s*(analysis|final)(?=(\S)(\S?))")
_LOST_THOUGHT = re.compile(r"\s*thought\n")  # Gemma's
_FENCE = re.compile(r"[ \t]*(`{3,}|~{3,})([^`\n]*)\Z")
# Not inside a word: some languages write a letter with a backtick (o`zbek).
_INLINE = re.compile(r"(?<![\w`])`+[^`\n]+`+(?![\w`])")
_WRAPPERS = [
    (
        re.compile(rf"\s*(?:{mark.opens})"),
        re.compile(rf"(?:{mark.closes})\Z"),
        _join_patterns((mark.opens, mark.closes)),
        mark.certain,
    )
    for mark in ANSWERS
]
_AROUND = "\"'“”‘’«»()*"


def split_reasoning(text: str) -> Split:
    """Returns the reasoning and the answer of a text that a model wrote."""
    whole = strip_turn_end(text)
    seen = _blank_code(whole)
    if _HARMONY.search(seen):
        found = _split_channels(whole, seen)
    elif "assistantfinal" in seen or _LOST_BEGINNING.match(seen):
        found = _split_lost_channels(whole, seen)
    else:
        found = _split_blocks(whole)
    if found.problem:
        return Split(text, problem=found.problem)
    reasoning = found.reasoning.strip()
    answer = _unwrap(found.answer, certain_only=found.answer == whole)
    if answer is None or find_marks(answer) or find_marks(reasoning):
        return Split(text, problem=MARK_LEFT)
    if find_template_tokens(answer):
        return Split(text, problem=TOKEN_LEFT)
    return Split(answer if answer == whole else answer.lstrip(), reasoning)


def strip_turn_end(text: str) -> str:
    """Returns the text without the template's tokens at its end, which only said that the turn
    is over.

    (`</s>` is one, unless it ends HTML that `<s>` has begun.)
    """
    said = text.rstrip()
    while end := _LAST_TOKEN.search(said, max(0, len(said) - _LONGEST_TOKEN)):
        html = end[0].casefold() == "</s>" and "<s>" in said.casefold()
        if html or _LAST_LEFT.search(said, max(0, len(said) - _LONGEST_TOKEN)):
            break
        text = said = said[: end.start()].rstrip()
    return text


def find_marks(text: str) -> list[str]:
    """Returns the marks of reasoning in a text, code aside, each once."""
    return sorted({match[0] for match in _LEFT.finditer(_blank_code(text))})


def find_template_tokens(text: str) -> list[str]:
    """Returns the tokens of chat templates in a text, code and HTML's <s> aside, each once."""
    found = {match[0] for match in _TEMPLATE.finditer(_blank_code(text))}
    if {"<s>", "</s>"} <= found:
        found -= {"<s>", "</s>"}
    return sorted(found)


def strip_reasoning(text: str) -> str:
    """Strips from reasoning, sent in a field of its own, the marks that some servers leave on."""
    if opened := _find_opening(text):
        start, mark = opened
        return re.sub(rf"(?:{mark.closes})\Z", "", text[start:].strip()).strip()
    return re.sub(rf"(?:{_CERTAIN_CLOSING.pattern})\Z", "", text.strip()).strip()


def _split_blocks(text: str) -> Split:
    """Splits by tags: <think>...</think> and its kin before the answer, or a closing tag alone."""
    reasoning: list[str] = []
    while opened := _find_opening(text):
        start, mark = opened
        end = next(_find_closings(text[start:], re.compile(mark.closes)), None)
        if end is None and mark.certain:  # <think> may end in </thinking>
            end = next(_find_closings(text[start:], _CERTAIN_CLOSING), None)
        if end is None:
            return Split(text, problem=UNCLOSED)
        reasoning.append(text[start : start + end.start()].strip())
        text = text[start + end.end() :]
    if not reasoning:
        if _LOST_THOUGHT.match(text):
            return Split(text, problem=UNCLOSED)
        end = next(_find_closings(text, _CERTAIN_CLOSING), None)
        if end and not _CERTAIN_OPENING.search(_blank_code(text), 0, end.start()):
            reasoning.append(text[: end.start()].strip())
            text = text[end.end() :]
    return Split(text, "\n\n".join(filter(None, reasoning)))


def _find_opening(text: str) -> tuple[int, Mark] | None:
    """Finds the beginning of reasoning, if the text begins with its mark, and the mark; repeats
    are skipped."""
    for opening, mark in _OPENINGS:
        if match := opening.match(text):
            while again := opening.match(text, match.end()):
                match = again
            return match.end(), mark
    return None


def _find_closings(text: str, closing: re.Pattern[str]) -> Iterator[re.Match[str]]:
    """Returns the marks that end reasoning, less those in code and those that a sentence speaks
    of."""
    seen = _blank_code(text)
    for match in closing.finditer(seen):
        before = seen[seen.rfind("\n", 0, match.start()) + 1 : match.start()]
        line_end = seen.find("\n", match.end())
        after = seen[match.end() : line_end if line_end >= 0 else None]
        quoted = before[-1:] and after[:1] and before[-1] in _AROUND and after[0] in _AROUND
        spaced = before[-1:].isspace() and after[:1].isspace() and after.strip()
        word = before.rstrip()[-1:]
        if not (quoted or (spaced and (word.isalnum() or word == ","))):
            yield match


def _split_channels(text: str, seen: str) -> Split:
    """Splits by gpt-oss's channels: one message in `final` is the answer, all others are
    reasoning."""
    headers = list(_HARMONY.finditer(seen))
    ends = [*(header.start() for header in headers[1:]), len(text)]
    answers: list[str] = []
    # What comes before the first header was begun by the prompt.
    reasoning = [_HARMONY_ENDS.sub("", text[: headers[0].start()].rstrip())]
    for header, end in zip(headers, ends, strict=True):
        if "to=" in header[0]:
            return Split(text, problem=MARK_LEFT)  # a call of a tool
        said = _HARMONY_ENDS.sub("", text[header.end() : end].rstrip())
        (answers if header["channel"] == "final" else reasoning).append(said)
    if len(answers) != 1:
        return Split(text, problem=MARK_LEFT if answers else UNCLOSED)
    return Split(answers[0], "\n\n".join(part.strip() for part in reasoning if part.strip()))


def _split_lost_channels(text: str, seen: str) -> Split:
    """Splits by the channels' names alone: "analysisWe need ...assistantfinalHabari!"."""
    begins = _LOST_BEGINNING.match(seen)
    at = seen.find("assistantfinal")
    if at < 0 and begins:
        channel, first, second = begins.groups()
        if channel == "final" and (first.isalpha() and not (first.islower() or first.isupper())):
            return Split(text[begins.end() :])
        if channel == "final" and (first + second == "**" or first == "#"):
            return Split(text[begins.end() :])
        if not first.isalpha() or first.islower():
            return _split_blocks(text)  # a word of the text: "analysis: ...", "finalists ..."
        return Split(text, problem=UNCLOSED if channel == "analysis" else MARK_LEFT)
    reasoning, answer = text[:at], text[at + len("assistantfinal") :]
    if reasoning.lstrip().startswith("analysis"):
        reasoning = reasoning.lstrip().removeprefix("analysis")
    if _LOST_WITHIN.search(_LOST_CHANNEL.sub("\n\n", reasoning)):
        return Split(text, problem=MARK_LEFT)  # an answer was begun before
    return Split(answer, _LOST_CHANNEL.sub("\n\n", reasoning))


def _unwrap(answer: str, certain_only: bool) -> str | None:
    """Returns the answer without the marks around it, of which the last may be missing; None
    where one of them is left."""
    for opening, closing, either, certain in _WRAPPERS:
        if certain_only and not certain:
            continue
        if start := opening.match(answer):
            answer = answer[start.end() :].strip()
        said = answer.rstrip()
        if end := closing.search(said, max(0, len(said) - _LONGEST_TOKEN)):
            if not start and not certain:
                return None
            answer = answer[: end.start()].rstrip()
        if start and either.search(_blank_code(answer)):
            return None
    return answer


def _blank_code(text: str) -> str:
    """Returns the text, as long as before, with every character of code as a null character.

    A closing mark on a line of its own ends reasoning even there, unless the same fence opened it:
    a fence that the reasoning left open ends in the answer.
    """
    if "`" not in text and "~~~" not in text:
        return text
    lines = text.split("\n")
    fences = [match.groups() if (match := _FENCE.match(line)) else ("", "") for line in lines]
    ends = [n for n, (mark, named) in enumerate(fences) if mark and not named.strip()]
    at = 0
    while at < len(lines):
        mark = fences[at][0]
        later = ends[bisect_right(ends, at) :] if mark else []
        end = next((n for n in later if fences[n][0].startswith(mark)), None)
        if end is None:
            lines[at] = _INLINE.sub(lambda code: "\0" * len(code[0]), lines[at])
            at += 1
            continue
        lines[at : end + 1] = _blank_fence(lines[at : end + 1])
        at = end + 1
    return "\n".join(lines)


def _blank_fence(fence: list[str]) -> list[str]:
    blank, opened = [], False
    for line in fence:
        opened = opened or bool(_CERTAIN_OPENING.search(line))
        closes = not opened and bool(_CERTAIN_CLOSING.fullmatch(line.strip()))
        blank.append(line if closes else "\0" * len(line))
    return blank
