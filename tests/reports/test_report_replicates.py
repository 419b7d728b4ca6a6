"""Checkpoints of one mixture from several seeds: found as one, and told over seeds and items."""

import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from scipy import stats
from statsmodels.formula.api import ols
from synthetic_store import make_synthetic_store

from core.contract.names import MANIFEST, PLAN
from reports import read_store
from reports.report import Report
from reports.stats.replicates import estimate_replicated
from reports.tables.replicates import tabulate_replicates

ITEMS = {"sib200": 80, "belebele": 90, "flores_xx_en": 60}


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Report:
    """Three checkpoints a language, which differ in the seed of their training alone."""
    store = tmp_path_factory.mktemp("seeds")
    languages = [
        {"name": n, "autonym": n, "flores_code": "xxx_Latn", "script": "Latin", "direction": "ltr"}
        for n in ("Yoruba", "Irish")
    ]
    make_synthetic_store(store, languages, 4, ITEMS)
    make_alike(store, one_mixture=True)
    return Report.from_store(read_store(store))


def make_alike(store: Path, one_mixture: bool) -> None:
    """Gives all checkpoints one name and one way of training, but for the seed."""
    mixtures: dict[str, object] = {}
    for path in sorted([*store.glob(f"*/*/{MANIFEST}"), *store.glob(f"runs/**/{PLAN}")]):
        text = path.read_text()
        seed = re.search(r"trained:mix(\d)", text)
        found = json.loads(re.sub(r"trained:mix\d", "trained:mix", text))
        if found.get("stage") == "train":
            assert seed
            found["config"] = {"seed": int(seed[1]), "train": {"steps": 5}}
            if one_mixture:
                found["inputs"] = mixtures.setdefault(found["about"]["language"], found["inputs"])
        path.write_text(json.dumps(found))


def test_checkpoints_of_other_mixtures_are_no_seeds_of_one(tmp_path: Path) -> None:
    """The settings of a mixture of one source name it in a list, and differ in nothing else."""
    languages = [{"name": "Irish", "autonym": "", "flores_code": "", "script": "", "direction": ""}]
    make_synthetic_store(tmp_path, languages, 4, {"sib200": 20})
    make_alike(tmp_path, one_mixture=False)
    assert Report.from_store(read_store(tmp_path)).replicates == []


def test_seeds_of_one_mixture_are_one(report: Report) -> None:
    assert report.results.trained == [f"trained:mix, seed {n}" for n in (1, 2, 3)]
    found = report.replicates
    assert [(one.language, one.producer, len(one.scores)) for one in found] == [
        (language, "trained:mix", 3) for language in ("Irish", "Yoruba") for _ in ITEMS
    ]
    for one in found:
        rows = [
            row
            for row in report.results.rows
            if (row.language.name, row.task) == (one.language, one.task) and not row.is_base
        ]
        scores = [row.score for row in rows if row.score is not None]
        assert one.mean == pytest.approx(np.mean(scores))
        assert one.spread == pytest.approx(np.std(scores, ddof=1))
        assert one.gain
        gains = [row.gain.points for row in rows if row.gain]
        # chrF++ of a corpus is no mean over sentences: its parts are linearised.
        assert one.gain.points == pytest.approx(np.mean(gains), abs=0.02)
        assert one.gain.interval
        assert one.gain.interval.low < one.gain.points < one.gain.interval.high
        # Over seeds and items an interval is wider than over the items of one checkpoint alone.
        assert one.gain.stderr > 0.5 * max(row.gain.stderr or 0 for row in rows if row.gain)
    sheet = tabulate_replicates(found)
    assert [row[3] for row in sheet.rows] == [3] * 6
    assert not any("Fewer than" in note for note in sheet.notes)


def test_the_variance_is_that_of_an_analysis_of_variance() -> None:
    draw = np.random.default_rng(5)
    gains = draw.normal(size=(4, 30)) + draw.normal(size=(4, 1)) + 2 * draw.normal(size=30)
    found = estimate_replicated(gains)
    long = pd.DataFrame(
        [(s, i, gains[s, i]) for s in range(4) for i in range(30)], columns=["s", "i", "y"]
    )
    table = sm.stats.anova_lm(ols("y ~ C(s) + C(i)", long).fit())
    seeds, items, rest = (table["mean_sq"][name] for name in ("C(s)", "C(i)", "Residual"))
    assert found.points == pytest.approx(gains.mean())
    assert found.stderr**2 == pytest.approx((seeds + items - rest) / gains.size)
    df = (seeds + items - rest) ** 2 / (seeds**2 / 3 + items**2 / 29 + rest**2 / 87)
    assert found.df == pytest.approx(df)
    assert found.p == pytest.approx(2 * stats.t.sf(abs(found.points) / found.stderr, df))


@pytest.mark.parametrize("of_seeds", [0.0, 0.5])
@pytest.mark.parametrize("seeds", [3, 5])
def test_the_interval_covers_over_new_seeds_and_items(seeds: int, of_seeds: float) -> None:
    draw = np.random.default_rng(seeds)
    times, hits = 400, 0
    for _ in range(times):
        gains = (
            3 * draw.normal(size=(seeds, 40))
            + of_seeds * draw.normal(size=(seeds, 1))
            + 2 * draw.normal(size=40)
        )
        interval = estimate_replicated(gains).interval
        assert interval
        hits += interval.low <= 0 <= interval.high
    # 95% and what 400 times leave open; a floor of the variance makes it a little wider.
    assert 0.925 <= hits / times <= 0.99


def test_what_cannot_be_told_is_not() -> None:
    with pytest.raises(ValueError, match="at least two seeds"):
        estimate_replicated(np.zeros((1, 9)))
    same = estimate_replicated(np.zeros((3, 9)))
    assert (same.points, same.p, same.why) == (0.0, 1.0, "no item differs")
    assert (same.interval, same.mde) == (None, None), "it tells nothing of what could be found"
    alike = estimate_replicated(np.full((3, 9), 4.1))
    assert (alike.points, alike.p, alike.why) == (
        pytest.approx(4.1),
        None,
        "every item differs alike",
    )
    assert alike.interval is None
