"""Names the trainings that tell most of which mixture is best, with the command that makes them."""

import shlex
from collections import defaultdict
from collections.abc import Mapping, Sequence

from reports.stats.next_runs import NextRun, expect_to_tell, suggest_runs
from reports.stats.surface import Surface
from reports.tables.sheet import Column, Sheet
from reports.tables.surface import Surfaces, describe_mixture


def tabulate_next_runs(found: Surfaces) -> Sheet | None:
    """Lists the trainings that would tell most of which mixture is best, for what they cost.

    None without a surface over all tasks. The command that makes them stands below.
    """
    surface = found.whole
    if surface is None:
        return None
    columns = (
        Column("mixture", "Mixture, of tokens", prose=True),
        Column("tokens", "Tokens", numeric=True),
        Column("gpu_hours", "GPU-hours", ".2f", numeric=True),
        Column("error", "Error left", ".0%", numeric=True),
        Column("per_gpu_hour", "Less per GPU-hour", ".1%", numeric=True),
    )
    if not expect_to_tell(surface):
        said = (
            "Nothing is in question any more: no run is advised."
            if len(surface.in_question) <= 1
            else "As many trainings again could set no mixture apart from the best: no run is "
            "advised. Only more items, languages or tokens could tell more."
        )
        return Sheet(columns, (), (said,))
    runs = suggest_runs(surface)
    rows = []
    before = 1.0
    for run in runs:
        hours = found.hours and found.hours * run.tokens
        rows.append(
            (
                describe_mixture(surface.sources, run.shares),
                *(round(run.tokens), hours, run.error, hours and (before - run.error) / hours),
            )
        )
        before = run.error
    paid = "" if found.dollars is None else f", which was paid {found.dollars:,.2f} USD for all"
    note = (
        "Each narrows most what is in question for its tokens, one after the other; a mixture that "
        "was trained before is trained from another seed. Error left: of the differences between "
        "the best and what cannot be told from it, after this run and those above. They cost "
        f"GPU-hours alone: their rows are there already, and no teacher is called{paid}."
    )
    return Sheet(columns, tuple(rows), (note, *_write_commands(found, surface, runs)))


def _write_commands(found: Surfaces, surface: Surface, runs: Sequence[NextRun]) -> list[str]:
    """Writes a command for each size, made of what was typed for the runs so far."""
    typed = shlex.split(found.command) or ["kakugo"]
    kept = [
        word
        for word in typed[1:]
        if word != "-m"
        and not word.lstrip("+").startswith(("sweep=", "mix=", "mix.", "matched.", "train.seed="))
    ]
    by_size: dict[int, list[str]] = defaultdict(list)
    for run in runs:
        weights = _compute_weights(surface.sources, run.shares, found.rows)
        by_size[round(run.tokens)].append(weights)
    commands = []
    for size, points in by_size.items():
        words = [
            "kakugo",
            "-m",
            *kept,
            "mix=blend",
            f"mix.weights={', '.join(dict.fromkeys(points))}",
        ]
        words += [f"matched.amount={size}", f"train.seed={len(surface.runs)}"]
        commands.append(f"Next: {shlex.join(words)}")
    return commands


def _compute_weights(
    sources: Sequence[str], shares: Sequence[float], tokens_per_row: Mapping[str, float]
) -> str:
    """Turns shares of tokens into weights of rows, as a mixture's settings take them."""
    rows = {s: share / tokens_per_row[s] for s, share in zip(sources, shares, strict=True) if share}
    most = max(rows.values())
    return "{" + ", ".join(f"{s}: {row / most:.3g}" for s, row in rows.items()) + "}"
