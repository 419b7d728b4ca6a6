"""The figures of each section of a report. Each function draws those that the report has."""

from dataclasses import replace

from reports.figures import (
    answers,
    cost,
    forest,
    heatmap,
    measures,
    mixture,
    on_the_way,
    preference,
    scatter,
    subsets,
    surface,
    training,
)
from reports.figures.svg import Figure
from reports.report import Report
from reports.tables.answers import tabulate_mean_answers
from reports.tables.cost import tabulate_cost_by_language
from reports.tables.kinds import KindGains
from reports.tables.subsets import tabulate_subsets


def draw_comparisons(report: Report) -> list[Figure]:
    """Draw what languages and producers have in common.

    Where only one producer has room, it is the one of `Results.shown`; each caption names it.
    """
    results, shown = report.results, report.results.shown
    if shown is None:
        return []
    found = [heatmap.draw_task(results, task) for task in results.tasks]
    means = subsets.draw_subsets(tabulate_subsets(report.members, report.ranking), results.bases)
    return [*draw_producer(report, shown), *(one for one in (*found, means) if one)]


def draw_producer(report: Report, producer: str) -> list[Figure]:
    """Draw the gains and scores of one producer over languages, task by task."""
    results = report.results
    # Names differ between the producers of a page; those of the one that is shown are plain.
    mark = "" if producer == results.shown else f"-{results.trained.index(producer) + 1}"
    correlations = {(c.task, c.producer): c.found for c in report.correlations}
    drawn: list[Figure | None] = []
    for task in results.tasks:
        found = [
            v for v in report.verdicts if (v.result.task, v.result.producer) == (task, producer)
        ]
        if found:
            related = correlations[task, producer]
            drawn.append(scatter.draw_scatter(task, producer, found, related, mark))
            drawn.append(forest.draw_forest(task, producer, found, mark))
    drawn.append(heatmap.draw_producer(results, producer, mark))
    return [replace(figure, producer=producer) for figure in drawn if figure]


def draw_answers(report: Report) -> list[Figure]:
    """Draw the share of each answer, one figure a task."""
    return answers.draw_answers(tabulate_mean_answers(report.answer_shares))


def draw_measures(report: Report) -> list[Figure]:
    """Draw the gains of the producer of `Results.shown` over each measure of languages."""
    shown = [one for one in report.kind_gains if one.producer == report.results.shown]
    by_kind: dict[str, list[KindGains]] = {}
    for one in shown:
        if one.kind.is_measure:
            by_kind.setdefault(one.kind.name, []).append(one)
    drawn = [measures.draw_measure(found) for found in by_kind.values()]
    return [found for found in drawn if found]


def draw_studies(report: Report) -> list[Figure]:
    """Draw what native speakers preferred, of all studies in one figure."""
    found = preference.draw_studies(report.studies)
    return [found] if found else []


def draw_mixtures(report: Report) -> list[Figure]:
    """Draw gains over the size and over the sources of the training data."""
    if report.view is None:
        return []
    found = [
        mixture.draw_over_size(report.results),
        *mixture.draw_over_shares(report.results, report.view),
    ]
    return [figure for figure in found if figure]


def draw_surface(report: Report) -> list[Figure]:
    """Draw the predicted gain around the best mixture, where a surface was fitted."""
    fitted = report.surfaces and report.surfaces.whole
    return [surface.draw_traces(fitted)] if fitted else []


def draw_training(report: Report) -> list[Figure]:
    """Draw the curves of each training run."""
    return training.draw_curves(report.view) if report.view else []


def draw_on_the_way(report: Report) -> list[Figure]:
    """Draw the gains over the steps of each training run that kept checkpoints."""
    return on_the_way.draw_runs(report.runs_on_the_way)


def draw_cost(report: Report) -> list[Figure]:
    """Draw the cost of each language."""
    found = cost.draw_cost(tabulate_cost_by_language(report.view)) if report.view else None
    return [found] if found else []
