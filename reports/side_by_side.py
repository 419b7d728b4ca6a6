"""Opens the threads in which languages and results are worked on side by side."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from threadpoolctl import threadpool_limits

THREADS = 2
"""numpy and Arrow leave the interpreter free while they work, but with six threads all of them
together took 60% more processor time than one after another."""


@contextmanager
def open_pool() -> Iterator[ThreadPoolExecutor]:
    """Opens a pool of threads, beside which matrices are multiplied by the thread that asks.

    OpenBLAS's own threads wait actively for the next product: with them the score tables of 2,700
    scores took 36 s of processor time in place of 24.
    """
    import numpy as np  # noqa: F401  the limit is set on the libraries that are loaded

    with threadpool_limits(1, user_api="blas"), ThreadPoolExecutor(THREADS) as pool:
        yield pool
