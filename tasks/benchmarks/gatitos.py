"""GATITOS: some 4,000 English words and short phrases, to be translated into a language, often with
several right answers (arXiv 2303.15265, `google/smol`).

A row here: id="abide" (the English entry), answers='["awmpui"]' (all right ones, as JSON)

The model writes a translation behind a tag; it is right where it is one of the right ones, but for
case, punctuation and Unicode's composed or decomposed form. Five entries are never scored: a plain
prompt shows them as examples.

On the Hub: a configuration `gatitos__en_<code>`, split `train`, columns `src` and `trgs`; that was
read of and not tried. A directory holds the published `gatitos/en_<code>.tsv`, without a header.

Traps: a file has a line for each right answer, so that the lines of an entry are one row; the
published order is that of the alphabet, hence here it is another one, the same for all languages;
up to a fortieth of the entries are the same word in both languages, which a copy gets right;
a word has more right translations than any list, so that scores are low and compare models only.
"""

import hashlib
import json
from collections.abc import Callable, Iterable
from pathlib import Path

from core.text import has_visible_text
from tasks.benchmark import Asking, Benchmark, Item, Naming, WrittenForm
from tasks.errors import DataMalformed
from tasks.files import is_there, read_lines, report_missing
from tasks.reading import Wording
from tasks.rows import REMEDY, Raw, Row, list_wrong, read_keys, read_texts

TAG = "Translation:"
SHOWN = 5
_BY_OWN = """
ace:ace_Latn aeb:aeb_Arab apc:apc_Arab arz:arz_Arab as:asm_Beng awa:awa_Deva ba:bak_Cyrl
ban:ban_Latn bem:bem_Latn bho:bho_Deva bo:bod_Tibt ckb:ckb_Arab cv:chv_Cyrl dyu:dyu_Latn
dz:dzo_Tibt ee:ewe_Latn fj:fij_Latn fo:fao_Latn fon:fon_Latn fur:fur_Latn gn:grn_Latn
ilo:ilo_Latn kac:kac_Latn kg:kon_Latn ki:kik_Latn lg:lug_Latn lij:lij_Latn lmo:lmo_Latn
ltg:ltg_Latn luo:luo_Latn lus:lus_Latn mag:mag_Deva mai:mai_Deva min:min_Latn nso:nso_Latn
nus:nus_Latn oc:oci_Latn om:gaz_Latn pag:pag_Latn pap:pap_Latn rn:run_Latn sa:san_Deva
scn:scn_Latn sg:sag_Latn shn:shn_Mymr ss:ssw_Latn szl:szl_Latn ti:tir_Ethi tn:tsn_Latn
tpi:tpi_Latn ts:tso_Latn tum:tum_Latn vec:vec_Latn war:war_Latn wo:wol_Latn
"""
CODES = {flores: own for own, flores in (pair.split(":") for pair in _BY_OWN.split())}


def read(root: Path, code: str) -> list[Raw]:
    """Returns the entries of the language with the two- or three-letter code `code`."""
    path = root / "gatitos" / f"en_{code}.tsv"
    if not is_there(path):
        raise report_missing(path)
    found: list[tuple[str, str, list[str]]] = []
    wrong: list[str] = []
    for number, line in enumerate(read_lines(path), 1):
        cells = line.split("\t")  # a quote mark is a sign as any other
        if len(cells) == 2:
            found.append((f"line {number}", cells[0], [cells[1]]))
        elif line.strip():
            wrong.append(f"line {number}: {len(cells)} cells where an entry and an answer are two")
    if wrong:
        raise DataMalformed(f"{path}, {list_wrong(wrong)}. Remedy: {REMEDY}")
    return join_answers(str(path), found)


def read_hub(load: Callable[[str], list[Raw]], code: str) -> list[Raw]:
    """Returns the entries as `read` does, from the Hub's rows."""
    raws = load(f"gatitos__en_{code}")
    found = [(raw.place, raw.cells.get("src"), raw.cells.get("trgs")) for raw in raws]
    file = raws[0].file if raws else "no row"
    for place, english, answers in found:
        texts = answers if isinstance(answers, list) else [None]
        if not all(isinstance(text, str) for text in (english, *texts)):
            raise DataMalformed(
                f"{file}, {place}: no src, or trgs is no list of texts. Remedy: {REMEDY}"
            )
    return join_answers(file, [(place, str(src), list(trgs or ())) for place, src, trgs in found])


def join_answers(file: str, found: Iterable[tuple[str, str, list[str]]]) -> list[Raw]:
    """Returns a row for each English entry with all of its right answers, each once, in an order
    that does not depend on the language or the alphabet. An entry without one has blank `answers`,
    so that it is left out."""
    places: dict[str, str] = {}
    answers: dict[str, list[str]] = {}
    for place, english, texts in found:
        name = english.strip()
        places.setdefault(name, place)
        told = answers.setdefault(name, [])
        told += [text.strip() for text in texts if has_visible_text(text)]
    rows = {
        name: json.dumps(list(dict.fromkeys(told)), ensure_ascii=False) if told else ""
        for name, told in answers.items()
    }
    order = sorted(rows, key=lambda name: hashlib.sha256(name.encode()).digest())
    return [Raw(file, places[name], {"id": name, "answers": rows[name]}) for name in order]


def make_item(row: Row, asking: Asking) -> Item:
    answers = tuple(json.loads(row["answers"]))
    return Item(
        id=row["id"],
        cluster=row["id"],
        text="\n".join(answers),
        query=write_query(row, asking),
        references=answers,
        wording="our own",
    )


def write_query(row: Row, asking: Asking) -> str:
    """Writes what a model is asked: in a chat the task and the entry; else examples, too."""
    task = f"Translate each English word or phrase into {asking.language}."
    if asking.protocol.prompt != "plain":
        return f'{task} Answer with "{TAG}" and one translation.\n\nEnglish: {row["id"]}'
    shown = [
        part
        for one in asking.examples
        for part in (f"English: {one['id']}", f"{TAG} {json.loads(one['answers'])[0]}")
    ]
    return "\n\n".join([task, *shown, f"English: {row['id']}", ""])


BENCHMARK = Benchmark(
    name="gatitos",
    tasks=(Naming("gatitos", "GATITOS"),),
    place=80,
    repository="google/smol",
    split="train",
    complete=None,
    columns=(*read_keys("id"), *read_texts("answers")),
    hub_columns=("src", "trgs"),
    identity=("id",),
    read_files=read,
    read_hub=read_hub,
    item=make_item,
    shots=SHOWN,
    codes=CODES,
    reading=WrittenForm("exact", {code: Wording(TAG, 64) for code in CODES.values()}, examples=0),
)
