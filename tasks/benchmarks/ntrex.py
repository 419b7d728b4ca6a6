"""NTREX-128: professional translations of English news, scored in both directions with chrF++
(`MicrosoftTranslator/NTREX`): a second domain beside FLORES.

A row here: id="1" (position), document="bbc.381790", text (in the language), english

1,997 lines of 123 documents. A directory holds text files, a sentence a line:

    ntrex/<FLORES code>.txt, ntrex/DOCUMENT_IDS.tsv (or below text/)
    NTREX-128/newstest2019-ref.<its own code>.txt, NTREX-128/newstest2019-src.eng.txt, as published

On the Hub the published files are copied by others (`davidstap/NTREX`, a configuration per FLORES
code); that was read of and not tried.

Traps: sentences of a document depend on each other, so that a document is a cluster where the file
of their ids is there; some names are of macrolanguages (swa, aze); the English is WMT19's test set,
which models may have seen.
"""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from tasks.benchmark import Asking, Benchmark, Item, Naming
from tasks.benchmarks.flores import SplitText, describe_task
from tasks.benchmarks.flores import make_item as make_translation
from tasks.errors import DataMalformed, DataMissing
from tasks.files import is_there, read_lines
from tasks.rows import Raw, Row, RowColumn, read_keys

ENGLISH = "eng_Latn"
OWN = {
    "azj_Latn": "aze-Latn", "ckb_Arab": "ckb-Arab", "pes_Arab": "fas",
    "tgl_Latn": "fil", "lvs_Latn": "lav", "plt_Latn": "mlg", "khk_Cyrl": "mon",
    "zsm_Latn": "msa", "npi_Deva": "nep", "gaz_Latn": "orm", "pbt_Arab": "pus", "als_Latn": "sqi",
    "sna_Latn": "sna-Latn", "snd_Arab": "snd-Arab", "srp_Cyrl": "srp-Cyrl", "swh_Latn": "swa",
    "tgk_Cyrl": "tgk-Cyrl", "uzn_Latn": "uzb", "zho_Hans": "zho-CN", "zho_Hant": "zho-TW",
    "por_Latn": "por-BR", "spa_Latn": "spa", "mww_Latn": "hmn",
}  # fmt: skip
"""Its own codes where they are not FLORES's without the script."""
_SAME = """
afr_Latn amh_Ethi arb_Arab bak_Cyrl bel_Cyrl bem_Latn ben_Beng bod_Tibt bos_Latn bul_Cyrl
cat_Latn ces_Latn cym_Latn dan_Latn deu_Latn div_Thaa dzo_Tibt ell_Grek est_Latn eus_Latn
ewe_Latn fao_Latn fij_Latn fin_Latn fra_Latn gle_Latn glg_Latn guj_Gujr hau_Latn heb_Hebr
hin_Deva hrv_Latn hun_Latn hye_Armn ibo_Latn ind_Latn isl_Latn ita_Latn jpn_Jpan kan_Knda
kat_Geor kaz_Cyrl khm_Khmr kin_Latn kir_Cyrl kmr_Latn kor_Hang lao_Laoo lit_Latn mal_Mlym
mar_Deva mkd_Cyrl mlt_Latn mri_Latn mya_Mymr nde_Latn nld_Latn nno_Latn nob_Latn nso_Latn
nya_Latn pan_Guru pol_Latn prs_Arab ron_Latn rus_Cyrl sin_Sinh slk_Latn slv_Latn smo_Latn
som_Latn ssw_Latn swe_Latn tam_Taml tat_Cyrl tel_Telu tha_Thai tir_Ethi tsn_Latn tuk_Latn
tur_Latn uig_Arab ukr_Cyrl urd_Arab vie_Latn wol_Latn xho_Latn yor_Latn yue_Hant zul_Latn
"""
CODES = {code: code for code in (*_SAME.split(), "ltz_Latn", *OWN)}
"""A language has its FLORES code here, too."""
SENTENCE = (*read_keys("id", "document"), RowColumn("text", "line"))


def find_own_code(code: str) -> str:
    """Returns the code that the published files have in their names."""
    return OWN.get(code, code.partition("_")[0])


def find(root: Path, code: str) -> SplitText:
    """Returns the sentences of a language, from whichever form the directory holds."""
    kind = "src.eng" if code == ENGLISH else f"ref.{find_own_code(code)}"
    own = root / "ntrex" / f"{code}.txt"
    places = (root / "text" / "ntrex" / f"{code}.txt",
              root / "NTREX-128" / f"newstest2019-{kind}.txt",
              root / "ntrex" / "NTREX-128" / f"newstest2019-{kind}.txt")  # fmt: skip
    path = next((place for place in (own, *places) if is_there(place)), own)
    lines = read_lines(path)
    while lines and not lines[-1].strip():
        lines.pop()
    return SplitText(str(path), lines)


def read_documents(root: Path) -> list[str]:
    """Returns the document of each line; nothing where their file is not there."""
    for folder in (root / "ntrex", root / "text" / "ntrex", root):
        path = folder / "DOCUMENT_IDS.tsv"
        if is_there(path):
            return [line.strip() for line in read_lines(path)]
    return []


def read(root: Path, code: str) -> list[Raw]:
    """Returns the sentences of the language with FLORES code `code`, and the English ones. The
    files are parallel by their lines, so that an empty line is a sentence that lacks."""
    if code == ENGLISH:
        raise DataMissing("English is NTREX's other side: there is nothing to translate")
    here, english = find(root, code), find(root, ENGLISH)
    return join_sides(here, english, read_documents(root))


def read_hub(load: Callable[[str], list[Raw]], code: str) -> list[Raw]:
    """Returns the sentences as `read` does, from the Hub's rows; their documents are not there."""
    return join_sides(_take_lines(load(code)), _take_lines(load(ENGLISH)), [])


def _take_lines(raws: list[Raw]) -> SplitText:
    return SplitText(raws[0].file if raws else "no row", [str(raw.cells["text"]) for raw in raws])


def join_sides(here: SplitText, english: SplitText, documents: list[str]) -> list[Raw]:
    """Returns the rows of two parallel files; raises DataMalformed where they are not."""
    known = documents[: len(here.lines)] if len(documents) >= len(here.lines) else []
    if len(here.lines) != len(english.lines):
        raise DataMalformed(
            f"{here.name} has {len(here.lines)} sentences, {english.name} {len(english.lines)}; "
            "they must be parallel, a sentence a line. Remedy: take both from one release"
        )
    return [
        Raw(here.name, f"line {n}", {
            "id": n, "document": known[n - 1] if known else str(n), "text": text, "english": other,
        })
        for n, (text, other) in enumerate(zip(here.lines, english.lines, strict=True), 1)
    ]  # fmt: skip


def make_item(row: Row, asking: Asking) -> Item:
    return replace(make_translation(row, asking), cluster=row["document"])


def read_alone(root: Path, code: str) -> list[Raw]:
    """Returns the sentences of one language, English too, each with its document."""
    return _make_sentences(find(root, code), read_documents(root))


def read_hub_alone(load: Callable[[str], list[Raw]], code: str) -> list[Raw]:
    """Returns the sentences as `read_alone` does, from the Hub's rows; their documents are not
    there."""
    return _make_sentences(_take_lines(load(code)), [])


def _make_sentences(found: SplitText, documents: list[str]) -> list[Raw]:
    known = documents if len(documents) >= len(found.lines) else []
    return [
        Raw(found.name, f"line {n}", {
            "id": n, "document": known[n - 1] if known else str(n), "text": text,
        })
        for n, text in enumerate(found.lines, 1)
    ]  # fmt: skip


def make_sentence(row: Row, asking: Asking) -> Item:
    return Item(id=row["id"], cluster=row["document"], text=row["text"], query="")


# The sentences of one language, without a task, English ones too.
ALONE = Benchmark(
    name="ntrex",
    tasks=(),
    place=45,
    repository="davidstap/NTREX",
    split="test",
    complete=1_997,
    columns=SENTENCE,
    hub_columns=("text",),
    identity=("id",),
    read_files=read_alone,
    read_hub=read_hub_alone,
    item=make_sentence,
    codes={**CODES, ENGLISH: ENGLISH},
)
BENCHMARK = replace(
    ALONE,
    tasks=(
        Naming("ntrex_xx_en", "NTREX xx→en"),
        Naming("ntrex_en_xx", "NTREX en→xx", from_english=True),
    ),
    columns=(*SENTENCE, RowColumn("english", "line")),
    read_files=read,
    read_hub=read_hub,
    item=make_item,
    description=describe_task,
    unasked=(ENGLISH,),
    codes=CODES,
    texts=ALONE,
)
