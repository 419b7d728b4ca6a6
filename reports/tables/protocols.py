"""The way to each number, without which it cannot be repeated: prompt, data, engine, metric."""

from collections import Counter
from dataclasses import fields

from core.contract.score import ProtocolFields
from reports.store.model import Score, StoreView
from reports.tables.sheet import TASK, Column, Sheet, Value

_FIELDS = tuple(field.name for field in fields(ProtocolFields))


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
    counts = Counter(_make_row(score) for score in view.scores.values())
    rows = tuple(
        (row[0], counts[row], *row[1:])
        for row in sorted(counts, key=lambda row: tuple(map(str, row)))
    )
    return Sheet(columns, rows)


def _make_row(score: Score) -> tuple[Value, ...]:
    engine, data, asked = score.engine, score.data, score.protocol_fields
    return (
        *(score.task, score.shots, score.protocol),
        *((getattr(asked, name) or None) if asked else None for name in _FIELDS),
        *(data.name, data.split, data.repository or None, data.revision or None),
        data.sha256[:16] or None,
        score.signature or score.metric,
        f"{engine.name} {engine.version or 'unknown'}" if engine else None,
        engine.precision if engine else None,
        ("yes" if engine.shares_prefix else "no") if engine else None,
        (", ".join(f"{k} {v}" for k, v in engine.settings.items()) or None) if engine else None,
    )
