"""The gain of a mixture that was trained from several seeds: over the seeds and over the items."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from core.statistics import Interval

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True)
class ReplicatedGain:
    """The mean gain over seeds, in points, and what it would be of other seeds and items.

    `interval` is 95%, `p` of no gain, both by Student's t with `df` degrees of freedom; `mde` is
    the smallest gain that as many seeds and items would show four times of five. Where nothing
    varies they are None, but for p where nothing changes at all, and `why` says so.
    """

    points: float
    stderr: float
    df: float
    interval: Interval | None
    p: float | None
    mde: float | None
    why: str = ""


def estimate_replicated(gains: "NDArray[np.float64]") -> ReplicatedGain:
    """Estimates the gain of training from a new seed, on other items of the kind.

    `gains` is (seeds, items): each item's part of the gain, whose mean over items is the gain of
    that seed. Seeds and items are crossed random effects with one observation each, so that the
    variance of the mean is (MS seeds + MS items - MS rest) / (seeds x items), never below that of
    seeds or of items alone; degrees of freedom after Satterthwaite (1946, Biometrics Bulletin 2(6),
    110-114). Raises ValueError for fewer than two seeds or items.
    """
    import numpy as np
    from scipy import stats

    seeds, items = gains.shape
    if seeds < 2 or items < 2:
        raise ValueError(f"at least two seeds and two items, received {seeds} and {items}")
    mean = gains.mean()
    of_seeds, of_items = gains.mean(axis=1), gains.mean(axis=0)
    rest = gains - of_seeds[:, None] - of_items[None] + mean
    between_seeds = items * float(((of_seeds - mean) ** 2).sum()) / (seeds - 1)
    between_items = seeds * float(((of_items - mean) ** 2).sum()) / (items - 1)
    free = (seeds - 1) * (items - 1)
    left = float((rest**2).sum()) / free
    whole = max(between_seeds + between_items - left, between_seeds, between_items)
    if whole < 1e-18 * max(1.0, float(mean) ** 2):
        if abs(mean) < 1e-9:
            return ReplicatedGain(0.0, 0.0, 1.0, None, 1.0, None, "no item differs")
        why = "every item differs alike"
        return ReplicatedGain(float(mean), 0.0, 1.0, None, None, None, why)
    parts = between_seeds**2 / (seeds - 1) + between_items**2 / (items - 1) + left**2 / free
    df = max(1.0, whole**2 / parts)
    stderr = float(np.sqrt(whole / (seeds * items)))
    t = float(stats.t.ppf(0.975, df))
    return ReplicatedGain(
        points=float(mean),
        stderr=stderr,
        df=df,
        interval=Interval(float(mean) - t * stderr, float(mean) + t * stderr),
        p=float(2 * stats.t.sf(abs(float(mean)) / stderr, df)),
        mde=(t + float(stats.t.ppf(0.8, df))) * stderr,
    )
