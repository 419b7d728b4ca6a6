"""Says of one score alone what chance gives, what a test could have found, and how far to widen."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


def compute_design_effect(
    correct: "NDArray[np.bool_]", clusters: "NDArray[np.int64] | None"
) -> float:
    """Compute how much clusters widen the variance of an accuracy: 1 where they do not, or narrow
    it.

    `correct` and `clusters` are (n,); the variance is linearised over clusters as in
    `paired.compare_accuracy`, over that of as many independent items (Kish 1965).
    """
    import numpy as np

    n, share = len(correct), float(correct.mean())
    if clusters is None or share in (0.0, 1.0):
        return 1.0
    _, code = np.unique(clusters, return_inverse=True)
    units = int(code.max()) + 1
    if units < 2:
        return float(n)
    residuals = np.bincount(code, weights=correct) - share * np.bincount(code)
    clustered = units / (units - 1) * float(np.sum(residuals**2)) / n**2
    return max(1.0, clustered / (share * (1 - share) / (n - 1)))


def compute_p_above_chance(correct: int, n: int, chance: float) -> float:
    """The exact one-sided binomial p of more than `chance` (0-100) by guessing.

    Not covered: clusters, whose items do not guess independently.
    """
    from scipy import stats

    return float(stats.binomtest(correct, n, chance / 100, alternative="greater").pvalue)


def compute_minimum_detectable(stderr: float, alpha: float = 0.05, power: float = 0.8) -> float:
    """The least true difference that a two-sided test finds with this power (Bloom 1995).

    (z_{1-alpha/2} + z_{power}) times the standard error, in the units of the standard error:
    2.80 of them at 5% and 80%.
    """
    from scipy import special

    return float(special.ndtri(1 - alpha / 2) + special.ndtri(power)) * stderr
