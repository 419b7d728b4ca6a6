"""Many tests at once: Holm's and Benjamini-Hochberg's corrections."""

from collections.abc import Sequence


def holm(ps: Sequence[float]) -> list[float]:
    """Adjusted p-values that bound the chance of any false claim (Holm 1979), in order."""
    order = sorted(range(len(ps)), key=lambda place: ps[place])
    adjusted = [0.0] * len(ps)
    so_far = 0.0
    for rank, place in enumerate(order):
        so_far = max(so_far, (len(ps) - rank) * ps[place])
        adjusted[place] = min(1.0, so_far)
    return adjusted


def benjamini_hochberg(ps: Sequence[float]) -> list[float]:
    """Adjusted p-values that bound the share of false claims (Benjamini and Hochberg 1995)."""
    from scipy import stats

    return [float(p) for p in stats.false_discovery_control(list(ps), method="bh")] if ps else []
