"""Two checkpoints on the same documents: the difference of their bits per byte."""

import math
from typing import TYPE_CHECKING

from core.statistics import LEVEL, Interval
from reports.stats.paired import Difference

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

TEST = "t over documents by their bytes"
_LEAST = 3
"""Of fewer documents of equal weight, no spread is told."""


def compare_bits(before: "Floats", after: "Floats", sizes: "Floats") -> Difference:
    """Compare after minus before in bits per byte: negative is better.

    `before` and `after` are the nats of each document, `sizes` its bytes, all (n,). Documents are
    taken for independent. The difference is a ratio of sums, so that long documents count by their
    bytes: its standard error is that of residuals, each divided by one minus its document's share
    of the bytes (HC3: MacKinnon and White 1985), and its t has as many degrees of freedom, less
    one, as there would be documents of equal length (Kish 1965, section 11.7). A bootstrap over
    documents of very unequal length is too sure of itself (docs/log.md).
    """
    import numpy as np
    from scipy import special

    n = len(sizes)
    changes = (np.asarray(after, np.float64) - np.asarray(before, np.float64)) / math.log(2)
    total = math.fsum(sizes)
    estimate = math.fsum(changes) / total
    if not changes.any():
        return Difference(0.0, 0.0, None, 1.0, n, n, TEST, "no document changed")
    shares = np.asarray(sizes, np.float64) / total
    equal = 1 / float(np.sum(shares**2))
    if equal < _LEAST:
        why = f"the text is worth {equal:.1f} documents of equal length: too few to tell a spread"
        return Difference(estimate, None, None, None, n, n, TEST, why)
    residuals = (changes / total - estimate * shares) / (1 - shares)
    stderr = math.sqrt(float(np.sum(residuals**2)))
    half = float(special.stdtrit(equal - 1, (1 + LEVEL) / 2)) * stderr
    p = float(2 * special.stdtr(equal - 1, -abs(estimate) / stderr)) if stderr else None
    interval = Interval(estimate - half, estimate + half)
    return Difference(estimate, stderr, interval, p, n, n, TEST)
