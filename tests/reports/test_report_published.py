"""The paper's table, through the same code as one's own, gives the paper's own figures."""

import csv
from pathlib import Path
from statistics import fmean

import pytest

from reports.cli import main
from reports.errors import ImportedTableError
from reports.report import Report
from reports.tables.glance import tabulate_glance
from reports.tables.importing import PUBLISHED, import_table, read_published
from reports.tables.subsets import tabulate_subsets

PEARSON = {
    "belebele": 0.04,
    "global_mmlu": -0.60,
    "sib200": -0.86,
    "flores_xx_en": -0.37,
    "flores_en_xx": -0.38,
}
GAINS = {
    "belebele": 9.9,
    "global_mmlu": 1.9,
    "sib200": 8.8,
    "flores_xx_en": 8.5,
    "flores_en_xx": 13.1,
}
# Counted by hand in the table: scores above base, of the languages that it has.
WINS = {
    "belebele": (32, 34),
    "global_mmlu": (9, 10),
    "sib200": (48, 53),
    "flores_xx_en": (49, 54),
    "flores_en_xx": (48, 54),
}


@pytest.fixture(scope="module")
def paper() -> Report:
    return Report.from_table(read_published())


@pytest.mark.parametrize("task", PEARSON)
def test_the_published_correlations_come_out(paper: Report, task: str) -> None:
    (found,) = [c.found for c in paper.correlations if c.task == task]
    assert found.pearson.r == pytest.approx(PEARSON[task], abs=0.01)
    assert found.split_half.r is None, "a table has no samples"


@pytest.mark.parametrize("task", GAINS)
def test_the_published_mean_gains_and_wins_come_out(paper: Report, task: str) -> None:
    (row,) = [row for row in paper.means.rows if row[0] == task]
    at = dict(zip([c.name for c in paper.means.columns], row, strict=True))
    assert at["gain"] == pytest.approx(GAINS[task], abs=0.051)
    assert (at["wins_by_sign"], at["languages"]) == WINS[task]
    assert at["wins"] is None, "nothing was tested"


def test_a_table_is_reported_in_every_format(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    formats = [f"--format={form}" for form in ("terminal", "markdown", "csv", "latex", "html")]
    assert main(["--import", "published", *formats, "--out", str(tmp_path)]) == 0
    assert "Languages with a lower base score gain more" in capsys.readouterr().out
    names = {"report.md", "report.html", "scores.csv", "wins.csv", "correlation.csv", "latex"}
    assert names <= {path.name for path in tmp_path.iterdir()}


def table(folder: Path, text: str) -> Path:
    path = folder / "table.csv"
    path.write_text(text, encoding="utf-8")
    return path


def test_other_producers_gaps_and_our_own_scores_are_read(tmp_path: Path) -> None:
    text = "\ufefflanguage,task,base,one,two\nZulu,sib200,50,60,\nXhosa,sib200,,40,45\n"
    found = import_table(table(tmp_path, text))
    assert found.producers == ["base", "one", "two"]
    gains = {(r.language.name, r.producer): r.gain.points for r in found.rows if r.gain}
    assert gains == {("Zulu", "one"): 10.0}
    assert {(r.language.name, r.producer) for r in found.rows if r.state == "gap"} == {
        ("Zulu", "two"),
        ("Xhosa", "base"),
    }
    long = (
        "language,task,producer,protocol,score,n\nZulu,sib200,base,p,50,9\nZulu,sib200,t,p,60,9\n"
    )
    (row,) = [r for r in import_table(table(tmp_path, long)).rows if r.gain]
    assert (row.producer, row.base, row.score) == ("t", 50.0, 60.0)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("language,task,base,trained\nZulu,sib2000,1,2\n", "unknown task 'sib2000'; allowed"),
        ("language,task,base,trained\nZulu,sib200,inf,2\n", "must be a finite number"),
        ("language,task,base,trained\nZulu,sib200,-3,2\n", "'-3' must be a finite number from 0"),
        ("language,task,base,trained\nZulu,sib200,101,2\n", "from 0 to 100"),
        ("language,task,base,trained\nZulu,sib200,x,2\n", "'x' is no number"),
        ("language,task,base,t\nZ,sib200,1,2\nZ,sib200,1,2\n", "line 3: Z, sib200, base stands on"),
        ("language,task,base,t\nZ,sib200,1\n", "line 2: it has not as many values"),
        ("language,task,base,t\n,sib200,1,2\n", "the language is empty"),
        ("language,task,t,t\nZ,sib200,1,2\n", "a column is named twice"),
        ("name,task,base\nZ,sib200,1\n", "the header is name,task,base"),
        ("", "the header is empty"),
        ("language,task,base\n", "it holds no scores"),
    ],
)
def test_a_table_that_cannot_be_says_where(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(ImportedTableError, match=said):
        import_table(table(tmp_path, text))


def test_every_problem_is_told_at_once(tmp_path: Path) -> None:
    lines = "".join(f"Z{n},sib9,1,x\n" for n in range(10))
    with pytest.raises(ImportedTableError) as caught:
        import_table(table(tmp_path, "language,task,base,t\n" + lines))
    assert "line 2: unknown task" in str(caught.value)
    assert "and 8 more" in str(caught.value)


def test_one_language_and_ties_everywhere_claim_nothing(tmp_path: Path) -> None:
    one = Report.from_table(import_table(table(tmp_path, "language,task,base,t\nZ,sib200,1,2\n")))
    assert one.correlations[0].found.pearson.r is None
    assert one.means.rows[0][6:8] == (None, None)
    lines = "".join(f"Z{n},sib200,5,5\n" for n in range(5))
    ties = Report.from_table(import_table(table(tmp_path, "language,task,base,t\n" + lines)))
    assert "all values are equal" in ties.correlations[0].found.conclusion
    assert {v.by_sign for v in ties.verdicts} == {"tie"}


def test_means_are_exact_so_that_no_order_of_languages_shows(paper: Report) -> None:
    """Names in a set come in another order in each process, and sums in another last digit."""
    sheet = tabulate_subsets(paper.results, paper.ranking)
    tasks = [column.name for column in sheet.columns[1:]]
    assert sorted(tasks) == sorted(paper.results.tasks)
    for producer, *means in sheet.rows:
        for task, mean in zip(tasks, means, strict=True):
            scores = [
                r.score for r in paper.results.find(task, str(producer)) if r.score is not None
            ]
            assert mean == fmean(scores)


def test_table_2_comes_out_as_it_is_printed(tmp_path: Path) -> None:
    """Producers and tasks in its order; of one language the mean is the score itself."""
    with (PUBLISHED / "kakugo_table2.csv").open(encoding="utf-8") as lines:
        printed = list(csv.DictReader(lines))
    tasks = [*printed[0]][3:]
    names = [row["subset"] for row in printed]
    assert tasks == ["belebele", "global_mmlu", "sib200", "flores_xx_en", "flores_en_xx"]
    lines = [",".join(("Zulu", task, *(row[task] for row in printed))) for task in sorted(tasks)]
    header = ",".join(("language", "task", *names))
    scores = table(tmp_path, "\n".join((header, *lines)) + "\n")
    assert main(["--import", str(scores), "--format", "csv", "--out", str(tmp_path)]) == 0
    with (tmp_path / "subsets.csv").open(encoding="utf-8") as made:
        head, *rows = csv.reader(made)
    assert head == ["producer", *tasks]
    assert [(name, *map(float, means)) for name, *means in rows] == [
        (row["subset"], *(float(row[task]) for task in tasks)) for row in printed
    ]


def test_a_table_without_base_says_that_no_gain_can_be_computed(tmp_path: Path) -> None:
    path = tmp_path / "scores.csv"
    path.write_text("language,task,mine\nSwahili,sib200,40\nHausa,sib200,50\n", encoding="utf-8")
    report = Report.from_table(import_table(path))
    assert not report.means.rows
    sheet = tabulate_subsets(report.results, report.ranking)
    assert sheet.rows == (("mine", 45.0),)
    assert any("No producer is called base, so no gain" in note for note in sheet.notes)
    path.write_text("language,task,mine,other\nHausa,sib200,40,41\n", encoding="utf-8")
    several = Report.from_table(import_table(path))
    glance = tabulate_glance(None, (), several.results, several.members, several.ranking)
    said = {row[0]: row[1] for row in glance.rows}
    assert str(said["Producers"]).startswith("2; above: the one with most results")
