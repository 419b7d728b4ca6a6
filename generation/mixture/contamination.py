"""Benchmark texts in the training data: common runs of letters, and near duplicates.

Texts are compared as `reduce_to_letters`, case folded and without spaces, so that any script is
treated alike. A row holds an item's text where they have a run of 50 letters in common (the length
of GPT-4's check, arXiv 2303.08774, appendix C), or all of a shorter item; and is a near duplicate
where it has at least 60% of the item's distinct 13-letter n-grams: a translation or a paragraph
around the item does not change that share, one word of a sentence lowers it by about a fifth.
N-grams that stand in several unrelated items of a benchmark are its phrasing ("Which of the
following..."), not an item's text, and do not count.

Exact for what it counts: hashes of 64 bits find the candidates, a run is looked up in the text.
Not covered: translations and paraphrases; items of less than two n-grams' length, which are counted
as too short to tell; scripts in which a sign is a word or a syllable (but Ethiopic and Hangul),
where 50 letters are much text.
"""

import json
import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.contract.facts import ContaminationFacts
from core.contract.names import CONTAMINATED
from core.files import making
from core.lines import count_lines
from generation.mixture.settings import Contamination

# Of how many unrelated items an n-gram may stand in before it is a benchmark's phrasing.
_PHRASING = 3
# How long a beginning two items share only if they are about one passage: no phrase is so long.
_PASSAGE = 250
_CHUNK = 1_000_000  # letters at once, which take about 60 bytes each
_BREAK = "\n"  # between texts; no letter
_FILTER_BITS = 24
# The mark of an answer in a list: "A.", "(b)", "**C**:", "12)", in any script, also within a line.
# Benchmarks have the answers without, and a prompt has them with.
_LIST_MARK = re.compile(r"(?<!\S)[(\[*]*(?:[^\W_]|\d\d)[.):\]*።-]+(?!\S)")
# Combining classes of signs that are written or left out: Hebrew and Arabic points, and the accents
# of alphabets. Other combining signs (vowels, tones, letters below letters) are what is written.
_POINTS, _ACCENTS = range(10, 37), range(200, 256)
_ETHIOPIC = range(0x1200, 0x1360)
Hashes = NDArray[np.uint64]


@dataclass(frozen=True)
class BenchmarkText:
    """A text of a benchmark. Items of one `cluster` share text by design."""

    benchmark: str
    language: str
    id: str
    cluster: str
    text: str


def look_for_items(
    rows: Path,
    items: Sequence[BenchmarkText],
    settings: Contamination,
    out: Path,
    progress: Callable[[int, int, str], None] = lambda done, total, note: None,
    *,
    known: Path | None = None,
) -> ContaminationFacts:
    """Write out/contaminated.jsonl, one line for each row and item that have text in common:
    {"id", "source", "benchmark", "language", "item", "kind", "overlap", "text"}.

    `kind` is "run" or "near duplicate"; `overlap` the share of the item's n-grams that the row has,
    0-1; `text` the beginning of the item. All that a row says is looked at, its system prompt too.

    `known` is the file of rows that the mixture leaves out already. Its lines stand first, so that
    leaving out what the new file names never lets the old ones in again; no fact counts them.
    """
    progress(0, 0, f"indexing {len(items):,} benchmark texts")
    index = _Index(items, settings)
    total = count_lines(rows)
    progress(0, total, "looking for them")
    looked_at = contaminated = 0
    by_name: Counter[str] = Counter()
    found_items: set[int] = set()
    with (
        rows.open(encoding="utf-8") as lines,
        making(out / CONTAMINATED) as half,
        half.open("w", encoding="utf-8") as file,
    ):
        if known:
            file.writelines(f"{line}\n" for line in known.read_text("utf-8").split("\n") if line)
        for chunk, texts in _split_rows(map(json.loads, lines)):
            by_row = groupby(index.find(texts), key=lambda found: found[0])
            for row, findings in ((chunk[number], list(group)) for number, group in by_row):
                contaminated += 1
                names = set()
                for _, number, kind, overlap in findings:
                    item = items[number]
                    found_items.add(number)
                    names.add(f"{item.benchmark} in {item.language}: {kind}")
                    entry = {
                        "id": row["id"],
                        "source": row["source"],
                        "benchmark": item.benchmark,
                        "language": item.language,
                        "item": item.id,
                        "kind": kind,
                        "overlap": round(overlap, 3),
                        "text": item.text[:200],
                    }
                    file.write(json.dumps(entry, ensure_ascii=False) + "\n")
                by_name.update(names)
            looked_at += len(chunk)
            progress(looked_at, total, f"{contaminated:,} rows contaminated")
    return ContaminationFacts(
        rows=looked_at,
        contaminated_rows=contaminated,
        items=len(items),
        found_items=len(found_items),
        too_short=index.too_short,
        contamination=dict(sorted(by_name.items())),
        unchecked={},
    )


def reduce_to_letters(text: str) -> str:
    """Reduce a text to what is compared: letters, digits and signs that are no mere accents,
    compatibility forms and case folded, without the marks of lists. Syllables are spelled out,
    so that as many letters are as much text in Amharic, Lao or Tibetan as in an alphabet.
    """
    folded = unicodedata.normalize("NFKD", text).casefold()
    return _LIST_MARK.sub("", folded).translate(_SPELLED)


class _Spelled(dict[int, str]):
    """Maps a code point to the letters it counts as, worked out when it is first met."""

    def __missing__(self, code: int) -> str:
        self[code] = spelled = self._spell(code)
        return spelled

    @staticmethod
    def _spell(code: int) -> str:
        sign = chr(code)
        if sign.isalnum():
            # The block has a row of eight for each consonant, a column for each vowel. Unicode
            # itself takes apart only the syllables of Hangul.
            return f"{chr(code & ~7)}{code & 7}" if code in _ETHIOPIC else sign
        accent = unicodedata.combining(sign) in (*_POINTS, *_ACCENTS)
        if accent or "VARIATION SELECTOR" in unicodedata.name(sign, ""):
            return ""
        return sign if unicodedata.category(sign) in ("Mn", "Mc") else ""


_SPELLED = _Spelled()


class _Index:
    """The n-grams of the items, and which items have each."""

    def __init__(self, items: Sequence[BenchmarkText], settings: Contamination) -> None:
        self._settings = settings
        self._texts = [reduce_to_letters(item.text) for item in items]
        groups: dict[tuple[str, str], list[int]] = {}
        for number, item in enumerate(items):
            groups.setdefault((item.benchmark, item.language), []).append(number)
        parts = [self._group(items, numbers) for numbers in groups.values()]
        grams = np.concatenate([part[0] for part in parts] or [np.zeros(0, np.uint64)])
        owners = np.concatenate([part[1] for part in parts] or [np.zeros(0, np.int64)])
        order = np.argsort(grams, kind="stable")
        self._owners = owners[order]
        self._grams, self._starts = np.unique(grams[order], return_index=True)
        self._ends = np.append(self._starts[1:], len(owners))
        self._sizes = np.bincount(owners, minlength=len(items))
        self._filter = np.zeros(2**_FILTER_BITS, bool)
        self._filter[self._find_slot(self._grams)] = True
        # Two n-grams' length, so that no single phrase is an item.
        least = 2 * settings.ngram
        self._tellable = [
            len(text) >= least and int(size) > 0
            for text, size in zip(self._texts, self._sizes, strict=True)
        ]
        self.too_short = self._tellable.count(False)

    def find(self, texts: Sequence[str]) -> Iterator[tuple[int, int, str, float]]:
        """(row, item, kind, overlap) of each finding, in the order of the rows."""
        if not len(self._grams):
            return
        hashes, owner = _hash_ngrams(texts, self._settings.ngram)
        maybe = np.flatnonzero(self._filter[self._find_slot(hashes)])
        where = np.searchsorted(self._grams, hashes[maybe])
        where[where == len(self._grams)] = 0
        hit = self._grams[where] == hashes[maybe]
        pairs = np.unique(np.stack([owner[maybe][hit], where[hit]], axis=1), axis=0)
        rows, grams = pairs[:, 0], pairs[:, 1]
        counts = self._ends[grams] - self._starts[grams]
        # All owners of each n-gram: its slice of `_owners`, laid end to end.
        offsets = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
        owners = self._owners[np.repeat(self._starts[grams], counts) + offsets]
        both, common = np.unique(
            np.stack([np.repeat(rows, counts), owners], axis=1), axis=0, return_counts=True
        )
        for (row, item), count in zip(both.tolist(), common.tolist(), strict=True):
            overlap = count / int(self._sizes[item])
            if not self._tellable[item]:
                continue
            if self._has_run(texts[row], item, count):
                yield row, item, "run", overlap
            if overlap >= self._settings.overlap:
                yield row, item, "near duplicate", overlap

    def _has_run(self, text: str, item: int, common: int) -> bool:
        own = self._texts[item]
        length = min(self._settings.run, len(own))
        # At least half of a run must be the item's own words, and not the benchmark's phrasing.
        if 2 * common < length - self._settings.ngram + 1:
            return False
        return any(own[at : at + length] in text for at in range(len(own) - length + 1))

    def _group(
        self, items: Sequence[BenchmarkText], numbers: Sequence[int]
    ) -> tuple[Hashes, NDArray[np.int64]]:
        """The distinct n-grams of one benchmark's items, without its phrasing."""
        hashes, owner = _hash_ngrams([self._texts[n] for n in numbers], self._settings.ngram)
        clusters, names = self._number_clusters(items, numbers)
        gram_of, which = np.unique(hashes, return_inverse=True)
        distinct = _keep_distinct(which * names + clusters[owner]) // max(1, names)
        common = np.bincount(distinct, minlength=len(gram_of)) > _PHRASING
        pairs = _keep_distinct(which * len(numbers) + owner)
        gram, owner = pairs // len(numbers), pairs % len(numbers)
        kept = ~common[gram]
        return gram_of[gram[kept]], np.array(numbers, np.int64)[owner[kept]]

    def _number_clusters(
        self, items: Sequence[BenchmarkText], numbers: Sequence[int]
    ) -> tuple[NDArray[np.int64], int]:
        """The number of each item's cluster, and how many there are. Items that begin with one
        passage are of one cluster, also where the benchmark does not say so (Global-MMLU)."""
        first: dict[str, str] = {}
        names: dict[str, int] = {}
        found = []
        for number in numbers:
            beginning, cluster = self._texts[number][:_PASSAGE], items[number].cluster
            if len(beginning) == _PASSAGE:
                cluster = first.setdefault(beginning, cluster)
            found.append(names.setdefault(cluster, len(names)))
        return np.array(found, np.int64), len(names)

    def _find_slot(self, hashes: Hashes) -> Hashes:
        return hashes >> np.uint64(64 - _FILTER_BITS)


def _hash_ngrams(texts: Iterable[str], length: int) -> tuple[Hashes, NDArray[np.int64]]:
    """The hash of every n-gram of the texts, and the number of the text that it stands in."""
    ended = [text + _BREAK * length for text in texts]
    codes = np.frombuffer("".join(ended).encode("utf-32-le"), np.uint32).astype(np.uint64)
    owner = np.repeat(np.arange(len(ended)), [len(text) for text in ended])
    count = max(0, len(codes) - length + 1)
    found = np.zeros(count, np.uint64)
    for at in range(length):  # polynomial modulo 2**64, for all windows at once
        found = found * np.uint64(0x9E3779B97F4A7C15) + codes[at : at + count]
    found ^= found >> np.uint64(29)  # the upper bits choose the filter's slot
    found *= np.uint64(0xBF58476D1CE4E5B9)
    breaks = np.cumsum(np.concatenate([[0], codes == ord(_BREAK)]))
    whole = breaks[length : length + count] == breaks[:count]
    return found[whole], owner[:count][whole]


def _keep_distinct(values: NDArray[np.int64]) -> NDArray[np.int64]:
    """np.unique by sorting: by hashing, as numpy 2.4 does it, ten million values take seconds."""
    ordered = np.sort(values)
    new = np.ones(len(ordered), bool)
    new[1:] = ordered[1:] != ordered[:-1]
    return ordered[new]


def _split_rows(
    rows: Iterable[dict[str, Any]],
) -> Iterator[tuple[list[dict[str, Any]], list[str]]]:
    """Rows and their letters, turns apart, so many at once as keep memory within bounds."""
    chunk: list[dict[str, Any]] = []
    texts: list[str] = []
    size = 0
    for row in rows:
        chunk.append(row)
        texts.append(_BREAK.join(reduce_to_letters(turn["content"]) for turn in row["messages"]))
        size += len(texts[-1])
        if size >= _CHUNK:
            yield chunk, texts
            chunk, texts, size = [], [], 0
    if chunk:
        yield chunk, texts
