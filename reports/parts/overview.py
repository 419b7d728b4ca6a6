"""The parts on top of a report: the gain at a glance, means, ranks and figures over languages."""

from reports.figures import gallery
from reports.parts.omissions import (
    ALONE,
    DETAIL,
    LONG,
    PAIR,
    PAIRS,
    PANELS,
    PRINTED,
    RECORD,
    TEXT,
    TWICE,
    WIDE,
)
from reports.section import Part, Section
from reports.tables import (
    before_after,
    correlations,
    coverage,
    glance,
    ranking,
    scores,
    subsets,
    suites,
    summary,
    wins,
)

GLANCE = Part(
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
)

OVERVIEW = Part(
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
            "retention",
            "What is kept of English",
            "What base and trained checkpoints know in English, before and after.",
            make=lambda report: (
                summary.describe_means(report.retained_means) if report.retained.rows else None
            ),
            make_file=lambda report: report.retained_means if report.retained.rows else None,
        ),
        Section(
            "bits_per_byte",
            "Bits per byte",
            "How well each checkpoint foresees whole texts, and what training changed.",
            make=lambda report: report.bits_per_byte,
        ),
        Section(
            "seahelm",
            "SEA-HELM without judges",
            "The totals of SEA-HELM's pillars and languages, with the members that they are of.",
            make=lambda report: suites.tabulate_totals(report.everything),
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
            make=lambda report: coverage.tabulate_coverage(report.everything),
            left_out={"terminal": DETAIL, "markdown": ALONE, "html": ALONE},
        ),
        Section(
            "gaps",
            "Cells without a result",
            "Each score that is missing, and why.",
            make=lambda report: (
                scores.tabulate_gaps(report.panels)
                if report.view
                else scores.tabulate_imported_gaps(report.everything)
            ),
            left_out={"terminal": PRINTED, "markdown": PANELS, "latex": RECORD, "html": ALONE},
            form="reasons",
            of_sweep=True,
        ),
    ),
)

FIGURES = Part(
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
)

SIDE_BY_SIDE = Part(
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
)
