"""Chat rows become tokens and labels.

Trained are the content of every assistant turn and the token that ends it, so that the student
learns to answer and to stop. Not trained are the system prompt, the user's turns, assistant turns
with `weight` 0, the headers of turns (the student never writes them) and, unless asked for, what a
template puts behind an end token (LLaMA-Factory trains the newline there).

Which characters an assistant turn covers is found by rendering: the conversation up to the turn
with the header for the answer, and the conversation with the turn. Each must begin with the one
before. Where a template rewrites earlier turns (Qwen3's drops their reasoning), each answer becomes
an example of its own, with all before it as the student will see it. Tokens are those of the whole
text, rendered once; a token that reaches from a header into the content is not trained.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from core.checkpoints.chat import ChatPrompt, build_prompt, render, starts_with_thought
from core.checkpoints.errors import ChatError
from core.checkpoints.tokens import find_frame
from core.lines import LineError, read_json_lines
from training.errors import MaskError, RowsError

Messages = list[dict[str, Any]]
IGNORED = -100  # the label that the loss leaves out
_BATCH = 256  # conversations at once


class Rewritten(MaskError):
    """The template renders earlier turns differently once a later one is there."""


@dataclass(frozen=True)
class Example:
    """One text: `labels` has the token itself where it is trained and IGNORED elsewhere."""

    input_ids: list[int]
    labels: list[int]

    @property
    def supervised(self) -> int:
        """Count the tokens that are trained. The first token never is: nothing predicts it."""
        return sum(label != IGNORED for label in self.labels[1:])


def read_examples(
    rows: Path, make: Callable[[Sequence[Messages]], list[list[Example]]]
) -> Iterator[tuple[str, list[Example]]]:
    """(source, examples) of each row of the JSONL file `rows`: {"source", "messages"}.

    `make` is `tokenise_conversations` with a tokenizer. Raises RowsError for rows that are no
    conversations; MaskError where the template is missing or cannot be masked.
    """
    found = _read_conversations(rows)
    while some := list(islice(found, _BATCH)):
        yield from zip((source for _, source, _ in some), _make_some(some, make), strict=True)


def _make_some(
    some: Sequence[tuple[str, str, Messages]],
    make: Callable[[Sequence[Messages]], list[list[Example]]],
) -> Iterator[list[Example]]:
    try:
        yield from make([messages for _, _, messages in some])
    except (ChatError, MaskError):  # one by one, to name the row
        for where, _, messages in some:
            try:
                make([messages])
            except (ChatError, MaskError) as error:
                raise MaskError(f"{where}: {error}") from error
        raise


def make_examples(
    messages: Messages, tokenizer: Any, end_ids: frozenset[int], *, train_newline: bool = False
) -> list[Example]:
    """The conversation as one example with every answer trained, or one for each answer.

    An answer with `weight` 0 is not trained: it is context for those after it. None where one of
    the texts holds a special token as text: the tokenizer would make that token of it, and a
    teacher's text could end its own turn and begin another's. (Marks of reasoning belong there,
    even where a tokenizer calls them special.)
    """
    return tokenise_conversations([messages], tokenizer, end_ids, train_newline=train_newline)[0]


def tokenise_conversations(
    chats: Sequence[Messages],
    tokenizer: Any,
    end_ids: frozenset[int],
    *,
    train_newline: bool = False,
) -> list[list[Example]]:
    """The `make_examples` of each conversation. The tokenizer is given all texts at once, which
    takes half the time of one after the other, and less with several cores.

    `end_ids` are the tokens that end an assistant turn.
    """
    special = {t.content for t in tokenizer.added_tokens_decoder.values() if t.special}
    special -= {"<think>", "</think>"}
    rendered = [_render_spans(chat, tokenizer, special) for chat in chats]
    flat = [text for texts in rendered for text in texts]
    made = iter(_mask_texts(flat, tokenizer, end_ids, train_newline))
    return [list(islice(made, len(texts))) for texts in rendered]


def mask(
    messages: Messages,
    tokenizer: Any,
    end_ids: frozenset[int],
    answers: Sequence[int],
    *,
    train_newline: bool = False,
) -> Example:
    """The tokens of a conversation up to the last of `answers` (message numbers), which are
    trained. Raises Rewritten where they cannot be trained in one text."""
    text = _find_spans(messages, tokenizer, answers)
    return _mask_texts([text], tokenizer, end_ids, train_newline)[0]


@dataclass(frozen=True)
class _Rendered:
    """The text of an example, and from where to where its characters are trained."""

    text: str
    spans: tuple[tuple[int, int], ...]


def _render_spans(messages: Messages, tokenizer: Any, special: Collection[str]) -> list[_Rendered]:
    if any(token in message["content"] for message in messages for token in special):
        return []
    answers = [i for i, message in enumerate(messages) if _is_trained(message)]
    # Templates see what they know: a key of ours may mean something else to one.
    messages = [{"role": turn["role"], "content": turn["content"]} for turn in messages]
    try:
        return [_find_spans(messages, tokenizer, answers)]
    except Rewritten:
        if len(answers) == 1:
            raise
    return [_find_spans(messages, tokenizer, [answer]) for answer in answers]


def _find_spans(messages: Messages, tokenizer: Any, answers: Sequence[int]) -> _Rendered:
    spans: list[tuple[int, int]] = []
    text = ""
    for i in answers:
        header, turn = _split_answered(
            build_prompt(tokenizer, messages[:i]), render(tokenizer, messages[: i + 1]), messages[i]
        )
        if not (header.startswith(text) and turn.startswith(header)):
            raise Rewritten(
                f"the chat template renders the turns before message {i + 1} differently once that "
                "message is there, so trained tokens cannot be told from untrained ones. "
                "Remedy: use a template that only appends, or leave such conversations out."
            )
        spans.append((len(header), len(turn)))
        text = turn
    return _Rendered(text, tuple(spans))


def _mask_texts(
    texts: Sequence[_Rendered], tokenizer: Any, end_ids: frozenset[int], train_newline: bool
) -> list[Example]:
    """The tokens of each text, and as labels those that its spans cover."""
    import numpy as np

    if not texts:
        return []
    before = list(find_frame(tokenizer).before)  # as in core.checkpoints.tokens.encode
    encoded = tokenizer([text.text for text in texts], add_special_tokens=False).encodings
    ending = np.array(sorted(end_ids), np.int64)
    found = []
    for text, one in zip(texts, encoded, strict=True):
        ids, offsets = np.array(one.ids, np.int64), np.array(one.offsets, np.int64).reshape(-1, 2)
        if ids[: len(before)].tolist() != before:
            ids = np.concatenate([np.array(before, np.int64), ids])
            offsets = np.concatenate([np.zeros((len(before), 2), np.int64), offsets])
        labels = np.full(len(ids), IGNORED, np.int64)
        first, last = offsets[:, 0], offsets[:, 1]
        for start, end in text.spans:
            inside = np.flatnonzero((start <= first) & (first < last) & (last <= end))
            ends = inside[np.isin(ids[inside], ending)]
            if not len(ends):
                names = tokenizer.convert_ids_to_tokens(sorted(end_ids))
                raise MaskError(
                    f"the chat template ends an assistant turn with none of the tokens {names}, so "
                    "the student would never learn to stop. Remedy: name the template's end token "
                    "as eos_token_id in the student's generation_config.json."
                )
            trained = inside if train_newline else inside[inside <= ends[-1]]
            labels[trained] = ids[trained]
        example = Example(ids.tolist(), labels.tolist())
        if not example.supervised:
            raise MaskError(
                "no token of the conversation is trained. Remedy: leave out conversations without "
                "an answer."
            )
        found.append(example)
    return found


def _split_answered(prompt: ChatPrompt, turn: str, answer: dict[str, Any]) -> tuple[str, str]:
    """The header and the whole text of a conversation up to an answer, as it is asked for.

    Where the template opens a thought and the answer has none, the prompt closes it, and the answer
    follows: so will the student be asked.
    """
    said = turn[len(prompt.before_thought) :]
    if turn.startswith(prompt.text) or not turn.startswith(prompt.before_thought):
        return prompt.text, turn
    if starts_with_thought(said):
        return prompt.before_thought, turn
    if starts_with_thought(answer["content"]):
        raise MaskError(
            "the chat template leaves out the reasoning of an answer, so that it cannot be trained."
            " Remedy: a student whose template keeps it, or sources without reasoning."
        )
    return prompt.text, prompt.text + said


def _read_conversations(rows: Path) -> Iterator[tuple[str, str, Messages]]:
    """Each conversation: the words that say where it stands, its source, its turns."""
    try:
        for number, row in read_json_lines(rows):
            where = f"{rows}, line {number}"
            messages = row.get("messages") if isinstance(row, dict) else None
            if not (isinstance(messages, list) and messages and all(map(_is_message, messages))):
                raise RowsError(
                    f'{where} is no conversation. Remedy: give every row "messages", a list of '
                    'objects that each have the texts "role" and "content", and, where it is not '
                    'to be trained, "weight" 0.'
                )
            if not any(map(_is_trained, messages)):
                raise RowsError(
                    f"{where} has no assistant turn to train, or only such with weight 0. "
                    "Remedy: leave it out of the mixture."
                )
            yield where, str(row.get("source", "rows")), messages
    except LineError as error:
        raise RowsError(f"{error}. Remedy: repair it.") from error


def _is_message(message: object) -> bool:
    return (
        isinstance(message, dict)
        and isinstance(message.get("role"), str)
        and isinstance(message.get("content"), str)
        and message.get("weight", 1) in (0, 1)
    )


def _is_trained(message: Mapping[str, Any]) -> bool:
    return message["role"] == "assistant" and bool(message.get("weight", 1))
