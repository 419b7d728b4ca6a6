"""What people give by mistake: clear words in every format, and never a wrong number."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from simulations import sentences
from synthetic_store import make_synthetic_store

from reports import read_store
from reports.errors import ImportedTableError
from reports.outputs.csv_files import write_csv
from reports.outputs.latex import write_latex
from reports.outputs.markdown import write_markdown
from reports.page.write import render
from reports.report import Report
from reports.section import FORMATS
from reports.sections import find_sheets
from reports.stats.chrf import compare_chrf, compute_chrf
from reports.stats.crossed import UnitScores, compare_producers, split_over_sentences
from reports.tables.importing import import_table

LANGUAGES = [
    {"name": n, "autonym": n, "flores_code": "xxx_Latn", "script": "Latin", "direction": "ltr"}
    for n in ("Yoruba", "Irish")
]


def read(tmp_path: Path, text: str) -> Report:
    path = tmp_path / "table.csv"
    path.write_text(text, encoding="utf-8")
    return Report.from_table(import_table(path))


def write_all(report: Report, out: Path) -> str:
    """Every format; returns what the page says at a glance and below its tables."""
    write_csv(report, out)
    write_latex(report, out)
    write_markdown(report, out)
    for form in FORMATS:
        assert [sheet.list_cells() for sheet in find_sheets(form, report)]
    return render(report)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("language,task,base,a\nZulu,sib200,50,61\n", "untested (a test needs"),
        (
            "language,task,a,b\nZulu,sib200,50,61\nXhosa,sib200,40,45\n",
            "No producer is called base, so no gain can be computed: call the student before its",
        ),
        (
            "language,task,Baseline,a\nZulu,sib200,50,61\nXhosa,sib200,40,45\n",
            "no gain can be told, as no producer is called base",
        ),
        (
            "language,task,base,a\nZulu,flores_en_xx,20,\nXhosa,flores_en_xx,,30\n",
            "no gain can be told, as base has no score beside it",
        ),
        (
            ",language,task,base,a\n0,Zulu,sib200,50,61\n1,Xhosa,sib200,40,45\n",
            "column 1 (without a name), which counts the rows",
        ),
        (
            "Language,Task,BASE,A\nzulu,SIB-200,50,61\nZULU,belebele,40,45\n",
            "Taken for one name: &#39;zulu&#39;, &#39;ZULU&#39;",
        ),
    ],
    ids=["one-language", "no-base", "baseline", "empty-chrf", "unnamed-column", "case"],
)
def test_an_odd_table_is_told_in_clear_words(tmp_path: Path, text: str, said: str) -> None:
    assert said in write_all(read(tmp_path, text), tmp_path / "out")


def test_an_empty_score_makes_no_gain_and_no_mean(tmp_path: Path) -> None:
    report = read(
        tmp_path,
        "language,task,base,a\nZulu,flores_en_xx,20,\nXhosa,flores_en_xx,,30\n"
        "Irish,flores_en_xx,40,42\n",
    )
    gains = {row.language.name: row.gain for row in report.results.rows if row.gain}
    assert {name: gain.points for name, gain in gains.items()} == {"Irish": 2.0}
    (mean,) = [sheet for sheet in find_sheets("csv", report) if sheet.name == "summary"]
    row = dict(zip([column.name for column in mean.columns], mean.rows[0], strict=True))
    assert (row["languages"], row["gain"]) == (1, 2.0)


@pytest.mark.parametrize("rows", ["Zulu,sib200,0.5,0.61\n", "Zulu,sib200,0.5,61\n"])
def test_fractions_are_never_taken_for_percentages(tmp_path: Path, rows: str) -> None:
    with pytest.raises(ImportedTableError, match=r"Remedy: --scale percent where"):
        read(tmp_path, f"language,task,base,a\n{rows}")


def test_a_store_without_run_records_has_the_same_gains(tmp_path: Path) -> None:
    make_synthetic_store(tmp_path / "store", LANGUAGES, 3, {"sib200": 60, "flores_en_xx": 40})
    whole = Report.from_store(read_store(tmp_path / "store"))
    shutil.rmtree(tmp_path / "store" / "runs")
    bare = Report.from_store(read_store(tmp_path / "store"))
    for row, other in zip(
        sorted(whole.results.rows, key=lambda r: (r.language.name, r.task, r.producer)),
        sorted(bare.results.rows, key=lambda r: (r.language.name, r.task, r.producer)),
        strict=True,
    ):
        assert (row.producer, row.score) == (other.producer, other.score)
        assert (row.gain is None) == (other.gain is None)
        if row.gain and other.gain:
            assert row.gain.points == other.gain.points
            assert (row.gain.low, row.gain.p) == (other.gain.low, other.gain.p)
    assert "chance" in write_all(bare, tmp_path / "out")


def test_translations_that_are_all_empty_score_nothing_and_are_compared() -> None:
    """A checkpoint that ends its answer at once: of its sentences no n-gram is there."""
    counts = sentences(np.random.default_rng(1), 40, 0.5)[1]
    empty = counts.copy()
    # Of each order: n-grams of the hypothesis, of the reference, of both.
    empty[:, 0::3] = empty[:, 2::3] = 0
    assert float(compute_chrf(empty.sum(axis=0))) == 0
    found = compare_chrf(counts, empty)
    assert found.points == pytest.approx(-float(compute_chrf(counts.sum(axis=0))))
    shares = split_over_sentences([counts, empty])
    assert np.isfinite(shares).all()
    units = tuple(map(str, range(40)))
    (pair,) = compare_producers({"t": {"l": UnitScores(units, shares, np.ones(40))}}).pairs
    assert pair.points == pytest.approx(-found.points)
    both = compare_chrf(empty, empty)
    assert both.points == 0
