"""The raters' words: one small YAML catalogue a language, which the same speaker may correct."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import yaml
from markupsafe import Markup, escape

from preference.errors import MessagesError
from preference.normalise import clean_text

FOLDER = Path(__file__).parent / "messages"
# Raters of these languages read the catalogue of a language close to theirs.
_NEAREST = {"arz": "ar", "ars": "ar"}


@dataclass(frozen=True)
class Catalogue:
    """tag, direction: of the language that the words are in; draft: no native speaker has
    confirmed them yet; messages: key -> text with {placeholders}."""

    language: str
    tag: str
    direction: str
    draft: bool
    messages: Mapping[str, str]


@cache
def read_english() -> Catalogue:
    return read_catalogue(FOLDER / "en.yaml", check=False)


def find_catalogue(tag: str) -> Catalogue:
    """The shipped catalogue of a language, else English."""
    path = FOLDER / f"{_NEAREST.get(tag, tag)}.yaml"
    return read_catalogue(path) if path.exists() else read_english()


def read_catalogue(path: Path, *, check: bool = True) -> Catalogue:
    """Reads a catalogue. Raises MessagesError naming every message that is missing, unknown, or
    whose placeholders differ from English."""
    try:
        value = yaml.safe_load(path.read_text(encoding="utf-8"))
        catalogue = Catalogue(
            value["language"], value["tag"], value["direction"], value["draft"],
            {
                str(key): " ".join(clean_text(str(text)).split())
                for key, text in value["messages"].items()
            },
        )  # fmt: skip
    except (
        OSError,
        yaml.YAMLError,
        KeyError,
        TypeError,
        AttributeError,
        UnicodeDecodeError,
    ) as error:
        raise MessagesError(f"{path}: not a catalogue ({type(error).__name__}: {error})") from None
    if catalogue.direction not in ("ltr", "rtl"):
        raise MessagesError(
            f"{path}: direction is {catalogue.direction!r}; allowed are ltr and rtl"
        )
    if check and (problems := list_differences(catalogue.messages)):
        raise MessagesError(f"{path}: " + "; ".join(problems))
    return catalogue


def list_differences(messages: Mapping[str, str]) -> list[str]:
    """List what a catalogue lacks against English, in words."""
    wanted = read_english().messages
    problems = [f"{key} is missing" for key in wanted if not messages.get(key, "").strip()]
    problems += [f"{key} is unknown" for key in messages if key not in wanted]
    for key in wanted.keys() & messages.keys():
        if find_placeholders(wanted[key]) != find_placeholders(messages[key]):
            problems.append(
                f"{key} has {sorted(find_placeholders(messages[key]))}, English has"
                f" {sorted(find_placeholders(wanted[key]))}"
            )
    return problems


def find_placeholders(text: str) -> set[str]:
    """Names in braces."""
    return set(re.findall(r"\{(\w+)\}", text))


def fill_html(text: str, **values: str | int) -> Markup:
    """The same as HTML, in which a value's own direction leaves the words around it in place: an
    address, or digits in groups, in a text from right to left."""
    isolated = {
        name: value if isinstance(value, int) else Markup("<bdi>{}</bdi>").format(value)
        for name, value in values.items()
    }
    return Markup(fill(str(escape(text)), **isolated))


def fill(text: str, **values: str | int) -> str:
    """Puts values in for {names}; anything else in braces stays."""
    return re.sub(r"\{(\w+)\}", lambda m: str(values.get(m.group(1), m.group(0))), text)
