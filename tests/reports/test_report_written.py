"""Answers that were read: balanced over classes, compared within them, and shown with what was
written."""

from pathlib import Path

import numpy as np
import pytest
from store_maker import (
    ABOUT_BASE,
    SWAHILI,
    answers,
    cell,
    key_of,
    write_artifact,
    write_plan,
    write_score,
    write_stages,
)

from core.contract.facts import CheckpointFacts
from core.contract.score import Measures
from core.statistics import score_strata
from reports.outputs.csv_files import write_csv
from reports.outputs.sample_text import describe_answer, describe_oddities
from reports.page.write import write_page
from reports.report import Report
from reports.samples import find_samples
from reports.sections import find_sheets
from reports.stats.strata import compare_strata, split_strata
from reports.store.read import read_store

RIGHT = ["A"] * 30 + ["B"] * 10
BASE = ["A"] * 40
TRAINED = ["A"] * 24 + ["B"] * 5 + [""] + ["B"] * 7 + ["A"] * 3


def score(read: list[str]) -> float:
    qualities = [float(a == b) for a, b in zip(RIGHT, read, strict=True)]
    return score_strata(qualities, RIGHT, 1 / 2)


def test_one_answer_given_always_is_no_score_however_often_it_is_right() -> None:
    assert score(BASE) == 0
    assert score(TRAINED) == pytest.approx(100 * ((0.8 + 0.7) / 2 - 0.5) / 0.5)


def test_the_gain_is_tested_within_classes() -> None:
    strata = np.array([0] * 30 + [1] * 10)
    sides = [
        np.array([float(a == b) for a, b in zip(RIGHT, read, strict=True)])
        for read in (BASE, TRAINED)
    ]
    found = compare_strata(sides[0], sides[1], strata, 1 / 2)
    assert found.points == pytest.approx(score(TRAINED))
    assert found.test == "paired bootstrap within classes"
    assert found.p is not None
    assert found.p < 0.01
    # Per class the variance of a change, as textbooks have it: no resampling.
    change = sides[1] - sides[0]
    parts = [change[strata == one] for one in (0, 1)]
    stderr = 100 * np.sqrt(sum(part.var() / len(part) for part in parts)) / 2 / 0.5
    assert found.stderr == pytest.approx(stderr, rel=0.05)
    again = compare_strata(sides[1], sides[1], strata, 1 / 2)
    assert (again.points, again.p, again.why) == (0, 1.0, "no item changed")
    below = compare_strata(0 * sides[1], sides[0], strata, 1 / 2)
    assert (below.points, below.p, below.why) == (0, 1.0, "neither is above guessing")


def test_a_score_is_the_mean_of_its_shares() -> None:
    strata = np.array([0] * 30 + [1] * 10)
    rated = np.array(
        [[float(a == b) for a, b in zip(RIGHT, r, strict=True)] for r in (BASE, TRAINED)]
    )
    shares = split_strata(rated, strata, 1 / 2)
    assert shares.mean(axis=1) == pytest.approx([score(BASE), score(TRAINED)])


@pytest.fixture
def report(tmp_path: Path) -> Report:
    store = tmp_path / "store"
    base = ("base", key_of("base"))
    write_artifact(store, *base, "SmolLM2-135M-Instruct", ABOUT_BASE, CheckpointFacts(), {})
    stages = write_stages(store, "Swahili", "gen")
    cells = []
    for producer, read, checkpoint in (("base", BASE, base), ("trained", TRAINED, stages[-1])):
        scored = key_of("score", producer)
        write_score(
            store, scored, "Swahili", producer, checkpoint, "seahelm_sentiment",
            answers(RIGHT, read), metric="nacc", score=score(read), guessing=50.0, chance=None,
            measures=Measures(unread_share=read.count("") / 40, strict_score=score(read)),
        )  # fmt: skip
        cells.append(cell("Swahili", producer, checkpoint, "seahelm_sentiment", scored))
    write_plan(store, "20260101-120000", SWAHILI, cells, [base, *stages])
    return Report.from_store(read_store(store))


def test_the_report_shows_the_gain_the_share_that_was_not_read_and_what_was_written(
    report: Report,
) -> None:
    (row,) = [r for r in report.results.rows if not r.is_base]
    assert row.gain
    assert row.gain.points == pytest.approx(50)
    assert row.gain.halves is not None
    found = find_samples(report.results, "Swahili", "seahelm_sentiment", only="unread")
    assert (found.matching, found.total) == (1, 40)
    (item, *_) = found.items
    assert describe_answer(item[-1]) == "embuh"
    assert describe_oddities(item[-1]) == "could not be read, did not come to an end"
    assert describe_oddities(item[0]) == "read as 'A', right"


@pytest.mark.parametrize("form", ["terminal", "markdown", "html", "latex"])
def test_every_format_shows_it(report: Report, form: str, tmp_path: Path) -> None:
    sheets = list(find_sheets(form, report))  # type: ignore[arg-type]
    assert any("unread_share" in [c.name for c in sheet.columns] for sheet in sheets)


def test_pages_and_files_are_written(report: Report, tmp_path: Path) -> None:
    write_csv(report, tmp_path)
    line = next(
        one for one in (tmp_path / "scores.csv").read_text().splitlines() if "trained" in one
    )
    assert "seahelm_sentiment,trained," in line
    page = write_page(report, tmp_path)
    text = page.read_text(encoding="utf-8")
    assert "read as &#39;A&#39;, right" in text
    assert "Unread" in text


def test_items_that_share_a_passage_are_resampled_together() -> None:
    draw = np.random.default_rng(5)
    strata = draw.integers(0, 4, 200)
    before, after = draw.random(200).round(), draw.random(200).round()
    alone = compare_strata(before, after, strata, 1 / 4, np.arange(200))
    twice = [np.repeat(one, 2) for one in (before, after, strata, np.arange(200))]
    whole = compare_strata(twice[0], twice[1], twice[2], 1 / 4, twice[3])
    # Each item asked twice tells no more than once, and is no more sure.
    assert (whole.points, whole.stderr, whole.p) == pytest.approx(
        (alone.points, alone.stderr, alone.p)
    )
    assert (whole.n, whole.units, whole.test) == (400, 200, "paired bootstrap by passage")
    apart = compare_strata(twice[0], twice[1], twice[2], 1 / 4)
    assert apart.stderr is not None
    assert whole.stderr is not None
    assert apart.stderr < 0.8 * whole.stderr
    few = compare_strata(before[:20], after[:20], strata[:20], 0, np.repeat(np.arange(10), 2))
    assert few.why == "a bootstrap needs 12 passages"
