"""Find what a checkpoint answers by habit: accuracies that need no reading of the question."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

MOST_LABELS = 12
"""With more different right answers the choices are no labels that items share."""


@dataclass(frozen=True)
class AnswerHabits:
    """Shares and accuracies are from 0 to 100.

    `majority_rate` is the accuracy of always giving the most frequent right answer; `said` is the
    answer given most often, and `said_share` how often. `balanced` is the mean over labels of the
    share of their items that are right (Brodersen et al. 2010): 100 / labels for any habit.
    """

    majority_rate: float
    said: str
    said_share: float
    balanced: float


def find_habits(counts: Mapping[tuple[str, str], int]) -> AnswerHabits | None:
    """The habits that counts of (prediction, right answer) show.

    None without items, or where the items share no labels.
    """
    labels, said, right = Counter[str](), Counter[str](), Counter[str]()
    for (prediction, answer), count in counts.items():
        labels[answer] += count
        said[prediction] += count
        right[answer] += count if prediction == answer else 0
    if not labels or len(labels) > MOST_LABELS:
        return None
    n = labels.total()
    most, times = said.most_common(1)[0]
    return AnswerHabits(
        majority_rate=100 * max(labels.values()) / n,
        said=most,
        said_share=100 * times / n,
        balanced=100 * sum(right[label] / labels[label] for label in labels) / len(labels),
    )
