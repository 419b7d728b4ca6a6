"""The trainer's data: rows of a mixture become packed tokens and labels, before any weight is read.

    train.parquet, validation.parquet    one packed row a row: input_ids, labels, seq_lengths

`seq_lengths` are the lengths of the documents in a packed row, in their order. Labels are the token
itself where it is trained and -100 elsewhere; the first token of a document never is. Where other
texts stand beside the documents (see `Beside`), each kind NAME of them has the columns NAME_ids,
NAME_labels and NAME_lengths, in the documents' order.
"""

import random
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import astuple, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.checkpoints.opening import open_config
from core.contract.facts import PackedFacts, TakenFacts
from core.files import making
from core.lines import count_lines
from training.dataset import IGNORED, Example, Messages, read_examples
from training.errors import RowsError
from training.packing import pack_documents
from training.settings import DataSettings
from training.tokenised import Tokeniser

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

TRAIN, VALIDATION = "train.parquet", "validation.parquet"
Beside = Callable[[int, Sequence[Example]], Sequence[Mapping[str, Example]] | None]
"""Takes a row's number and its examples, and gives the texts that are to stand beside each of them,
by kind; None leaves the row out."""
_WRITTEN = 1_000  # packed rows at once


@dataclass
class _Taken:
    """Counts what becomes of a source's rows; see `TakenFacts`."""

    rows: int = 0
    dropped: int = 0
    control_tokens: int = 0
    truncated: int = 0
    tokens: int = 0
    supervised_tokens: int = 0

    @classmethod
    def sum(cls, parts: Iterable["_Taken"]) -> "_Taken":
        """All counts together."""
        rows = [astuple(part) for part in parts]
        return cls(*map(sum, zip(*rows, strict=True)))

    def make_facts(self) -> TakenFacts:
        """The counts as a record."""
        return TakenFacts(
            rows=self.rows,
            dropped=self.dropped,
            control_tokens=self.control_tokens,
            truncated=self.truncated,
            tokens=self.tokens,
            supervised_tokens=self.supervised_tokens,
        )


def prepare(
    *,
    base: Path,
    rows: Path,
    out: Path,
    data: DataSettings,
    seed: int,
    kept: Path | None = None,
    progress: Callable[[int, int, str], None] = lambda done, total, note: None,
    beside: Beside | None = None,
) -> PackedFacts:
    """Write the packed data of the JSONL file `rows` for the checkpoint directory `base`.

    `kept` is the folder of what was tokenised before (see `training.kept`). What is `beside` the
    documents is written with them, and takes no room of a row.
    Raises CheckpointError where `base` is no whole checkpoint, RowsError where rows are no
    conversations, none is left or the tokenizer has tokens that the student lacks, MaskError where
    the template is missing or cannot be masked.
    """
    progress(0, 0, "loading the tokenizer")
    config = open_config(base)
    tokeniser = Tokeniser(base, train_newline=data.train_newline, kept=kept)
    limit = _find_longest(config, data)
    sources: dict[str, _Taken] = {}
    conversations: list[list[_Tokens]] = []
    lines = count_lines(rows)
    progress(0, lines, "tokens of the rows")
    read = read_examples(rows, tokeniser.make_examples)
    for number, (source, found) in enumerate(read, 1):
        taken = sources.setdefault(source, _Taken())
        taught = list(_keep_within(found, limit, data))
        texts = beside(number - 1, taught) if beside and taught else [{} for _ in taught]
        if texts is None:
            continue
        if taught:
            taken.rows += 1
            taken.truncated += taught != found
            conversations.append(list(map(_Tokens.from_example, taught, texts)))
        elif found:
            taken.dropped += 1
        else:
            taken.control_tokens += 1
        taken.tokens += sum(len(example.input_ids) for example in taught)
        taken.supervised_tokens += sum(example.supervised for example in taught)
        if number % 500 == 0:
            progress(number, lines, "tokens of the rows")
    every = _Taken.sum(sources.values())
    _check(rows, conversations, every, limit, config)
    order = list(range(len(conversations)))
    random.Random(f"{seed}/validation").shuffle(order)
    held_out = min(round(data.validation * len(order)), len(order) - 1)
    train = _pack_conversations(conversations, order[held_out:], data, limit)
    validation = _pack_conversations(conversations, order[:held_out], data, limit)
    used = sum(len(example.ids) for row in train for example in row)
    out.mkdir(parents=True, exist_ok=True)
    progress(0, 0, "writing the packed rows")
    _write(validation, out / VALIDATION)
    _write(train, out / TRAIN)
    return PackedFacts(
        rows=every.rows,
        dropped=every.dropped,
        control_tokens=every.control_tokens,
        truncated=every.truncated,
        tokens=every.tokens,
        supervised_tokens=every.supervised_tokens,
        packs=len(train),
        validation_rows=held_out,
        validation_packs=len(validation),
        max_length=limit,
        fill=used / (len(train) * limit) if data.packing else 1.0,
        sources={source: taken.make_facts() for source, taken in sources.items()},
    )


def make_token_counter(
    base: Path, data: DataSettings, kept: Path | None = None
) -> Callable[[Sequence[Messages]], list[int]]:
    """A function that counts the tokens that `prepare` takes of each of some conversations: 0 of
    one that it leaves out.

    `kept` is the folder of what was tokenised before (see `training.kept`). The function raises
    MaskError where the template of `base` is missing or cannot be masked.
    """
    limit = _find_longest(open_config(base), data)
    tokeniser = Tokeniser(base, kept=kept)

    def count(chats: Sequence[Messages]) -> list[int]:
        made = tokeniser.make_examples(chats)
        return [sum(len(e.input_ids) for e in _keep_within(some, limit, data)) for some in made]

    return count


def _find_longest(config: Any, data: DataSettings) -> int:
    """The most tokens that an example may have: `max_length`, or the student's own limit."""
    return min(data.max_length, getattr(config, "max_position_embeddings", None) or 2**31)


def _keep_within(found: Sequence[Example], limit: int, data: DataSettings) -> Iterator[Example]:
    """The examples that are no longer than `limit`, or were cut to it and still teach something."""
    for example in found:
        if len(example.input_ids) <= limit:
            yield example
        elif data.overlong == "truncate":
            cut = Example(example.input_ids[:limit], example.labels[:limit])
            if cut.supervised:
                yield cut


def _check(
    rows: Path, conversations: Sequence[Sequence["_Tokens"]], every: _Taken, limit: int, config: Any
) -> None:
    if not conversations and every.control_tokens and not every.dropped:
        raise RowsError(
            f"{rows}: all {every.control_tokens} rows hold a special token of the student's "
            "tokenizer as text. Remedy: give each message its text alone, without the template."
        )
    if not conversations and every.dropped:
        raise RowsError(
            f"{rows}: all {every.dropped} rows are longer than {limit} tokens. Remedy: "
            "raise train.max_length (the student's own limit is the most it can be), or set "
            "train.overlong=truncate."
        )
    if not conversations:
        raise RowsError(
            f"{rows} holds no rows. Remedy: check the mixture's sources and budget; every source "
            "that it names may be empty."
        )
    highest = max(int(part.ids.max()) for parts in conversations for part in parts)
    size = config.get_text_config().vocab_size
    if highest >= size:
        raise RowsError(
            f"the tokenizer gives token {highest}, but the student has only {size} "
            "embeddings. Remedy: use the tokenizer that belongs to the student."
        )


@dataclass(frozen=True)
class _Tokens:
    """An example in a fifth of the memory."""

    ids: "NDArray[np.int32]"
    labels: "NDArray[np.int32]"
    beside: Mapping[str, "_Tokens"] = field(default_factory=dict)

    @classmethod
    def from_example(cls, example: Example, beside: Mapping[str, Example]) -> "_Tokens":
        import numpy as np

        labels = np.array([IGNORED, *example.labels[1:]], np.int32)
        texts = {name: cls.from_example(text, {}) for name, text in beside.items()}
        return cls(np.array(example.input_ids, np.int32), labels, texts)


def _pack_conversations(
    conversations: Sequence[Sequence[_Tokens]],
    chosen: Sequence[int],
    data: DataSettings,
    limit: int,
) -> list[list[_Tokens]]:
    examples = [example for number in sorted(chosen) for example in conversations[number]]
    if not data.packing:
        return [[example] for example in examples]
    rows = pack_documents([len(example.ids) for example in examples], limit)
    return [[examples[number] for number in row] for row in rows]


def _write(rows: Sequence[Sequence[_Tokens]], path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    numbers = pa.list_(pa.int32())
    kinds = next((example.beside for row in rows for example in row), {})
    columns = [f"{name}_{part}" for name in kinds for part in ("ids", "labels", "lengths")]
    schema = pa.schema(
        [(name, numbers) for name in ("input_ids", "labels", "seq_lengths", *columns)]
    )
    with making(path) as half, pq.ParquetWriter(half, schema, compression="zstd") as writer:
        for at in range(0, len(rows), _WRITTEN):
            table = [_make_row(row) for row in rows[at : at + _WRITTEN]]
            writer.write_table(pa.Table.from_pylist(table, schema=schema))


def _make_row(examples: Sequence[_Tokens]) -> dict[str, Any]:
    import numpy as np

    row: dict[str, Any] = {
        "input_ids": np.concatenate([example.ids for example in examples]),
        "labels": np.concatenate([example.labels for example in examples]),
        "seq_lengths": [len(example.ids) for example in examples],
    }
    for name in examples[0].beside:
        texts = [example.beside[name] for example in examples]
        row[f"{name}_ids"] = np.concatenate([text.ids for text in texts])
        row[f"{name}_labels"] = np.concatenate([text.labels for text in texts])
        row[f"{name}_lengths"] = [len(text.ids) for text in texts]
    return row
