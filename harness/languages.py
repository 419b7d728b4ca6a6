"""Makes a language of what was typed behind ``language=``: any name or code of the registry's, or a
name that nothing knows.

The paper's languages are files of Hydra's group; all others of the registry are put beside them,
as if each had one.
"""

import difflib
import re
import shlex
from collections.abc import Sequence
from dataclasses import asdict

from hydra.core.config_store import ConfigStore

from core.languages import (
    FORM,
    Language,
    find_language,
    fold_name,
    list_languages,
    list_named_after,
    list_nearest,
    list_papers_languages,
)
from harness.errors import ConfigError
from harness.values import quote, show_override

GROUP = "language"
# From this likeness of letters on, an unknown name is taken for a slip of the keyboard: a run would
# pay a teacher for texts in a language that nobody speaks.
_SLIP = 0.85
_CODE = re.compile(r"[A-Za-z]{2,3}([-_][A-Za-z]{4})?([-_][a-z]{4}\d{4})?")


def find_option(name: str) -> str | None:
    """Returns the option of the group for any name or code of the registry's, None for none; from
    then on Hydra knows it."""
    found = find_language(name)
    if found is None:
        return None
    register_language(found)
    return found.id


def register_languages() -> None:
    """Lets Hydra know every language of the registry, as completion in a shell wants it."""
    for language in list_languages().values():
        register_language(language)


def register_language(language: Language) -> None:
    """Lets Hydra know a language that has no file in the group, in this process and in those that
    a launcher starts."""
    if language.id not in list_papers_languages():
        entry = {key: value for key, value in asdict(language).items() if key != "id"}
        store = ConfigStore.instance()
        store.store(group=GROUP, name=language.id, node=entry, provider="kakugo")


def make_unknown(name: str) -> tuple[list[str], str]:
    """Returns the overrides of a language by a name that nothing knows, and what to say of it.

    Raises ConfigError for what is rather a slip of the keyboard, a word that several languages are
    named by, or a code, which is no name to give to a teacher.
    """
    likest, parts = _find_likest(name), list_named_after(name)
    why = ""
    if _CODE.fullmatch(name) and (len(name) < 4 or "_" in name or "-" in name):
        why = "is no code of a language that is known here"
    elif parts:
        why = f"may be one of {len(parts)} that are known here"
    elif likest is not None:
        why = f"is not known here, and much like {likest}"
    if why:
        raise ConfigError(explain_unknown(name, why))
    said = (
        f"no language is known by the name {name}; it is taken as it is, and no benchmark "
        f"has it.{_show_nearest(name)} Codes may be given: language.flores_code=CODE "
        "language.benchmarks.BENCHMARK=CODE"
    )
    return [f"{GROUP}={FORM}", f"++{GROUP}.name={quote(name)}"], said


def explain_unknown(name: str, why: str = "is not known here") -> str:
    """Returns why a name cannot be taken for a language, with the nearest that can, and how any
    other is given."""
    if not name:
        return f"{GROUP}=: a name or code is needed. Remedy: one, such as {GROUP}=yoruba"
    return (
        f"{GROUP}={name}: this name {why}.{_show_nearest(name)} For any other language: "
        f"language={FORM} {show_override('language.name', name)}"
    )


def _find_likest(name: str) -> str | None:
    folded = fold_name(name)
    known: Sequence[str] = [
        fold_name(one)
        for language in list_languages().values()
        for one in language.names
        if len(one) > 3
    ]
    return next(iter(difflib.get_close_matches(folded, known, n=1, cutoff=_SLIP)), None)


def _show_nearest(name: str) -> str:
    near = list_nearest(name)
    shown = ", ".join(shlex.quote(f"{GROUP}={one}") for one in near)
    return f" Nearest: {shown}." if near else ""
