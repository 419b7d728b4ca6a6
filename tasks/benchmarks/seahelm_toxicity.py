"""SEA-HELM's detection of toxic texts (`aisingapore/Safety-Toxicity-Detection`; `_seahelm.py` says
what its sets have in common).

ML-HSD for Indonesian (CC-BY-NC-SA), ViHSD for Vietnamese (for research alone), Thai tweets
(CC-BY-NC) and tweets on elections for Filipino. Three labels in Indonesian and Vietnamese, else
two.

Traps: of 1,000 Vietnamese texts 831 are clean, so that a plain accuracy praises who calls all of
them so; some texts stand twice; no row has an id but Filipino's. They hold slurs.
"""

from tasks.benchmark import WrittenForm
from tasks.benchmarks._seahelm import SeahelmSet, make_wordings

LABELS = {
    code: {word: (str(number),) for number, word in enumerate(words)}
    for code, words in {
        "id": ("Bersih", "Kasar", "Benci"),
        "th": ("N", "Y"),
        "tl": ("Malinis", "Mapoot"),
        "vi": ("Sạch", "Công kích", "Thù ghét"),
    }.items()
}
SET = SeahelmSet("safety/toxicity_detection/data", ("text",), make_wordings(LABELS, 64))

BENCHMARK = SET.make_benchmark(
    name="seahelm_toxicity",
    title="toxicity",
    place=240,
    repository="aisingapore/Safety-Toxicity-Detection",
    pillar="Safety",
    reading=WrittenForm("nacc", SET.wordings),
)
