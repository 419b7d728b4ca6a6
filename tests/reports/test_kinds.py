"""Gains by kind of language: each number against another's formula, and no claim where none is."""

import numpy as np
import pytest
from kind_simulations import PAPERS, claims, find_one
from scipy import stats
from statsmodels.stats.oneway import anova_oneway

from reports.report import Report
from reports.stats import kinds
from reports.tables.importing import read_published
from reports.tables.kinds import describe_measures, tabulate_kinds, tabulate_measures


def test_groups_are_compared_by_welchs_statistic() -> None:
    draw = np.random.default_rng(5)
    sizes = (20, 8, 5)
    groups = [name for name, n in zip("abc", sizes, strict=True) for _ in range(n)]
    values = np.concatenate([draw.normal(0, spread, n) for spread, n in ((1, 20), (3, 8), (6, 5))])
    members = np.eye(3)[["abc".index(name) for name in groups]]
    theirs = anova_oneway(values, np.array(groups), use_var="unequal", welch_correction=True)
    assert kinds._compute_welch(values[None], members)[0] == pytest.approx(theirs.statistic)
    plain = stats.f_oneway(*(values[members[:, n] == 1] for n in range(3)))
    ours = kinds._compute_fisher(values[None], members)[0] * (len(values) - 3) / 2
    assert ours == pytest.approx(plain.statistic)
    # The permutations of so many are near the statistics' own distributions.
    found = kinds.compare_groups(values.tolist(), [*groups])
    assert found.p == pytest.approx(max(plain.pvalue, theirs.pvalue), abs=0.05)
    # A group of two is left out, not compared.
    more = kinds.compare_groups([*values.tolist(), 90.0, 99.0], [*groups, "d", "d"])
    assert (more.n, more.p) == (33, found.p)


def test_a_measure_is_correlated_by_ranks() -> None:
    draw = np.random.default_rng(6)
    x = draw.lognormal(12, 1, 54)
    y = 3 * np.log10(x) + draw.normal(0, 3, 54)
    found, theirs = kinds.relate_measure(y.tolist(), x.tolist()), stats.spearmanr(x, y)
    assert found.rho == pytest.approx(theirs.statistic)
    assert found.p == pytest.approx(theirs.pvalue, abs=0.01)
    own = stats.bootstrap(
        (x, y), lambda a, b: stats.spearmanr(a, b).statistic, paired=True, vectorized=False,
        n_resamples=999, method="percentile", rng=1,
    ).confidence_interval  # fmt: skip
    assert found.interval == pytest.approx((own.low, own.high), abs=0.06)
    assert kinds.relate_measure([1.0] * 6, [2.0] * 6).why == "an interval needs 7 languages"


def test_what_is_not_known_is_named_and_not_guessed() -> None:
    report = Report.from_table(read_published())
    measures = tabulate_measures(report.kind_gains)
    names = [column.name for column in measures.columns]
    rows = [dict(zip(names, row, strict=True)) for row in measures.rows]
    # An imported table tells nothing of a tokenizer.
    fertility = [row for row in rows if row["measure"] == "Fertility"]
    assert {(row["rho"], row["why"]) for row in fertility} == {
        (None, "not known of any of these languages")
    }
    assert "Fertility: not known of any of these languages." in measures.notes
    assert all(row[3] for row in describe_measures(report.kind_gains).rows)
    documents = {row["task"]: row for row in rows if row["measure"] == "FineWeb2 documents"}
    rho = _published_rho("flores_en_xx")
    assert documents["flores_en_xx"]["rho"] == pytest.approx(rho)
    groups = tabulate_kinds(report.kind_gains)
    names = [column.name for column in groups.columns]
    latin = next(
        row
        for row in (dict(zip(names, row, strict=True)) for row in groups.rows)
        if (row["task"], row["group"]) == ("sib200", "Latin")
    )
    own = [
        row.gain.points
        for row in report.results.find_gained("sib200", "kakugo")
        if row.language.flores_code.endswith("_Latn") or row.language.name == "Aranese"
    ]
    assert (latin["languages"], latin["gain"]) == (len(own), pytest.approx(np.mean(own)))


def _published_rho(task: str) -> float:
    rows = Report.from_table(read_published()).results.find_gained(task, "kakugo")
    documents = {one.name: one.fineweb2_documents for one in PAPERS}
    by_name = {row.language.name: row.gain.points for row in rows if row.gain}
    pairs = [(documents[name], gain) for name, gain in by_name.items() if name in documents]
    assert len(pairs) > 50
    return float(stats.spearmanr(*zip(*pairs, strict=True)).statistic)


def test_a_relation_is_told_once_it_is_there() -> None:
    found = find_one([3 * np.log10(one.fineweb2_documents) for one in PAPERS], PAPERS)
    assert [one.sentence for one in found if one.kind.name == "documents"] == [
        "languages with more FineWeb2 documents gain more"
    ]
    said = (
        "SIB-200, trained: languages with more FineWeb2 documents gain more (p < 0.001 after Holm"
    )
    assert tabulate_measures(found).notes[3].startswith(said)
    bantu = [10.0 * (one.branch == "Bantu") + n % 3 for n, one in enumerate(PAPERS)]
    told = find_one(bantu, PAPERS)
    assert "mean gains differ between branches" in {one.sentence for one in told}


@pytest.mark.parametrize("world", ["alike", "tight", "wild", "skewed"])
def test_no_relation_is_told_where_there_is_none(
    world: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kinds, "PERMUTATIONS", 999)
    monkeypatch.setattr(kinds, "RESAMPLES", 20)
    times = 150
    # 5%, and three standard errors of so many; scripts/bench statistics repeats it often.
    assert claims(times, world)["any"] <= 0.05 + 3 * (0.05 * 0.95 / times) ** 0.5
