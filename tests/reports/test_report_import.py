"""Score tables as other people's programs write them: the right numbers, or a question."""

import csv
import unicodedata
from pathlib import Path

import pytest

from reports.cli import main
from reports.errors import ImportedTableError
from reports.tables.importing import PUBLISHED, import_table
from reports.tables.results import Results
from reports.tables.table_numbers import Scale

HEAD = "language,task,base,trained\n"


def read(folder: Path, content: str | bytes, scale: Scale | None = None) -> Results:
    path = folder / "table.csv"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return import_table(path, scale)


def scores(found: Results) -> dict[tuple[str, str, str], float | None]:
    return {(row.language.name, row.task, row.producer): row.score for row in found.rows}


def refused(folder: Path, content: str | bytes, scale: Scale | None = None) -> str:
    with pytest.raises(ImportedTableError) as caught:
        read(folder, content, scale)
    return str(caught.value)


PLAIN = HEAD + "Swahili,sib200,45,50.5\nYoruba,sib200,40,46\nZulu,sib200,42,41\n"


@pytest.mark.parametrize(
    "name", ["", "index", "Unnamed: 0", "level_0", "ID", "#", "S.No", "row_id", "Rank", "nr."]
)
@pytest.mark.parametrize("first", [0, 1, 17])
def test_a_column_that_counts_the_rows_is_no_producer(
    tmp_path: Path, name: str, first: int
) -> None:
    lines = PLAIN.strip().split("\n")
    text = "\n".join(
        [f"{name},{lines[0]}", *(f"{first + n},{row}" for n, row in enumerate(lines[1:]))]
    )
    found = read(tmp_path, text)
    assert scores(found) == scores(read(tmp_path, PLAIN))
    (note,) = found.notes
    assert "which counts the rows" in note


@pytest.mark.parametrize("name", ["", "index", "Unnamed: 0"])
def test_a_column_that_may_be_either_is_asked_about(tmp_path: Path, name: str) -> None:
    text = f"language,task,base,{name}\nSwahili,sib200,45,51\nZulu,sib200,42,43\n"
    said = refused(tmp_path, text)
    assert "may hold a producer's scores or numbers of rows. Remedy: name it" in said


def test_columns_that_are_no_producers_are_left_aside_and_told(tmp_path: Path) -> None:
    text = "language,task,base,trained,gain,n,\nZulu,sib200,42,50,8,99,\nXhosa,sib200,40,41,1,99,\n"
    found = read(tmp_path, text)
    assert found.producers == ["base", "trained"]
    assert "column 'gain', which is no producer; column 'n', which is no producer" in found.notes[0]


@pytest.mark.parametrize(
    "name",
    ["seed", "shots", "n_items", "base_stderr", "Trained (std)", "Average", "year", "p-value"],
)
def test_no_number_beside_the_scores_is_one(tmp_path: Path, name: str) -> None:
    head, *rows = PLAIN.strip().split("\n")
    found = read(tmp_path, "\n".join([f"{head},{name}", *(f"{row},3" for row in rows)]))
    assert scores(found) == scores(read(tmp_path, PLAIN))
    assert f"column {name!r}, which is no producer" in found.notes[0]


def test_a_column_of_any_name_that_counts_the_rows_is_no_producer(tmp_path: Path) -> None:
    head, *rows = PLAIN.strip().split("\n")
    counted = [f"{head},Zeile", *(f"{row},{n}" for n, row in enumerate(rows, 1))]
    assert scores(read(tmp_path, "\n".join(counted))) == scores(read(tmp_path, PLAIN))


def test_pandas_names_for_two_columns_of_one_name_are_asked_about(tmp_path: Path) -> None:
    text = "language,task,base,trained,trained.1\nSwahili,sib200,45,50,51\n"
    assert "'trained.1' is what pandas makes of a second column" in refused(tmp_path, text)
    text = "language,task,base,gpt-4,gpt-4.1\nSwahili,sib200,45,50,51\n"
    assert read(tmp_path, text).producers == ["base", "gpt-4", "gpt-4.1"]


def test_languages_that_differ_in_marks_alone_are_told(tmp_path: Path) -> None:
    text = HEAD + "Mòoré,sib200,45,50\nMoore,belebele,40,41\nZulu\u200b,sib200,40,41\n"
    found = read(tmp_path, text)
    assert found.notes == (
        "Taken for different languages: 'Mòoré', 'Moore'. Where they are one, write them alike.",
    )
    assert {row.language.name for row in found.rows} == {"Mòoré", "Moore", "Zulu"}


def test_the_registry_tells_which_names_are_one_language(tmp_path: Path) -> None:
    text = HEAD + "Kiswahili,sib200,45,50\nSwahili,belebele,40,41\nYOR_LATN,sib200,40,41\n"
    found = read(tmp_path, f"{text}yo,belebele,40,41\nZulu,sib200,40,41\n")
    assert [language.name for language in found.languages] == ["Swahili", "Yoruba", "Zulu"]
    assert [language.tag for language in found.languages] == ["sw", "yo", "zu"]
    assert found.notes == (
        "Taken for Swahili: 'Kiswahili', 'Swahili'.",
        "Taken for Yoruba: 'YOR_LATN', 'yo'.",
    )
    twice = refused(tmp_path, f"{text}Yorùbá,sib200,1,2\n")
    assert "Yoruba, sib200, base stands on line 4 already" in twice


def test_only_our_own_long_table_needs_no_scale(tmp_path: Path) -> None:
    rows = "Zulu,sib200,base,plain,0.4,99,0.1\nZulu,sib200,trained,plain,0.9,99,0.1\n"
    ours = read(tmp_path, "language,task,producer,protocol,score,n,stderr\n" + rows)
    assert scores(ours)["Zulu", "sib200", "trained"] == 0.9
    others = "language,task,producer,protocol,score,n,se\n" + rows
    assert "--scale fraction" in refused(tmp_path, others)


def test_the_notes_stand_in_the_report(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for header in ("language,task,base,mine", "language,task,other,mine"):
        (tmp_path / "t.csv").write_text(f",{header}\n0,Zulu,sib200,45,50\n1,Xhosa,sib200,40,46\n")
        assert main(["--import", str(tmp_path / "t.csv")]) == 0
        printed = " ".join(capsys.readouterr().out.split())
        assert "Left aside in the table: column 1 (without a name), which counts" in printed


@pytest.mark.parametrize(
    "rows",
    [
        "Swahili,sib200,0.45,0.505\nZulu,sib200,0.42,1.0\n",
        "Swahili,sib200,0.45,0.505\n",
        "Swahili,flores_en_xx,0.12,0.15\n",
        "Swahili,sib200,0.45,0.505\nSwahili,flores_xx_en,45.1,46\n",
        # One producer in fractions, the other in points; one language in fractions.
        "Swahili,sib200,0.45,50.5\nZulu,sib200,0.42,41\n",
        "Swahili,sib200,45,50.5\nZulu,sib200,0.42,0.41\n",
        "Swahili,flores_en_xx,0.12,15\nZulu,flores_en_xx,0.2,14\n",
        "Swahili,sib200,45%,0.505\n",
        "Swahili,sib200,1,1\nZulu,sib200,1.0,0\n",
    ],
)
def test_numbers_that_may_be_fractions_are_asked_about(tmp_path: Path, rows: str) -> None:
    said = refused(tmp_path, HEAD + rows)
    assert "Remedy: --scale percent where" in said
    assert "--scale fraction where it means" in said


def test_the_answer_settles_it(tmp_path: Path) -> None:
    # As lm-eval writes them: accuracies in fractions, chrF++ in points.
    text = HEAD + "Zulu,sib200,0.45,0.505\nZulu,flores_xx_en,45.1,46\n"
    found = {"flores_xx_en": (45.1, 46), "sib200": (45, 50.5)}
    for task, (base, trained) in found.items():
        of_task = scores(read(tmp_path, text, "fraction"))
        assert of_task["Zulu", task, "base"] == base
        assert of_task["Zulu", task, "trained"] == trained
    assert scores(read(tmp_path, text, "percent"))["Zulu", "sib200", "base"] == 0.45


@pytest.mark.parametrize("rows", ["Zulu,belebele,0.4,50\n", "Zulu,flores_xx_en,0.4,50\n"])
def test_an_answer_that_cannot_be_is_refused(tmp_path: Path, rows: str) -> None:
    assert "'50' is more than 1, so it is no fraction" in refused(tmp_path, HEAD + rows, "fraction")


def test_scores_below_one_point_are_themselves(tmp_path: Path) -> None:
    """As the paper's: Lhasa Tibetan has a chrF++ of 0.6."""
    text = HEAD + "Zulu,flores_en_xx,30,31\nLhasa Tibetan,flores_en_xx,0.6,0.1\nXhosa,sib200,0,40\n"
    assert scores(read(tmp_path, text))["Lhasa Tibetan", "flores_en_xx", "base"] == 0.6


def test_the_option_is_taken_by_the_command(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "t.csv").write_text(HEAD + "Zulu,sib200,0.42,0.5\nXhosa,sib200,0.4,0.5\n")
    assert main(["--import", str(tmp_path / "t.csv")]) == 2
    assert "--scale fraction" in capsys.readouterr().err
    assert main(["--import", str(tmp_path / "t.csv"), "--scale", "fraction"]) == 0
    assert "50.0" in capsys.readouterr().out


@pytest.mark.parametrize(
    "text",
    [
        "\ufeff" + PLAIN,
        PLAIN.replace("\n", "\r\n"),
        PLAIN.replace(",", ";"),
        PLAIN.replace(",", ";").replace("50.5", "50,5"),
        PLAIN.replace(",", "\t"),
        PLAIN.replace("50.5", '"50,5"'),
        PLAIN.replace("50.5", "50.5%").replace("41", "41 %"),
        PLAIN.replace("50.5", " 50.50\u00a0"),
        "sep=,\n" + PLAIN,
        PLAIN.replace("\n", "\n\n") + ",,,\n",
        PLAIN.replace("language,task,base", " Language , Task ,Base"),
        PLAIN.replace("sib200", "SIB-200"),
        PLAIN + "Mean,sib200,42.3,45.8\nAverage over languages,,1,2\nTotal,sib200,3,4\n",
        PLAIN + "Zulu,average,42.3,45.8\n",
    ],
    ids=ascii,
)
def test_other_ways_to_write_the_same_table(tmp_path: Path, text: str) -> None:
    assert scores(read(tmp_path, text)) == scores(read(tmp_path, PLAIN))


@pytest.mark.parametrize("cell", ["", " ", "-", "–", "NaN", "nan", "N/A", "None", "null", "#N/A"])
def test_a_missing_score_is_a_gap_and_no_zero(tmp_path: Path, cell: str) -> None:
    found = read(tmp_path, HEAD + f"Zulu,sib200,{cell},50\nXhosa,sib200,40,46\n")
    zulu = {row.producer: row for row in found.rows if row.language.name == "Zulu"}
    assert zulu["base"].state == "gap"
    assert zulu["base"].score is None
    assert zulu["trained"].gain is None


@pytest.mark.parametrize(
    ("cell", "said"),
    [
        ("101", "from 0 to 100"),
        ("-1", "from 0 to 100"),
        ("1e3", "from 0 to 100"),
        ('"1,234.5"', "from 0 to 100"),
        ("1.234.567", "from 0 to 100"),
        ('"45,300"', "'45,300' may be 45.300 or 45300"),
        ("45_3", "'45_3' is no number"),
        ("45.3±1.2", "is no number"),
        ("0x1F", "is no number"),
        ('"45.3', "a quote mark opens a cell and is not closed"),
    ],
)
def test_a_number_that_is_none_is_named(tmp_path: Path, cell: str, said: str) -> None:
    text = HEAD + f"Xhosa,sib200,40,46\nZulu,sib200,{cell},50\n"
    assert f"line 3: {'' if 'quote' in said else 'Zulu, sib200, base: '}" in refused(tmp_path, text)
    assert said in refused(tmp_path, text)


def test_two_decimal_marks_are_one_too_many(tmp_path: Path) -> None:
    said = refused(tmp_path, HEAD + 'Zulu,sib200,"45,3",50.5\n')
    assert "line 2 has '45,3' and line 2 '50.5': one decimal mark is needed" in said


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Mòoré", unicodedata.normalize("NFD", "Mòoré")),
        ("Zulu", "ZULU"),
        ("Northern Sotho", " northern  sotho"),
        ("N'Ko", "N’Ko"),
        ("Zulu", "Zu\u200blu"),
    ],
)
def test_two_spellings_are_one_language(tmp_path: Path, one: str, other: str) -> None:
    found = read(tmp_path, HEAD + f"{one},sib200,45,50\n{other},belebele,40,46\n")
    assert [language.name for language in found.languages] == [one]
    if unicodedata.normalize("NFC", other) != one:
        assert any("Taken for one name" in note for note in found.notes)
    again = HEAD + f"{one},sib200,45,50\n{other},sib200,40,46\n"
    assert "base stands on line 2 already" in refused(tmp_path, again)


def test_names_that_only_look_alike_stay_apart(tmp_path: Path) -> None:
    found = read(tmp_path, HEAD + "Moore,sib200,45,50\nMòoré,sib200,40,46\n")
    assert len(found.languages) == 2
    long = "language,task,producer,score\nbase,sib200,base,40\nbase,sib200,Base ,41\n"
    assert "stands on line 2 already" in refused(tmp_path, long)


@pytest.mark.parametrize(
    ("task", "hint"),
    [
        ("sib_20", "Did you mean sib200?"),
        ("belebelle", "Did you mean belebele?"),
        ("flores_enxx", None),
        ("MMLU global", "Did you mean global_mmlu?"),
        ("English SIB-20", "Did you mean english_sib200?"),
        ("squad", ""),
    ],
)
def test_an_unknown_task_names_the_nearest(tmp_path: Path, task: str, hint: str | None) -> None:
    text = HEAD + f"Zulu,{task},45,50\n"
    if hint is None:
        assert read(tmp_path, text).tasks == ["flores_en_xx"]
    elif hint:
        assert hint in refused(tmp_path, text)
    else:
        assert "Did you mean" not in refused(tmp_path, text)


@pytest.mark.parametrize("encoding", ["utf-16", "latin-1"])
def test_another_encoding_is_named(tmp_path: Path, encoding: str) -> None:
    said = refused(tmp_path, (HEAD + "Guaraní,sib200,45,50\n").encode(encoding))
    assert "Remedy: save it as CSV UTF-8" in said


def test_lines_are_counted_as_in_the_file(tmp_path: Path) -> None:
    assert "line 5: Zulu" in refused(tmp_path, HEAD + "\n\nXhosa,sib200,1,2\nZulu,sib200,x,2\n")


def test_our_own_scores_come_back_as_they_are(tmp_path: Path) -> None:
    """Ours are points of 100, however small."""
    long = (
        "language,task,producer,protocol,score,n,stderr\n"
        "Zulu,flores_en_xx,base,p,0.6,9,\nZulu,flores_en_xx,mine,p,0.8,9,\n"
    )
    assert scores(read(tmp_path, long))["Zulu", "flores_en_xx", "base"] == 0.6


def test_the_paper_s_table_is_read_cell_by_cell() -> None:
    path = PUBLISHED / "kakugo_table6.csv"
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    found = import_table(path)
    assert not found.notes
    assert scores(found) == {
        (row["language"], row["task"], producer): float(row[producer])
        for row in rows
        for producer in ("base", "kakugo")
    }
