"""Global-MMLU: school and professional questions in 42 languages, four answers each
(arXiv 2412.03304, `CohereLabs/Global-MMLU`).

A row: sample_id="abstract_algebra/test/0", question, option_a..option_d, answer="B", subject,
subject_category="STEM", cultural_sensitivity_label="CS" (sensitive), "CA" (agnostic) or "-", ...

On the Hub: a configuration per two-letter code, splits `test` and `dev`.

Traps: the paper takes its shots from the test set, not from the dev set of the same subject; the
codes are two letters, not FLORES's; 153 English `logical_fallacies` rows have null annotations;
only 2,810 of 14,042 English rows bear a label, 766 of them CS (the rest is "-", not agnostic);
nine English rows have two equal answers (a warning where the answers' texts are scored).
"""

from pathlib import Path

from tasks.benchmark import Asking, Benchmark, Item, Naming, list_answers, name_choices
from tasks.files import read_jsonl
from tasks.protocol import LETTERS
from tasks.rows import Raw, Row, RowColumn, read_keys, read_texts

ANSWERS = ("option_a", "option_b", "option_c", "option_d")
COLUMNS = (
    *read_keys("sample_id", "subject"),
    *read_texts("question", *ANSWERS),
    RowColumn("answer", "label", ("A", "B", "C", "D")),
)
ASIDES = (
    RowColumn("subject_category"),
    RowColumn("cultural_sensitivity_label", "label", ("CS", "CA", "-")),
)


def read(root: Path, code: str) -> list[Raw]:
    """Returns the test rows of the language with the two-letter code `code`."""
    return read_jsonl(root / "global_mmlu" / f"{code}.jsonl")


def make_item(row: Row, asking: Asking) -> Item:
    question = row["question"].strip()
    answers = [row[name].strip() for name in ANSWERS]
    words, listed = asking.words, list_answers(answers, asking.protocol)
    return Item(
        id=row["sample_id"],
        cluster=row["sample_id"],
        text="\n".join([question, *answers]),
        query=f"{words.question}: {question}\n{listed}\n{words.answer}:",
        label=row["answer"],
        choices=name_choices(answers, asking.protocol),
        answer=LETTERS.index(row["answer"]),
        category=row.get("subject_category") or None,
        cultural_sensitivity=row.get("cultural_sensitivity_label"),
    )


BENCHMARK = Benchmark(
    name="global_mmlu",
    tasks=(Naming("global_mmlu", "Global-MMLU"),),
    place=30,
    repository="CohereLabs/Global-MMLU",
    split="test",
    paper=True,
    beyond={"nya_Latn": "ny", "plt_Latn": "mg"},
    keeps_english=True,
    complete=14_042,
    columns=COLUMNS,
    identity=("sample_id",),
    read_files=read,
    item=make_item,
    letters=LETTERS[:4],
    asides=ASIDES,
)
