"""Global PIQA: which of two endings makes sense in the everyday world, written by speakers and not
translated (`mrlbenchmarks/global-piqa-nonparallel`, arXiv 2510.24081).

A row: prompt="To keep bread soft,", solution0="...", solution1="...", label=0

Each solution is scored as the end of its prompt, a space between them, as lm-eval's
`global_piqa_nonparallel_cloze` does; `accuracy_per_byte` beside the score is what their lengths do
not move.

On the Hub: a configuration per FLORES code in small letters (some with a country's), split `test`;
not to be trained on. A directory holds `global_piqa/<code>.jsonl`.

Traps: 100 items a language tell two models apart only where they differ by some 14 points; the
answers of people are 95% right.
"""

from collections.abc import Callable
from pathlib import Path

from tasks.benchmark import Asking, Benchmark, Item, Naming, PeoplesAccuracy
from tasks.files import read_jsonl
from tasks.protocol import LETTERS
from tasks.rows import Raw, Row, RowColumn, number_rows, read_keys, read_texts

_SAME = """
acm_Arab acq_Arab aeb_Arab als_Latn amh_Ethi arb_Arab ars_Arab ary_Arab arz_Arab asm_Beng
azj_Latn bam_Latn bel_Cyrl ben_Beng bho_Deva bos_Latn bul_Cyrl cat_Latn ces_Latn ckb_Arab
dan_Latn deu_Latn ell_Grek eng_Latn eus_Latn fao_Latn fin_Latn glg_Latn guj_Gujr hau_Latn
haw_Latn heb_Hebr hin_Deva hrv_Latn hun_Latn hye_Armn ibo_Latn ind_Latn isl_Latn ita_Latn
jav_Latn jpn_Jpan kan_Knda kat_Geor kaz_Cyrl kin_Latn kir_Cyrl kor_Hang lin_Latn lit_Latn
luo_Latn mal_Mlym mar_Deva mkd_Cyrl mni_Beng mni_Mtei nld_Latn nno_Latn nob_Latn npi_Deva
ory_Orya pan_Guru pes_Arab plt_Latn pol_Latn ron_Latn rus_Cyrl sin_Sinh slk_Latn slv_Latn
snd_Arab snd_Deva srp_Cyrl sun_Latn swe_Latn swh_Latn tam_Taml tel_Telu tgl_Latn tha_Thai
tur_Latn uig_Arab ukr_Cyrl urd_Arab uzn_Latn vie_Latn yor_Latn yue_Hant zsm_Latn zul_Latn
"""
CODES = {
    **{code: code.lower() for code in _SAME.split()},
    **{"zho_Hans": "cmn_hans", "zho_Hant": "cmn_hant", "est_Latn": "ekk_latn"},
    **{"por_Latn": "por_latn_braz", "fra_Latn": "fra_latn_fran", "spa_Latn": "spa_latn_mexi"},
}  # fmt: skip
SOLUTIONS = ("solution0", "solution1")


def read(root: Path, code: str) -> list[Raw]:
    """Returns the items of the language with code `code`."""
    return number_rows(read_jsonl(root / "global_piqa" / f"{code}.jsonl"))


def read_hub(load: Callable[[str], list[Raw]], code: str) -> list[Raw]:
    return number_rows(load(code))


def make_item(row: Row, asking: Asking) -> Item:
    solutions = tuple(row[name].strip() for name in SOLUTIONS)
    return Item(
        id=row["id"],
        cluster=row["id"],
        text="\n".join([row["prompt"].strip(), *solutions]),
        query=row["prompt"].strip(),
        label=LETTERS[int(row["label"])],
        choices=solutions,
        answer=int(row["label"]),
    )


BENCHMARK = Benchmark(
    name="global_piqa",
    tasks=(Naming("global_piqa", "Global PIQA"),),
    place=60,
    repository="mrlbenchmarks/global-piqa-nonparallel",
    split="test",
    complete=100,
    columns=(
        *read_keys("id"),
        *read_texts("prompt", *SOLUTIONS),
        RowColumn("label", "label", ("0", "1"), "the first solution is number 0"),
    ),
    hub_columns=("prompt", *SOLUTIONS, "label"),
    identity=("id",),
    read_files=read,
    read_hub=read_hub,
    item=make_item,
    letters=LETTERS[:2],
    codes=CODES,
    shots=0,
    cloze=True,
    people=PeoplesAccuracy(95.1, "arXiv 2510.24081, over its 116 varieties"),
)
