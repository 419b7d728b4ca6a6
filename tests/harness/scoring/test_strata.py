"""How sure a balanced score is, where items stand alone and where they share a passage."""

import numpy as np
import pytest

from harness.scoring.strata import score_resampled

RNG = np.random.default_rng(2)
QUALITIES = [float(one) for one in RNG.random(120).round()]
STRATA = [str(one) for one in RNG.integers(0, 3, 120)]


def test_passages_are_resampled_whole() -> None:
    alone = score_resampled(QUALITIES, STRATA, 1 / 3, clusters=[str(n) for n in range(120)])
    assert alone == score_resampled(QUALITIES, STRATA, 1 / 3)
    assert alone.method == "bootstrap percentile within strata"
    twice = [one for one in QUALITIES for _ in range(2)]
    shared = score_resampled(
        twice, [one for one in STRATA for _ in range(2)], 1 / 3,
        clusters=[str(n // 2) for n in range(240)],
    )  # fmt: skip
    assert shared.method == "bootstrap percentile by passage"
    assert shared.score == pytest.approx(alone.score)
    # An item asked twice tells as much as once; the number of right answers now varies, too.
    assert alone.stderr is not None
    assert shared.stderr == pytest.approx(alone.stderr, rel=0.15)
