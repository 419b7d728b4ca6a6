"""The paper's protocol, shared by all benchmarks: the first three instances of a test set are the
shots, and are not scored.

lm-eval's own ``first_n`` sampler on the scored split leaves out only the item at hand, so that
items 0-2 would still be scored; hence the split into `shots` and `scored`.
"""

from typing import Any

SHOTS = 3
LETTERS = "ABCDEFG"


def shots(dataset: Any) -> Any:
    """The first `SHOTS` rows of a `datasets.Dataset`, in file order."""
    return dataset.select(range(SHOTS))


def scored(dataset: Any) -> Any:
    """All rows after the shots, in file order."""
    return dataset.select(range(SHOTS, len(dataset)))
