"""The registry of languages: a file each in ``conf/language/``, which holds all of a language.

Hydra composes the same files into the experiment's language; here they are read as data, by those
who know a language by name or code only. To add a language is to add its file.
"""

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Literal

import yaml

from core.tags import make_tag

FOLDER = Path(__file__).parent.parent / "conf" / "language"
FORM = "other"
"""The file that stands for any language that is given on the command line."""
_APOSTROPHES = str.maketrans(dict.fromkeys("’‘ʼʻ`´′ꞌ", "'") | dict.fromkeys("_-", " "))


@dataclass(frozen=True)
class Language:
    """All that is known of a language.

    id: the name of its file, by which ``language=ID`` chooses it.
    name, autonym: its name in English and in itself.
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
    autonym: str
    tag: str
    flores_code: str
    script: str
    direction: Literal["ltr", "rtl"]
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
        return (self.id, self.name, self.autonym, self.tag, self.flores_code)


def read_languages(folder: Path) -> Mapping[str, Language]:
    """Returns the languages of a folder by their ids; ValueError for a file that is no
    language's."""
    found: dict[str, Language] = {}
    for path in sorted(folder.glob("*.yaml")):
        if path.stem == FORM:
            continue
        entry = yaml.load(path.read_text(encoding="utf-8"), Loader=_Loader)
        try:
            found[path.stem] = Language(id=path.stem, **entry)
        except TypeError as error:
            raise ValueError(f"{path}: {error}") from None
        for name in ("name", "autonym", "tag", "flores_code", "script", "direction"):
            if not isinstance(entry[name], str):
                raise ValueError(f"{path}: {name}: a text is needed, received {entry[name]!r}")
    return found


_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # in C where it is there: ten times faster


@cache
def list_languages() -> Mapping[str, Language]:
    """Returns the registry: the shipped languages by their ids."""
    return read_languages(FOLDER)


@cache
def _list_by_name() -> Mapping[str, Language]:
    return {
        fold_name(name): language
        for language in list_languages().values()
        for name in language.names
    }


def find_language(name: str) -> Language | None:
    """Returns the language of that name, autonym, tag or FLORES code, in any case; None for
    none."""
    return _list_by_name().get(fold_name(name))


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
    plain = " ".join(name.translate(_APOSTROPHES).casefold().split())
    apart = unicodedata.normalize("NFKD", plain)
    return "".join(sign for sign in apart if not unicodedata.combining(sign))
