"""Figures over mixtures compare the same languages, and say how sure each point is."""

from pathlib import Path

import pytest
from synthetic_store import make_synthetic_store

from reports import read_store
from reports.figures.mixture import average_shared, draw_over_shares, draw_over_size
from reports.report import Report

NAMES = ("Yoruba", "Irish", "Lao", "Swahili", "Welsh", "Hausa", "Zulu", "Tatar")


def test_means_are_over_the_languages_that_all_share() -> None:
    one = [("Yoruba", 10.0, 1.0), ("Irish", 10.0, 3.0), ("Lao", 10.0, 50.0)]
    two = [("Irish", 30.0, 5.0), ("Yoruba", 20.0, 4.0)]
    points = average_shared({"a": one, "b": two, "none": []})
    assert [(p.x, p.gain, p.languages) for p in points] == [(10.0, 2.0, 2), (25.0, 4.5, 2)]
    assert all(p.interval is None for p in points), "two languages have no interval"
    assert average_shared({"a": [("Yoruba", 1.0, 1.0)], "b": [("Irish", 2.0, 1.0)]}) == []
    assert average_shared({}) == []
    several = [(name, 1.0, float(n)) for n, name in enumerate(NAMES)]
    (point,) = average_shared({"a": several})
    assert point.interval
    assert point.interval.low < point.gain == 3.5 < point.interval.high


def test_the_figures_say_so(tmp_path: Path) -> None:
    languages = [
        {"name": n, "autonym": n, "flores_code": "xxx_Latn", "script": "Latin", "direction": "ltr"}
        for n in NAMES
    ]
    make_synthetic_store(tmp_path, languages, 4, {"sib200": 60})
    report = Report.from_store(read_store(tmp_path))
    assert report.view
    size = draw_over_size(report.results)
    assert size
    figures = [size, *draw_over_shares(report.results, report.view)]
    assert len(figures) > 1
    for figure in figures:
        assert "the languages that all mixtures have (8)" in figure.svg
        assert "Bars: 95% over languages" in figure.svg
    assert "may differ in their sources" in size.svg
    assert all("differ in size, too" in figure.svg for figure in figures[1:])
    few = draw_over_size(report.keep_languages(["Irish", "Lao"]).results)
    assert few
    assert "Too few languages for intervals" in few.svg


@pytest.mark.parametrize("lacking", [0, 1])
def test_a_language_that_one_mixture_lacks_moves_no_other(tmp_path: Path, lacking: int) -> None:
    rows = {
        "a": [(name, 1.0, 1.0) for name in NAMES],
        "b": [(name, 2.0, 2.0) for name in NAMES[lacking:]],
    }
    assert [point.gain for point in average_shared(rows)] == [1.0, 2.0]
    assert {point.languages for point in average_shared(rows)} == {len(NAMES) - lacking}
