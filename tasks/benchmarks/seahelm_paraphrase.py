"""SEA-HELM's paraphrases: whether two sentences say the same (PAWS in Filipino; `_seahelm.py` says
what its sets have in common).

400 pairs. It has no repository of its own on the Hub: its files lie in SEA-HELM's.
"""

from tasks.benchmark import WrittenForm
from tasks.benchmarks._seahelm import SeahelmSet, make_wordings

SET = SeahelmSet(
    "nlu/paraphrase_identification/data",
    ("sentence1", "sentence2"),
    make_wordings({"tl": {"A": ("paraphrase",), "B": ("non-paraphrase",)}}, 32),
)

BENCHMARK = SET.make_benchmark(
    name="seahelm_paraphrase",
    title="paraphrase",
    place=204,
    repository="aisingapore/SEA-HELM",
    pillar="NLU",
    reading=WrittenForm("nacc", SET.wordings),
)
