"""The documents of a packed row of a distillation, and what is drawn for their last answers."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from training.collate import Packed
from training.dataset import IGNORED
from training.distillation.guides import ON_POLICY


@dataclass(frozen=True)
class LastAnswer:
    """The last trained answer of a document: `number` is the document's in its row, and `first` the
    place of the answer's first token among the row's trained ones. `guide` is what the teacher
    reads before it; None without a teacher."""

    number: int
    first: int
    context: tuple[int, ...]
    tokens: tuple[int, ...]
    guide: tuple[int, ...] | None


@dataclass(frozen=True)
class Rollout:
    """A response that was drawn in place of an answer. `ended`: by itself, not by its limit."""

    answer: LastAnswer
    tokens: tuple[int, ...]
    ended: bool


def list_last_answers(row: dict[str, Any]) -> list[LastAnswer]:
    """List the last answers of a packed row's documents; those that train nothing have none."""
    guides = [
        document.ids[: document.start] for document in _split(row, f"{ON_POLICY}_ids", ON_POLICY)
    ]
    found: list[LastAnswer] = []
    before = 0
    for number, document in enumerate(_split(row, "input_ids", None)):
        trained = sum(label != IGNORED for label in document.labels)
        if trained:
            tokens = document.ids[document.start : document.end]
            found.append(
                LastAnswer(
                    number=number,
                    first=before + trained - len(tokens),
                    context=tuple(document.ids[: document.start]),
                    tokens=tuple(tokens),
                    guide=tuple(guides[number]) if guides else None,
                )
            )
        before += trained
    return found


def take_beside(row: dict[str, Any], name: str) -> Packed:
    """Take the texts of one kind that stand beside a row's documents, as a packed row."""
    return {
        "input_ids": row.get(f"{name}_ids") or [],
        "labels": row.get(f"{name}_labels") or [],
        "seq_lengths": row.get(f"{name}_lengths") or [],
    }


def join_responses(pairs: Sequence[tuple[Sequence[int], Sequence[int]]]) -> Packed:
    """Pack contexts with the responses behind them, of which the responses are the labels."""
    return {
        "input_ids": [token for context, tokens in pairs for token in (*context, *tokens)],
        "labels": [
            label for context, tokens in pairs for label in (*[IGNORED] * len(context), *tokens)
        ],
        "seq_lengths": [len(context) + len(tokens) for context, tokens in pairs],
    }


def list_trained(rows: Sequence[Packed]) -> list[int]:
    """List the trained tokens of packed rows, in their order."""
    return [label for row in rows for label in row["labels"] if label != IGNORED]


@dataclass(frozen=True)
class _PackedDocument:
    """A document's tokens and labels; its last run of trained ones goes from `start` to `end`."""

    ids: list[int]
    labels: list[int]

    @property
    def end(self) -> int:
        trained = (n for n in range(len(self.labels), 0, -1) if self.labels[n - 1] != IGNORED)
        return next(trained, 0)

    @property
    def start(self) -> int:
        ignored = (n for n in range(self.end, 0, -1) if self.labels[n - 1] == IGNORED)
        return next(ignored, 0)


def _split(row: dict[str, Any], ids: str, beside: str | None) -> Iterator[_PackedDocument]:
    labels = f"{beside}_labels" if beside else "labels"
    lengths = f"{beside}_lengths" if beside else "seq_lengths"
    at = 0
    for length in row.get(lengths) or ():
        yield _PackedDocument(row[ids][at : at + length], row[labels][at : at + length])
        at += length
