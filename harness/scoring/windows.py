"""Cuts long texts into the windows in which a model reads them."""

from collections.abc import Iterator, Sequence

from lm_eval.utils import get_rolling_token_windows, make_disjoint_window

from decoding.prompts import Tokens

WINDOW = 4096
"""The longest window in tokens: more than most documents have, and little enough that the outputs
at all of its tokens fit into memory beside the largest vocabulary (4,096 x 262,144 numbers: 4 GB).
"""


def cut_windows(tokens: Sequence[int], start: int, length: int) -> Iterator[tuple[Tokens, Tokens]]:
    """Cuts a text into (what a window is given, what it foresees), as lm-eval does.

    `start` stands before the text. Each window foresees at most `length` tokens, each token of the
    text once, behind at least one that is given; the last window is given more of what is before.
    """
    for pair in get_rolling_token_windows(list(tokens), start, length, context_len=1):
        given, foreseen = make_disjoint_window(pair)
        yield tuple(given), tuple(foreseen)
