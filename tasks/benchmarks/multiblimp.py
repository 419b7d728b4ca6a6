"""MultiBLiMP: of two sentences that differ in one word's agreement, the grammatical one
(arXiv 2504.02768, `jumelet/multiblimp`).

A row: sen="Mae'r plant yn canu.", wrong_sen="Mae'r plentyn yn canu.", phenomenon, ...

Both sentences are scored whole, behind nothing but the token that begins a text, as lm-eval's
`multiblimp_<code>` does; their log-probabilities are sums, so that the longer of the two has the
harder stand (`accuracy_per_byte` is beside the score).

On the Hub: a configuration per ISO 639-3 code, one split, which is named `train`. A directory holds
`multiblimp/<code>.jsonl`.

Traps: many pairs share their right sentence, so that items of one are a cluster; a language has 28
(Irish) to thousands of pairs; its makers wrote Uyghur in Latin letters.
"""

from collections.abc import Callable
from pathlib import Path

from tasks.benchmark import Asking, Benchmark, Item, Naming
from tasks.files import read_jsonl
from tasks.protocol import LETTERS
from tasks.rows import Raw, Row, number_rows, read_keys, read_texts

_LATIN = """
cat ces cym dan deu est eus fao fin fra gla gle glg hsb hun isl ita lij lit nds nld pol por
ron slk slv sme spa swe tur wol
"""
_CYRILLIC = "bel bul kaz kir mkd myv rus sah ukr"
CODES = {
    **{f"{code}_Latn": code for code in _LATIN.split()},
    **{f"{code}_Cyrl": code for code in _CYRILLIC.split()},
    **{"amh_Ethi": "amh", "arb_Arab": "arb", "ben_Beng": "ben", "bho_Deva": "bho"},
    **{"ell_Grek": "ell", "eng_Latn": "eng", "guj_Gujr": "guj", "heb_Hebr": "heb"},
    **{"hin_Deva": "hin", "hye_Armn": "hye", "hyw_Armn": "hyw", "kat_Geor": "kat"},
    **{"kmr_Latn": "kmr", "mar_Deva": "mar", "pes_Arab": "fas", "san_Deva": "san"},
    **{"tam_Taml": "tam", "uig_Arab": "uig", "urd_Arab": "urd", "als_Latn": "sqi"},
    **{"uzn_Latn": "uzb", "bre_Latn": "bre", "lat_Latn": "lat"},
    **{"lvs_Latn": "lav", "bxr_Cyrl": "bua"},
}  # fmt: skip


def read(root: Path, code: str) -> list[Raw]:
    """Returns the pairs of the language with ISO 639-3 code `code`."""
    return number_rows(read_jsonl(root / "multiblimp" / f"{code}.jsonl"))


def read_hub(load: Callable[[str], list[Raw]], code: str) -> list[Raw]:
    return number_rows(load(code))


def make_item(row: Row, asking: Asking) -> Item:
    return Item(
        id=row["id"],
        cluster=row["sen"],
        text=row["sen"],
        query="",
        choices=(row["sen"], row["wrong_sen"]),
    )


BENCHMARK = Benchmark(
    name="multiblimp",
    tasks=(Naming("multiblimp", "MultiBLiMP"),),
    place=50,
    repository="jumelet/multiblimp",
    split="train",
    complete=None,
    columns=(*read_keys("id"), *read_texts("sen", "wrong_sen")),
    hub_columns=("sen", "wrong_sen"),
    identity=("id",),
    read_files=read,
    read_hub=read_hub,
    item=make_item,
    letters=LETTERS[:2],
    codes=CODES,
    shots=0,
    cloze=True,
    joint="",
)
