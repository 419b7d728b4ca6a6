"""Weigh votes that may be looked at after each one: e-values, and an interval that stopping leaves
valid.

Votes of one prompt hang together, and so do those of one rater. So the votes of a cluster are one
bet: on the sign of its total T, of a share of the wealth that grows with T,

    factor = 1 + tanh(c T),      c = atanh(2 w - 1) / d

with w the share of decisive votes that is worth finding, and d the design effect of the clusters
before, at least 1, which is taken to be 1 where there are few votes. Where the two signs of T are
equally likely, whatever its size, and clusters are independent, the product is a martingale of mean
1, and so is the mean of it and of the one that bets on the other sign: it passes 1 / 0.05 with a
chance of at most 0.05, whenever one looks (Ville 1939; Ramdas and others 2023, arXiv 2210.01948).
With one decisive vote a cluster it is Wald's likelihood ratio of w against one half. Ties are
clusters of total 0, and bet nothing.

Wealth is exact once a cluster is complete. Where a cluster is weighed before that, its later votes
hang together with its earlier ones; that this keeps the level is shown by simulation
(`scripts/bench stopping`), with raters side by side and one after the other.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from preference.rule import StoppingRule
from preference.statistics import ConfidenceInterval

# Votes that hang together as little as single ones, which design effects start from.
_PRIOR = 30
# Of centres on which an interval is inverted: its ends are outside by less than this.
_STEP = 1 / 400


@dataclass
class VoteCluster:
    """The votes of one prompt, or of one rater: sum of +1, 0 and -1, how many, and how many of
    them are no tie."""

    total: int = 0
    votes: int = 0
    decisive: int = 0

    def count(self, score: int, sign: int = 1) -> None:
        """Adds a score (+1, 0, -1), or with sign -1 takes it away again."""
        self.total += sign * score
        self.votes += sign
        self.decisive += sign * abs(score)


@dataclass
class Tally:
    """Votes so far, by rater and by prompt, in the order in which each came first. needed: prompt
    -> how many raters of the panel vote on it."""

    rule: StoppingRule
    needed: dict[str, int]
    scores: dict[tuple[int, str], int] = field(default_factory=dict)
    raters: dict[int, VoteCluster] = field(default_factory=dict)
    prompts: dict[str, VoteCluster] = field(default_factory=dict)
    complete: dict[str, VoteCluster] = field(default_factory=dict)

    def take(self, rater: int, prompt: str, score: int | None) -> None:
        """Puts a rater's vote on a prompt in the place of an earlier one; None takes it back."""
        for cluster in (
            self.raters.setdefault(rater, VoteCluster()),
            self.prompts.setdefault(prompt, VoteCluster()),
        ):
            if (before := self.scores.get((rater, prompt))) is not None:
                cluster.count(before, -1)
            if score is not None:
                cluster.count(score)
        self.scores.pop((rater, prompt), None)
        if score is not None:
            self.scores[rater, prompt] = score
        if self.prompts[prompt].votes < self.needed.get(prompt, 1):
            self.complete.pop(prompt, None)
        else:
            self.complete.setdefault(prompt, self.prompts[prompt])

    def list_units(self) -> dict[str, list[VoteCluster]]:
        """Name -> clusters, each of which has to show that the votes are enough."""
        if self.rule.over == "panel":
            return {"prompts": list(self.complete.values())}
        return {"prompts": list(self.prompts.values()), "raters": list(self.raters.values())}

    def weigh(self) -> dict[str, float]:
        """Name -> logarithm of the e-value of those clusters, against no preference."""
        return {
            name: float(weigh_clusters(clusters, self.rule.worth, [0.0])[0])
            for name, clusters in self.list_units().items()
        }

    def is_enough(self) -> bool:
        """Tell whether each kind of cluster passes the threshold."""
        return all(
            weigh_clusters(clusters, self.rule.worth, [0.0])[0] >= math.log(self.rule.threshold)
            for clusters in self.list_units().values()
        )

    def find_interval(self) -> ConfidenceInterval | None:
        """The net preferences (mean of +1, 0 and -1) that the votes do not speak against: valid
        whenever one stops. None without a vote that counts."""
        centres = np.linspace(-1, 1, round(2 / _STEP) + 1)
        units = list(self.list_units().values())
        if not all(any(cluster.votes for cluster in clusters) for clusters in units):
            return None
        weighed = np.min([weigh_clusters(c, self.rule.worth, centres) for c in units], axis=0)
        inside = np.flatnonzero(weighed < math.log(self.rule.threshold))
        if not len(inside):
            return None
        low, high = max(0, inside[0] - 1), min(len(centres) - 1, inside[-1] + 1)
        clusters = " and ".join(self.list_units())
        method = f"confidence sequence over {clusters}, valid whenever the study stops"
        return ConfidenceInterval(float(centres[low]), float(centres[high]), method)


def weigh_clusters(
    clusters: Sequence[VoteCluster], worth: float, centres: Sequence[float] | NDArray[np.float64]
) -> NDArray[np.float64]:
    """Logarithm of the e-value against each of the centres, shape (centres,): against votes whose
    clusters' totals are as likely above as below `centre` times their votes."""
    shift = np.asarray(centres, dtype=float)[:, None]
    total, votes, decisive = (
        np.array([getattr(cluster, name) for cluster in clusters], dtype=float)
        for name in ("total", "votes", "decisive")
    )
    apart = total - shift * votes
    # What the squares would be if the votes of a cluster did not hang together.
    alone = decisive - 2 * shift * total + shift**2 * votes
    effect = np.maximum(1, (_PRIOR + _sum_before(apart**2)) / (_PRIOR + _sum_before(alone)))
    stake = 2 * math.atanh(2 * worth - 1) / effect * apart
    one, other = (np.sum(math.log(2) - np.logaddexp(0, -sign * stake), axis=1) for sign in (1, -1))
    return np.asarray(np.logaddexp(one, other) - math.log(2))


def _sum_before(values: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(np.cumsum(values, axis=1) - values)
