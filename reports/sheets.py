"""Every table of a report, in the order in which a reader wants them."""

from reports import score_sheets, stage_sheets
from reports.model import StoreView
from reports.sheet import Sheet
from reports.table import Panel


def all_sheets(view: StoreView, panels: tuple[Panel, ...]) -> list[Sheet]:
    """The tables in the order in which a reader wants them."""
    return [
        score_sheets.scores(panels),
        score_sheets.gains(panels),
        score_sheets.gaps(panels),
        score_sheets.warnings(panels),
        stage_sheets.yields(view),
        stage_sheets.mixture(view),
        stage_sheets.training(view),
        stage_sheets.cost(view),
        stage_sheets.provenance(view),
        score_sheets.failed_runs(view),
        score_sheets.problems(view),
    ]
