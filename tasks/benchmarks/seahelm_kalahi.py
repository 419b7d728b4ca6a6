"""Kalahi by the letter of an answer: what a Filipino would do (arXiv 2409.15380,
`aisingapore/Cultural-Evaluation-Kalahi`; `_seahelm.py` says what SEA-HELM's sets have in common).

150 situations with four answers each (CC-BY). It has no examples, and SEA-HELM asks no base model.
"""

from tasks.benchmark import WrittenForm
from tasks.benchmarks._seahelm import SeahelmSet, make_wordings, name_letters

SET = SeahelmSet(
    "cultural/kalahi/data",
    ("question", "mcq", "mcq_options"),
    make_wordings({"tl": name_letters(4)}, 32),
)

BENCHMARK = SET.make_benchmark(
    name="seahelm_kalahi",
    title="Kalahi",
    place=250,
    repository="aisingapore/Cultural-Evaluation-Kalahi",
    pillar="Culture",
    reading=WrittenForm("nacc", SET.wordings, examples=0),
)
