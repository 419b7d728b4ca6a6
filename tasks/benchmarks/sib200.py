"""SIB-200: which of seven topics a sentence is about (arXiv 2309.07445, `Davlan/sib200`).

A row: index_id=1523, category="science/technology", text="Mabadiliko huongeza tofauti ..."

On the Hub: a configuration per FLORES code, splits `train`, `validation` and `test`.

Traps: the published test set is sorted by category, so that the paper's three shots all bear one
label (a warning of every score says so; `shots=balanced` mends it); the texts are FLORES sentences;
some are quoted TSV fields with doubled quotes, and one whose quote mark is not closed in its line
is malformed: the usual readers would join it with the rows below, their labels included.
"""

from pathlib import Path

from tasks.benchmark import Asking, Benchmark, Item, Naming, list_answers, name_choices
from tasks.files import read_tsv
from tasks.protocol import LETTERS
from tasks.rows import Raw, Row, RowColumn, read_keys
from tasks.words import TOPICS

COLUMNS = (
    *read_keys("index_id"),
    RowColumn("category", "label", TOPICS),
    RowColumn("text", "line"),
)


def read(root: Path, code: str) -> list[Raw]:
    """Returns the test rows of the language with FLORES code `code`."""
    return read_tsv(root / "sib200" / code / "test.tsv", [column.name for column in COLUMNS])


def describe_task(asking: Asking) -> str:
    """Names the topics once before the shots, so that all items share them as one long prefix."""
    topics = [asking.words.topics[topic] for topic in TOPICS]
    return f"{asking.words.which_topic}\n{list_answers(topics, asking.protocol)}\n\n"


def make_item(row: Row, asking: Asking) -> Item:
    words = asking.words
    return Item(
        id=row["index_id"],
        cluster=row["index_id"],
        text=row["text"],
        query=f"{words.text}: {row['text']}\n{words.topic}:",
        label=row["category"],
        choices=name_choices([words.topics[topic] for topic in TOPICS], asking.protocol),
        answer=TOPICS.index(row["category"]),
    )


BENCHMARK = Benchmark(
    name="sib200",
    tasks=(Naming("sib200", "SIB-200"),),
    place=10,
    repository="Davlan/sib200",
    split="test",
    paper=True,
    keeps_english=True,
    complete=204,
    columns=COLUMNS,
    identity=("index_id",),
    read_files=read,
    item=make_item,
    description=describe_task,
    letters=LETTERS,
)
