"""Belebele: a question on a short passage, four answers (arXiv 2308.16884, `facebook/belebele`).

A row: link, question_number=1, flores_passage, question, mc_answer1..4, correct_answer_num="1"

On the Hub: a configuration per FLORES code, split `test`.

Traps: questions of one passage are not independent (cluster by `link`), and one of the scored items
asks about a shot's passage; the passages are FLORES sentences; in two languages (afr, sot) the rows
stand in another order than in English. The shots are the first three rows of the language's own
file, as the paper words it, which in those two are not the questions that they are elsewhere. So
compare languages by `id`, which is made of link and question number, never by position.
"""

from pathlib import Path

from tasks.benchmark import Asking, Benchmark, Item, Naming, list_answers, name_choices
from tasks.files import read_jsonl
from tasks.protocol import LETTERS
from tasks.rows import Raw, Row, RowColumn, identify, read_keys, read_texts

ANSWERS = ("mc_answer1", "mc_answer2", "mc_answer3", "mc_answer4")
IDENTITY = ("link", "question_number")
COLUMNS = (
    *read_keys(*IDENTITY),
    *read_texts("flores_passage", "question", *ANSWERS),
    RowColumn("correct_answer_num", "label", ("1", "2", "3", "4"), "the first answer is number 1"),
)


def read(root: Path, code: str) -> list[Raw]:
    """Returns the rows of the language with FLORES code `code`."""
    return read_jsonl(root / "belebele" / f"{code}.jsonl")


def make_item(row: Row, asking: Asking) -> Item:
    passage, question = row["flores_passage"].strip(), row["question"].strip()
    answers = [row[name].strip() for name in ANSWERS]
    words = asking.words
    return Item(
        id=identify(row, IDENTITY),
        cluster=row["link"],
        text="\n".join([passage, question, *answers]),
        query=f"{words.passage}: {passage}\n{words.question}: {question}\n"
        f"{list_answers(answers, asking.protocol)}\n{words.answer}:",
        label=LETTERS[int(row["correct_answer_num"]) - 1],
        choices=name_choices(answers, asking.protocol),
        answer=int(row["correct_answer_num"]) - 1,
    )


BENCHMARK = Benchmark(
    name="belebele",
    tasks=(Naming("belebele", "Belebele"),),
    place=20,
    repository="facebook/belebele",
    split="test",
    paper=True,
    keeps_english=True,
    complete=900,
    columns=COLUMNS,
    identity=IDENTITY,
    read_files=read,
    item=make_item,
    letters=LETTERS[:4],
)
