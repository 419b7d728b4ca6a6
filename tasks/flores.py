"""FLORES-200: professional translations of Wikimedia sentences, scored in both directions
with chrF++ (arXiv 2207.04672, `openlanguagedata/flores_plus`).

A row here: id="1" (position in the split), text (in the language), english

Split: devtest (1,012 sentences; 1,009 are scored).

On the Hub: a configuration per code, splits `dev` and `devtest`, columns `id`, `text` and others;
gated. A directory may hold it as text files, or as FLORES-200's public archive, whole or unpacked:

    flores/devtest/<code>.txt
    flores200_dataset/devtest/<code>.devtest
    flores200_dataset.tar.gz

Traps: Belebele's passages and SIB-200's texts are FLORES sentences, so FLORES in a training mixture
contaminates three benchmarks; `flores_plus` goes on changing where the archive does not, names some
languages otherwise (Guarani: grn_Latn in FLORES-200, gug_Latn), and got some as dev alone (Chuvash,
its issue 1), which have no devtest to score.
"""

from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path

from tasks.benchmark import Asking, Benchmark, Item, Row
from tasks.errors import DataMalformed, DataMissing
from tasks.files import missing, read_lines, read_lines_of_archive

ENGLISH = "eng_Latn"
SPLIT = "devtest"
ARCHIVE = "flores200_dataset"


def read(root: Path, code: str) -> list[Row]:
    """The sentences of the language with FLORES code `code`, and the English ones."""
    _check_code(code)
    here, english = sentences(root, code), sentences(root, ENGLISH)
    if len(here) != len(english):
        raise DataMalformed(
            f"{root}: {code} has {len(here)} sentences, {ENGLISH} {len(english)}; they must be "
            "parallel"
        )
    return [
        {"id": str(number), "text": text, "english": other}
        for number, (text, other) in enumerate(zip(here, english, strict=True), 1)
    ]


def sentences(root: Path, code: str, split: str = SPLIT) -> list[str]:
    """One language of a split, from whichever form of FLORES-200 the directory holds."""
    text = root / "flores" / split / f"{code}.txt"
    folders = [root, root / ARCHIVE, root / "flores" / ARCHIVE]
    unpacked = [folder / split / f"{code}.{split}" for folder in folders]
    for path in [text, *unpacked]:
        if path.is_file():
            return read_lines(path)
    for archive in (root / f"{ARCHIVE}.tar.gz", root / "flores" / f"{ARCHIVE}.tar.gz"):
        if archive.is_file():
            return read_lines_of_archive(archive, f"{ARCHIVE}/{split}/{code}.{split}")
    raise missing(text)


def read_hub(load: Callable[[str], list[Row]], code: str) -> list[Row]:
    """As `read`, from the Hub's rows, which carry each sentence's number.

    The two languages are joined on it. An `id` here is a position, as in the text files, so that
    the same sentences have the same fingerprint wherever they were read.
    """
    _check_code(code)
    here = {row["id"]: row["text"] for row in load(code)}
    english = {row["id"]: row["text"] for row in load(ENGLISH)}
    if here.keys() != english.keys():
        raise DataMalformed(
            f"{code} has {len(here)} sentences, {ENGLISH} {len(english)}, and "
            f"{len(here.keys() ^ english.keys())} of their ids occur in one only; they must be "
            "parallel"
        )
    return [
        {"id": str(number), "text": here[key], "english": english[key]}
        for number, key in enumerate(_in_order(here, code), 1)
    ]


def _in_order(ids: Iterable[str], code: str) -> list[str]:
    try:
        return sorted(ids, key=int)
    except ValueError:
        raise DataMalformed(f"{code}: an id is not a number") from None


def _check_code(code: str) -> None:
    """English is what all others are translated to and from."""
    if code == ENGLISH:
        raise DataMissing("English is FLORES's other side: there is nothing to translate")


def description(asking: Asking) -> str:
    words = asking.words
    sentence = words.from_english if asking.from_english else words.to_english
    return f"{sentence.replace('{language}', asking.language)}\n\n"


def item(row: Row, asking: Asking) -> Item:
    language = asking.words.this_language.replace("{language}", asking.language)
    sides = [(language, row["text"]), (asking.words.english, row["english"])]
    (source_name, source), (target_name, target) = reversed(sides) if asking.from_english else sides
    return Item(
        id=row["id"],
        cluster=row["id"],
        text=row["text"],
        query=f"{source_name}: {source}\n{target_name}:",
        source=source,
        target=target,
    )


BENCHMARK = Benchmark(
    name="flores",
    repository="openlanguagedata/flores_plus",
    split=SPLIT,
    complete=1_012,
    columns=("id", "text", "english"),
    read_files=read,
    read_hub=read_hub,
    hub_columns=("id", "text"),
    item=item,
    description=description,
)


def read_alone(root: Path, code: str) -> list[Row]:
    """The sentences of one language, English too."""
    return [{"id": str(n), "text": text} for n, text in enumerate(sentences(root, code), 1)]


def read_hub_alone(load: Callable[[str], list[Row]], code: str) -> list[Row]:
    """As `read_alone`, from the Hub's rows."""
    here = {row["id"]: row["text"] for row in load(code)}
    order = enumerate(_in_order(here, code), 1)
    return [{"id": str(number), "text": here[key]} for number, key in order]


def sentence(row: Row, asking: Asking) -> Item:
    return Item(id=row["id"], cluster=row["id"], text=row["text"], query="")


# The texts of one language, without a task: for those who look for them elsewhere.
ALONE = replace(
    BENCHMARK,
    columns=("id", "text"),
    read_files=read_alone,
    read_hub=read_hub_alone,
    item=sentence,
)
