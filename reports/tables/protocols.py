"""With what each number must be repeated: prompt, data, engine, metric."""

from collections import Counter

from reports.store.model import Score, StoreView
from reports.tables.sheet import TASK, Column, Sheet, Value

_FIELDS = ("answers", "prompt", "system_prompt", "instructions", "shots")


def tabulate_protocols(view: StoreView) -> Sheet:
    """Every distinct way in which a score of the store came about, and how many scores have it."""
    columns = (
        TASK,
        Column("scores", "Scores", numeric=True),
        Column("shots", "Shots", numeric=True),
        Column("protocol", "Protocol", prose=True),
        *(
            Column(
                f"protocol_{name}",
                name.replace("_", " ").capitalize(),
                prose=name == "system_prompt",
            )
            for name in _FIELDS
        ),
        Column("data", "Data"),
        Column("split", "Split"),
        Column("repository", "Repository"),
        Column("revision", "Revision", code=True),
        Column("data_sha256", "Data SHA-256", code=True),
        Column("metric", "Metric"),
        Column("engine", "Engine"),
        Column("precision", "Precision"),
        Column("shares_prefix", "Shares prefix"),
        Column("engine_settings", "Engine settings"),
    )
    counts = Counter(_row(score) for score in view.scores.values())
    rows = tuple(
        (row[0], counts[row], *row[1:])
        for row in sorted(counts, key=lambda row: tuple(map(str, row)))
    )
    return Sheet(columns, rows)


def _row(score: Score) -> tuple[Value, ...]:
    engine = score.engine
    return (
        *(score.task, score.shots, score.protocol),
        *(score.protocol_fields.get(name) or None for name in _FIELDS),
        *(score.data_name, score.split, score.repository or None, score.revision or None),
        score.data_sha256[:16] or None,
        score.signature or score.metric,
        f"{engine.name} {engine.version}" if engine else None,
        engine.precision if engine else None,
        ("yes" if engine.shares_prefix else "no") if engine else None,
        (", ".join(f"{k} {v}" for k, v in engine.settings.items()) or None) if engine else None,
    )
