"""Rows whose instruction came before, exactly or nearly.

Nearly means a Jaccard similarity of character 5-grams of at least a threshold, found with MinHash
and locality-sensitive hashing (Broder 1997). Characters and not words: a Lao paragraph without four
of its characters has a similarity of 0.95 in characters and of 0.33 in words.
"""

import zlib

from datasketch import MinHash, MinHashLSH

from generation.ids import folded

_SHINGLE = 5
_PERMUTATIONS = 128


class Duplicates:
    """The instructions seen so far. The first of several that are alike is not a duplicate."""

    def __init__(self, threshold: float) -> None:
        self._threshold = threshold
        self._exact: set[str] = set()
        self._near = MinHashLSH(threshold=threshold, num_perm=_PERMUTATIONS)
        self._hashes: dict[str, MinHash] = {}

    def see(self, text: str) -> str | None:
        """ "duplicate", "near duplicate" or None; remembers the text if it is new."""
        plain = folded(text)
        if plain in self._exact:
            return "duplicate"
        self._exact.add(plain)
        mark = MinHash(num_perm=_PERMUTATIONS, hashfunc=zlib.crc32, seed=1, scheme="affine32")
        mark.update_batch([shingle.encode() for shingle in sorted(shingles(plain))])
        # The index finds candidates; the estimate of the similarity itself decides.
        for found in self._near.query(mark):
            if self._hashes[found].jaccard(mark) >= self._threshold:
                return "near duplicate"
        name = str(len(self._hashes))
        self._near.insert(name, mark)
        self._hashes[name] = mark
        return None


def shingles(text: str) -> set[str]:
    """All runs of five characters; the whole text where it is shorter."""
    return {text[at : at + _SHINGLE] for at in range(max(1, len(text) - _SHINGLE + 1))}
