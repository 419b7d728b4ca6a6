"""Global-MMLU Lite as SEA-HELM asks it: the letter of an answer is written, in the language's own
words (`_seahelm.py` says what its sets have in common).

400 questions a language (Apache-2.0), their answers in another order than Global-MMLU's. The set
came after SEA-HELM's first version, and its rows bring no words: they stand in the set's own
``config.yaml``, which a directory has beside them, as published:
``seahelm/knowledge/global_mmlu_lite/{config.yaml,global_mmlu_lite_<code>_test.jsonl}``. It is on no
Hub of SEA-HELM's. Asked of chats alone: a base model would see five examples of the question's own
subject.

Traps: Burmese is answered by its own letters; `id` numbers the rows of a language.
"""

from dataclasses import replace
from pathlib import Path

import yaml

from tasks.benchmark import Benchmark, WrittenForm
from tasks.benchmarks._seahelm import (
    EXAMPLES,
    LETTERS,
    SeahelmSet,
    find_place,
    make_wordings,
    name_letters,
)
from tasks.errors import DataMalformed, DataMissing
from tasks.files import is_there, report_missing
from tasks.rows import Raw

NAME = "global_mmlu_lite"
CODES = ("id", "vi", "ms", "my", "tl")
BURMESE = {
    own: (letter, str(n)) for n, (own, letter) in enumerate(zip("ကခဂဃ", LETTERS, strict=True))
}


def read_template(path: Path, code: str) -> str:
    """Returns the words in which a language is asked, from the set's own configuration, as rows of
    other sets bring them. Raises DataMissing or DataMalformed."""
    if not is_there(path):
        raise report_missing(path)
    try:
        settings = yaml.safe_load(path.read_text(encoding="utf-8"))
        words = settings[NAME]["languages"][code]["prompt_template"]
        preamble, task = (str(words[part]) for part in ("preamble", "task_template"))
    except (OSError, ValueError, KeyError, TypeError, yaml.YAMLError) as error:
        raise DataMalformed(
            f"{path} has no words to ask {code} in ({type(error).__name__}). Remedy: SEA-HELM's "
            "own file"
        ) from None
    return f"{preamble}{EXAMPLES}{task}"


class GlobalMmluLiteSet(SeahelmSet):
    """The set, whose words lie in a file beside its rows."""

    def read_files(self, root: Path, code: str) -> list[Raw]:
        """Returns the rows of a language, flat."""
        template = read_template(find_place(root, self.folder) / "config.yaml", code)
        rows = super().read_files(root, code)
        return [replace(row, cells={**row.cells, "template": template}) for row in rows]

    def find_file(self, root: Path, code: str, *, examples: bool = False) -> Path:
        """Returns the file of a language, which is the test's, or the one that it should be."""
        return find_place(root, self.folder) / f"{NAME}_{code}_test.jsonl"

    def read_hub(self, load: object, code: str) -> list[Raw]:
        """Raises DataMissing: the Hub does not have it as SEA-HELM asks it."""
        raise DataMissing(
            "SEA-HELM's Global-MMLU Lite is on no Hub. Remedy: data_dir=DIR with its files from "
            "github.com/aisingapore/SEA-HELM"
        )


SET = GlobalMmluLiteSet(
    f"knowledge/{NAME}",
    ("question", "option_a", "option_b", "option_c", "option_d"),
    make_wordings({code: BURMESE if code == "my" else name_letters(4) for code in CODES}, 16),
)

BENCHMARK: Benchmark = SET.make_benchmark(
    name="seahelm_global_mmlu_lite",
    title="Global-MMLU Lite",
    place=255,
    repository="CohereLabs/Global-MMLU-Lite",
    pillar="Knowledge",
    reading=WrittenForm("nacc", SET.wordings, examples=0),
)
