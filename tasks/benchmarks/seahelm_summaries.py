"""SEA-HELM's summaries of news (`aisingapore/NLG-Abstractive-Summarization`; `_seahelm.py` says
what its sets have in common).

XL-Sum (CC-BY-NC-SA), 100 articles a language. The score is the mean F1 of ROUGE-L. SEA-HELM decodes
them at temperature 0.3 and tells a median of bootstrap means; here decoding is greedy, as
everywhere, and the mean is the mean.

Traps: articles are long, and a base model is shown five of them; a prompt that does not fit loses
its beginning, which every score says. Burmese, which wants a segmenter, is left out.
"""

from tasks.benchmark import WrittenForm
from tasks.benchmarks._seahelm import SeahelmSet, make_wordings

TAGS = {
    "id": "Rangkuman:", "vi": "Bản tóm tắt:", "th": "บทสรุป:", "ta": "சுருக்கம்:", "tl": "Buod:",
}  # fmt: skip
SET = SeahelmSet(
    "nlg/abstractive_summarization/data",
    ("text",),
    make_wordings(None, 512, tuple(TAGS), TAGS),
)

BENCHMARK = SET.make_benchmark(
    name="seahelm_summaries",
    title="summaries",
    place=224,
    repository="aisingapore/NLG-Abstractive-Summarization",
    pillar="NLG",
    reading=WrittenForm("rouge_l", SET.wordings),
)
