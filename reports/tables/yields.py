"""The steps of each source: rows asked for, kept and lost."""

from core.contract.facts import SourceFacts
from reports.store.model import StoreView
from reports.tables.sheet import KEY, LANGUAGE, Column, Sheet, Value


def tabulate_yields(view: StoreView) -> Sheet:
    """List what each step of a source asked for and kept, then the rows that it wrote.

    `asked`, `answered` and `parsed` count requests, `kept` what the step handed on; `lost` names
    each reason with its count.
    """
    columns = (
        LANGUAGE,
        Column("source", "Source"),
        KEY,
        Column("step", "Step"),
        Column("asked", "Asked", numeric=True),
        Column("answered", "Answered", numeric=True),
        Column("parsed", "Parsed", numeric=True),
        Column("kept", "Kept", numeric=True),
        Column("lost", "Lost", prose=True),
    )
    rows: list[tuple[Value, ...]] = []
    for a in view.list_with_facts(SourceFacts):
        source = a.about.source or ""
        head = (a.language, source, a.key[:8])
        for step in a.facts.steps:
            numbers = (step.asked, step.answered, step.parsed, step.kept)
            lost = ", ".join(f"{reason} {count}" for reason, count in step.reasons.items())
            rows.append((*head, step.step.removeprefix(f"{source}."), *numbers, lost))
        rows.append((*head, "written", None, None, None, a.facts.rows, ""))
    return Sheet(columns, tuple(rows))
