"""The table of contents of every report: its parts, and the sections of each, in reading order.

A new table is a file of its own in `reports/tables/`, and an entry here. All formats then show it,
unless `left_out` says which does not, and why.
"""

from collections.abc import Callable, Iterator, Sequence

from reports.figures import gallery
from reports.figures.svg import Figure
from reports.report import Report
from reports.section import Format, Omission, Part, Section
from reports.stats.languages import LEAST
from reports.store.model import StoreView, Study
from reports.tables import (
    answers,
    before_after,
    correlations,
    cost,
    coverage,
    flips,
    glance,
    item_groups,
    kinds,
    mixtures,
    on_the_way,
    precision,
    preference,
    problems,
    protocols,
    provenance,
    quality,
    ranking,
    replicates,
    scores,
    subsets,
    summary,
    surface,
    training,
    wins,
    worth,
    yields,
)
from reports.tables.panels import Panel
from reports.tables.sheet import Sheet

MOST_PANELS = 3
"""With more languages than this, the terminal prints tables over languages, not one of each."""
MOST_COMPARED = 12
"""With more producers than this, a page of every pair of them would be megabytes long."""


def prints_each_language(report: Report) -> bool:
    """Tell whether the terminal has room for the score table of each language."""
    return 0 < len(report.panels) <= MOST_PANELS


def _has_many_languages(report: Report) -> bool:
    return len(report.panels) > MOST_PANELS


def _compares_nothing(report: Report) -> bool:
    return not report.compares


def _has_one_pair(report: Report) -> bool:
    return len(report.results.producers) < 3


def _has_too_few_or_many_pairs(report: Report) -> bool:
    return not 3 <= len(report.results.producers) <= MOST_COMPARED


def _has_few_languages(report: Report) -> bool:
    return len(report.results.languages) < LEAST


def _has_many_producers(report: Report) -> bool:
    return len(report.results.trained) > MOST_PANELS


def _has_one_language(report: Report) -> bool:
    return len(report.results.languages) < flips.FEWEST


def _keep_shown(report: Report) -> list[kinds.KindGains]:
    """Keep of the gains by kind those of the one producer that is shown."""
    return [one for one in report.kind_gains if one.producer == report.results.shown]


def _list_shown(report: Report) -> list[str]:
    """List the one producer that is shown where only one has room."""
    return [report.results.shown] if report.results.shown else []


def _has_panels(report: Report) -> bool:
    return bool(report.panels)


# Why a format leaves a section out.
ALONE = Omission(
    "where there is one language and one producer: the table of scores shows it", _compares_nothing
)
PAIR = Omission("where base and one producer are all: their gains say it", _has_one_pair)
PAIRS = Omission(
    f"where base and one producer are all, or more than {MOST_COMPARED}: pairs.csv has them",
    _has_too_few_or_many_pairs,
)
FEW = Omission(
    f"where there are fewer than {LEAST} languages: nothing can be told of kinds",
    _has_few_languages,
)
MANY = Omission(
    f"where there are more than {MOST_PANELS} producers beside base", _has_many_producers
)
MANY_LANGUAGES = Omission(
    f"where there are more than {MOST_COMPARED} languages: its CSV file has them",
    lambda report: len(report.results.languages) > MOST_COMPARED,
)
NO_PARALLEL = Omission("where there is one language", _has_one_language)
LONG = Omission("it has a row for each score or artifact")
WIDE = Omission("it has too many columns")
TWICE = Omission("gains.csv has its numbers")
DETAIL = Omission("a screen has no room for this detail")
RECORD = Omission("it is for those who check, not for print")
PRINTED = Omission("where the table of each language says it", prints_each_language)
PANELS = Omission("where the table of each language says it", _has_panels)
TEXT = Omission("a paper says it in its text")
SCORES = Omission("the table of each language says it, or the table of all languages")
CROWDED = Omission(
    "where there are many languages: `--language NAME` prints it", _has_many_languages
)


def _from_store(make: Callable[[StoreView], Sheet]) -> Callable[[Report], Sheet | None]:
    """Give a table of a store's stages; an imported table has none."""
    return lambda report: make(report.view) if report.view else None


def _from_panels(make: Callable[[tuple[Panel, ...]], Sheet]) -> Callable[[Report], Sheet | None]:
    """Give a table of a store's scores; an imported table has none."""
    return lambda report: make(report.panels) if report.view else None


def _from_gains(
    make: Callable[[Sequence[worth.Worth]], Sheet],
) -> Callable[[Report], Sheet | None]:
    """Give a table of gains and what they cost; an imported table has no costs."""
    return lambda report: (
        make(worth.find_worth(report.view, report.results)) if report.view else None
    )


def _from_surfaces(
    make: Callable[[surface.Surfaces], Sheet | None],
) -> Callable[[Report], Sheet | None]:
    """Give a table of the surfaces over mixtures; a report of fewer than three has none."""
    return lambda report: make(report.surfaces) if report.surfaces else None


def _from_studies(make: Callable[[Sequence[Study]], Sheet]) -> Callable[[Report], Sheet | None]:
    """Give a table of blind studies; a report without any has none."""
    return lambda report: make(report.studies) if report.studies else None


PARTS: tuple[Part, ...] = (
    Part(
        "glance",
        "At a glance",
        (
            Section(
                "glance",
                "The gain, and what it is of",
                "What was gained, and what the numbers are of.",
                make=lambda report: glance.tabulate_glance(
                    report.view, report.panels, report.results, report.members, report.ranking
                ),
                left_out={"latex": TEXT},
            ),
        ),
    ),
    Part(
        "overview",
        "Over languages",
        (
            Section(
                "summary",
                "Means, gains and tests",
                "How much each producer gained on each task, on average over languages.",
                make=lambda report: summary.describe_means(report.means),
                make_file=lambda report: report.means,
                left_out={"terminal": ALONE, "markdown": ALONE, "html": ALONE},
            ),
            Section(
                "correlation",
                "Base score against gain",
                "Whether languages with a low base score gain more.",
                make=lambda report: correlations.describe_correlations(report.correlations),
                make_file=lambda report: correlations.tabulate_correlations(report.correlations),
                left_out={"terminal": ALONE, "markdown": ALONE, "html": ALONE},
            ),
            Section(
                "ranking",
                "Which producer is best",
                "The producers by their mean score, and which cannot be told from the best.",
                make=lambda report: ranking.tabulate_ranking(report.ranking),
                left_out={"terminal": PAIR, "markdown": PAIR, "latex": PAIR, "html": PAIR},
                of_sweep=True,
            ),
            Section(
                "pairs",
                "Every pair of producers",
                "The difference of any two producers on each task, with its interval and its test.",
                make=lambda report: ranking.tabulate_pairs(report.ranking),
                left_out={"terminal": LONG, "markdown": LONG, "latex": LONG, "html": PAIRS},
                folded=True,
            ),
            Section(
                "subsets",
                "Training subsets",
                "The mean score of each producer, over the languages that all of them have.",
                make=lambda report: subsets.tabulate_subsets(report.members, report.ranking),
                left_out={"terminal": ALONE, "markdown": ALONE, "html": ALONE},
            ),
            Section(
                "coverage",
                "Benchmark coverage",
                "For how many languages each task has a result, and which have none.",
                make=lambda report: coverage.tabulate_coverage(report.results),
                left_out={"terminal": DETAIL, "markdown": ALONE, "html": ALONE},
            ),
            Section(
                "gaps",
                "Cells without a result",
                "Each score that is missing, and why.",
                make=lambda report: (
                    scores.tabulate_gaps(report.panels)
                    if report.view
                    else scores.tabulate_imported_gaps(report.results)
                ),
                left_out={"terminal": PRINTED, "markdown": PANELS, "latex": RECORD, "html": ALONE},
                form="reasons",
                of_sweep=True,
            ),
        ),
    ),
    Part(
        "figures",
        "Figures",
        (
            Section(
                "figures",
                "Figures",
                "Gains over base scores, gains with their intervals, and scores as heat maps.",
                draw=gallery.draw_comparisons,
                draw_each=gallery.draw_producer,
                left_out={"html": ALONE},
            ),
        ),
    ),
    Part(
        "side-by-side",
        "Languages side by side",
        (
            Section(
                "by_language",
                "Each language",
                "The score of each producer on each task, language by language.",
                make=lambda report: subsets.tabulate_languages(report.members, report.ranking),
                left_out={"terminal": PRINTED, "markdown": ALONE, "html": ALONE},
                of_sweep=True,
            ),
            Section(
                "before_after",
                "Base and gain of each language",
                "Base, score and gain side by side on each task, of the producer that is shown.",
                make=lambda report: before_after.tabulate_before_after(report.results),
                left_out={"terminal": WIDE, "markdown": WIDE, "csv": TWICE, "html": WIDE},
            ),
            Section(
                "paired",
                "Base and score of each language in pairs",
                "Base and score side by side on each task, of the producer that is shown.",
                make=lambda report: before_after.tabulate_paired(report.results, report.verdicts),
                left_out={"terminal": WIDE, "markdown": WIDE, "csv": TWICE, "html": WIDE},
            ),
            Section(
                "wins_by_language",
                "Wins of each language",
                "On how many tasks each language won, tied and lost.",
                make=lambda report: wins.describe_wins_by_language(report.verdicts),
                make_file=lambda report: wins.tabulate_wins_by_language(report.verdicts),
                left_out={"terminal": DETAIL, "markdown": ALONE, "html": ALONE},
            ),
            Section(
                "wins",
                "Win, tie or loss",
                "For each gain, whether it is more than chance, by four ways to count.",
                make=lambda report: wins.tabulate_wins(report.verdicts),
                left_out={"terminal": LONG, "markdown": LONG, "latex": LONG, "html": ALONE},
            ),
        ),
    ),
    Part(
        "seeds",
        "Seeds of training",
        (
            Section(
                "replicates",
                "Gains over training seeds",
                "The mean gain of one mixture trained from several seeds, with their spread.",
                make=lambda report: (
                    replicates.tabulate_replicates(report.replicates) if report.view else None
                ),
                of_sweep=True,
            ),
        ),
    ),
    Part(
        "mixtures",
        "Which mixture is best",
        (
            Section(
                "surface",
                "The best mixture by a surface",
                "The mixture that a surface over all trainings predicts to be best, and how sure.",
                make=_from_surfaces(surface.tabulate_surfaces),
                draw=gallery.draw_surface,
                of_sweep=True,
            ),
            Section(
                "next_runs",
                "What to train next",
                "The trainings that would tell most of which mixture is best, for what they cost.",
                make=_from_surfaces(surface.tabulate_next_runs),
                left_out={"latex": RECORD},
                of_sweep=True,
            ),
        ),
    ),
    Part(
        "languages",
        "Each language",
        (
            Section(
                "scores",
                "Scores",
                "Every score, with its number of items and its standard error.",
                make=lambda report: (
                    scores.tabulate_scores(report.panels)
                    if report.view
                    else scores.tabulate_imported_scores(report.results)
                ),
                left_out={"terminal": SCORES, "markdown": SCORES, "latex": SCORES, "html": SCORES},
            ),
            Section(
                "gains",
                "Gains over base",
                "Every gain over base on the same items, with its interval and its test.",
                make=_from_panels(scores.tabulate_gains),
                left_out={"terminal": SCORES, "markdown": SCORES, "latex": SCORES, "html": SCORES},
            ),
            Section(
                "warnings",
                "Warnings",
                "What to know before one believes a score.",
                make=_from_panels(scores.tabulate_warnings),
                left_out={"terminal": SCORES, "markdown": SCORES, "latex": SCORES, "html": SCORES},
            ),
        ),
        each_language=True,
    ),
    Part(
        "chance",
        "Chance and content",
        (
            Section(
                "answers",
                "Answers given",
                "How often each answer is right, and how often each producer gives it.",
                make=lambda report: answers.tabulate_mean_answers(report.answer_shares),
                make_file=lambda report: answers.tabulate_answers(report.answer_shares),
                draw=gallery.draw_answers,
                left_out={"terminal": DETAIL, "markdown": LONG, "latex": LONG},
                folded=True,
            ),
            Section(
                "item_groups",
                "Gains by kind of item",
                "Gains on culturally sensitive and agnostic items apart, and by subject.",
                make=lambda report: item_groups.tabulate_mean_group_gains(report.group_gains),
                left_out={"terminal": MANY},
            ),
            Section(
                "item_groups_by_language",
                "Gains by kind of item, each language",
                "The same in each language, and why where a language has none.",
                make=lambda report: item_groups.tabulate_group_gains(report.group_gains),
                left_out={
                    "terminal": LONG,
                    "markdown": LONG,
                    "latex": LONG,
                    "html": MANY_LANGUAGES,
                },
                folded=True,
            ),
            Section(
                "flips",
                "Items flipped in most languages",
                "Which items went from wrong to right, or back, in many languages at once.",
                make=lambda report: flips.tabulate_flips(report.results, _list_shown(report)),
                make_file=lambda report: flips.tabulate_flips(
                    report.results, report.results.trained
                ),
                left_out={"terminal": LONG, "markdown": LONG, "latex": LONG, "html": NO_PARALLEL},
                folded=True,
            ),
            Section(
                "kinds",
                "Gains by script and family",
                "Whether gains differ between groups of languages.",
                make=lambda report: kinds.tabulate_kinds(_keep_shown(report)),
                make_file=lambda report: kinds.tabulate_kinds(report.kind_gains),
                left_out={"terminal": DETAIL, "markdown": FEW, "latex": FEW, "html": FEW},
                folded=True,
            ),
            Section(
                "kind_measures",
                "Gains by documents and fertility",
                "Whether gains go with how much text a language has, and how its words are cut.",
                make=lambda report: kinds.describe_measures(_keep_shown(report)),
                make_file=lambda report: kinds.tabulate_measures(report.kind_gains),
                draw=gallery.draw_measures,
                left_out={"terminal": FEW, "markdown": FEW, "latex": FEW, "html": FEW},
            ),
        ),
    ),
    Part(
        "preference",
        "Native speakers",
        (
            Section(
                "preference",
                "What native speakers preferred",
                "Which answers native speakers preferred, without knowing whose they were.",
                make=_from_studies(preference.describe_studies),
                make_file=_from_studies(preference.tabulate_studies),
                draw=gallery.draw_studies,
            ),
            Section(
                "preference_trust",
                "How far to trust the votes",
                "Whether raters agreed, repeated themselves and stayed blind.",
                make=_from_studies(preference.tabulate_trust),
            ),
            Section(
                "preference_verdicts",
                "Answers called good",
                "How many answers raters called good.",
                make=_from_studies(preference.tabulate_verdicts),
            ),
            Section(
                "preference_raters",
                "Votes of each rater",
                "How each rater voted.",
                make=_from_studies(preference.tabulate_raters),
            ),
            Section(
                "preference_categories",
                "Votes by category",
                "How the votes fell in each category of prompts.",
                make=_from_studies(preference.tabulate_categories),
                left_out={"terminal": DETAIL},
            ),
            Section(
                "preference_texts",
                "The answers that were compared",
                "How long the answers were, and in which language.",
                make=_from_studies(preference.tabulate_texts),
                left_out={"terminal": DETAIL},
            ),
            Section(
                "preference_record",
                "What was left out, and the proof",
                "What a study does not count, and the hashes that prove its votes.",
                make=_from_studies(preference.tabulate_record),
                left_out={"terminal": DETAIL, "latex": RECORD},
            ),
        ),
    ),
    Part(
        "each-score",
        "Each score",
        (
            Section(
                "precision",
                "How sure each score is",
                "The interval of each score, and the least gain that its test would find.",
                make=_from_panels(precision.tabulate_precision),
                left_out={"terminal": LONG, "markdown": LONG, "latex": LONG},
            ),
            Section(
                "measures",
                "Tokens and output",
                "How many tokens the prompts took, and what was odd in the answers.",
                make=lambda report: (
                    coverage.tabulate_measures(report.results) if report.view else None
                ),
                left_out={"terminal": CROWDED},
            ),
        ),
    ),
    Part(
        "data",
        "Training data",
        (
            Section(
                "yields",
                "Data yields",
                "How many rows each step of each source asked for, and how many it kept.",
                make=_from_store(yields.tabulate_yields),
                left_out={"terminal": CROWDED},
            ),
            Section(
                "mixture",
                "Mixtures",
                "How much each training mixture took of each source.",
                make=_from_store(mixtures.tabulate_mixtures),
                left_out={"terminal": CROWDED},
            ),
            Section(
                "data_quality",
                "Quality of the training data",
                "What the checks of the training data found.",
                make=_from_store(quality.tabulate_quality),
                left_out={"terminal": CROWDED},
            ),
            Section(
                "mixture_figures",
                "Gains and mixtures",
                "How the gain changes with the size and the sources of the training data.",
                draw=gallery.draw_mixtures,
            ),
        ),
    ),
    Part(
        "training",
        "Training",
        (
            Section(
                "training",
                "Training",
                "Steps, loss and speed of each training run.",
                make=_from_store(training.tabulate_training),
                draw=gallery.draw_training,
                left_out={"terminal": CROWDED},
            ),
            Section(
                "on_the_way",
                "Gains over the steps of training",
                "The gain of each checkpoint that a training kept on its way, and of their mean.",
                make=lambda report: (
                    on_the_way.tabulate_on_the_way(report.runs_on_the_way) if report.view else None
                ),
                draw=gallery.draw_on_the_way,
                left_out={"terminal": CROWDED},
            ),
        ),
    ),
    Part(
        "cost",
        "Cost",
        (
            Section(
                "worth",
                "Gain per dollar and GPU-hour",
                "What a point of gain cost, where the price is known.",
                make=_from_gains(worth.tabulate_mean_worth),
                left_out={"terminal": ALONE, "latex": WIDE},
            ),
            Section(
                "worth_by_language",
                "Gain per dollar and GPU-hour, each language",
                "The same for each gain, and why where it is not known.",
                make=_from_gains(worth.tabulate_worth),
                left_out={
                    "terminal": LONG,
                    "markdown": LONG,
                    "latex": LONG,
                    "html": MANY_LANGUAGES,
                },
                folded=True,
            ),
            Section(
                "cost_by_language",
                "Cost of each language",
                "Time, tokens and money that each language took.",
                make=_from_store(cost.tabulate_cost_by_language),
                draw=gallery.draw_cost,
            ),
            Section(
                "cost_by_stage",
                "Cost by stage",
                "Time, tokens and money that each stage took.",
                make=_from_store(cost.tabulate_cost_by_stage),
            ),
            Section(
                "cost",
                "Cost of each artifact",
                "Time, tokens and money that each artifact took.",
                make=_from_store(cost.tabulate_cost),
                left_out={"terminal": LONG, "markdown": LONG, "latex": LONG},
                folded=True,
            ),
        ),
    ),
    Part(
        "provenance",
        "Provenance",
        (
            Section(
                "runs",
                "Runs",
                "The command of each run, which makes its numbers again.",
                make=_from_store(provenance.tabulate_runs),
                left_out={"terminal": LONG, "markdown": LONG, "latex": LONG},
                folded=True,
            ),
            Section(
                "protocols",
                "Protocols",
                "How each score came about: prompt, data, engine and metric.",
                make=_from_store(protocols.tabulate_protocols),
                left_out={"terminal": WIDE, "latex": WIDE},
                folded=True,
            ),
            Section(
                "provenance",
                "Provenance",
                "The key, version, commit and packages of each artifact.",
                make=_from_store(provenance.tabulate_provenance),
                left_out={"terminal": LONG, "markdown": LONG, "latex": LONG},
                folded=True,
            ),
        ),
        opening="What every number above was made of and with; "
        "the command of a run makes it again.",
    ),
    Part(
        "problems",
        "Problems",
        (
            Section(
                "failed_runs",
                "Failed runs",
                "No score was planned when they failed, so no table names them.",
                make=_from_store(problems.tabulate_failed_runs),
                left_out={"latex": RECORD},
                form="alarm",
                of_sweep=True,
            ),
            Section(
                "problems",
                "Damaged files",
                "What they hold is not in this report.",
                make=_from_store(problems.tabulate_problems),
                left_out={"latex": RECORD},
                form="alarm",
                of_sweep=True,
            ),
        ),
    ),
)


def find_parts(form: Format, report: Report) -> Iterator[tuple[Part, tuple[Section, ...]]]:
    """Give each part with those of its sections that a format shows, in reading order."""
    for part in PARTS:
        yield part, tuple(section for section in part.sections if section.is_in(form, report))


def list_of_sweep() -> list[Section]:
    """List the sections that are printed at the end of a sweep."""
    return [section for part in PARTS for section in part.sections if section.of_sweep]


def find_sheets(form: Format, report: Report) -> Iterator[Sheet]:
    """Give the tables that a format shows, in reading order; none that the report cannot have."""
    for _, sections in find_parts(form, report):
        for section in sections:
            if (sheet := section.build(report, for_programs=form == "csv")) is not None:
                yield sheet


def draw_all(report: Report) -> list[Figure]:
    """Draw the figures of every section, in reading order; without those that cannot be drawn."""
    drawn = [figure for part in PARTS for one in part.sections for figure in one.draw(report)]
    return [figure for figure in drawn if figure.svg]
