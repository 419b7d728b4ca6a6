"""A surface over mixtures: equal to another library's, as sure as it says, and honest where not."""

from collections.abc import Callable
from dataclasses import replace
from itertools import combinations
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
import statsmodels.formula.api as smf
from numpy.typing import NDArray
from scipy import stats
from synthetic_store import make_synthetic_store

from reports import read_store
from reports.figures.surface import draw_traces
from reports.report import Report
from reports.stats.left_out import measure_left_out
from reports.stats.next_runs import expect_to_tell, suggest_runs
from reports.stats.surface import MixtureRun, Surface, SurfaceError, fit_surface, trace_source
from reports.tables.next_runs import tabulate_next_runs
from reports.tables.surface import TaskSurface, find_surfaces, tabulate_surfaces

Array = NDArray[np.float64]
Truth = Callable[[Array, float], float]

SOURCES = ("context", "scenario", "topic", "translated")
ALONE = list(np.eye(4))
CENTRE = np.full(4, 0.25)
DESIGN = [*ALONE, *((one + other) / 2 for one, other in combinations(ALONE, 2)), CENTRE]
SIZES = (5e5, 1e6)
NOISE = 0.7
"""The standard deviation of a mean gain over training seeds, in points."""


def planted(shares: Array, tokens: float) -> float:
    blend = 6 * shares[0] * shares[3] - 2 * shares[1] * shares[2] + 3 * shares[1] * shares[3]
    return float(shares @ [2, 3, 1, 4] + blend + 1.5 * (np.log2(tokens) - 20))


def flat(shares: Array, tokens: float) -> float:
    return 2.0


def train(truth: Truth, shares: Array, tokens: float, draw: np.random.Generator) -> MixtureRun:
    """Tokens come near to the shares that were asked for, as rows are whole."""
    got = draw.dirichlet(shares * 400 + 1e-3)
    return MixtureRun(tuple(got), tokens, truth(got, tokens) + draw.normal(0, NOISE))


def run_design(truth: Truth, seed: int) -> list[MixtureRun]:
    draw = np.random.default_rng(seed)
    return [train(truth, shares, size, draw) for shares in DESIGN for size in SIZES]


def test_the_fit_is_that_of_statsmodels() -> None:
    surface = fit_surface(SOURCES, run_design(planted, 1))
    shares = np.array([run.shares for run in surface.runs])
    blends = [shares[:, one] * shares[:, other] for one, other in combinations(range(4), 2)]
    doublings = np.log2([run.tokens for run in surface.runs]) - 20
    terms = np.column_stack([shares, *blends, doublings])
    theirs = sm.OLS([run.gain for run in surface.runs], terms).fit()
    assert surface.weights == pytest.approx(theirs.params)
    assert surface.spread == pytest.approx(theirs.mse_resid**0.5)
    assert surface.free == theirs.df_resid == 11
    more = surface.per_doubling
    assert more
    assert (more.interval.low, more.interval.high) == pytest.approx(theirs.conf_int()[-1])


def test_means_over_cells_tell_what_a_mixed_model_tells() -> None:
    """With every language and task in every run, random intercepts of them move no effect."""
    draw = np.random.default_rng(3)
    runs = run_design(planted, 2)
    cells = draw.normal(0, 5, 12)
    gains = np.array([run.gain for run in runs])[:, None] + cells + draw.normal(0, 1, (22, 12))
    table = pd.DataFrame(
        [
            {"gain": gains[n, cell], "cell": cell, "size": np.log2(run.tokens)}
            | {f"s{place}": share for place, share in enumerate(run.shares)}
            for n, run in enumerate(runs)
            for cell in range(12)
        ]
    )
    pairs = " + ".join(f"s{one}:s{other}" for one, other in combinations(range(4), 2))
    formula = f"gain ~ s1 + s2 + s3 + {pairs} + size"
    mixed = smf.mixedlm(formula, table, groups=table["cell"]).fit(reml=True)
    means = [
        MixtureRun(run.shares, run.tokens, float(gain))
        for run, gain in zip(runs, gains.mean(axis=1), strict=True)
    ]
    ours = fit_surface(SOURCES, means)
    assert ours.weights[-1] == pytest.approx(mixed.fe_params["size"], abs=1e-4)
    assert ours.weights[3] - ours.weights[0] == pytest.approx(mixed.fe_params["s3"], abs=1e-3)


def simulate(truth: Truth, runs: int) -> pd.DataFrame:
    """Whether what is said of each data set is true."""
    rows = []
    for seed in range(runs):
        surface = fit_surface(SOURCES, run_design(truth, seed))
        real = np.array([truth(point, surface.largest) for point in surface.candidates])
        best, more = surface.best, surface.per_doubling
        assert more
        height = truth(np.array(best.shares), surface.largest)
        doubled = truth(CENTRE, 2e6) - truth(CENTRE, 1e6)
        kept = surface.in_question
        top = surface.candidates[int(np.argmax(real))]
        rows.append(
            {
                "height": best.interval.low <= height <= best.interval.high,
                "doubling": more.interval.low <= doubled <= more.interval.high,
                "top_kept": bool((np.abs(kept - top).sum(axis=1) < 1e-9).any()),
                "left": len(kept) / len(surface.candidates),
                "regret": real.max() - height,
            }
        )
    return pd.DataFrame(rows)


@pytest.mark.slow
def test_a_planted_surface_is_recovered_within_its_interval() -> None:
    """22 runs name a mixture within a third of a point of the best, and no wrong one is sure."""
    many = 60
    found = simulate(planted, many)
    least = stats.binom.ppf(0.001, many, 0.95) / many
    assert found.height.mean() >= least
    assert found.doubling.mean() >= least
    assert found.top_kept.mean() >= least
    assert found.left.mean() < 0.65, "not a mixture is called worse without being so, yet many are"
    assert found.regret.mean() < 0.35


@pytest.mark.slow
def test_where_mixtures_are_alike_none_is_called_worse() -> None:
    """False words, where any mixture is excluded at all, in few of the data sets."""
    many = 60
    found = simulate(flat, many)
    told = (found.left < 1).mean()
    assert told <= stats.binom.ppf(0.999, many, 0.05) / many
    assert found.height.mean() >= stats.binom.ppf(0.001, many, 0.95) / many


def test_five_advised_runs_tell_more_than_five_seeds_of_one_mixture() -> None:
    """27 runs in all; both sides are measured in what is left of the errors in question."""
    advised, repeated = [], []
    for seed in range(8):
        first = run_design(planted, 100 + seed)
        surface = fit_surface(SOURCES, first)
        draw = np.random.default_rng(seed)
        asked = suggest_runs(surface, 5)
        assert len(asked) == 5
        errors = [run.error for run in asked]
        assert errors == sorted(errors, reverse=True)
        assert errors[0] < 1
        more = [train(planted, np.array(run.shares), run.tokens, draw) for run in asked]
        seeds = [train(planted, CENTRE, 1e6, draw) for _ in range(5)]
        advised.append(measure_doubt(surface, fit_surface(SOURCES, [*first, *more])))
        repeated.append(measure_doubt(surface, fit_surface(SOURCES, [*first, *seeds])))
        # What is promised is what the terms of the new runs give.
        assert advised[-1] == pytest.approx(errors[-1], rel=0.15)
    assert np.mean(advised) < 0.9 * np.mean(repeated)


def measure_doubt(before: Surface, after: Surface) -> float:
    """The standard error of the differences in question, over what it was, of one spread."""
    best = before.lay_out(np.array([before.best.shares]), before.largest)
    apart = best - before.lay_out(before.in_question, before.largest)
    left, was = (np.einsum("ij,jk,ik->", apart, s.inverse, apart) for s in (after, before))
    return float(np.sqrt(left / was))


@pytest.mark.slow
def test_no_run_is_advised_where_none_could_tell() -> None:
    def advise(truth: Truth) -> float:
        some = [fit_surface(SOURCES, run_design(truth, seed)) for seed in range(30)]
        return float(np.mean([expect_to_tell(surface) for surface in some]))

    assert advise(planted) > 0.9
    assert advise(flat) < 0.4


def test_runs_that_do_not_determine_a_surface_are_refused() -> None:
    draw = np.random.default_rng(0)
    with pytest.raises(SurfaceError, match="two mixtures of two sources"):
        fit_surface(("topic",), [MixtureRun((1.0,), 1e6, 1.0)] * 9)
    with pytest.raises(SurfaceError, match=r"4 runs for 4 terms.*Remedy: kakugo -m sweep=design"):
        fit_surface(SOURCES, [train(planted, shares, 1e6, draw) for shares in ALONE])
    tied = [np.array([a / 2, a / 2, (1 - a) / 2, (1 - a) / 2]) for a in np.linspace(0, 1, 12)]
    runs = [MixtureRun(tuple(one), 1e6, planted(one, 1e6)) for one in tied]
    with pytest.raises(SurfaceError, match=r"moved together in all runs.*Remedy"):
        fit_surface(SOURCES, runs)
    near = [
        MixtureRun(tuple(draw.dirichlet(np.array(run.shares) * 900 + 0.5)), 1e6, run.gain)
        for run in runs[1:-1] * 2
    ]
    assert fit_surface(SOURCES, near).moving_together
    assert fit_surface(SOURCES, run_design(planted, 0)).moving_together is None


def test_few_runs_give_a_straight_surface_within_what_was_trained() -> None:
    draw = np.random.default_rng(1)
    some = [np.array([a, 1 - a]) for a in (0.2, 0.2, 0.4, 0.4, 0.6, 0.6)]
    runs = [MixtureRun(tuple(one), 1e6, 5 * one[0] + draw.normal(0, 0.1)) for one in some]
    surface = fit_surface(("topic", "translated"), runs)
    assert surface.pairs == ()
    assert surface.per_doubling is None
    assert surface.best.shares[0] == pytest.approx(0.6)
    assert surface.candidates[:, 0].min() == pytest.approx(0.2)
    left_out = measure_left_out(surface)
    assert left_out.alone is None
    assert left_out.blends
    assert left_out.blends.error < left_out.blends.of_mean


def test_what_is_left_out_is_predicted_by_hand() -> None:
    """Of one mixture: its runs taken out, statsmodels fitted to the others."""
    surface = fit_surface(SOURCES, run_design(planted, 1))
    squares: dict[bool, list[float]] = {True: [], False: []}
    guesses: dict[bool, list[float]] = {True: [], False: []}
    for mixture, shares in enumerate(DESIGN):
        own = [2 * mixture, 2 * mixture + 1]
        rest = [n for n in range(len(surface.runs)) if n not in own]
        terms = [surface.lay_out(np.array([run.shares]), run.tokens)[0] for run in surface.runs]
        gains = np.array([run.gain for run in surface.runs])
        fit = sm.OLS(gains[rest], np.array(terms)[rest]).fit()
        alone = shares.max() == 1
        squares[alone] += list((np.array(terms)[own] @ fit.params - gains[own]) ** 2)
        guesses[alone] += list((gains[rest].mean() - gains[own]) ** 2)
    found = measure_left_out(surface)
    for alone, said in ((True, found.alone), (False, found.blends)):
        assert said
        assert said.error == pytest.approx(np.mean(squares[alone]) ** 0.5)
        assert said.of_mean == pytest.approx(np.mean(guesses[alone]) ** 0.5)


def test_axial_points_narrow_what_is_left_out() -> None:
    """In the mean over 40 sweeps: with four trainings more, two thirds of the error."""
    axial = [CENTRE / 2 + one / 2 for one in ALONE]
    before, after = [], []
    for seed in range(40):
        runs = run_design(planted, seed)
        draw = np.random.default_rng(1000 + seed)
        more = [train(planted, shares, SIZES[1], draw) for shares in axial]
        for errors, some in ((before, runs), (after, [*runs, *more])):
            found = measure_left_out(fit_surface(SOURCES, some))
            assert found.alone
            assert found.blends
            errors.append((found.alone.error, found.blends.error))
    alone, blends = np.mean(after, axis=0) / np.mean(before, axis=0)
    assert alone < 0.75
    assert blends < 0.75


NAMES = ("Yoruba", "Irish", "Lao")


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Report:
    store = tmp_path_factory.mktemp("mixtures")
    languages = [
        {"name": n, "autonym": n, "flores_code": "xxx_Latn", "script": "Latin", "direction": "ltr"}
        for n in NAMES
    ]
    make_synthetic_store(store, languages, 10, {"sib200": 40, "flores_xx_en": 30})
    return Report.from_store(read_store(store))


def test_a_store_of_mixtures_has_its_best_and_its_next_runs(report: Report) -> None:
    found = report.surfaces
    assert found
    sheet = tabulate_surfaces(found)
    assert [row[0] for row in sheet.rows] == ["sib200", "flores_xx_en", "all tasks"]
    assert all(row[1] == 9 for row in sheet.rows)
    whole = found.whole
    assert whole
    # Independent of the tables: the mean over tasks of the mean over languages.
    gains = pd.DataFrame(
        [
            {"producer": r.producer, "task": r.task, "gain": r.gain.points}
            for r in report.results.rows
            if r.gain and not r.is_base
        ]
    )
    means = gains.groupby(["producer", "task"]).gain.mean().groupby("producer").mean()
    assert sorted(run.gain for run in whole.runs) == pytest.approx(sorted(means))
    assert "9 trainings over the same 3 languages" in sheet.notes[0]
    advised = tabulate_next_runs(found)
    assert advised
    assert all(note for note in advised.notes)
    if advised.rows:
        assert any(note.startswith("Next: kakugo -m") for note in advised.notes)


def test_advice_tells_what_a_gpu_hour_brings_and_what_the_teacher_was_paid(
    report: Report,
) -> None:
    assert report.surfaces
    clear = replace(
        report.surfaces,
        by_task=(TaskSurface("all tasks", fit_surface(SOURCES, run_design(planted, 4))),),
        rows=dict.fromkeys(SOURCES, 100.0),
        hours=2e-6,
        dollars=12.4,
    )
    advised = tabulate_next_runs(clear)
    assert advised
    names = [column.name for column in advised.columns]
    left = 1.0
    assert advised.rows
    for row in advised.rows:
        at = dict(zip(names, row, strict=True))
        assert at["gpu_hours"] == pytest.approx(2e-6 * float(str(at["tokens"])), rel=1e-5)
        each = (left - float(str(at["error"]))) / float(str(at["gpu_hours"]))
        assert at["per_gpu_hour"] == pytest.approx(each)
        left = float(str(at["error"]))
    assert "no teacher is called, which was paid 12.40 USD" in advised.notes[0]
    unknown = tabulate_next_runs(replace(clear, hours=None, dollars=None))
    assert unknown
    assert {row[names.index("per_gpu_hour")] for row in unknown.rows} == {None}
    assert "paid" not in unknown.notes[0]


def test_what_the_teacher_was_paid_is_not_known_without_the_sources(report: Report) -> None:
    assert report.surfaces
    assert report.surfaces.dollars is None


def test_traces_run_through_the_best_and_stay_within_what_was_trained() -> None:
    surface = fit_surface(SOURCES, run_design(planted, 5))
    for place in range(4):
        trace = trace_source(surface, place, 11)
        at = np.linspace(*find_ends(surface, place), 11)
        assert [share for share, _ in trace] == pytest.approx(at)
        for share, point in trace:
            assert sum(point.shares) == pytest.approx(1)
            assert point.shares[place] == pytest.approx(share)
            assert point.gain <= surface.best.gain + 0.3, "a lattice lies near to the highest"
            assert point.interval.low < point.gain < point.interval.high
            own = surface.predict(np.array([point.shares]), surface.largest)
            assert point.gain == pytest.approx(own[0])
    figure = draw_traces(surface)
    assert all(source in figure.svg for source in SOURCES)
    assert "Bars: 95% for each point alone" in figure.caption


def find_ends(surface: Surface, place: int) -> tuple[float, float]:
    shares = [run.shares[place] for run in surface.runs]
    return min(shares), max(shares)


def test_one_who_lacks_a_language_is_left_out_and_named(report: Report) -> None:
    assert report.view
    odd = report.results.trained[0]
    lacking = report.results.keep(lambda r: (r.producer, r.language.name) != (odd, "Lao"))
    found = find_surfaces(report.view, lacking)
    assert found
    assert found.whole
    assert len(found.whole.runs) == 8
    assert any(one.startswith(f"{odd}: no gain in Lao") for one in found.left_out)
    assert any("Left out" in note for note in tabulate_surfaces(found).notes)


def test_fewer_than_three_mixtures_have_no_surface(tmp_path: Path) -> None:
    languages = [{"name": "Irish", "autonym": "", "flores_code": "", "script": "", "direction": ""}]
    make_synthetic_store(tmp_path, languages, 3, {"sib200": 20})
    assert Report.from_store(read_store(tmp_path)).surfaces is None
