"""`kakugo plan=true`: what the teacher will be asked and what it will cost."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from generation.context import read_texts
from generation.corpus import is_hub
from generation.estimate import (
    ENGLISH_CHARACTERS_PER_TOKEN,
    PAPER_CALLS,
    PAPER_USD,
    StepPlan,
    plan_steps,
)
from generation.settings import SOURCES
from generation.teacher.ledger import Ledger
from harness.config import Config, MakingConfig
from harness.experiment import plan_experiment
from harness.stage import Work
from harness.stages.base import make_base_stage
from harness.stages.sources import ask_teacher, find_ledger
from harness.store import Store
from harness.students import StudentTokens

# Where there are no texts to measure it on.
_USUAL_FERTILITY = 2.0
_MEASURED_TEXTS = 200


def show_forecast(config: Config, ledgers: Path, store: Store, out: Console) -> None:
    """Prints the plan of the whole run, after a pilot where one is asked for."""
    if not isinstance(config, MakingConfig):
        out.print("No data is made: no teacher is asked, and nothing is paid.")
        return
    if config.pilot:
        _run_pilot(config, ledgers, store)
    tokens = None
    if config.student.kind != "hub":  # which would first be fetched
        tokens = StudentTokens(store.build(make_base_stage(config.student)))
    steps, origin = forecast_steps(config, find_ledger(config, ledgers), tokens)
    print_forecast(config, steps, origin, out)


def announce(config: MakingConfig, ledgers: Path, out: Console) -> None:
    """Says in one line what the teacher will be asked, before it is paid."""
    steps, _ = forecast_steps(config, find_ledger(config, ledgers), None)
    usd, budget = _sum_usd(steps), config.teacher.budget_usd
    calls = sum(step.calls for step in steps)
    out.print(
        f"The teacher is asked at most {calls:,} calls, "
        + ("of unknown price" if usd is None else f"about ${usd:,.2f}")
        + (", without a budget" if budget is None else f", within a budget of ${budget:,.2f}")
        + " (plan=true says more).",
        highlight=False,
        soft_wrap=True,
    )


def _run_pilot(config: MakingConfig, ledgers: Path, store: Store) -> None:
    for stage in plan_experiment(replace(config, stop_after="sources"), ledgers).taught:
        inputs = {role: store.build(needed) for role, needed in stage.inputs.items()}
        progress = store.watcher.show_started(stage, resumed=False)
        done = False
        try:
            with TemporaryDirectory() as nowhere:
                work = Work(Path(nowhere), inputs, progress)
                ask_teacher(stage.settings, work, config.pilot)
            done = True
        finally:
            store.watcher.show_stopped(stage, as_asked=done)


def forecast_steps(
    config: MakingConfig, ledger: Path, tokens: StudentTokens | None
) -> tuple[list[StepPlan], str]:
    """Estimates the plan of each step, and says where the fertility comes from.

    `tokens` counts text by the student's tokens, or is None where the student is not at hand.
    """
    language, teacher, sources = config.language, config.teacher, config.sources
    texts, sample = None, []
    location = sources.context.texts
    if "context" in config.mix.needed and not is_hub(location):
        sample = read_texts(location, language=language.name, flores_code=language.flores_code)
        texts = len(sample)
    fertility, origin = _measure_fertility(sample, tokens)
    known = {}
    if ledger.is_file():
        with Ledger(ledger) as book:
            known = book.count_samples(teacher.name)
    steps = plan_steps(
        sources,
        {name: 1.0 for name in config.mix.needed if name in SOURCES},
        texts=texts,
        conversations=_count_lines(sources.translated.conversations),
        fertility=fertility,
        price=teacher.price,
        discount=teacher.batch.discount if teacher.batch.dialect else 0.0,
        samples=known,
    )
    return steps, origin


def print_forecast(
    config: MakingConfig, steps: Sequence[StepPlan], origin: str, out: Console
) -> None:
    """Prints a table of the steps, their sum, and the paper's figures beside it."""
    table = Table(
        title=escape(f"{config.language.name}, taught by {config.teacher.name}"), box=None
    )
    table.add_column("step", no_wrap=True)
    for column in ("calls", "there", "tokens in", "out", "dollars"):
        table.add_column(column, justify="right", no_wrap=True)
    table.add_column("from", no_wrap=True)
    for step in steps:
        measured = f"{step.measured:,} calls" if step.measured else "assumed"
        table.add_row(step.step, *_write_numbers([step]), measured)
    table.add_section()
    table.add_row("[bold]all, at most[/bold]", *_write_numbers(steps), "")
    out.print(table)
    calls = sum(step.calls for step in steps)
    out.print(
        f"Where tokens are not measured: English lengths, {origin}.",
        highlight=False,
        soft_wrap=True,
    )
    out.print(
        f"The paper: about {PAPER_CALLS:,} calls and under ${PAPER_USD:.0f} a language; this plan: "
        f"{calls:,} calls"
        + (
            f" and ${_sum_usd(steps):,.2f}."
            if _sum_usd(steps) is not None
            else ", dollars unknown."
        ),
        highlight=False,
        soft_wrap=True,
    )
    teacher = config.teacher
    if teacher.price is None:
        out.print(
            "Dollars need teacher.usd_per_million_input and teacher.usd_per_million_output.",
            highlight=False,
            soft_wrap=True,
        )
    if teacher.budget_usd is not None and (_sum_usd(steps) or 0) > teacher.budget_usd:
        out.print(
            f"[yellow]Over the budget of ${teacher.budget_usd:,.2f}: the run will stop there, with "
            "nothing lost.[/yellow]",
            highlight=False,
            soft_wrap=True,
        )
    if any(not step.measured for step in steps):
        out.print(
            "plan=true pilot=5 asks 5 calls of each step for real, keeps them, and measures.",
            highlight=False,
            soft_wrap=True,
        )


def _write_numbers(steps: Sequence[StepPlan]) -> list[str]:
    usd = _sum_usd(steps)
    return [
        f"{sum(step.calls for step in steps):,}",
        f"{sum(step.answered for step in steps):,}",
        _shorten(sum(step.tokens_input for step in steps)),
        _shorten(sum(step.tokens_output for step in steps)),
        "unknown" if usd is None else f"{usd:,.2f}",
    ]


def _shorten(number: int) -> str:
    if number >= 1e6:
        return f"{number / 1e6:,.1f} M"
    return f"{number / 1e3:,.0f} k" if number >= 1e4 else f"{number:,}"


def _sum_usd(steps: Sequence[StepPlan]) -> float | None:
    known = [step.usd for step in steps if step.usd is not None]
    return sum(known) if len(known) == len(steps) else None


def _measure_fertility(sample: list[str], tokens: StudentTokens | None) -> tuple[float, str]:
    """Measures student tokens per character, against English of the same length in characters."""
    if not sample or tokens is None:
        return _USUAL_FERTILITY, f"{_USUAL_FERTILITY:.1f} times as many in the language"
    texts = sample[:_MEASURED_TEXTS]
    per_character = sum(tokens.count(text) for text in texts) / max(1, sum(map(len, texts)))
    found = max(1.0, per_character * ENGLISH_CHARACTERS_PER_TOKEN)
    return found, (
        f"{found:.1f} times as many in the language (the student's tokens, in {len(texts)} texts)"
    )


def _count_lines(location: str | None) -> int | None:
    path = Path(location) if location and not is_hub(location) else None
    if path is None or not path.is_file():
        return None
    with path.open("rb") as lines:
        return sum(1 for line in lines if line.strip())
