"""SEA-HELM's sentiment: whether a text is positive, negative or neutral
(`aisingapore/NLU-Sentiment-Analysis`; `_seahelm.py` says what its sets have in common).

NusaX for Indonesian, Javanese and Sundanese (CC-BY-SA), IndicSentiment for Tamil (CC0), Wisesight
for Thai (CC0), UIT-VSFC for Vietnamese (licence not stated), Batayan for Filipino.

Traps: Tamil has two labels; 394 texts of Javanese and Sundanese are the references of the
translations (`seahelm_nusax.py`), so that a training mixture with either holds both.
"""

from tasks.benchmark import WrittenForm
from tasks.benchmarks._seahelm import SeahelmSet, make_wordings

LABELS = {
    code: dict(zip(words, (("positive",), ("negative",), ("neutral",)), strict=False))
    for code, words in {
        "id": ("Positif", "Negatif", "Netral"),
        "jv": ("Positif", "Negatif", "Netral"),
        "su": ("Positip", "Negatip", "Netral"),
        "ta": ("நேர்மறை", "எதிர்மறை"),
        "th": ("แง่บวก", "แง่ลบ", "เฉยๆ"),
        "tl": ("Positibo", "Negatibo", "Neutral"),
        "vi": ("Tích cực", "Tiêu cực", "Trung lập"),
    }.items()
}
SET = SeahelmSet("nlu/sentiment_analysis/data", ("text",), make_wordings(LABELS, 32))

BENCHMARK = SET.make_benchmark(
    name="seahelm_sentiment",
    title="sentiment",
    place=200,
    repository="aisingapore/NLU-Sentiment-Analysis",
    pillar="NLU",
    reading=WrittenForm("nacc", SET.wordings),
)
