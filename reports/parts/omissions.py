"""The reasons for which a format leaves a section out, and of which reports."""

from reports.report import Report
from reports.section import Omission
from reports.stats.languages import LEAST
from reports.tables import flips

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


def _has_no_other_scores(report: Report) -> bool:
    if _has_many_languages(report):
        return True
    sheet = report.other_scores
    names = [column.name for column in sheet.columns] if sheet else []
    places = [names.index(name) for name in ("spbleu", "comet") if name in names]
    rows = sheet.rows if sheet else ()
    return not any(row[place] is not None for row in rows for place in places)


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
NO_OTHER = Omission(
    "where neither was taken, which the page tells; or where there are many languages",
    _has_no_other_scores,
)
CROWDED = Omission(
    "where there are many languages: `--language NAME` prints it", _has_many_languages
)
