"""The pieces of which a report is declared: parts, and in each part sections.

A section is a table, or figures, or both. It knows nothing of the formats but which of them leave
it out and why; each writer shows whatever sections it is given.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from reports.figures.svg import Figure
from reports.report import Report
from reports.tables.sheet import Sheet

Format = Literal["terminal", "markdown", "csv", "latex", "html"]
FORMATS: tuple[Format, ...] = ("terminal", "markdown", "csv", "latex", "html")
Form = Literal["table", "reasons", "alarm"]
"""How people see it. "reasons": cells by their reason, where a screen is short of room. "alarm":
lines that nobody may overlook; the page shows them above everything else."""


def _is_always_shown(report: Report) -> bool:
    return True


def _draw_nothing(report: Report) -> Sequence[Figure]:
    return ()


@dataclass(frozen=True)
class Omission:
    """The reason why a format leaves a section out. `applies` tells of which reports it does."""

    why: str
    applies: Callable[[Report], bool] = _is_always_shown


@dataclass(frozen=True)
class Section:
    """One table of a report, its figures, or both.

    `name` is the table's file name without its ending, and its anchor on the page and in LaTeX.
    `says` tells in a sentence what a reader learns from it.
    """

    name: str
    title: str
    says: str
    make: Callable[[Report], Sheet | None] | None = None
    """Makes the table; None for a report that cannot have it, such as one without a store."""
    make_file: Callable[[Report], Sheet | None] | None = None
    """Makes the table of the CSV file, where programs want other columns than people."""
    draw: Callable[[Report], Sequence[Figure]] = _draw_nothing
    """Draws the figures that stand above the table."""
    draw_each: Callable[[Report, str], Sequence[Figure]] | None = None
    """Draws those of its figures that are of one producer, for a page that lets a reader choose."""
    left_out: Mapping[Format, Omission] = field(default_factory=dict)
    form: Form = "table"
    of_sweep: bool = False
    """Whether it is printed at the end of a sweep, where its members are compared."""
    folded: bool = False
    """Whether the page shows it closed, to be opened by those who look for it."""

    def is_in(self, form: Format, report: Report) -> bool:
        """Tell whether a format shows this section of a report."""
        omission = self.left_out.get(form)
        return omission is None or not omission.applies(report)

    def build(self, report: Report, for_programs: bool = False) -> Sheet | None:
        """Make the table under the section's name and title; None where there is none."""
        make = (self.make_file or self.make) if for_programs else self.make
        which = (self.name, make is self.make_file)
        if which not in report.kept:
            sheet = make(report) if make else None
            report.kept[which] = sheet and replace(sheet, name=self.name, title=self.title)
        return report.kept[which]


@dataclass(frozen=True)
class Part:
    """Sections under one heading, which is a line of the page's contents.

    `name` is its anchor, `opening` a sentence below the heading. `each_language`: here stand the
    score tables of each language, which no section makes, since their form is their own.
    """

    name: str
    title: str
    sections: tuple[Section, ...]
    opening: str = ""
    each_language: bool = False
