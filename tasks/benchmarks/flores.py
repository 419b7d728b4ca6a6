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

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from tasks.benchmark import Asking, Benchmark, Item, Naming
from tasks.errors import DataMalformed, DataMissing, FileMissing
from tasks.files import EMBEDDED, is_there, read_lines, read_lines_of_archive, report_missing
from tasks.rows import REMEDY, Raw, Row, RowColumn, check, read_keys

ENGLISH = "eng_Latn"
SPLIT = "devtest"
ARCHIVE = "flores200_dataset"
IDENTITY = ("id",)
SENTENCE = (*read_keys(*IDENTITY), RowColumn("text", "line"))


def read(root: Path, code: str) -> list[Raw]:
    """Returns the sentences of the language with FLORES code `code`, and the English ones.

    The two files are parallel by their lines, so an empty line keeps its place: it is a sentence
    that lacks. Empty lines at the end are none.
    """
    _check_code(code)
    here, english = find(root, code), find(root, ENGLISH)
    lines = max(len(_strip_end(here.lines)), len(_strip_end(english.lines)))
    for one in (here, english):
        if len(one.lines) < lines:
            raise DataMalformed(_find_not_parallel(here, english))
    return [
        Raw(here.name, f"line {n}", {"id": n, "text": text, "english": other})
        for n, (text, other) in enumerate(
            zip(here.lines[:lines], english.lines[:lines], strict=True), 1
        )
    ]


@dataclass(frozen=True)
class SplitText:
    """One language of a split: a sentence a line. `name` says where it was found."""

    name: str
    lines: list[str]


def find(root: Path, code: str, split: str = SPLIT) -> SplitText:
    """Returns one language of a split, from whichever form of FLORES-200 the directory holds."""
    text = root / "flores" / split / f"{code}.txt"
    folders = [root, root / ARCHIVE, root / "flores" / ARCHIVE]
    unpacked = [folder / split / f"{code}.{split}" for folder in folders]
    for path in [text, *unpacked]:
        if is_there(path):
            return SplitText(str(path), read_lines(path))
    for archive in (root / f"{ARCHIVE}.tar.gz", root / "flores" / f"{ARCHIVE}.tar.gz"):
        if is_there(archive):
            member = f"{ARCHIVE}/{split}/{code}.{split}"
            return SplitText(f"{archive}: {member}", read_lines_of_archive(archive, member))
    if code == ENGLISH and root.resolve() != EMBEDDED.resolve():
        raise FileMissing(
            f"there is no file {text}: FLORES needs its English sentences too. Remedy: put it "
            "there, from the same FLORES-200 as the other languages"
        )
    raise report_missing(text)


def _strip_end(lines: list[str]) -> list[str]:
    """Returns the lines without empty ones at the end."""
    while lines and not lines[-1].strip():
        lines = lines[:-1]
    return lines


def _find_not_parallel(here: SplitText, english: SplitText) -> str:
    empty = [
        f"line {n} of {one.name} is empty"
        for one in (here, english)
        for n, line in enumerate(_strip_end(one.lines), 1)
        if not line.strip()
    ]
    return (
        f"{here.name} has {len(_strip_end(here.lines))} sentences, {english.name} "
        f"{len(_strip_end(english.lines))}; they must be parallel, a sentence a line"
        f"{''.join(f'; {said}' for said in empty[:2])}. Remedy: take both from one release; an "
        "empty line keeps the place of a sentence that lacks"
    )


def read_hub(load: Callable[[str], list[Raw]], code: str) -> list[Raw]:
    """Returns the sentences as `read` does, from the Hub's rows, which carry each sentence's
    number.

    The two languages are joined on it. An `id` here is a position, as in the text files, so that
    the same sentences have the same fingerprint wherever they were read.
    """
    _check_code(code)
    here, english = _number_sentences(load(code)), _number_sentences(load(ENGLISH))
    if here.keys() != english.keys():
        raise DataMalformed(
            f"{code} has {len(here)} sentences, {ENGLISH} {len(english)}, and "
            f"{len(here.keys() ^ english.keys())} of their ids occur in one only; they must be "
            "parallel. Remedy: a repository, or a commit, that has both whole"
        )
    return [
        Raw(raw.file, raw.place, {"id": n, "text": text, "english": english[number][1]})
        for n, (number, (raw, text)) in enumerate(here.items(), 1)
    ]


def _number_sentences(raws: list[Raw]) -> dict[int, tuple[Raw, str]]:
    """Returns each sentence by its number, in order."""
    rows = check(raws, SENTENCE, IDENTITY)
    try:
        found = {int(row["id"]): (raw, row["text"]) for raw, row in zip(raws, rows, strict=True)}
    except ValueError:
        raise DataMalformed(f"{raws[0].file}: an id is not a number. Remedy: {REMEDY}") from None
    return dict(sorted(found.items()))


def _check_code(code: str) -> None:
    """Refuses the code of English, which all others are translated to and from."""
    if code == ENGLISH:
        raise DataMissing("English is FLORES's other side: there is nothing to translate")


def describe_task(asking: Asking) -> str:
    words = asking.words
    sentence = words.from_english if asking.from_english else words.to_english
    return f"{sentence.replace('{language}', asking.language)}\n\n"


def make_item(row: Row, asking: Asking) -> Item:
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


def read_alone(root: Path, code: str) -> list[Raw]:
    """Returns the sentences of one language, English too."""
    found = find(root, code)
    lines = enumerate(_strip_end(found.lines), 1)
    return [Raw(found.name, f"line {n}", {"id": n, "text": text}) for n, text in lines]


def read_hub_alone(load: Callable[[str], list[Raw]], code: str) -> list[Raw]:
    """Returns the sentences as `read_alone` does, from the Hub's rows."""
    found = enumerate(_number_sentences(load(code)).values(), 1)
    return [Raw(raw.file, raw.place, {"id": n, "text": text}) for n, (raw, text) in found]


def make_sentence(row: Row, asking: Asking) -> Item:
    return Item(id=row["id"], cluster=row["id"], text=row["text"], query="")


# The sentences of one language, without a task: the English ones are Belebele's and SIB-200's too,
# and are there also where the language has no FLORES.
ALONE = Benchmark(
    name="flores",
    tasks=(),
    place=40,
    paper=True,
    repository="openlanguagedata/flores_plus",
    split=SPLIT,
    complete=1_012,
    columns=SENTENCE,
    identity=IDENTITY,
    read_files=read_alone,
    read_hub=read_hub_alone,
    item=make_sentence,
)
BENCHMARK = replace(
    ALONE,
    tasks=(
        Naming("flores_xx_en", "FLORES xx→en"),
        Naming("flores_en_xx", "FLORES en→xx", from_english=True),
    ),
    columns=(*SENTENCE, RowColumn("english", "line")),
    read_files=read,
    read_hub=read_hub,
    hub_columns=("id", "text"),
    item=make_item,
    description=describe_task,
    unasked=(ENGLISH,),
    texts=ALONE,
)
