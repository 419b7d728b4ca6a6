"""A checkpoint's model card with what was only known after it was written: its scores and cost."""

from collections.abc import Iterator

from core.contract.facts import AverageFacts, Facts, KeptFacts
from core.contract.names import CARD
from reports import words
from reports.errors import CheckpointNotFoundError
from reports.outputs.markdown import draw_grid, escape, write_scores
from reports.store.model import StoredArtifact, StoreView
from reports.tables.panels import Panel, build_panels

SCORES = "\n## Scores\n"


def write_card(view: StoreView, name: str) -> str:
    """Write the card that training wrote, with its scores, and with what it cost to make.

    `name` is the checkpoint's key, the beginning of it, or a producer's name that only one has;
    "" where the store holds a single one. Raises CheckpointNotFoundError.
    """
    checkpoint = _find(view, name)
    card_file = _find_run(view, checkpoint).folder / CARD
    try:
        written = card_file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise CheckpointNotFoundError(
            f"{card_file} cannot be read ({error}).\n"
            "Remedy: the run's own command makes the checkpoint again."
        ) from None
    # Training's own words on scores stand last; what comes before is kept as it is.
    card, _, _ = written.rpartition(SCORES)
    parts = [card.strip() or written.strip(), *_describe_weights(checkpoint.facts), "## Scores"]
    panels = build_panels(view, checkpoint.key)
    for panel in panels:
        parts += [f"{escape(panel.language.name)}, {_write_protocol(panel)}.", write_scores(panel)]
        notes = "\n".join(f"- {escape(note)}" for note in panel.notes)
        parts += [notes] if notes else []
    parts.append(words.GAIN_NOTE if panels else "None was computed yet.")
    return "\n\n".join([*parts, "## Cost", _write_cost(view, checkpoint)]) + "\n"


def _find_run(view: StoreView, checkpoint: StoredArtifact[Facts]) -> StoredArtifact[Facts]:
    """Find the training whose card a checkpoint has: of one on its way, or of a mean, the run's."""
    if isinstance(checkpoint.facts, KeptFacts | AverageFacts):
        return view.find(Facts, checkpoint.manifest.find_key("train")) or checkpoint
    return checkpoint


def _describe_weights(facts: Facts) -> Iterator[str]:
    """Say of which steps the weights are, where they are not those of the run's end."""
    match facts:
        case KeptFacts(step=step, steps=steps):
            which = f"those behind step {step:,} of {steps:,}"
        case AverageFacts(averaged_steps=averaged):
            which = f"the mean of those behind steps {', '.join(f'{one:,}' for one in averaged)}"
        case _:
            return
    yield f"The weights are {which} of this training; its losses are those of its end."


def _find(view: StoreView, name: str) -> StoredArtifact[Facts]:
    trained = view.trained
    found = [a for a in trained if a.key.startswith(name) or name in (a.about.producer, a.label)]
    if len(found) == 1:
        return found[0]
    if not trained:
        raise CheckpointNotFoundError(
            "the store holds no trained checkpoint, and a card is of one.\n"
            "Remedy: train one (`kakugo`), or name its store with --store DIR."
        )
    what = f"{len(found)} checkpoints answer to {name!r}" if found else f"no checkpoint is {name!r}"
    listed = "".join(f"\n  {a.key[:12]}  {a.label}" for a in found or trained)
    raise CheckpointNotFoundError(f"{what}.\nRemedy: one of these keys:{listed}")


def _write_protocol(panel: Panel) -> str:
    found = {cell.score.full_protocol for row in panel.rows for cell in row.others if cell.score}
    return escape("; ".join(sorted(found)))


def _write_cost(view: StoreView, checkpoint: StoredArtifact[Facts]) -> str:
    """Time and money of the checkpoint and of everything it was made of, by stage."""
    stages: dict[str, list[StoredArtifact[Facts]]] = {}
    for artifact in _list_ancestors(view, checkpoint):
        stages.setdefault(artifact.stage, []).append(artifact)
    lines = []
    for stage, found in stages.items():
        prices = [a.manifest.cost_usd for a in found]
        known = sum(price for price in prices if price is not None)
        price = "unknown" if None in prices else f"{known:,.2f}"
        lines.append([escape(stage), f"{sum(a.manifest.seconds for a in found):,.0f}", price])
    return draw_grid(["Stage", "Seconds", "US dollars"], [False, True, True], lines)


def _list_ancestors(
    view: StoreView, artifact: StoredArtifact[Facts]
) -> Iterator[StoredArtifact[Facts]]:
    """Give each artifact that this one was made of once, inputs first, and then itself."""
    seen: dict[tuple[str, str], StoredArtifact[Facts]] = {}

    def visit(one: StoredArtifact[Facts]) -> None:
        for needed in one.manifest.inputs:
            made = view.artifacts.get(needed.stage, {}).get(needed.key)
            if made and (needed.stage, needed.key) not in seen:
                visit(made)
        seen[one.stage, one.key] = one

    visit(artifact)
    return iter(seen.values())
