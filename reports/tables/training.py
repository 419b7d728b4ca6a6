"""Steps, loss and speed of each training run."""

from core.contract.facts import TrainFacts
from reports.store.model import StoreView
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
    rows = [
        (
            *(a.language, a.about.producer or "", a.key[:8]),
            *(of.rows, of.steps, of.loss_first, of.loss_last, of.eval_loss, of.fill),
            *(of.supervised_tokens, of.tokens_per_second, of.mfu, of.memory_gb, of.precision),
        )
        for a in view.list_with_facts(TrainFacts)
        for of in (a.facts,)
    ]
    return Sheet(columns, tuple(rows))
