"""The tables of each language, and what is told of chance and content."""

from reports.figures import gallery
from reports.parts.making import make_from_panels
from reports.parts.omissions import DETAIL, FEW, LONG, MANY, MANY_LANGUAGES, NO_PARALLEL, SCORES
from reports.report import Report
from reports.section import Part, Section
from reports.tables import answers, flips, item_groups, kinds, scores


def _keep_shown(report: Report) -> list[kinds.KindGains]:
    """Keep of the gains by kind those of the one producer that is shown."""
    return [one for one in report.kind_gains if one.producer == report.results.shown]


def _list_shown(report: Report) -> list[str]:
    """List the one producer that is shown where only one has room."""
    return [report.results.shown] if report.results.shown else []


LANGUAGES = Part(
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
                else scores.tabulate_imported_scores(report.everything)
            ),
            left_out={"terminal": SCORES, "markdown": SCORES, "latex": SCORES, "html": SCORES},
        ),
        Section(
            "gains",
            "Gains over base",
            "Every gain over base on the same items, with its interval and its test.",
            make=make_from_panels(scores.tabulate_gains),
            left_out={"terminal": SCORES, "markdown": SCORES, "latex": SCORES, "html": SCORES},
        ),
        Section(
            "warnings",
            "Warnings",
            "What to know before one believes a score.",
            make=make_from_panels(scores.tabulate_warnings),
            left_out={"terminal": SCORES, "markdown": SCORES, "latex": SCORES, "html": SCORES},
        ),
    ),
    each_language=True,
)

CHANCE = Part(
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
            make_file=lambda report: flips.tabulate_flips(report.results, report.results.trained),
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
)
