"""FLORES-200 between English and South-East Asian languages, as SEA-HELM asks for translations
(`aisingapore/NLG-Machine-Translation`; `_seahelm_translation.py` says how).

CC-BY-SA. A directory holds `seahelm/nlg/translation/data/flores200_dataset/devtest/` with
`en_to_ind_Latn.jsonl` and `ind_Latn_to_en.jsonl`, and the examples in `dev/`.

Traps: Filipino has 600 sentences; `flores.py` asks the same in another way; the Vietnamese file
into English lacks the words in which it is asked, and is refused.
"""

from tasks.benchmarks._seahelm import CODES
from tasks.benchmarks._seahelm_translation import TranslationSet

FLORES = {code: flores for flores, code in CODES.items()}


def name_file(code: str, from_other: bool) -> str:
    """Returns the name of a direction's file, as the first version has it."""
    return f"en_to_{FLORES[code]}" if from_other else f"{FLORES[code]}_to_en"


SET = TranslationSet(
    "nlg/translation/data/flores200_dataset/{split}",
    ("id", "vi", "th", "ta", "tl", "ms", "lo"),
    "en",
    "eng_Latn",
    name_file,
)

BENCHMARK = SET.make_benchmark("seahelm_flores", "FLORES", 222, "NLG", None)
