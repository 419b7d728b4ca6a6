"""Belebele as SEA-HELM asks it: the letter of an answer is written, in the language's own words
(`aisingapore/NLU-Belebele-MCQA`; `_seahelm.py` says what its sets have in common).

CC-BY-SA. 895 questions a language, 100 in Filipino; in Javanese and Sundanese 280, which lie in a
folder of their own, and which SEA-HELM calls `qa-mc`.

Traps: its passages are FLORES's, and 864 of the 1,947 Javanese sentences of FLORES are among them;
some questions share a passage, which resampling takes whole; Burmese is asked for A to D by the
first version's rows, and for its own letters, behind another tag, by later ones, which are refused.
"""

from pathlib import Path

from tasks.benchmark import WrittenForm
from tasks.benchmarks._seahelm import TAGS, SeahelmSet, make_wordings, name_letters

CODES = ("id", "jv", "su", "ta", "th", "vi", "tl", "lo", "ms", "my", "km")


class BelebeleSet(SeahelmSet):
    """The set, which lies in one of two folders."""

    def find_folder(self, root: Path, code: str, *, examples: bool) -> str:
        """Returns the folder of a language's rows, or of its examples."""
        if code in ("jv", "su"):
            return "nlu/question_answering_mc/data"
        return f"nlu/belebele_mcqa/data/{'examples' if examples else 'eval'}"


SET = BelebeleSet(
    "nlu/belebele_mcqa/data/eval",
    ("text", "question", "choice1", "choice2", "choice3", "choice4"),
    make_wordings(dict.fromkeys(CODES, name_letters(4)), 16, tags=TAGS | {"my": "အဖြေ:"}),
    passage="text",
)

BENCHMARK = SET.make_benchmark(
    name="seahelm_belebele",
    title="Belebele",
    place=202,
    repository="aisingapore/NLU-Belebele-MCQA",
    pillar="NLU",
    reading=WrittenForm("nacc", SET.wordings),
)
