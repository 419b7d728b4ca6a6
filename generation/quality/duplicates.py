"""Rows whose instruction came before, exactly or nearly.

Nearly means a Jaccard similarity of character 5-grams of at least a threshold, found with MinHash
and locality-sensitive hashing (Broder 1997). Characters and not words: a Lao paragraph without four
of its characters has a similarity of 0.95 in characters and of 0.33 in words.
"""

from datasketch import MinHash, MinHashLSH

from generation.ids import fold_text
from generation.quality.signature import PERMUTATIONS, sign_text


class Duplicates:
    """The instructions seen so far. The first of several that are alike is not a duplicate."""

    def __init__(self, threshold: float) -> None:
        self._threshold = threshold
        self._exact: set[str] = set()
        self._near = MinHashLSH(threshold=threshold, num_perm=PERMUTATIONS)
        self._hashes: dict[str, MinHash] = {}

    def see(self, text: str) -> str | None:
        """ "duplicate", "near duplicate" or None; remembers the text if it is new."""
        plain = fold_text(text)
        if plain in self._exact:
            return "duplicate"
        self._exact.add(plain)
        mark = sign_text(plain)
        # The index finds candidates; the estimate of the similarity itself decides.
        for found in self._near.query(mark):
            if self._hashes[found].jaccard(mark) >= self._threshold:
                return "near duplicate"
        name = str(len(self._hashes))
        self._near.insert(name, mark)
        self._hashes[name] = mark
        return None
