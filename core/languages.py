"""The registry of languages: the paper's, a file each in ``conf/language/``, and all others of
FLORES+ and large ones of FineWeb2, a line each in ``languages.tsv``.

Hydra composes the same entries into the experiment's language; here they are read as data, by those
who know a language by name or code only. To add a language is to add its file, or its line.
"""

import csv
import difflib
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Literal

import yaml

from core.tags import make_tag

FOLDER = Path(__file__).parent.parent / "conf" / "language"
TABLE = Path(__file__).parent / "languages.tsv"
"""Languages beside the paper's. Codes, names and what FLORES+ has are from OLDI's list of languages
(openlanguagedata/oldi.org at 8039e56) and FLORES-200's, families and numbers of documents from
FineWeb2's (huggingface/fineweb-2 at d0defb2), other autonyms and tags from CLDR 47."""
FORM = "other"
"""The file that stands for any language that is given on the command line."""
_APOSTROPHES = str.maketrans(dict.fromkeys("’‘ʼʻ`´′ꞌ", "'") | dict.fromkeys("_-", " "))


@dataclass(frozen=True)
class Language:
    """All that is known of a language.

    id: the name of its file or line, by which ``language=ID`` chooses it.
    name, autonym: its name in English and in itself; None for an autonym that is not known.
    aliases: further names that people use and that mean no other language of the registry.
    tag: the shortest BCP 47 tag, as a page's ``lang`` wants it.
    flores_code: its code in FLORES, which most benchmarks and corpora share.
    script: the English name of the script that its texts are written in.
    font: a font of ``preference/fonts`` where phones may lack the script's letters.
    family, branch: its language family, as FineWeb2's list of languages has it (a creole is none of
        a family there), and the branch of a large family; None where neither is known.
    fineweb2_documents: the documents of its training split in FineWeb2, by the data set's own list
        (``fineweb2-language-distribution.csv``); None where that has none or it is not known.
    benchmarks: its code in each benchmark, None where the benchmark lacks it; `gaps` says why.
    hub_codes: its configuration in a repository of the Hub that names it otherwise, by the
        repository's name (see `name_repository`).
    """

    id: str
    name: str
    autonym: str | None
    tag: str
    flores_code: str
    script: str
    direction: Literal["ltr", "rtl"]
    aliases: tuple[str, ...] = ()
    font: str | None = None
    family: str | None = None
    branch: str | None = None
    fineweb2_documents: int | None = None
    benchmarks: Mapping[str, str | None] = field(default_factory=dict)
    hub_codes: Mapping[str, str] = field(default_factory=dict)
    gaps: Mapping[str, str] = field(default_factory=dict)

    @property
    def names(self) -> tuple[str, ...]:
        """Every name and code that stands for this language and no other."""
        own = (self.autonym,) if self.autonym else ()
        return (self.id, self.name, *own, *self.aliases, self.tag, self.flores_code)


def read_languages(folder: Path) -> Mapping[str, Language]:
    """Returns the languages of a folder by their ids; ValueError for a file that is no
    language's."""
    found: dict[str, Language] = {}
    for path in sorted(folder.glob("*.yaml")):
        if path.stem == FORM:
            continue
        entry = yaml.load(path.read_text(encoding="utf-8"), Loader=_Loader)
        try:
            entry["aliases"] = tuple(entry.get("aliases") or ())
            found[path.stem] = Language(id=path.stem, **entry)
        except TypeError as error:
            raise ValueError(f"{path}: {error}") from None
        for name in ("name", "autonym", "tag", "flores_code", "script", "direction"):
            if not isinstance(entry[name], str):
                raise ValueError(f"{path}: {name}: a text is needed, received {entry[name]!r}")
    return found


_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # in C where it is there: ten times faster


# The benchmarks of the paper by the names that the table has of them, and what says that a language
# is not among theirs.
_LACKING = {
    "sib200": "SIB-200 does not cover {}.",
    "belebele": "Belebele does not cover {}.",
    "global_mmlu": "Global-MMLU has no {} (its 42 languages do not include it).",
    "flores": "FLORES+ has no test sentences of {}.",
}


def read_table(path: Path) -> Mapping[str, Language]:
    """Returns the languages of a table by their ids.

    Its column `benchmarks` names those that have the language, under its FLORES code or under the
    code behind a colon; `fineweb_2` and `flores_plus` are its configurations in these repositories
    where they are others.
    """
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
    return {row["id"]: _make_language(row) for row in rows}


def _make_language(row: Mapping[str, str]) -> Language:
    own, name = row["flores_code"], row["name"]
    has = dict(part.partition(":")[::2] for part in row["benchmarks"].split())
    hub = {place: row[place] for place in ("fineweb_2", "flores_plus") if row[place]}
    return Language(
        id=row["id"],
        name=name,
        autonym=row["autonym"] or None,
        aliases=tuple(row["aliases"].split("; ")) if row["aliases"] else (),
        tag=row["tag"],
        flores_code=own,
        script=row["script"],
        direction="rtl" if row["direction"] == "rtl" else "ltr",
        family=row["family"] or None,
        fineweb2_documents=int(row["fineweb2_documents"]) if row["fineweb2_documents"] else None,
        benchmarks={one: (has[one] or own) if one in has else None for one in _LACKING},
        hub_codes=hub,
        gaps={one: said.format(name) for one, said in _LACKING.items() if one not in has},
    )


@cache
def list_papers_languages() -> Mapping[str, Language]:
    """Returns the paper's languages, and English, by their ids."""
    return read_languages(FOLDER)


@cache
def list_languages() -> Mapping[str, Language]:
    """Returns the registry: the paper's languages by their ids, then all others."""
    return {**list_papers_languages(), **read_table(TABLE)}


@cache
def _list_by_name() -> Mapping[str, Language]:
    return {
        fold_name(name): language
        for language in list_languages().values()
        for name in language.names
    }


def find_language(name: str) -> Language | None:
    """Returns the language of that name, autonym, tag, FLORES or ISO 639 code, in any case; None
    for none.

    A code of ISO 639 alone stands for the language whose tag it makes: a variety that is written
    in another script than is usual must be named.
    """
    known = _list_by_name()
    folded = fold_name(name)
    found = known.get(folded)
    if found is None and len(folded) in (2, 3) and folded.isascii():
        found = known.get(make_tag(folded))
    return found


def list_named_after(name: str) -> list[str]:
    """Returns the ids of the languages that have a name as a word of theirs, such as those of
    Kurdish."""
    known, folded = _list_by_name(), fold_name(name)
    return list(dict.fromkeys(known[one].id for one in known if folded in one.split()))


def list_nearest(name: str, most: int = 3) -> list[str]:
    """Returns the ids of the languages whose names are most like a name, the nearest first: those
    that have it as a word, then by their letters."""
    known = _list_by_name()
    near = difflib.get_close_matches(fold_name(name), known, n=2 * most, cutoff=0.6)
    return list(dict.fromkeys([*list_named_after(name), *(known[one].id for one in near)]))[:most]


def identify_name(name: str) -> str:
    """Returns a key that all names of one language share, in the registry or not."""
    found = find_language(name)
    return found.id if found else fold_name(name)


def tag_language(name: str, flores_code: str | None = None) -> str:
    """Returns the BCP 47 tag of a language, by the registry where that has it; "" where none can
    be told.

    A code goes before the name: another language may be given a name of the registry's.
    """
    if flores_code:
        found = find_language(flores_code)
        return found.tag if found else make_tag(flores_code)
    found = find_language(name)
    return found.tag if found else ""


def find_hub_code(codes: Mapping[str, str], repository: str, code: str | None) -> str | None:
    """Returns the configuration of a language in a repository of the Hub (``owner/name``, with
    or without ``@revision``, or the path of a copy): the one that `codes` gives for it, else
    `code`.

    `codes` are a language's `hub_codes`.
    """
    return codes.get(name_repository(repository), code)


def name_repository(repository: str) -> str:
    """Returns a repository's key in `hub_codes`: its name without the owner, in small letters
    and with _ for what is no letter or digit, as a command line can write it."""
    name = repository.rstrip("/").rpartition("/")[2].partition("@")[0].lower()
    return "".join(c if c.isalnum() else "_" for c in name)


def fold_name(name: str) -> str:
    """Returns a name without what writers differ in: case, marks on letters, apostrophes, _ for
    a space."""
    plain = " ".join(name.translate(_APOSTROPHES).casefold().replace("ı", "i").split())
    apart = unicodedata.normalize("NFKD", plain)
    return "".join(sign for sign in apart if not unicodedata.combining(sign))
