"""Which producer is best: over languages that share items, in one language, and from a table."""

import csv
from dataclasses import replace
from pathlib import Path

import pytest
from synthetic_store import make_synthetic_store

from reports import read_store
from reports.outputs.csv_files import write_csv
from reports.report import Report
from reports.store.model import ShownLanguage
from reports.tables.gain import compute_gain
from reports.tables.importing import read_published
from reports.tables.ranking import ALL, Ranking, rank_producers, tabulate_pairs, tabulate_ranking
from reports.tables.results import Result, Results

ITEMS = {"sib200": 200, "belebele": 300, "flores_xx_en": 100}
NAMES = ("Yoruba", "Irish", "Lao", "Swahili", "Welsh", "Hausa", "Zulu", "Tatar")


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Report:
    store = tmp_path_factory.mktemp("ranking") / "artifacts"
    languages = [
        {"name": n, "autonym": n, "flores_code": "xxx_Latn", "script": "Latin", "direction": "ltr"}
        for n in NAMES
    ]
    make_synthetic_store(store, languages, 4, ITEMS)
    return Report.from_store(read_store(store))


def test_the_best_stand_first_and_alone_are_bold(report: Report) -> None:
    sheet = tabulate_ranking(report.ranking)
    means = [float(row[1]) for row in sheet.rows]  # type: ignore[arg-type]
    assert means == sorted(means, reverse=True)
    bold = {sheet.rows[row][0] for row, _ in sheet.marks}
    assert bold == {row[0] for row in sheet.rows if row[-1] in ("best", "not told apart")}
    assert sheet.rows[0][-1] == "best"
    assert sheet.rows[0][0] in bold
    assert "base" not in bold, "three mixtures that each gain several points over it"
    for row in sheet.rows:
        assert row[2] <= row[3], "from a place to the same or a later one"  # type: ignore[operator]
    for row in sheet.rows[1:]:
        behind, low, high = row[4:7]
        assert low < behind < high  # type: ignore[operator]
        assert (row[-1] == "worse") == (row[7] is not None and row[7] < 0.05)  # type: ignore[operator]


def test_a_pair_in_one_language_is_the_gain_of_the_score_table(report: Report) -> None:
    """Two ways to the same numbers: sums of influences here, the paired tests of a gain there."""
    one = report.keep_languages(["Yoruba"])
    found = rank_producers(one.results)
    for task in ITEMS:
        scores = {row.producer: row.record for row in one.results.rows if row.task == task}
        for n, name in enumerate(found.producers[1:], 1):
            base, trained = scores["base"], scores[name]
            assert base
            assert trained
            gain = compute_gain(base, trained)
            pair = found.by_task[task].find_difference(n, 0)
            assert pair.points == pytest.approx(gain.points, abs=1e-9)
            assert pair.stderr == pytest.approx(gain.stderr, rel=0.06)
            # An exact test on few items is cautious; the two agree about what is far from chance.
            assert gain.p is not None
            assert pair.p is not None
            assert pair.p < 0.001 or gain.p > 0.0005


def test_means_over_languages_are_means_of_the_scores(report: Report) -> None:
    found = report.ranking
    for task, compared in found.by_task.items():
        assert (compared.languages, compared.over_languages) == (len(NAMES), True)
        for n, producer in enumerate(found.producers):
            scores = [r.score for r in report.results.find(task, producer) if r.score is not None]
            assert compared.scores[n] == pytest.approx(sum(scores) / len(scores), abs=0.01)


def without(results: Results, *cells: tuple[str, str, str]) -> Results:
    return results.keep(lambda r: (r.language.name, r.task, r.producer) not in cells)


def test_a_cell_that_one_lacks_is_compared_for_nobody(report: Report) -> None:
    lacking = ("Lao", "sib200", "trained:mix2")
    found = rank_producers(without(report.results, lacking))
    assert found.by_task["sib200"].languages == len(NAMES) - 1
    assert found.by_task["belebele"].languages == len(NAMES)
    assert found.left_out == ("Lao, SIB-200: trained:mix2 has no score",)
    assert "Not compared: Lao, SIB-200" in tabulate_ranking(found).notes[-1]


def test_scores_of_another_protocol_are_not_compared(report: Report) -> None:
    def change(row: Result) -> Result:
        if (row.language.name, row.task, row.producer) != ("Lao", "sib200", "base"):
            return row
        assert row.record
        return replace(row, record=replace(row.record, shots=0))

    rows = tuple(map(change, report.results.rows))
    found = rank_producers(Results(rows, report.results.source))
    (reason,) = found.left_out
    assert reason == "Lao, SIB-200: scored as 0-shot, and as 3-shot"


def test_what_was_not_tested_is_not_called_as_good(report: Report) -> None:
    language = ShownLanguage("Lao")
    rows = [
        Result(language, "sib200", producer, "result", score=score)
        for producer, score in (("base", 40.0), ("trained:a", 60.0), ("trained:b", 50.0))
    ]
    sheet = tabulate_ranking(rank_producers(Results(tuple(rows), "made up")))
    assert [row[-1] for row in sheet.rows] == ["highest", "not tested", "not tested"]
    assert {row[2:4] for row in sheet.rows} == {(None, None)}, "and no place is sure"
    (note,) = sheet.notes
    assert "Nothing could be tested" in note
    assert "a test needs 12 independent items, or 7 languages" in note
    assert "interval" not in note
    assert not sheet.marks, "one number of each tells nothing apart"


def test_what_nobody_shares_is_no_ranking() -> None:
    language = ShownLanguage("Lao")
    rows = [
        Result(language, task, producer, "result", score=1.0)
        for task, producer in [("sib200", "base"), ("belebele", "trained:a")]
    ]
    found = rank_producers(Results(tuple(rows), "made up"))
    assert (tabulate_ranking(found).rows, tabulate_pairs(found).rows) == ((), ())
    assert len(found.left_out) == 2


def test_a_table_without_samples_is_compared_over_its_languages() -> None:
    from scipy import stats

    results = read_published()
    found = rank_producers(results)
    rows = {row[0]: row for row in tabulate_pairs(found).rows}
    for task in results.tasks:
        gains = [r.gain.points for r in results.rows if r.task == task and r.gain]
        stderr = float(stats.sem(gains))
        assert rows[task][3:6] == pytest.approx(
            (len(gains), -sum(gains) / len(gains), stderr), rel=1e-9
        )
        assert rows[task][8] == pytest.approx(float(stats.ttest_1samp(gains, 0).pvalue), rel=1e-6)
    assert ALL in rows


def test_many_producers_are_ranked_in_every_format(report: Report, tmp_path: Path) -> None:
    write_csv(report, tmp_path)
    with (tmp_path / "ranking.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 4
    with (tmp_path / "pairs.csv").open(encoding="utf-8") as file:
        assert len(list(csv.DictReader(file))) == 6 * (len(ITEMS) + 1)


def test_one_producer_is_no_ranking() -> None:
    rows = (Result(ShownLanguage("Lao"), "sib200", "base", "result", score=1.0),)
    assert rank_producers(Results(rows, "one")) == Ranking(("base",), {}, None, {}, ())
