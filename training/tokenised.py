"""Conversations as the trainer's tokens, each tokenised once and then found again.

A mixture counts the tokens of every row of its sources, nine mixtures count those of the same rows,
and each is then packed. So what was tokenised is kept, where a folder for it is given. It is no
input of a stage: the same tokens come out with it, without it, and with one that was deleted.
"""

import json
from array import array
from collections.abc import Sequence
from itertools import groupby
from pathlib import Path

from core.checkpoints.opening import open_tokenizer
from core.checkpoints.tokens import find_end_tokens
from training.dataset import IGNORED, Example, Messages, tokenise_conversations
from training.kept import Kept

_BATCH = 256  # texts at once


class Tokeniser:
    """The tokens that a checkpoint's tokenizer makes of conversations and of texts."""

    def __init__(
        self, base: Path, *, train_newline: bool = False, kept: Path | None = None
    ) -> None:
        """`kept` is the folder of what was tokenised before. Raises CheckpointError."""
        self._tokenizer = open_tokenizer(base)
        self._ends = find_end_tokens(base, self._tokenizer)
        self._newline = train_newline
        self._kept = Kept(kept, base) if kept else None

    def make_examples(self, chats: Sequence[Messages]) -> list[list[Example]]:
        """The examples of each conversation, as `training.dataset.make_examples` makes them."""
        if self._kept is None:
            return self._make_batches(chats)
        kind = f"examples, train_newline={self._newline}"
        texts = [json.dumps(chat, sort_keys=True, ensure_ascii=False) for chat in chats]
        blobs = self._kept.find_or_make(
            kind,
            texts,
            lambda lacking: map(_to_bytes, self._make_batches([chats[n] for n in lacking])),
        )
        return list(map(_from_bytes, blobs))

    def count(self, texts: Sequence[str]) -> list[int]:
        """The number of tokens of each text, without special ones."""
        if self._kept is None:
            return self._count_batches(texts)
        blobs = self._kept.find_or_make(
            "count",
            texts,
            lambda lacking: (
                b"%d" % count for count in self._count_batches([texts[n] for n in lacking])
            ),
        )
        return list(map(int, blobs))

    def _make_batches(self, chats: Sequence[Messages]) -> list[list[Example]]:
        found: list[list[Example]] = []
        for at in range(0, len(chats), _BATCH):
            found += tokenise_conversations(
                chats[at : at + _BATCH], self._tokenizer, self._ends, train_newline=self._newline
            )
        return found

    def _count_batches(self, texts: Sequence[str]) -> list[int]:
        found: list[int] = []
        for at in range(0, len(texts), _BATCH):
            encoded = self._tokenizer(list(texts[at : at + _BATCH]), add_special_tokens=False)
            found += map(len, encoded["input_ids"])
        return found


def _to_bytes(examples: Sequence[Example]) -> bytes:
    """The numbers of tokens and of runs of trained tokens, then the tokens and the runs' ends."""
    numbers = array("i", [len(examples)])
    for example in examples:
        runs: list[int] = []
        at = 0
        for trained, run in groupby(example.labels, lambda label: label != IGNORED):
            length = sum(1 for _ in run)
            runs += [at, at + length] if trained else []
            at += length
        numbers.extend([len(example.input_ids), len(runs)])
        numbers.extend(example.input_ids)
        numbers.extend(runs)
    return numbers.tobytes()


def _from_bytes(blob: bytes) -> list[Example]:
    numbers = array("i")
    numbers.frombytes(blob)
    found = []
    at = 1
    for _ in range(numbers[0]):
        length, ends = numbers[at], numbers[at + 1]
        at += 2
        ids = numbers[at : at + length].tolist()
        runs = numbers[at + length : at + length + ends]
        at += length + ends
        labels = [IGNORED] * length
        for start, end in zip(runs[::2], runs[1::2], strict=True):
            labels[start:end] = ids[start:end]
        found.append(Example(ids, labels))
    return found
