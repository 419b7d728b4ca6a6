"""Documents share rows: best-fit decreasing over the whole data set, every document whole."""

from bisect import bisect_left, insort
from collections.abc import Sequence


def pack_documents(lengths: Sequence[int], capacity: int) -> list[list[int]]:
    """The documents (by number) of each row; no row is longer than `capacity`.

    Longest first, each into the row that it fills best. (Best-fit decreasing needs at most 11/9 of
    the least possible number of rows, plus four; Johnson et al. 1974, doi 10.1137/0203025.)
    """
    rows: list[list[int]] = []
    open_rows: list[tuple[int, int]] = []  # (room left, row), sorted
    for number in sorted(range(len(lengths)), key=lambda n: (-lengths[n], n)):
        length = lengths[number]
        if length > capacity:
            raise ValueError(f"document {number} has {length} tokens, a row only {capacity}")
        at = bisect_left(open_rows, (length, -1))
        if at < len(open_rows):
            room, row = open_rows.pop(at)
        else:
            room, row = capacity, len(rows)
            rows.append([])
        rows[row].append(number)
        if room > length:
            insort(open_rows, (room - length, row))
    return rows
