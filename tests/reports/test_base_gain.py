"""What is said on base score and gain: each sentence, and how often it is false.

The simulations are those of `scripts/bench statistics`, run short: the bands leave the repetitions
four standard errors.
"""

from pathlib import Path

import base_gain_simulations as sim
import numpy as np
import pytest

from reports.errors import ImportedTableError
from reports.figures.gallery import draw_comparisons
from reports.report import Report
from reports.stats import correlation
from reports.stats.decoupled import MOST_NOISE, Noise, decouple_halves, decouple_noise, find_side
from reports.tables.correlations import TaskCorrelation, describe_correlations
from reports.tables.importing import import_table, read_published

NOTHING = (
    sim.World(10),
    sim.World(54),
    sim.World(54, gain_sd=1, noise=MOST_NOISE, paired=0),
    sim.World(54, gain_sd=10, noise=MOST_NOISE, shared=0.5),
)


@pytest.mark.parametrize("source", ["samples", "stderr", "nothing"])
@pytest.mark.parametrize("world", NOTHING)
def test_where_nothing_is_there_nothing_is_said(world: sim.World, source: sim.Source) -> None:
    assert sim.false_sentences(60, world, source) <= 0.15


@pytest.mark.parametrize("source", ["samples", "stderr", "bound", "nothing"])
def test_a_relation_is_told_where_it_is(source: sim.Source) -> None:
    assert sim.right_sentences(60, sim.World(r=-0.55), source) > 0.62


def test_noise_that_would_explain_what_is_seen_is_rarely_said_to_be_more_than_there_is() -> None:
    assert sim.bound_misses(60, sim.World(gain_sd=3, noise=3, paired=0)) <= 0.17


@pytest.mark.parametrize("world", [sim.World(10, noise=3), sim.World(r=-0.55, noise=3, shared=0.5)])
def test_intervals_of_slope_and_correlation_cover(world: sim.World) -> None:
    assert min(sim.cover(100, world, "samples").values()) > 0.86


def test_languages_that_spread_as_before_come_no_closer() -> None:
    assert sim.false_spreads(60, 54, gain_sd=9.6, noise=3) <= 0.17


def test_the_slope_of_known_noise_is_blomqvists() -> None:
    draw = np.random.default_rng(1)
    base, gain = draw.normal(50, 10, 20), draw.normal(5, 4, 20)
    found = decouple_noise(base, gain, Noise(np.full(20, 9.0), np.full(20, 9.0)))
    share = 9 / base.var(ddof=1)
    plain = np.polyfit(base, gain, 1)[0]
    assert found.slope
    assert found.slope.value == pytest.approx((plain + share) / (1 - share))
    assert found.noise_share == pytest.approx(share)


def test_halves_give_the_moments_of_true_scores() -> None:
    found = sim.measure(np.random.default_rng(2), sim.World(1500, r=-0.5, noise=5), "samples")
    assert found.decoupled.r
    assert found.decoupled.slope
    assert found.decoupled.r.value == pytest.approx(-0.5, abs=0.06)
    assert found.decoupled.slope.value == pytest.approx(-0.5 * 9.6 / 13, abs=0.06)
    assert found.decoupled.noise_share == pytest.approx(25 / (25 + 169), abs=0.03)
    assert found.split_half.r == found.corrected.r == found.decoupled.r.value


def test_the_leave_one_out_range_and_the_language_that_decides_are_told() -> None:
    base = np.array([30.0, 31, 32, 33, 34, 35, 36, 37, 38, 70])
    gain = np.array([5.0, 6, 5.5, 5, 6, 5.2, 6.1, 5.4, 5.7, -9])
    names = [*"ABCDEFGHI", "Outlier"]
    known = Noise(np.full(10, 0.1), np.full(10, 0.1))
    found = correlation.relate_base_and_gain(base.tolist(), gain.tolist(), [], known, names)
    assert found.decoupled.without_one
    low, high = found.decoupled.without_one
    assert low < -0.9
    assert high > 0
    # The robust standard error sees the outlier's leverage: with it alone nothing is concluded.
    assert find_side(found.decoupled.slope) == 0
    draw = np.random.default_rng(4)
    base = np.concatenate([draw.normal(40, 5, 20), [64.0, 66.0]])
    gain = np.concatenate([draw.normal(9, 2, 20), [2.0, 1.0]])
    names = [f"L{n}" for n in range(20)] + ["Bengali", "Telugu"]
    noise = Noise(np.full(22, 0.1), np.full(22, 0.1))
    both = correlation.relate_base_and_gain(base.tolist(), gain.tolist(), [], noise, names)
    assert both.relation == "lower"
    without = [names[place] for place in both.decoupled.decisive]
    for name in without:
        assert name in both.conclusion or "one of" in both.conclusion


def test_a_table_that_does_not_tell_its_noise_is_told_how_much_would_do() -> None:
    draw = np.random.default_rng(5)
    base = draw.normal(50, 12, 54)
    steep, weak = 20 - 0.6 * (base - 50), 10 - 0.15 * (base - 50) + draw.normal(0, 3, 54)
    told = correlation.relate_base_and_gain(base.tolist(), steep.tolist(), [], accuracy=True)
    assert told.relation == "lower"
    assert "unless the item noise of a base score, which the table does not tell" in told.conclusion
    assert "items)" in told.conclusion
    assert told.slope.r is None, "nothing is corrected"
    open_ = correlation.relate_base_and_gain(base.tolist(), weak.tolist(), [])
    assert open_.relation == "unknown_noise"
    assert open_.decoupled.explained_by is not None
    assert f"item noise of {open_.decoupled.explained_by:.1f} points" in open_.conclusion
    # With less noise than that the same table would settle it, with more it would not.
    for factor, relation in ((0.8, "lower"), (1.3, "noise")):
        variance = np.full(54, (factor * open_.decoupled.explained_by) ** 2)
        known = Noise(variance, variance)
        found = correlation.relate_base_and_gain(base.tolist(), weak.tolist(), [], known)
        assert found.relation == relation


def test_noise_as_large_as_the_spread_of_base_scores_concludes_nothing() -> None:
    draw = np.random.default_rng(6)
    base, gain = draw.normal(50, 2, 12), draw.normal(0, 2, 12)
    noise = Noise(np.full(12, 16.0), np.full(12, 16.0))
    found = correlation.relate_base_and_gain(base.tolist(), gain.tolist(), [], noise)
    assert found.relation == "nothing"
    assert "differ by no more than item noise" in found.conclusion
    empty = decouple_halves(np.full((12, 4), np.nan), np.full((12, 4), np.nan))
    assert empty.why == "a half of the items has no score"


# Computed by another program, with a guess of the noise of chrF++; the last is from ours.
BLOMQVIST = {
    "flores_xx_en": (-0.17, "lower"),
    "flores_en_xx": (-0.29, "lower"),
    "sib200": (-0.42, "lower"),
    "belebele": (0.07, "none"),
    "global_mmlu": (-0.17, "none"),
}


@pytest.fixture(scope="module")
def paper() -> dict[str, TaskCorrelation]:
    return {c.task: c for c in Report.from_table(read_published()).correlations}


@pytest.mark.parametrize("task", BLOMQVIST)
def test_the_papers_table_gives_its_slopes(paper: dict[str, TaskCorrelation], task: str) -> None:
    found, (slope, relation) = paper[task].found, BLOMQVIST[task]
    assert found.slope.r == pytest.approx(slope, abs=0.03)
    assert found.relation == relation


def test_what_the_papers_table_says_in_words(paper: dict[str, TaskCorrelation]) -> None:
    notes = describe_correlations(list(paper.values())).notes
    lower = [note for note in notes if "lower base score gain more" in note]
    assert [note.split(":")[0] for note in lower] == ["SIB-200", "FLORES xx→en", "FLORES en→xx"]
    needed = paper["flores_en_xx"].found.decoupled.explained_by
    assert f"it would take item noise of {needed:.1f} points" in lower[-1]
    assert any(note.startswith("SIB-200: ") and "lie closer together" in note for note in notes)
    assert paper["global_mmlu"].found.decoupled.without_one == pytest.approx(
        (-0.73, -0.34), abs=0.02
    )
    assert paper["flores_en_xx"].found.decoupled.exact is False


def test_the_scatter_draws_no_line_that_is_not_concluded() -> None:
    figures = {f.name: f for f in draw_comparisons(Report.from_table(read_published()))}
    drawn = {
        name.removeprefix("scatter-")
        for name, figure in figures.items()
        if name.startswith("scatter-") and 'class="fit"' in str(figure.svg)
    }
    assert drawn == {"sib200", "flores_en_xx", "flores_xx_en"}


ROWS = "".join(f"L{n},sib200,{30 + n},{50 - n % 3},201,2.5\n" for n in range(8))


@pytest.mark.parametrize("header", ["n,base_stderr", "n_items,base (SE)"])
def test_items_and_standard_errors_of_a_table_are_read(tmp_path: Path, header: str) -> None:
    path = tmp_path / "t.csv"
    path.write_text(f"language,task,base,mine,{header}\n{ROWS}", encoding="utf-8")
    rows = import_table(path).rows
    assert {row.items for row in rows} == {201}
    assert {(row.producer, row.stderr) for row in rows} == {("base", 2.5), ("mine", None)}
    (found,) = Report.from_table(import_table(path)).correlations
    assert found.found.noise_known


@pytest.mark.parametrize(
    ("items", "said"), [("many", "line 2: 'many' is no number of items"), ("0", "'0'")]
)
def test_a_number_of_items_that_is_none_is_a_problem(tmp_path: Path, items: str, said: str) -> None:
    path = tmp_path / "t.csv"
    path.write_text(f"language,task,base,mine,n\nZulu,sib200,40,50,{items}\n", encoding="utf-8")
    with pytest.raises(ImportedTableError, match=said):
        import_table(path)
