"""SEA-HELM's metaphors: which of two sentences says what a figure of speech means
(`aisingapore/NLU-Metaphor`; `_seahelm.py` says what its sets have in common).

MABL's Indonesian, Javanese and Sundanese (arXiv 2305.16171, MIT). Tamil came later, as true or
false; no row of it could be read, and it is left out.
"""

from tasks.benchmark import WrittenForm
from tasks.benchmarks._seahelm import SeahelmSet, make_wordings, name_letters

SET = SeahelmSet(
    "nlu/metaphor/data",
    ("phrase", "choice1", "choice2"),
    make_wordings(dict.fromkeys(("id", "jv", "su"), name_letters(2)), 16),
)

BENCHMARK = SET.make_benchmark(
    name="seahelm_metaphor",
    title="metaphor",
    place=203,
    repository="aisingapore/NLU-Metaphor",
    pillar="NLU",
    reading=WrittenForm("nacc", SET.wordings),
)
