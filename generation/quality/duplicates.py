"""Rows whose instruction came before, exactly or nearly.

Nearly means a Jaccard similarity of character 5-grams of at least a threshold, found with MinHash
and locality-sensitive hashing (Broder 1997). Characters and not words: a Lao paragraph without four
of its characters has a similarity of 0.95 in characters and of 0.33 in words.

An instruction takes some 1.5 kB: its signature, and its number under each of its bands.
"""

import hashlib

import numpy as np
from datasketch import MinHashLSH

from generation.ids import fold_text
from generation.quality.signature import PERMUTATIONS, Hashes, sign_text


class Duplicates:
    """The instructions seen so far. The first of several that are alike is not a duplicate.

    How many bands of how many hashes find candidates is datasketch's choice. Its index itself takes
    three times the memory, 1.8 GB for 400,000 instructions.
    """

    def __init__(self, threshold: float) -> None:
        self._threshold = threshold
        self._exact: set[bytes] = set()
        ranges = MinHashLSH(threshold=threshold, num_perm=PERMUTATIONS).hashranges
        self._bands = [slice(*limits) for limits in ranges]
        # Numbers of signatures by the hash of a band: mostly there is one.
        self._numbers: list[dict[int, int | list[int]]] = [{} for _ in ranges]
        self._signatures: list[Hashes] = []

    def see(self, text: str) -> str | None:
        """ "duplicate", "near duplicate" or None; remembers the text if it is new."""
        plain = fold_text(text)
        exact = hashlib.blake2b(plain.encode("utf-8", "surrogatepass"), digest_size=16).digest()
        if exact in self._exact:
            return "duplicate"
        self._exact.add(exact)
        signature = sign_text(plain)
        keys = [hash(signature[band].tobytes()) for band in self._bands]
        # The bands find candidates; the estimate of the similarity itself decides.
        for found in self._find_candidates(keys):
            if np.mean(self._signatures[found] == signature) >= self._threshold:
                return "near duplicate"
        self._remember(keys, signature)
        return None

    def _find_candidates(self, keys: list[int]) -> set[int]:
        """The numbers of the signatures that have a band in common with this one."""
        candidates: set[int] = set()
        for numbers, key in zip(self._numbers, keys, strict=True):
            found = numbers.get(key, ())
            candidates.update((found,) if isinstance(found, int) else found)
        return candidates

    def _remember(self, keys: list[int], signature: Hashes) -> None:
        number = len(self._signatures)
        self._signatures.append(signature)
        for numbers, key in zip(self._numbers, keys, strict=True):
            found = numbers.setdefault(key, number)
            if isinstance(found, list):
                found.append(number)
            elif found != number:
                numbers[key] = [found, number]
