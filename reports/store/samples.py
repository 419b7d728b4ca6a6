"""The kept samples of a score: the columns that statistics need, and the rows that people read."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.contract.names import SAMPLES, SCORES
from core.contract.record import Unreadable, read_record
from core.contract.samples import AnySample, Choice, Translation, list_columns
from core.contract.score import ScoreRecord
from reports.store.model import Score

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_PAIRING = ("doc", "doc_id", "doc_sha256", "cluster", "prompt_sha256")
_OF_METRIC = {"accuracy": ("correct",), "chrf++": ("chrf_statistics",)}
LABELS = ("cultural_sensitivity", "category")
"""What a benchmark may say of its items besides: columns of `core.contract.samples.Choice`."""


@dataclass(frozen=True)
class Items:
    """A score's items as columns, in the order of the file; `n` of them.

    `correct` (n,) is there for accuracy, `counts` (n, 24) for chrF++. `clusters` (n,) numbers the
    passages; None when every item stands alone.
    """

    ids: Any
    """pyarrow string array: the benchmark's own id of each item."""
    contents: Any
    """pyarrow string array: SHA-256 of each item, which tells revisions of a data set apart."""
    prompts: Any
    """pyarrow string array: SHA-256 of what the model saw."""
    clusters: "NDArray[np.int64] | None"
    correct: "NDArray[np.bool_] | None"
    counts: "NDArray[np.int32] | None"

    @property
    def n(self) -> int:
        return len(self.ids)

    @cached_property
    def resampled(self) -> "NDArray[np.float64]":
        """chrF++ of each bootstrap resample; base is compared with each of its producers."""
        from reports.stats.chrf import score_resamples

        assert self.counts is not None
        return score_resamples(self.counts)


def read_items(score: Score) -> Items:
    """The columns of a score's samples, checked.

    Raises Unreadable when the file, a column, or the number of items is not what it should be.
    """
    if score.metric not in _OF_METRIC:
        raise Unreadable(f"no statistics are known for the metric {score.metric}")
    items = _read_items(score.artifact.folder, score.metric, _hash_samples(score))
    if items.n != score.n:
        raise Unreadable(f"{SAMPLES} holds {items.n} items, but {SCORES} says {score.n}")
    return items


def read_rows(score: Score, first: int | None = None, prompts: bool = True) -> list[AnySample]:
    """The samples as rows, in the order of the file.

    `first`: only so many. Without `prompts`, which are most of the file, they are not read, and ""
    stands for each. Raises Unreadable.
    """
    kind: type[AnySample] = Translation if is_translation(score) else Choice
    columns = [name for name in list_columns(kind) if prompts or name != "prompt"]
    unread = {} if prompts else {"prompt": ""}
    table = _read_table(score.artifact.folder, columns, first)
    try:
        return [read_record(kind, row | unread) for row in table.to_pylist()]
    except Unreadable as error:
        raise Unreadable(f"{SAMPLES}: {error}", error.remedy) from None


def count_answers(score: Score) -> dict[tuple[str, str], int]:
    """Count how often each (prediction, right answer) occurs in a multiple-choice score.

    Raises Unreadable.
    """
    wanted = ["prediction", "answer"]
    table = _read_table(score.artifact.folder, wanted)
    lacking = [column for column in wanted if column not in table.column_names]
    if lacking:
        raise Unreadable(f"{SAMPLES} has no column {', '.join(lacking)}")
    counted = table.group_by(wanted, use_threads=False).aggregate([([], "count_all")])
    return {(row["prediction"], row["answer"]): row["count_all"] for row in counted.to_pylist()}


def read_qualities(score: Score) -> Mapping[str, float]:
    """Read how good each item is, by its id: 100 or 0 for right or wrong, or the sentence's chrF++.

    Raises Unreadable.
    """
    column = "chrf" if is_translation(score) else "correct"
    table = _read_table(score.artifact.folder, ("doc_id", column))
    lacking = [name for name in ("doc_id", column) if name not in table.column_names]
    if lacking:
        raise Unreadable(f"{SAMPLES} has no column {', '.join(lacking)}")
    scale = 1.0 if is_translation(score) else 100.0
    values = [scale * float(value) for value in table.column(column).to_pylist()]
    return dict(zip(table.column("doc_id").to_pylist(), values, strict=True))


def read_labels(score: Score) -> Mapping[str, Mapping[str, str]]:
    """Read what the benchmark says of the items: label by item id, by kind of label.

    An item that bears no label of a kind has no entry. Raises Unreadable, with what to do, where
    the samples were written before labels were kept.
    """
    return _read_labels(score.artifact.folder, _hash_samples(score))


@lru_cache(maxsize=64)
def _read_labels(folder: Path, content: str) -> Mapping[str, Mapping[str, str]]:
    table = _read_table(folder, ("doc_id", *LABELS))
    lacking = [kind for kind in LABELS if kind not in table.column_names]
    if lacking or "doc_id" not in table.column_names:
        raise Unreadable(
            f"the samples are older than the items' labels; delete score/{folder.name} and run its "
            "command again: only that score is made anew"
        )
    ids = table.column("doc_id").to_pylist()
    columns = {kind: table.column(kind).to_pylist() for kind in LABELS}
    return {
        kind: {id_: label for id_, label in zip(ids, column, strict=True) if label}
        for kind, column in columns.items()
    }


def _hash_samples(score: Score) -> str:
    """Gives the hash of a score's samples: what was read is kept by it, since another file may lie
    under the same path later."""
    entry = score.artifact.manifest.files.get(SAMPLES)
    return entry.sha256 if entry else ""


def is_translation(score: ScoreRecord) -> bool:
    """Tells that the score's items are translations (else they are multiple choice)."""
    return score.metric != "accuracy"


# A row of the score table holds one language and task: base and each of its producers.
@lru_cache(maxsize=32)
def _read_items(folder: Path, metric: str, content: str) -> Items:
    wanted = (*_PAIRING, *_OF_METRIC[metric])
    table = _read_table(folder, wanted)
    lacking = [column for column in wanted if column not in table.column_names]
    if lacking:
        raise Unreadable(f"{SAMPLES} has no column {', '.join(lacking)}")
    empty = [column for column in wanted if table.column(column).null_count]
    if empty:
        raise Unreadable(f"{SAMPLES}: {', '.join(empty)} is empty in some rows")
    columns = {column: table.column(column).combine_chunks() for column in wanted}
    n = len(table)
    if n == 0:
        raise Unreadable(f"{SAMPLES} holds no item")
    _refuse_twice(columns["doc"], "document")
    _refuse_twice(columns["doc_id"], "document id")
    clusters = _number_clusters(columns["cluster"], columns["doc_id"])
    correct = counts = None
    if metric == "accuracy":
        if str(columns["correct"].type) != "bool":
            raise Unreadable(f"{SAMPLES}: correct is {columns['correct'].type}, not true or false")
        correct = columns["correct"].to_numpy(zero_copy_only=False)
    else:
        counts = _read_counts(columns["chrf_statistics"])
    return Items(
        ids=columns["doc_id"],
        contents=columns["doc_sha256"],
        prompts=columns["prompt_sha256"],
        clusters=clusters,
        correct=correct,
        counts=counts,
    )


def _read_counts(column: Any) -> "NDArray[np.int32]":
    import numpy as np
    import pyarrow.compute as pc

    from reports.stats.chrf import COUNTS

    lengths = pc.unique(pc.list_value_length(column)).to_pylist()
    if lengths != [COUNTS]:
        raise Unreadable(f"{SAMPLES}: chrf_statistics has {lengths} numbers a row, not {COUNTS}")
    values = column.flatten().to_numpy(zero_copy_only=False)
    if not np.issubdtype(values.dtype, np.integer) or int(values.min()) < 0:
        raise Unreadable(f"{SAMPLES}: chrf_statistics must be whole numbers of at least 0")
    counts: NDArray[np.int32] = values.reshape(-1, COUNTS).astype(np.int32)
    return counts


def _number_clusters(column: Any, ids: Any) -> "NDArray[np.int64] | None":
    """The number of each item's cluster; None when no two items share one."""
    import numpy as np

    if column.equals(ids):
        return None
    codes = column.dictionary_encode()
    alone = len(codes.dictionary) == len(codes)
    return None if alone else codes.indices.to_numpy().astype(np.int64)


def _refuse_twice(column: Any, what: str) -> None:
    import pyarrow.compute as pc

    if pc.count_distinct(column).as_py() < len(column):
        counted = column.value_counts().to_pylist()
        worst = max(counted, key=lambda entry: int(entry["counts"]))
        raise Unreadable(f"{SAMPLES} lists {what} {worst['values']} twice")


def _read_table(folder: Path, columns: Sequence[str], first: int | None = None) -> Any:
    """A pyarrow table of the wanted columns that the file has, and of its first rows."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    def wanted(known: Sequence[str]) -> list[str]:
        return [c for c in known if c in columns]

    try:
        # Reading ahead costs more than it saves with so small a file.
        with pq.ParquetFile(folder / SAMPLES, pre_buffer=False) as file:
            kept = wanted(file.schema_arrow.names)
            if first is None:
                # Whole languages run side by side; threads within one file only get in their way.
                return file.read(columns=kept, use_threads=False)
            # Only so much of the file is decoded as these rows need.
            batches = [next(file.iter_batches(batch_size=first, columns=kept))]
            return pa.Table.from_batches(batches)
    except StopIteration:
        raise Unreadable(f"{SAMPLES} holds no item") from None
    except OSError as error:
        raise Unreadable(f"{SAMPLES} cannot be opened ({error.strerror or error})") from None
    except pa.ArrowException as error:
        raise Unreadable(f"{SAMPLES} is no Parquet file ({str(error).splitlines()[0]})") from None
