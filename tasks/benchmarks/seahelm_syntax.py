"""LINDSEA's minimal pairs: which of two sentences is the likelier one
(`aisingapore/Linguistic-Diagnostics-Syntax`; `_seahelm.py` says what SEA-HELM's sets have in
common).

380 pairs in Indonesian, 470 in Tamil (CC-BY), of several phenomena, each of which counts alike: the
score is the mean of their accuracies, above one half.

Traps: 220 ids repeat in Indonesian, so that the phenomenon is part of an id; here SEA-HELM's
program looks at the first tag alone, and at the case (`tasks.reading.read_label`).
"""

from tasks.benchmark import WrittenForm
from tasks.benchmarks._seahelm import SeahelmSet, make_wordings, name_letters

SET = SeahelmSet(
    "lindsea/syntax/data",
    ("sentence_pair",),
    make_wordings(dict.fromkeys(("id", "ta"), name_letters(2)), 128),
    by_phenomenon=True,
)

BENCHMARK = SET.make_benchmark(
    name="seahelm_syntax",
    title="syntax",
    place=230,
    repository="aisingapore/Linguistic-Diagnostics-Syntax",
    pillar="Linguistics",
    reading=WrittenForm("nacc", SET.wordings, lenient=False),
)
