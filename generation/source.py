"""Make one source of one language: the entry point that runs its steps and writes its rows."""

import asyncio
import hashlib
import json
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from generation.ask import Asker, Progress, Step
from generation.context import context_prompts, find_texts, read_texts
from generation.errors import InputError, TeacherError
from generation.prompts import load_prompts
from generation.respond import Row, respond
from generation.revise import revise
from generation.scenario import scenario_prompts
from generation.settings import Sources, Teacher
from generation.teacher.client import TeacherClient
from generation.teacher.ledger import Ledger
from generation.topic import topic_prompts
from generation.translated import find_conversations, translate

Source = Literal["topic", "scenario", "context", "translated"]


@dataclass(frozen=True)
class SourceFacts:
    """What became of a source.

    tokens_*, calls and cost_usd are of all its accepted responses, whenever they were paid; *_new
    are of this run, with calls_new counting every request sent, failed ones too. cost_usd is None
    without both prices, and 0 for the embedded teacher.
    """

    rows: int
    steps: list[Step]
    tokens_input: int
    tokens_output: int
    tokens_input_new: int
    tokens_output_new: int
    cost_usd: float | None
    calls: int
    calls_new: int


def make_source(
    source: Source,
    *,
    language: str,
    flores_code: str | None,
    settings: Sources,
    teacher: Teacher,
    prompts_file: Path,
    seed: int,
    ledger: Path,
    out: Path,
    count_tokens: Callable[[str], int],
    cut_tokens: Callable[[str, int], str],
    progress: Progress,
) -> SourceFacts:
    """Ask the teacher for what the ledger lacks and write out/rows.jsonl.

    Rows are {"id", "source", "messages", "reasoning", "provenance"}; a failed or missing
    generation is never a row. `cut_tokens(text, n)` gives the first n tokens' text. `progress` is
    told (done, total, note) of the current step. Each response is in the ledger as soon as it
    arrives, so an interrupted call, repeated, goes on from there and writes the same file.
    Raises a GenerationError for what a user can mend. One is that requests failed for reasons that
    may pass: nothing is written then, since another call would fill the holes. A request that the
    teacher refuses (HTTP 400) is no hole but a counted loss.
    """
    prompts = load_prompts(prompts_file, language=language, lists=teacher.lists)

    async def run() -> SourceFacts:
        with Ledger(ledger) as book:
            async with TeacherClient(teacher) as client:
                asker = Asker(
                    teacher=teacher,
                    prompts=prompts,
                    client=client,
                    ledger=book,
                    seed=seed,
                    progress=progress,
                )
                if source == "translated":
                    rows = translate(asker, settings.translated, count_tokens)
                else:
                    rows = _generated(
                        asker,
                        source,
                        settings,
                        language=language,
                        flores_code=flores_code,
                        cut_tokens=cut_tokens,
                    )
                written = await _write(_whole(rows, asker, source), out / "rows.jsonl")
            return SourceFacts(
                rows=written,
                steps=asker.steps,
                tokens_input=sum(step.tokens_input for step in asker.steps),
                tokens_output=sum(step.tokens_output for step in asker.steps),
                tokens_input_new=book.tokens_input,
                tokens_output_new=book.tokens_output,
                cost_usd=_sum([step.cost_usd for step in asker.steps]),
                calls=sum(step.answered for step in asker.steps),
                calls_new=book.appended,
            )

    return asyncio.run(run())


def input_hashes(
    source: Source,
    *,
    language: str,
    flores_code: str | None,
    settings: Sources,
    prompts_file: Path,
) -> dict[str, str]:
    """SHA-256 of each file that a source is made from, by its role, for an artifact's key."""
    files = {"prompts": prompts_file}
    if source == "context":
        texts = settings.context.texts
        files["texts"] = find_texts(texts, language=language, flores_code=flores_code)
    if source == "translated":
        files["conversations"] = find_conversations(settings.translated.conversations)
    try:
        return {role: _file_hash(path) for role, path in files.items()}
    except OSError as error:
        raise InputError(f"{error}. Remedy: see that the file can be read.") from error


async def _generated(
    asker: Asker,
    source: Source,
    settings: Sources,
    *,
    language: str,
    flores_code: str | None,
    cut_tokens: Callable[[str, int], str],
) -> AsyncIterator[Row]:
    if source == "topic":
        prompts = await topic_prompts(asker, settings.topic)
    elif source == "scenario":
        prompts = await scenario_prompts(asker, settings.scenario)
    else:
        texts = settings.context.texts
        corpus = read_texts(texts, language=language, flores_code=flores_code)
        prompts = await context_prompts(asker, settings.context, corpus, cut_tokens)
    prompts = await revise(asker, source, prompts, settings.revised_share)
    async for row in respond(asker, source, prompts):
        yield row


async def _whole(rows: AsyncIterator[Row], asker: Asker, source: Source) -> AsyncIterator[Row]:
    """The rows; then an error if the teacher may yet answer what they lack."""
    async for row in rows:
        yield row
    if asker.passing:
        reasons = ", ".join(f"{reason}: {n}" for reason, n in sorted(asker.passing.items()))
        raise TeacherError(
            f"{sum(asker.passing.values())} of {sum(step.asked for step in asker.steps)} requests "
            f"of the source {source!r} failed for reasons that may pass ({reasons}). Remedy: start "
            "the same command again: only these, and what follows from them, are asked. Where "
            "time-outs remain, raise teacher.timeout_s."
        )


async def _write(rows: AsyncIterator[Row], path: Path) -> int:
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f"{path.name}.tmp")
    written = 0
    with partial.open("w", encoding="utf-8") as file:
        async for row in rows:
            file.write(json.dumps(row, ensure_ascii=False) + "\n")
            written += 1
    partial.replace(path)
    return written


def _sum(costs: list[float | None]) -> float | None:
    known = [cost for cost in costs if cost is not None]
    return sum(known) if len(known) == len(costs) else None


def _file_hash(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
