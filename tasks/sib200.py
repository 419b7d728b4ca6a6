"""SIB-200: which of seven topics a sentence is about (arXiv 2309.07445, `Davlan/sib200`).

A row: index_id=1523, category="science/technology", text="Mabadiliko huongeza tofauti ..."

On the Hub: a configuration per FLORES code, splits `train`, `validation` and `test`.

Traps: the published test set is sorted by category, so that the paper's three shots all bear one
label (a warning of every score says so; `shots=balanced` mends it); the texts are FLORES sentences;
some are quoted TSV fields with doubled quotes.
"""

from pathlib import Path

from tasks.benchmark import Asking, Benchmark, Item, Row, choices, listed
from tasks.files import read_tsv
from tasks.protocol import LETTERS
from tasks.words import TOPICS

COLUMNS = ("index_id", "category", "text")


def read(root: Path, code: str) -> list[Row]:
    """The test rows of the language with FLORES code `code`."""
    return read_tsv(root / "sib200" / code / "test.tsv", COLUMNS)


def problem(row: Row) -> str | None:
    if row["category"] in TOPICS:
        return None
    return f"category is {row['category']!r}, known are {', '.join(TOPICS)}"


def description(asking: Asking) -> str:
    """The topics stand once before the shots, so that all items share them as one long prefix."""
    topics = [asking.words.topics[topic] for topic in TOPICS]
    return f"{asking.words.which_topic}\n{listed(topics, asking.protocol)}\n\n"


def item(row: Row, asking: Asking) -> Item:
    words = asking.words
    return Item(
        id=row["index_id"],
        cluster=row["index_id"],
        text=row["text"],
        query=f"{words.text}: {row['text']}\n{words.topic}:",
        label=row["category"],
        choices=choices([words.topics[topic] for topic in TOPICS], asking.protocol),
        answer=TOPICS.index(row["category"]),
    )


BENCHMARK = Benchmark(
    name="sib200",
    repository="Davlan/sib200",
    split="test",
    complete=204,
    columns=COLUMNS,
    read_files=read,
    item=item,
    problem=problem,
    description=description,
    letters=LETTERS,
)
