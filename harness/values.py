"""The values that a person types, in quotes wherever Hydra's grammar cannot read them bare.

Hydra reads unquoted text only of Latin letters, digits and a few signs: not Yorùbá, N'Ko, አማርኛ,
"Aranese (Occitan)", nor a path with `=`. What it can read is left as it was typed.
"""

import re
import shlex
from collections.abc import Callable, Iterator
from functools import cache

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import ChoiceSweep, Override, Quote, QuotedString
from hydra.errors import HydraException

_BLANK = " \t"  # what Hydra drops around a value
_QUOTED = re.compile(r"""'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*\"""", re.DOTALL)
_CALL = re.compile(r"(?P<name>\w+)[ \t]*\((?P<inside>.*)\)", re.DOTALL)
_NAMED = re.compile(r"(?P<name>[A-Za-z_]\w*)[ \t]*=(?P<value>.*)", re.DOTALL)
_OPEN, _CLOSE = "([{", ")]}"


def make_readable(value: str, sweeps: bool) -> str:
    """Quotes `value` as Hydra needs it, also inside of lists, dicts and calls.

    A comma separates the points of a sweep where one `sweeps`; in a single run it is text. (One
    within brackets or quotes always belongs to what they hold.) Blanks around a value are dropped,
    as Hydra does. A list, dict or call of one of Hydra's functions that cannot be mended is
    returned as it is.
    """
    text = value.strip(_BLANK)
    read = parse_override(f"x={value}")
    if read is None:
        parts = split_at(text, ",") if sweeps else [text]
        if "" in parts:
            return quote(text)
        return ",".join(_read_element(part) for part in parts)
    if not sweeps and is_plain_sweep(read):
        return quote(text)
    return value


def parse_override(argument: str) -> Override | None:
    """Parses an override as Hydra reads it; None where it cannot."""
    try:
        return _make_parser().parse_override(argument)
    except (HydraException, RecursionError):
        return None


def split_at(text: str, mark: str) -> list[str]:
    """Splits `text` at each `mark` outside of brackets and quotes; the parts are stripped."""
    return [part.strip(_BLANK) for part in _split_parts(text, mark)]


def is_spaced(text: str) -> bool:
    """Says whether a blank follows a comma outside of brackets and quotes, as in a name."""
    return any(part[:1] in tuple(_BLANK) for part in list(_split_parts(text, ","))[1:])


def quote(text: str) -> str:
    """Puts `text` in quotes for Hydra."""
    quoted: str = QuotedString(text, Quote.double).with_quotes()
    return quoted


def unquote(value: str) -> str:
    """Returns the text of a value, in quotes or bare."""
    read = parse_override(f"x={value}") if value[:1] in ("'", '"') else None
    inside = read.value() if read else value
    return inside if isinstance(inside, str) else value


def find_call(value: str) -> re.Match[str] | None:
    """Returns the name and the inside of a call of one of Hydra's functions, such as
    choice(a,b)."""
    call = _CALL.fullmatch(value)
    return call if call and call["name"] in _make_parser().functions.functions else None


def show_override(key: str, value: object) -> str:
    """Writes `key=value` as it can be pasted into a shell."""
    text = str(value)
    bare = not re.search(r'["$`\\!\n]', text)
    return f'{key}="{text}"' if bare else shlex.quote(f"{key}={text}")


def is_plain_sweep(read: Override) -> bool:
    """Says whether a value is swept over by commas alone, without a call such as choice(a,b)."""
    value, text = read.value(), str(read.input_line).partition("=")[2]
    return isinstance(value, ChoiceSweep) and value.simple_form and not find_call(text.strip())


@cache
def _make_parser() -> OverridesParser:
    return OverridesParser.create()


def _read_element(text: str) -> str:
    """Returns one value that is not swept over."""
    read = parse_override(f"x={text}")
    if read is not None and not is_plain_sweep(read):
        return text
    return _read_container(text) or quote(text)


def _read_container(text: str) -> str | None:
    """Returns a list, dict or call with its texts made readable; None for anything else."""
    if text[:1] + text[-1:] == "[]":
        return f"[{_join_parts(text[1:-1], _read_element)}]"
    if text[:1] + text[-1:] == "{}":
        pairs = [split_at(pair, ":") for pair in split_at(text[1:-1], ",")]
        if all(len(pair) > 1 for pair in pairs):
            return "{" + ",".join(f"{key}:{_read_element(':'.join(v))}" for key, *v in pairs) + "}"
    if call := find_call(text):
        return f"{call['name']}({_join_parts(call['inside'], _read_argument)})"
    return None


def _read_argument(text: str) -> str:
    named = _NAMED.fullmatch(text)
    return (
        f"{named['name']}={_read_element(named['value'].strip(_BLANK))}"
        if named
        else _read_element(text)
    )


def _join_parts(inside: str, made: Callable[[str], str]) -> str:
    return ",".join(made(part) for part in split_at(inside, ","))


def _split_parts(text: str, mark: str) -> Iterator[str]:
    start = at = depth = 0
    begins = True  # a quotation mark quotes at the beginning of a text alone: not in N'Ko
    while at < len(text):
        quoted = _QUOTED.match(text, at) if begins else None
        if quoted:
            at, begins = quoted.end(), False
            continue
        sign = text[at]
        if sign in _OPEN:
            depth += 1
        elif sign in _CLOSE:
            depth = max(0, depth - 1)
        elif sign == mark and depth == 0:
            yield text[start:at]
            start = at + 1
        begins = sign in _OPEN or sign in ",:" or (begins and sign in _BLANK)
        at += 1
    yield text[start:]
