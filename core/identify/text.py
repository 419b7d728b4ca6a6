"""Tells the language and script of a text, offline; None wherever that cannot be told.

    identify("Habari za asubuhi, rafiki yangu")       -> language "swa", script "Latn", 0.96
    in_language(text, flores_code="swh_Latn")         -> True, False, or None: undetermined

Models: "cld2" (pycld2: 46 of the paper's 54 languages, 50,000 texts/s), "heliport" (the extra of
that name, GPL-3; 41 languages), or the path of a fastText model such as GlotLID or OpenLID (the
extra "fasttext"). Functions are pure; CLD2 keeps no state between texts, so threads may share it.
Not covered: texts of several languages, which get the one that most of the text is in; varieties
of one language, such as those of Arabic, which no model here can tell apart.
"""

import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache, cached_property
from typing import Any

from core.identify.errors import IdentifierError
from core.identify.labels import (
    CLD2,
    CLD2_NEIGHBOURS,
    TELLING,
    VARIETIES,
    find_whole_code,
    from_label,
    take_iso_code,
)
from core.identify.scripts import count_script_shares, find_script_code, find_share

DEFAULT = "cld2"
# A text whose letters are to less than the first share in the wanted script is in another
# language; from the second on the script alone can tell the language. Names in Latin letters are
# often half of a short Lao or Amharic sentence.
_OTHER_SCRIPT_BELOW = 0.2
_TELLING_FROM = 0.5
# Below it, a fastText model's best label is no answer.
_FASTTEXT_LEAST = 0.5
_UNREADABLE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]")


@dataclass(frozen=True)
class Identification:
    """The language and script that a text is in.

    `language` is an ISO 639-3 code, that of the macrolanguage where the model names one (`swa`), or
    None; `script` the ISO 15924 code of most letters, or None without letters; `confidence` is in
    [0, 1], 0 without a language: CLD2's share of the text, a model's probability otherwise.
    """

    language: str | None
    script: str | None
    confidence: float


def identify(text: str, model: str = DEFAULT) -> Identification:
    """Returns the language and script of a text. Raises IdentifierError when the model is not
    there."""
    return _identify(_MeasuredText.from_text(text, model))


def is_in_language(
    text: str,
    *,
    flores_code: str | None,
    name: str | None = None,
    script: str | None = None,
    model: str = DEFAULT,
) -> bool | None:
    """Says whether a text is in a language; None where that cannot be told, never a guess.

    The language is given by its FLORES code (`swh_Latn`), or by its English `name` where it has
    none; `script` is the script's English name or code, needed only where the code lacks it.
    Another script is False. In the right script the model decides, where it knows the language;
    where it does not, a script that only this language is written in does (Lao), else nothing.
    Where it often takes the language for a neighbour, the neighbour's name tells nothing.
    """
    return _matches(
        _MeasuredText.from_text(text, model), *find_wanted_language(flores_code, name, script)
    )


def identify_against(
    text: str,
    *,
    flores_code: str | None,
    name: str | None = None,
    script: str | None = None,
    model: str = DEFAULT,
) -> tuple[Identification, bool | None]:
    """Returns the answers of `identify` and `is_in_language`; the model looks at the text once."""
    read = _MeasuredText.from_text(text, model)
    return _identify(read), _matches(read, *find_wanted_language(flores_code, name, script))


@dataclass(frozen=True)
class _MeasuredText:
    """A text as the model reads it, with the shares of its scripts."""

    text: str
    shares: dict[str, float]
    model_name: str

    @classmethod
    def from_text(cls, text: str, model: str) -> "_MeasuredText":
        text = _make_readable(text)
        return cls(text, count_script_shares(text), model)

    @property
    def model(self) -> "_Model":
        return _open_model(self.model_name)

    @cached_property
    def label(self) -> tuple[str | None, float]:
        """The model's own label and its confidence; the model is asked once."""
        return self.model.label(self.text)


def _identify(read: _MeasuredText) -> Identification:
    script = next(iter(read.shares), None)
    if script is None:
        return Identification(None, None, 0.0)
    label, confidence = read.label
    language = from_label(label) if label else None
    return Identification(language, script, confidence if language else 0.0)


def _matches(read: _MeasuredText, code: str | None, written: str | None) -> bool | None:
    if not read.shares:
        return None
    share = find_share(read.shares, written) if written else 1.0
    if share < _OTHER_SCRIPT_BELOW:
        return False
    told_by_script = share >= _TELLING_FROM and code in TELLING.get(written or "", ())
    if code is None or not read.model.knows(code, written):
        return True if told_by_script else None
    label, _ = read.label
    found = from_label(label) if label else None
    if label is None or found is None:
        return True if told_by_script else None
    if code in VARIETIES:
        if read.model.fine:
            return code == take_iso_code(label)
        return None if found == VARIETIES[code] else False
    if found in read.model.neighbours.get(find_whole_code(code), ()):
        return None
    return found == find_whole_code(code) and take_iso_code(label) not in VARIETIES


def list_neighbours(flores_code: str | None, name: str | None = None) -> tuple[str, ...]:
    """Lists the languages, by ISO 639-3 codes, for which the default model often takes a language:
    it cannot tell them apart."""
    code, _ = find_wanted_language(flores_code, name, None)
    return CLD2_NEIGHBOURS.get(find_whole_code(code), ()) if code else ()


@cache
def find_wanted_language(
    flores_code: str | None, name: str | None, script: str | None
) -> tuple[str | None, str | None]:
    """Returns (ISO 639-3 code, script code) of a language; a code by name where CLD2 has that
    very name."""
    parts = (flores_code or "").split("_")
    written = find_script_code(parts[1]) if len(parts) > 1 else find_script_code(script)
    # A third part is a dialect (oci_Latn_aran1260), which the code of the language does not name.
    code = flores_code if len(parts) > 2 else parts[0]
    return code or _find_by_name(name), written


@dataclass(frozen=True)
class _Model:
    """A loaded model. `fine`: its labels tell the varieties of a macrolanguage apart.
    `neighbours`: for which languages it often takes one."""

    label: Callable[[str], tuple[str | None, float]]
    knows: Callable[[str, str | None], bool]
    fine: bool = False
    neighbours: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


def _open_model(name: str) -> _Model:
    if name == "cld2":
        return _open_cld2()
    if name == "heliport":
        return _open_heliport()
    return _open_fasttext(name)


@cache
def _open_cld2() -> _Model:
    import pycld2

    def label(text: str) -> tuple[str | None, float]:
        reliable, _, found = pycld2.detect(text, isPlainText=True)
        _, code, percent, _ = found[0]
        return (code, percent / 100) if reliable and code != "un" else (None, 0.0)

    codes = {code for label_codes in CLD2.values() for code in label_codes}

    def knows(code: str, script: str | None) -> bool:
        # Of Azerbaijani it knows no text in Arabic letters, and takes it for Persian or Urdu.
        return code in codes or (code in VARIETIES and code != "azb")

    return _Model(label, knows, neighbours=CLD2_NEIGHBOURS)


@cache
def _open_heliport() -> _Model:
    try:
        from heliport import Identifier
    except ImportError as error:
        raise _report_not_installed("heliport", "heliport", error) from error
    identifier: Any = Identifier()
    known = {from_label(label) for label in identifier.get_confidence_all()}

    def label(text: str) -> tuple[str | None, float]:
        found, margin = identifier.identify_with_score(" ".join(text.split()))
        # The margin to the second best, in units of log10 probability, has no upper end.
        return (found, margin / (1 + margin)) if found not in ("und", "zxx") else (None, 0.0)

    return _Model(label, lambda code, script: find_whole_code(code) in known and code != "azb")


@cache
def _open_fasttext(path: str) -> _Model:
    try:
        import fasttext
    except ImportError as error:
        raise _report_not_installed("a fastText model", "fasttext", error) from error
    try:
        model: Any = fasttext.load_model(path)
    except (ValueError, OSError, RuntimeError) as error:
        raise IdentifierError(
            f"The language identifier {path!r} cannot be loaded: {error}. Remedy: give cld2, "
            "heliport, or the path of a fastText model (.bin or .ftz)."
        ) from error
    # Every label, the only way that the small package gives them.
    labels = set(model.predict("a", k=-1, threshold=-1.0)[0])
    known = {from_label(label) for label in labels}
    fine = any("_" in label.removeprefix("__label__") for label in labels)

    def label(text: str) -> tuple[str | None, float]:
        names, probabilities = model.predict(" ".join(text.split()), 1)
        if not names or probabilities[0] < _FASTTEXT_LEAST:
            return None, 0.0
        return names[0], min(1.0, float(probabilities[0]))

    exact = {take_iso_code(label) for label in labels}

    def knows(code: str, script: str | None) -> bool:
        return code in exact if fine and code in VARIETIES else find_whole_code(code) in known

    return _Model(label, knows, fine)


def _report_not_installed(what: str, extra: str, error: ImportError) -> IdentifierError:
    return IdentifierError(
        f"{what} needs a package that is not installed ({error}). Remedy: "
        f"pip install 'kakugo-harness[{extra}]', or choose cld2."
    )


def _find_by_name(name: str | None) -> str | None:
    import pycld2

    label = dict(pycld2.LANGUAGES).get((name or "").upper())
    return CLD2[label][0] if label in CLD2 else None


def _make_readable(text: str) -> str:
    """NFC, without what CLD2 refuses. Composed: of decomposed Yoruba CLD2 knows only a third."""
    return unicodedata.normalize("NFC", _UNREADABLE.sub(" ", text))
