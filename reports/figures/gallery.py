"""Every figure of a report, in the order in which a reader wants them."""

from collections.abc import Iterator

from reports.figures import cost, forest, heatmap, mixture, preference, scatter, subsets, training
from reports.figures.svg import Figure
from reports.tables.sheets import Report
from reports.tables.stage_sheets import cost_by_language


def over_languages(report: Report) -> list[Figure]:
    """What languages and producers have in common. Where only one producer has room, it is the
    one of `Results.shown`; each caption names it."""
    return [figure for figure in _over_languages(report) if figure]


def of_stages(report: Report) -> list[Figure]:
    """Mixtures and cost."""
    if report.view is None:
        return []
    found = [mixture.over_size(report.results), *mixture.over_shares(report.results, report.view)]
    found.append(cost.cost(cost_by_language(report.view)))
    return [figure for figure in found if figure]


def of_studies(report: Report) -> list[Figure]:
    """What native speakers preferred, of all studies in one figure."""
    found = preference.preferences(report.studies)
    return [found] if found else []


def every(report: Report) -> list[Figure]:
    """All, training curves too."""
    curves = training.curves(report.view) if report.view else []
    return [
        *over_languages(report),
        *of_studies(report),
        *of_stages(report),
        *(figure for _, _, figure in curves if figure),
    ]


def _over_languages(report: Report) -> Iterator[Figure | None]:
    results, shown = report.results, report.results.shown
    if shown is None:
        return
    correlations = {(c.task, c.producer): c.found for c in report.correlations}
    for task in results.tasks:
        found = [v for v in report.verdicts if (v.result.task, v.result.producer) == (task, shown)]
        if found:
            yield scatter.scatter(task, shown, found, correlations[task, shown])
            yield forest.forest(task, shown, found)
    yield heatmap.heatmap_of_producer(results, shown)
    for task in results.tasks:
        yield heatmap.heatmap_of_task(results, task)
    yield subsets.compare_subsets(report.subsets)
