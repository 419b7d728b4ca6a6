"""The table of contents of every report: its parts in reading order; `parts/` has their sections.

A new table is a file of its own in `reports/tables/`, and an entry in a part. All formats then show
it, unless `left_out` says which does not, and why.
"""

from collections.abc import Iterator

from reports.figures.svg import Figure
from reports.parts.languages import CHANCE, LANGUAGES
from reports.parts.mixtures import MIXTURES, SEEDS
from reports.parts.overview import FIGURES, GLANCE, OVERVIEW, SIDE_BY_SIDE
from reports.parts.record import COST, DATA, EACH_SCORE, PROBLEMS, PROVENANCE, TRAINING
from reports.parts.study import PREFERENCE
from reports.report import Report
from reports.section import Format, Part, Section
from reports.tables.sheet import Sheet

PARTS: tuple[Part, ...] = (
    GLANCE,
    OVERVIEW,
    FIGURES,
    SIDE_BY_SIDE,
    SEEDS,
    MIXTURES,
    LANGUAGES,
    CHANCE,
    PREFERENCE,
    EACH_SCORE,
    DATA,
    TRAINING,
    COST,
    PROVENANCE,
    PROBLEMS,
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
