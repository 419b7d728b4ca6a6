"""Steps, loss and speed of each training run."""

from reports.store.model import StoreView
from reports.tables.facts import get_about, get_number
from reports.tables.sheet import KEY, LANGUAGE, PRODUCER, Column, Sheet


def tabulate_training(view: StoreView) -> Sheet:
    """Each training run: steps, loss (nats per supervised token), speed."""
    columns = (
        LANGUAGE,
        PRODUCER,
        KEY,
        Column("rows", "Rows", numeric=True),
        Column("steps", "Steps", numeric=True),
        Column("loss_first", "First loss", ".3f", numeric=True),
        Column("loss_last", "Last loss", ".3f", numeric=True),
        Column("eval_loss", "Validation loss", ".3f", numeric=True),
        Column("fill", "Fill", ".1%", numeric=True),
        Column("supervised_tokens", "Supervised tokens", numeric=True, spare=True),
        Column("tokens_per_second", "Tokens/s", ",.0f", numeric=True),
        Column("mfu", "MFU", ".1%", numeric=True),
        Column("memory_gb", "Memory (GB)", ".1f", numeric=True),
        Column("precision", "Precision"),
    )
    losses = ("loss_first", "loss_last", "eval_loss")
    speed = ("supervised_tokens", "tokens_per_second", "mfu", "memory_gb")
    names = ("rows", "steps", *losses, "fill", *speed)
    rows = [
        (
            *(get_about(a, "language"), get_about(a, "producer"), a.key[:8]),
            *(get_number(a.facts, name) for name in names),
            str(a.facts.get("precision", "")) or None,
        )
        for a in view.stage("train")
    ]
    return Sheet(columns, tuple(rows))
