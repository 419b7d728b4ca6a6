"""SEA-HELM's question answering: the answer stands in a text, and is written out
(`aisingapore/NLU-Question-Answering`; `_seahelm.py` says what its sets have in common).

100 questions a language: TyDi QA for Indonesian (Apache-2.0), IndicQA for Tamil (CC0), XQuAD for
Thai and Vietnamese (CC-BY-SA). The score is the mean F1 of words; Thai is cut into words by
PyThaiNLP (`pip install 'kakugo-harness[thai]'`).

Traps: several right answers are a list in one row; in Thai the first alone counts.
"""

from tasks.benchmark import WrittenForm
from tasks.benchmarks._seahelm import SeahelmSet, make_wordings

SET = SeahelmSet(
    "nlu/question_answering/data",
    ("text", "question"),
    make_wordings(None, 256, ("id", "ta", "th", "vi")),
    passage="text",
)

BENCHMARK = SET.make_benchmark(
    name="seahelm_qa",
    title="question answering",
    place=201,
    repository="aisingapore/NLU-Question-Answering",
    pillar="NLU",
    reading=WrittenForm("token_f1", SET.wordings),
)
