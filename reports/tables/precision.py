"""Each score by itself: its interval, the least gain that a test would find, and chance."""

from reports.stats.intervals import compute_minimum_detectable
from reports.store.model import Score
from reports.tables.habits import compute_p_above, read_habits
from reports.tables.human_scores import find_peoples_score, note_people
from reports.tables.panels import Panel, TableCell
from reports.tables.sheet import LANGUAGE, PRODUCER, TASK, Column, Sheet, Value

NOTE = (
    "95% interval: Wilson's, wider where items share a passage; for chrF++ a bootstrap over "
    "sentences. The intervals of two scores may overlap and the gain be real all the same: gains "
    "are tested on the same items. Detectable: the smallest gain over base that the test finds in "
    "80% of cases. Majority: the accuracy of always giving the most frequent right answer; a score "
    "below it needs no reading of the questions, even above chance. Said most: the answer given "
    "most often, and in how many percent of items. Balanced: the mean over labels of the share of "
    "their items that are right; it is chance for any answer given always."
)


def tabulate_precision(panels: tuple[Panel, ...]) -> Sheet:
    """Every result with its interval (0-100), its chance level and the one-sided p above it."""
    columns = (
        LANGUAGE,
        TASK,
        PRODUCER,
        Column("score", "Score", ".1f", numeric=True),
        Column("low", "95% from", ".1f", numeric=True),
        Column("high", "95% to", ".1f", numeric=True),
        Column("n", "n", numeric=True),
        Column("detectable", "Detectable", ".1f", numeric=True),
        Column("chance", "Chance", ".1f", numeric=True),
        Column("p_chance", "p, above chance", "p", numeric=True),
        Column("people", "People", ".1f", numeric=True),
        Column("majority", "Majority", ".1f", numeric=True),
        Column("p_majority", "p, above majority", "p", numeric=True),
        Column("said_most", "Said most"),
        Column("said_most_share", "of items", ".1f", numeric=True),
        Column("balanced", "Balanced", ".1f", numeric=True),
    )
    rows = tuple(
        (panel.language.name, row.task, cell.producer, *_take_numbers(cell))
        for panel in panels
        for row in panel.rows
        for cell in row.cells
        if cell.score
    )
    tasks = dict.fromkeys(row.task for panel in panels for row in panel.rows)
    return Sheet(columns, rows, notes=(NOTE, *note_people(tasks)))


def _take_numbers(cell: TableCell) -> tuple[Value, ...]:
    score, gain = cell.score, cell.gain
    assert score
    chance = score.chance if score.metric == "accuracy" else None
    low, high = cell.interval or (None, None)
    return (
        *(score.score, low, high, score.n),
        compute_minimum_detectable(gain.stderr) if gain and gain.stderr else None,
        chance,
        None if chance is None else compute_p_above(score, chance),
        find_peoples_score(score.task),
        *_take_habits(score),
    )


def _take_habits(score: Score) -> tuple[Value, ...]:
    found = read_habits(score)
    if found is None:
        return (None,) * 5
    rate = found.majority_rate
    return rate, compute_p_above(score, rate), found.said, found.said_share, found.balanced
