"""LINDSEA's pragmatics: whether a statement is true, given another or by itself
(`aisingapore/Linguistic-Diagnostics-Pragmatics`; `_seahelm.py` says what SEA-HELM's sets have in
common).

100 single sentences and 84 pairs in Indonesian, 80 and 84 in Tamil (CC-BY), of scalar implicatures
and presuppositions. SEA-HELM pools the two sets: the score is the mean over both phenomena of the
share that is right in either, above one half.

Traps: single sentences of Indonesian are true or false, or yes or no, and any of the four words is
read as an answer to each; examples lie beside each set; as in `seahelm_syntax.py` the first tag and
the case count.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from tasks.benchmark import Asking, Item, WrittenForm
from tasks.benchmarks._seahelm import NOTHING, SeahelmSet, make_wordings
from tasks.rows import Raw, Row

KINDS = ("single", "pair")
TRUTH: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "id": {"Benar": ("True",), "Salah": ("False",), "Ya": ("Yes",), "Tidak": ("No",)},
    "ta": {"உண்மை": ("True",), "பொய்": ("False",)},
}


class OnePragmaticsSet(SeahelmSet):
    """One of the sets, whose rows lack the fields of the other."""

    def flatten(self, raws: Sequence[Raw], code: str) -> list[Raw]:
        """Returns SEA-HELM's rows with a mark in place of each field of the other set."""
        return [
            replace(raw, cells={n: NOTHING if v is None else v for n, v in raw.cells.items()})
            for raw in super().flatten(raws, code)
        ]


class PragmaticsSet(SeahelmSet):
    """The two sets, as one."""

    def read_files(self, root: Path, code: str) -> list[Raw]:
        """Returns the rows of single sentences, then those of pairs."""
        return [raw for kind in KINDS for raw in self._mark(kind).read_files(root, code)]

    def read_examples(self, root: Path, code: str) -> list[Raw]:
        """Returns the examples of both."""
        return [raw for kind in KINDS for raw in self._mark(kind).read_examples(root, code)]

    def _mark(self, kind: str) -> SeahelmSet:
        return OnePragmaticsSet(**{**vars(self), "kind": kind})

    def make_item(self, row: Row, asking: Asking) -> Item:
        """Makes the item of a row, with the examples and the labels of its own set."""
        pair = is_pair(row)
        own = tuple(one for one in asking.examples if is_pair(one) == pair)
        item = super().make_item(row, replace(asking, examples=own))
        return replace(item, choices=item.choices[:2]) if pair else item


def is_pair(row: Row) -> bool:
    """Says whether a row is of the set of pairs."""
    return row["id"].startswith("pair-")


SET = PragmaticsSet(
    "lindsea/pragmatics/data",
    ("text", "conclusion", "question_translated", "choices_translated"),
    make_wordings(TRUTH, 128),
    by_phenomenon=True,
)

BENCHMARK = SET.make_benchmark(
    name="seahelm_pragmatics",
    title="pragmatics",
    place=231,
    repository="aisingapore/Linguistic-Diagnostics-Pragmatics",
    pillar="Linguistics",
    reading=WrittenForm("nacc", SET.wordings, sets=2, lenient=False, guessing=0.5),
)
