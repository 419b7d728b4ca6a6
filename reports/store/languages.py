"""Describes a language by what a store records of it, and by the registry where it records less."""

from core.languages import find_language, tag_language
from reports.store.model import ShownLanguage


def describe_language(
    name: str, autonym: str = "", direction: str = "", flores_code: str = "", tag: str = ""
) -> ShownLanguage:
    """The language of that name. Stores of before record no tag, imported tables a name alone."""
    known = find_language(name)
    if known and flores_code in ("", known.flores_code):
        autonym = autonym or known.autonym or ""
        direction = direction or known.direction
        flores_code = known.flores_code
    return ShownLanguage(
        name=name,
        autonym=autonym,
        direction=direction if direction in ("ltr", "rtl") else "auto",
        flores_code=flores_code,
        tag=tag or tag_language(name, flores_code),
    )
