"""The kept samples of a score: the columns that statistics need, and the rows that people read."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any
from weakref import WeakValueDictionary

from core.contract.names import SAMPLES, SCORES
from core.contract.record import Unreadable, read_record
from core.contract.samples import AnySample, Choice, Translation, WrittenAnswer, list_columns
from core.contract.score import ScoreRecord
from reports.store.model import Score

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_PAIRING = ("doc", "doc_id", "doc_sha256", "cluster", "prompt_sha256")
_RATED = ("quality", "stratum")
_OF_METRIC = {
    "accuracy": ("correct",),
    "chrf++": ("chrf_statistics",),
    **dict.fromkeys(("nacc", "token_f1", "rouge_l", "exact", "pass_rate"), _RATED),
}
_KINDS: Mapping[str, type[AnySample]] = {"accuracy": Choice, "chrf++": Translation}
"""The rows of a metric; those of all others are answers that were read."""
_LABELLED = ("accuracy", "nacc")
"""The metrics of answers that are one of few."""
LABELS = ("cultural_sensitivity", "category")
"""What a benchmark may say of its items besides: columns of `core.contract.samples.Choice`."""
_ANSWERS = ("prediction", "answer")
_KEPT = 4096
"""Scores whose samples are kept for the other tables: with all that is asked of them, those of 54
languages, 10 checkpoints and 5 tasks (2,700) are read once, and take 0.3 GB."""


@dataclass(frozen=True, eq=False)
class Asked:
    """The items that a score is of, as columns in the order of the file; `n` of them.

    Scores of the same items share one object, which saves memory and tells at once that they are
    the same. `clusters` (n,) numbers the passages; None when every item stands alone.
    """

    ids: Any
    """pyarrow string array: the benchmark's own id of each item."""
    contents: Any
    """pyarrow string array: SHA-256 of each item, which tells revisions of a data set apart."""
    prompts: Any
    """pyarrow string array: SHA-256 of what the model saw."""
    clusters: "NDArray[np.int64] | None"
    labels: Mapping[str, Any]
    """What the benchmark says of the items: kind (LABELS) to a pyarrow string array, null for an
    item that bears no label. Empty for samples that were written before labels were kept."""

    @property
    def n(self) -> int:
        return len(self.ids)


@dataclass(frozen=True, eq=False)
class Items:
    """A score's items and what became of them, in the order of `asked`.

    `correct` (n,) is there for accuracy, `counts` (n, 24) for chrF++, and with it `chrf` (n,), the
    score of each sentence, unless the file lacks any. Answers that were read have their `rated`
    quality (n,), 0 to 1, and the numbers of their `strata` (n,).
    """

    asked: Asked
    correct: "NDArray[np.bool_] | None" = None
    counts: "NDArray[np.int32] | None" = None
    chrf: "NDArray[np.float64] | None" = None
    rated: "NDArray[np.float64] | None" = None
    strata: "NDArray[np.int64] | None" = None

    @property
    def n(self) -> int:
        return self.asked.n

    @cached_property
    def resampled(self) -> "NDArray[np.float64]":
        """chrF++ of each bootstrap resample; base is compared with each of its producers."""
        from reports.stats.chrf import score_resamples

        assert self.counts is not None
        (found,) = score_resamples(self.counts)
        return found

    @property
    def qualities(self) -> "NDArray[np.float64]":
        """The quality of each item: 100 or 0 for right or wrong, the sentence's chrF++, or how an
        answer was rated (n,).

        Raises Unreadable.
        """
        import numpy as np

        if self.correct is not None:
            return 100.0 * self.correct.astype(np.float64)
        if self.rated is not None:
            return 100.0 * self.rated
        if self.chrf is None:
            raise Unreadable(f"{SAMPLES} lacks the chrF++ of a sentence")
        return self.chrf


def read_items(score: Score) -> Items:
    """The columns of a score's samples, checked.

    Raises Unreadable when the file, a column, or the number of items is not what it should be.
    """
    if score.metric not in _OF_METRIC:
        raise Unreadable(f"no statistics are known for the metric {score.metric}")
    items = _read_once(score.artifact.folder, score.metric, _hash_samples(score)).items
    if isinstance(items, str):
        raise Unreadable(items)
    if items.n != score.n:
        raise Unreadable(f"{SAMPLES} holds {items.n} items, but {SCORES} says {score.n}")
    return items


def score_resamples_of(scores: Iterable[Score]) -> None:
    """Resamples those of the scores that are chrF++ over equally many sentences, which takes less
    time together. What cannot be read is left to whoever asks for it."""
    from reports.stats.chrf import score_resamples

    by_size: dict[int, list[Items]] = defaultdict(list)
    for score in scores:
        with suppress(Unreadable):
            items = read_items(score)
            if items.counts is not None and "resampled" not in vars(items):
                by_size[items.n].append(items)
    for alike in by_size.values():
        draws = score_resamples(*(items.counts for items in alike if items.counts is not None))
        for items, drawn in zip(alike, draws, strict=True):
            vars(items)["resampled"] = drawn  # where `cached_property` keeps it


def find_shared(
    left: Asked, right: Asked
) -> "tuple[NDArray[np.int64], NDArray[np.int64]] | tuple[None, None]":
    """Find the places on each side of the items that both have, in the order of `left`.

    (None, None) where both have the same items in the same order.
    """
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    if left is right or left.ids.equals(right.ids):
        return None, None
    found = pc.index_in(left.ids, value_set=right.ids)
    kept = np.flatnonzero(found.is_valid().to_numpy(zero_copy_only=False))
    return kept, found.take(pa.array(kept)).to_numpy().astype(np.int64)


PROMPTS: Mapping[str, Any] = {"prompt": ""}
"""Most of a file, and what stands for them where they are not read."""
ALL_BUT_SAID: Mapping[str, Any] = {
    **PROMPTS,
    **{"doc_sha256": "", "prompt_sha256": "", "cluster": ""},
    **{"choices": [], "logprobs": [], "chrf_statistics": []},
}
"""What need not be read to show what was said: four fifths of the time that reading takes."""


def read_rows(
    score: Score, first: int | None = None, without: Mapping[str, Any] | None = None
) -> list[AnySample]:
    """The samples as rows, in the order of the file.

    `first`: only so many. `without` is column -> what stands for it, which is not read then. Raises
    Unreadable.
    """
    kind = _KINDS.get(score.metric, WrittenAnswer)
    aside = without or {}
    columns = [name for name in list_columns(kind) if name not in aside]
    unread = {name: aside[name] for name in list_columns(kind) if name in aside}
    table = read_columns(score.artifact.folder, columns, first)
    try:
        return [read_record(kind, row | unread) for row in table.to_pylist()]
    except Unreadable as error:
        raise Unreadable(f"{SAMPLES}: {error}", error.remedy) from None


def count_answers(score: Score) -> Mapping[tuple[str, str], int]:
    """Count how often each (prediction, right answer) occurs in a score whose answers are one of
    few; a prediction is "" where none was read.

    Raises Unreadable.
    """
    answers = _read_once(score.artifact.folder, score.metric, _hash_samples(score)).answers
    if isinstance(answers, str):
        raise Unreadable(answers)
    return answers


def _hash_samples(score: Score) -> str:
    """Gives the hash of a score's samples: what was read is kept by it, since another file may lie
    under the same path later."""
    entry = score.artifact.manifest.files.get(SAMPLES)
    return entry.sha256 if entry else ""


def is_translation(score: ScoreRecord) -> bool:
    """Tells that the score's items are translations."""
    return score.metric == "chrf++"


def is_labelled(score: ScoreRecord) -> bool:
    """Tells that the score's answers are one of few."""
    return score.metric in _LABELLED


@dataclass(frozen=True)
class _Contents:
    """All that tables ask of one file, or why they cannot have it."""

    items: Items | str
    answers: Mapping[tuple[str, str], int] | str


@lru_cache(maxsize=_KEPT)
def _read_once(folder: Path, metric: str, content: str) -> _Contents:
    """Reads a file for all tables together. Raises Unreadable where it is no table at all."""
    own = (*_ANSWERS, *LABELS) if metric in _LABELLED else ("chrf",)
    table = read_columns(folder, (*_PAIRING, *_OF_METRIC[metric], *own))
    try:
        items: Items | str = _take_items(table, metric)
    except Unreadable as error:
        items = str(error)
    try:
        answers: Mapping[tuple[str, str], int] | str = _count_answers(table)
    except Unreadable as error:
        answers = str(error)
    return _Contents(items, answers)


def _count_answers(table: Any) -> Mapping[tuple[str, str], int]:
    _refuse_lacking(table, _ANSWERS)
    counted = table.group_by([*_ANSWERS], use_threads=False).aggregate([([], "count_all")])
    return {(row["prediction"], row["answer"]): row["count_all"] for row in counted.to_pylist()}


def _refuse_lacking(table: Any, wanted: Sequence[str]) -> None:
    lacking = [column for column in wanted if column not in table.column_names]
    if lacking:
        raise Unreadable(f"{SAMPLES} has no column {', '.join(lacking)}")


def _take_items(table: Any, metric: str) -> Items:
    import numpy as np

    wanted = (*_PAIRING, *_OF_METRIC[metric])
    _refuse_lacking(table, wanted)
    empty = [column for column in wanted if table.column(column).null_count]
    if empty:
        raise Unreadable(f"{SAMPLES}: {', '.join(empty)} is empty in some rows")
    columns = {name: table.column(name).combine_chunks() for name in table.column_names}
    if len(table) == 0:
        raise Unreadable(f"{SAMPLES} holds no item")
    _refuse_twice(columns["doc"], "document")
    own = Asked(
        ids=columns["doc_id"],
        contents=columns["doc_sha256"],
        prompts=columns["prompt_sha256"],
        clusters=_number_clusters(columns["cluster"], columns["doc_id"]),
        labels={kind: columns[kind] for kind in LABELS} if columns.keys() >= {*LABELS} else {},
    )
    asked = _share(own)
    if asked is own:  # else these very ids were looked at before
        _refuse_twice(columns["doc_id"], "document id")
    if metric == "accuracy":
        if str(columns["correct"].type) != "bool":
            raise Unreadable(f"{SAMPLES}: correct is {columns['correct'].type}, not true or false")
        return Items(asked, correct=columns["correct"].to_numpy(zero_copy_only=False))
    if _OF_METRIC[metric] == _RATED:
        strata = columns["stratum"].dictionary_encode().indices.to_numpy().astype(np.int64)
        return Items(asked, rated=_read_rated(columns["quality"]), strata=strata)
    counts = _read_counts(columns["chrf_statistics"])
    if "chrf" not in columns or columns["chrf"].null_count:
        return Items(asked, counts=counts)
    # A copy, which does not hold on to what was read around it.
    return Items(asked, counts=counts, chrf=columns["chrf"].to_numpy().copy())


_ASKED: "WeakValueDictionary[tuple[Any, ...], Asked]" = WeakValueDictionary()


def _share(asked: Asked) -> Asked:
    """Gives the object that another score of the same items has already, or this one."""
    import numpy as np

    def list_texts(one: Asked) -> list[Any]:
        return [one.ids, one.contents, one.prompts, *one.labels.values()]

    def number(one: Asked) -> "NDArray[np.int64]":
        return np.arange(one.n) if one.clusters is None else one.clusters

    columns = list_texts(asked)
    key = (asked.n, *asked.labels, *(column[0].as_py() for column in columns))
    known = _ASKED.setdefault(key, asked)
    same = all(a.equals(b) for a, b in zip(list_texts(known), columns, strict=True))
    return known if same and np.array_equal(number(known), number(asked)) else asked


def _read_rated(column: Any) -> "NDArray[np.float64]":
    import numpy as np

    values: NDArray[np.float64] = column.to_numpy(zero_copy_only=False).astype(np.float64)
    if not ((values >= 0) & (values <= 1)).all():
        raise Unreadable(f"{SAMPLES}: quality must be from 0 to 1")
    return values


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


def read_columns(folder: Path, columns: Sequence[str], first: int | None = None) -> Any:
    """Read the wanted columns that a score's file has, and its first rows alone where so many are
    asked for, as a pyarrow table. Raises Unreadable."""
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
            of_file = file.iter_batches(batch_size=first, columns=kept, use_threads=False)
            batches = [next(of_file)]
            return pa.Table.from_batches(batches)
    except StopIteration:
        raise Unreadable(f"{SAMPLES} holds no item") from None
    except OSError as error:
        raise Unreadable(f"{SAMPLES} cannot be opened ({error.strerror or error})") from None
    except pa.ArrowException as error:
        raise Unreadable(f"{SAMPLES} is no Parquet file ({str(error).splitlines()[0]})") from None
