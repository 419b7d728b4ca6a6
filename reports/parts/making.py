"""Makes a section's table from the part of a report that it needs; none where it has none."""

from collections.abc import Callable, Sequence

from reports.report import Report
from reports.store.model import StoreView, Study
from reports.tables import surface, worth
from reports.tables.panels import Panel
from reports.tables.sheet import Sheet


def make_from_store(make: Callable[[StoreView], Sheet]) -> Callable[[Report], Sheet | None]:
    """Give a table of a store's stages; an imported table has none."""
    return lambda report: make(report.view) if report.view else None


def make_from_panels(
    make: Callable[[tuple[Panel, ...]], Sheet],
) -> Callable[[Report], Sheet | None]:
    """Give a table of a store's scores; an imported table has none."""
    return lambda report: make(report.panels) if report.view else None


def make_from_gains(
    make: Callable[[Sequence[worth.Worth]], Sheet],
) -> Callable[[Report], Sheet | None]:
    """Give a table of gains and what they cost; an imported table has no costs."""
    return lambda report: (
        make(worth.find_worth(report.view, report.results)) if report.view else None
    )


def make_from_surfaces(
    make: Callable[[surface.Surfaces], Sheet | None],
) -> Callable[[Report], Sheet | None]:
    """Give a table of the surfaces over mixtures; a report of fewer than three has none."""
    return lambda report: make(report.surfaces) if report.surfaces else None


def make_from_studies(make: Callable[[Sequence[Study]], Sheet]) -> Callable[[Report], Sheet | None]:
    """Give a table of blind studies; a report without any has none."""
    return lambda report: make(report.studies) if report.studies else None
