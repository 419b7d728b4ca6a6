"""SEA-HELM's natural language inference: whether one sentence follows from another, contradicts it,
or neither (`aisingapore/NLR-NLI`; `_seahelm.py` says what its sets have in common).

IndoNLI for Indonesian (CC-BY-SA); XNLI and IndicXNLI for Tamil, Thai and Vietnamese (CC-BY-NC), and
for Filipino. A for what follows, B for what contradicts, C for neither.

Traps: no row has an id but Filipino's; one pair of Indonesian sentences stands twice.
"""

from tasks.benchmark import WrittenForm
from tasks.benchmarks._seahelm import SeahelmSet, make_wordings

LABELS = {"A": ("entailment",), "B": ("contradiction",), "C": ("neutral",)}
SET = SeahelmSet(
    "nlr/nli/data",
    ("sentence1", "sentence2"),
    make_wordings(dict.fromkeys(("id", "ta", "th", "tl", "vi", "ms"), LABELS), 128),
)

BENCHMARK = SET.make_benchmark(
    name="seahelm_nli",
    title="NLI",
    place=210,
    repository="aisingapore/NLR-NLI",
    pillar="NLR",
    reading=WrittenForm("nacc", SET.wordings),
)
