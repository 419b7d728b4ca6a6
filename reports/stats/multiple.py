"""Corrects many tests at once by Benjamini and Hochberg; Holm's correction is in the ground."""

from collections.abc import Sequence


def adjust_benjamini_hochberg(ps: Sequence[float]) -> list[float]:
    """Adjusted p-values that bound the share of false claims (Benjamini and Hochberg 1995)."""
    from scipy import stats

    return [float(p) for p in stats.false_discovery_control(list(ps), method="bh")] if ps else []
