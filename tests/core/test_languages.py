"""The registry of languages: tags by the rules of IANA, and one language behind each name."""

from collections import defaultdict
from pathlib import Path

import pytest

from core.identify.scripts import count_script_shares, find_script_code, find_share
from core.languages import (
    FOLDER,
    TABLE,
    Language,
    find_hub_code,
    find_language,
    fold_name,
    list_languages,
    list_named_after,
    list_nearest,
    list_papers_languages,
    read_languages,
    read_table,
    tag_language,
)
from core.tags import make_tag

RIGHT_TO_LEFT = {"Arab", "Hebr", "Nkoo", "Syrc", "Thaa", "Adlm"}


@pytest.mark.parametrize("language", list_languages().values(), ids=lambda entry: entry.id)
def test_an_entry_agrees_with_itself(language: Language) -> None:
    own, _, script = language.flores_code.partition("_")
    assert find_script_code(language.script) == script[:4]
    assert (language.direction == "rtl") == (script[:4] in RIGHT_TO_LEFT)
    # Its name for itself is in its script.
    if language.autonym:
        assert find_share(count_script_shares(language.autonym), script[:4]) > 0.5
    # A tag names a script where another language of that code is written in the usual one.
    same = [one for one in list_languages().values() if one.flores_code.split("_")[0] == own]
    assert language.tag.split("-")[0] == make_tag(own)
    assert (script[:4] in language.tag) <= (len(same) > 1)
    assert language.font is None or language.font == language.script.lower()
    # It has a code or a reason for each of its benchmarks.
    for benchmark, code in language.benchmarks.items():
        assert (code is not None) != (benchmark in language.gaps), benchmark
    assert language.gaps.keys() <= language.benchmarks.keys()


def test_a_name_or_code_stands_for_one_language() -> None:
    known: dict[str, set[str]] = defaultdict(set)
    for language in list_languages().values():
        for name in language.names:
            known[fold_name(name)].add(language.id)
            assert find_language(name.upper()) == language
    assert [ids for ids in known.values() if len(ids) > 1] == []


def test_a_language_is_found_in_any_spelling() -> None:
    names = ("Kiswahili", "SWH_LATN", "swh-Latn", "sw", "  swahili ")
    assert {entry and entry.id for entry in map(find_language, names)} == {"swahili"}
    assert {entry and entry.id for entry in map(find_language, ("Yorùbá", "Yoruba"))} == {"yoruba"}
    assert find_language("Avañe’ẽ") == find_language("Avañe'ẽ") == find_language("Guarani")
    occitan, aranese = find_language("oci_Latn"), find_language("oci_Latn_aran1260")
    assert occitan == list_languages()["occitan"]
    assert aranese == list_languages()["aranese"], "a variety of Occitan"


@pytest.mark.parametrize(
    ("name", "id_"),
    [
        *(
            ("frisian", "west_frisian"),
            ("Western Frisian", "west_frisian"),
            ("fry", "west_frisian"),
        ),
        *(("Irish", "irish"), ("gaeilge", "irish"), ("GLE", "irish"), ("yor", "yoruba")),
        # SEA-HELM's codes.
        *(("id", "indonesian"), ("vi", "vietnamese"), ("th", "thai"), ("ta", "tamil")),
        *(("tl", "tagalog"), ("fil", "tagalog"), ("ms", "standard_malay"), ("my", "burmese")),
        *(("km", "khmer"), ("lo", "lao"), ("jv", "javanese"), ("su", "sundanese")),
        # A code of a macrolanguage is its usual language, in its usual script.
        *(("swa", "swahili"), ("zho", "chinese_simplified"), ("ara", "modern_standard_arabic")),
        *(("pus", "southern_pashto"), ("kas", "kashmiri_arabic"), ("ace", "acehnese_latin")),
        *(("தமிழ்", "tamil"), ("ภาษาไทย", None), ("Kurdish", None), ("xx", None), ("", None)),
    ],
)
def test_a_name_or_code_alone_finds_a_language(name: str, id_: str | None) -> None:
    found = find_language(name)
    assert (found.id if found else None) == id_


def test_names_near_an_unknown_one_are_told() -> None:
    assert list_named_after("kurdish") == list_nearest("Kurdish")
    assert set(list_named_after("kurdish")) == {
        "central_kurdish", "northern_kurdish", "southern_kurdish",
    }  # fmt: skip
    assert list_nearest("yorubaa")[0] == "yoruba"
    assert list_nearest("qqqqqq") == []


def test_all_languages_of_flores_are_there() -> None:
    """FLORES-200's own list of 204, and those that FLORES+ got since, by recorded lists."""
    recorded = (Path(__file__).parent / "flores_codes.txt").read_text().split("\n\n")
    flores_200, later = (
        {line for line in part.split("\n") if line and line[0] != "#"} for part in recorded
    )
    assert (len(flores_200), len(later)) == (204, 17)
    languages = {entry.flores_code: entry for entry in list_languages().values()}
    assert flores_200 | later <= languages.keys()
    for code in flores_200:
        assert languages[code].benchmarks["flores"] == code
        assert languages[code].benchmarks["sib200"] == code
    assert languages["brx_Deva"].benchmarks["flores"] is None, "FLORES+ has its dev split alone"


def test_the_papers_languages_are_54_files() -> None:
    papers = list_papers_languages()
    assert len(papers.keys() - {"english"}) == 54
    assert [one.id for one in list_languages().values()][: len(papers)] == list(papers)
    # Its codes are those of before: scores are found under them.
    assert papers["guarani"].benchmarks["flores"] == "grn_Latn"
    assert papers["nyanja"].benchmarks["global_mmlu"] is None


def test_a_line_of_the_table_is_a_language(tmp_path: Path) -> None:
    head, *lines = TABLE.read_text(encoding="utf-8").splitlines()
    chinese = next(line for line in lines if line.startswith("chinese_simplified\t"))
    (tmp_path / "table.tsv").write_text(f"{head}\n{chinese}\n", encoding="utf-8")
    (found,) = read_table(tmp_path / "table.tsv").values()
    assert found.benchmarks == {
        "sib200": "zho_Hans", "belebele": "zho_Hans", "global_mmlu": "zh", "flores": "zho_Hans",
    }  # fmt: skip
    assert find_hub_code(found.hub_codes, "HuggingFaceFW/fineweb-2", "zho_Hans") == "cmn_Hani"
    assert find_hub_code(found.hub_codes, "openlanguagedata/flores_plus", "x") == "cmn_Hans"
    assert (found.direction, found.gaps, found.fineweb2_documents) == ("ltr", {}, 636058984)
    frisian = list_languages()["west_frisian"]
    assert set(frisian.gaps) == set(frisian.benchmarks)
    assert frisian.gaps["flores"] == "FLORES+ has no test sentences of West Frisian."


@pytest.mark.parametrize(
    ("code", "tag"),
    [
        ("yor_Latn", "yo"),
        # The two lists of before disagreed on these seven.
        *(("swh_Latn", "sw"), ("khk_Cyrl", "mn"), ("kmr_Latn", "ku"), ("plt_Latn", "mg")),
        *(("ydd_Hebr", "yi"), ("pbt_Arab", "ps"), ("oci_Latn_aran1260", "oc-aranes")),
        # IANA has no shorter code of these.
        *(("arz_Arab", "arz"), ("ckb_Arab", "ckb"), ("azb_Arab", "azb")),
        # Outside of the registry: a script is named where it is not the usual one.
        *(("fry_Latn", "fy"), ("zho_Hant", "zh-Hant"), ("kas_Deva", "ks-Deva")),
        *(("knc_Arab", "kr-Arab"), ("uig_Latn", "ug-Latn"), ("taq_Tfng", "taq-Tfng")),
        *(("fin", "fi"), ("made up", ""), ("", "")),
    ],
)
def test_a_tag_is_the_shortest(code: str, tag: str) -> None:
    assert tag_language("x", code) == tag


def test_a_code_goes_before_a_name() -> None:
    assert tag_language("Swahili") == "sw"
    assert tag_language("Swahili", "fry_Latn") == "fy"


def test_a_repository_may_name_a_language_otherwise() -> None:
    guarani, swahili = list_languages()["guarani"], list_languages()["swahili"]
    for place in ("HuggingFaceFW/fineweb-2", "HuggingFaceFW/fineweb-2@v1", "/copies/fineweb-2/"):
        assert find_hub_code(guarani.hub_codes, place, guarani.flores_code) == "gug_Latn"
        assert find_hub_code(swahili.hub_codes, place, swahili.flores_code) == "swh_Latn"
    assert find_hub_code(guarani.hub_codes, "Davlan/sib200", "grn_Latn") == "grn_Latn"


def test_a_language_is_one_file(tmp_path: Path) -> None:
    text = (FOLDER / "swahili.yaml").read_text(encoding="utf-8")
    (tmp_path / "frisian.yaml").write_text(text.replace("name: Swahili", "name: West Frisian"))
    assert read_languages(tmp_path)["frisian"].name == "West Frisian"
    (tmp_path / "frisian.yaml").write_text(text.replace("autonym:", "autonyn:"))
    with pytest.raises(ValueError, match=r"frisian\.yaml.*autonyn"):
        read_languages(tmp_path)
    # Norway's tag is a truth value in YAML.
    (tmp_path / "frisian.yaml").write_text(text.replace("tag: sw", "tag: no"))
    with pytest.raises(ValueError, match=r"frisian\.yaml: tag: a text is needed, received False"):
        read_languages(tmp_path)


def test_the_paper_languages_have_a_family_and_a_number_of_documents() -> None:
    languages = list_languages()
    papers = [entry for entry in list_papers_languages().values() if entry.id != "english"]
    assert all(entry.family and (entry.fineweb2_documents or 0) > 10_000 for entry in papers)
    assert languages["english"].fineweb2_documents is None, "FineWeb2 leaves English to FineWeb"
    # These two were read from the data set itself, whose codes of them differ from FLORES's.
    assert languages["guarani"].fineweb2_documents == 10_551
    assert languages["aranese"].fineweb2_documents == 69_376
    # A branch is of one family.
    families = {(entry.branch, entry.family) for entry in languages.values() if entry.branch}
    assert len({branch for branch, _ in families}) == len(families)
