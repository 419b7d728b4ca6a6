"""SEA-HELM's causal reasoning: which of two sentences is the cause, or the effect, of a third
(`aisingapore/NLR-Causal-Reasoning`; `_seahelm.py` says what its sets have in common).

XCOPA for Indonesian, Tamil, Thai and Vietnamese (CC-BY), Balanced COPA for Filipino.

Traps: no row has an id but Filipino's; Filipino's words have no place for examples, so that a base
model reads the whole of them in each example. (`xcopa.py` asks XCOPA by its letters' likelihood.)
"""

from tasks.benchmark import WrittenForm
from tasks.benchmarks._seahelm import SeahelmSet, make_wordings, name_letters

SET = SeahelmSet(
    "nlr/causal/data",
    ("premise", "choice1", "choice2", "question_translated"),
    make_wordings(dict.fromkeys(("id", "ta", "th", "tl", "vi", "ms"), name_letters(2)), 128),
)

BENCHMARK = SET.make_benchmark(
    name="seahelm_causal",
    title="causal reasoning",
    place=211,
    repository="aisingapore/NLR-Causal-Reasoning",
    pillar="NLR",
    reading=WrittenForm("nacc", SET.wordings),
)
