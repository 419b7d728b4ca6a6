"""The raters' words: one small YAML catalogue a language, which the same speaker may correct.

A message that counts something has a text for each plural form of its language, in YAML a mapping
from the form's name; one text alone stands for all forms. Within the program, and in a pack, the
text of a form has a key of its own, such as `intro.one`, and `intro` is the text of the form
`other`.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from markupsafe import Markup, escape

from preference.errors import MessagesError
from preference.normalise import clean_text
from preference.plurals import NEAREST, OTHER, find_form, list_forms

FOLDER = Path(__file__).parent / "messages"
# A study's own catalogue, in its directory.
MESSAGES = "messages.yaml"


@dataclass(frozen=True)
class Catalogue:
    """tag, direction: of the language that the words are in; draft: no native speaker has
    confirmed all of them yet; messages: key -> text with {placeholders}; confirmed: keys of those
    that one has confirmed, of a draft that is being corrected."""

    language: str
    tag: str
    direction: str
    draft: bool
    messages: Mapping[str, str]
    confirmed: tuple[str, ...] = ()


@cache
def read_english() -> Catalogue:
    return read_catalogue(FOLDER / "en.yaml", check=False)


def find_catalogue(tag: str) -> Catalogue:
    """The shipped catalogue of a language, else English."""
    path = FOLDER / f"{NEAREST.get(tag, tag)}.yaml"
    return read_catalogue(path) if path.exists() else read_english()


def fill_messages(settings: Mapping[str, Any]) -> dict[str, str]:
    """All messages of a pack. One that is newer than the pack is that of the shipped catalogue of
    its language, else English; its plural forms come from the same place."""
    own: Mapping[str, str] = settings["messages"]
    shipped = find_catalogue(str(settings["messages_tag"])).messages
    found: dict[str, str] = {}
    for messages in (own, shipped, read_english().messages):
        there = {key.partition(".")[0] for key in found}
        found |= {key: text for key, text in messages.items() if key.partition(".")[0] not in there}
    return found


def read_catalogue(path: Path, *, check: bool = True) -> Catalogue:
    """Reads a catalogue. Raises MessagesError naming every message that is missing, unknown, or
    whose placeholders differ from English."""
    try:
        value = yaml.safe_load(path.read_text(encoding="utf-8"))
        catalogue = Catalogue(
            value["language"], value["tag"], value["direction"], value["draft"],
            _read_messages(value["messages"]), tuple(map(str, value.get("confirmed", ()))),
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
    if check and (problems := list_differences(catalogue.messages, catalogue.tag)):
        raise MessagesError(f"{path}: " + "; ".join(problems))
    return catalogue


def _read_messages(value: Mapping[str, object]) -> dict[str, str]:
    """The texts by key, and by key and form."""
    found: dict[str, str] = {}
    for key, text in value.items():
        if not isinstance(text, Mapping):
            found[str(key)] = join_line(str(text))
            continue
        if OTHER not in text:
            raise KeyError(f"{key}: {OTHER}")
        found[str(key)] = join_line(str(text[OTHER]))
        found |= {f"{key}.{form}": join_line(str(of)) for form, of in text.items() if form != OTHER}
    return found


def write_messages(messages: Mapping[str, str]) -> dict[str, str | dict[str, str]]:
    """The texts as a catalogue's YAML has them."""
    written: dict[str, str | dict[str, str]] = {}
    for key, text in messages.items():
        if "." in key:
            continue
        forms = {
            other.partition(".")[2]: of
            for other, of in messages.items()
            if other.startswith(f"{key}.")
        }
        in_order = sorted({**forms, OTHER: text}.items(), key=_sort_form)
        written[key] = dict(in_order) if forms else text
    return written


def _sort_form(item: tuple[str, str]) -> int:
    return ("zero", "one", "two", "few", "many", OTHER).index(item[0])


def join_line(text: str) -> str:
    """A message as pages show it: cleaned, one line."""
    return " ".join(clean_text(text).split())


def list_keys(tag: str) -> list[str]:
    """The keys of a whole catalogue of a language, a counted message's with each of its forms."""
    english = read_english().messages
    keys = []
    for key in english:
        if "." not in key:
            keys += [f"{key}.{form}" for form in _list_own_forms(key, tag)] + [key]
    return keys


def find_english(key: str) -> str:
    """The English of a key; of a form that English lacks, the English of the message."""
    messages = read_english().messages
    return messages.get(key) or messages[key.partition(".")[0]]


def list_english(catalogue: Catalogue) -> list[str]:
    """The keys of messages that are the English ones, longer than a name or a sign."""
    return [
        key
        for key, text in catalogue.messages.items()
        if text == find_english(key) and len(text.split()) > 1
    ]


def list_differences(messages: Mapping[str, str], tag: str) -> list[str]:
    """List what a catalogue lacks against English and its language's plural forms, in words."""
    english = read_english().messages
    known = list_keys(tag)
    problems = []
    for key in known:
        name, _, form = key.partition(".")
        # One text may stand for all forms; whoever tells them apart tells all of them apart.
        told_apart = any(other.startswith(f"{name}.") for other in messages)
        if not messages.get(key, "").strip() and (not form or told_apart):
            problems.append(f"{key} is missing")
    problems += [
        f"{key} is unknown"
        for key in messages
        if key not in known and not is_counted(key.partition(".")[0])
    ]
    for key in messages:
        name, _, form = key.partition(".")
        if name not in english:
            continue
        wanted, found = find_placeholders(english[name]), find_placeholders(messages[key])
        # A form for one or two may say so in words.
        if found != wanted and not (form and found == wanted - {"count"}):
            problems.append(f"{key} has {sorted(found)}, English has {sorted(wanted)}")
    return problems


def is_counted(key: str) -> bool:
    """Tell whether a message counts something, and so has plural forms."""
    return f"{key}.one" in read_english().messages


def _list_own_forms(key: str, tag: str) -> list[str]:
    return [form for form in list_forms(tag) if form != OTHER] if is_counted(key) else []


def make_writer(
    messages: Mapping[str, str], tag: str, **common: str | int
) -> Callable[..., Markup]:
    """A function from a message's key and values to HTML. A value `count` chooses the plural form
    of the language with that tag; common: values that any message may name."""

    def write(key: str, **values: str | int) -> Markup:
        count = values.get("count")
        form = find_form(tag, count) if isinstance(count, int) else OTHER
        return fill_html(messages.get(f"{key}.{form}", messages[key]), **{**common, **values})

    return write


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
