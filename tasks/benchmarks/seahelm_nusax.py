"""NusaX's translations between Indonesian and Javanese or Sundanese, as SEA-HELM asks for them
(`aisingapore/NLG-Machine-Translation`; `_seahelm_translation.py` says how).

394 reviews and news (CC-BY-SA); a directory holds
`seahelm/nlg/translation/data/nusax/devtest/id_to_jv.jsonl` and `jv_to_id.jsonl`, and the examples
in `dev/`.

Traps: the Javanese and Sundanese sides are the texts of `seahelm_sentiment.py`, all 394 of them;
230 of the Javanese are NusaX's own but for case and punctuation, the others were revised.
"""

from tasks.benchmarks._seahelm_translation import TranslationSet


def name_file(code: str, from_other: bool) -> str:
    """Returns the name of a direction's file."""
    return f"id_to_{code}" if from_other else f"{code}_to_id"


SET = TranslationSet(
    "nlg/translation/data/nusax/{split}", ("jv", "su"), "id", "ind_Latn", name_file
)

BENCHMARK = SET.make_benchmark("seahelm_nusax", "NusaX", 220, "NLG", 394)
