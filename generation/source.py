"""Make one source of one language: the entry point that runs its steps and writes its rows."""

import asyncio
import json
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Literal

from core.contract.facts import SourceFacts
from core.contract.names import ROWS
from core.files import hash_file, making
from generation.ask import Asker, Progress
from generation.card import write_card
from generation.context import find_texts, make_context_prompts, read_texts
from generation.corpus import is_hub
from generation.errors import InputError, OutputError, TeacherError
from generation.items import Made
from generation.prompts import load_prompts
from generation.quality.inspection import Inspection
from generation.respond import respond
from generation.revise import revise
from generation.scenario import make_scenario_prompts
from generation.settings import Sources, Teacher
from generation.teacher.client import TeacherClient
from generation.teacher.ledger import Ledger
from generation.topic import make_topic_prompts
from generation.translated import find_conversations, translate

Source = Literal["topic", "scenario", "context", "translated"]


@dataclass(frozen=True)
class Order:
    """A source of one language as it was ordered: all that its requests depend on but the teacher.

    The FLORES code and the script decide which answers count as in the language.
    """

    source: Source
    language: str
    flores_code: str | None
    settings: Sources
    prompts_file: Path
    seed: int
    script: str | None = None


@dataclass(frozen=True)
class TokenMeasure:
    """Text by the student's tokens: how many it has, and the text of its first ones."""

    count: Callable[[str], int]
    cut: Callable[[str, int], str]


def make_source(
    order: Order,
    teacher: Teacher,
    *,
    ledger: Path,
    out: Path,
    tokens: TokenMeasure,
    progress: Progress,
    pilot: int | None = None,
    origins: Mapping[str, str] = MappingProxyType({}),
) -> SourceFacts:
    """Ask the teacher for what the ledger lacks and write out/rows.jsonl.

    Rows are {"id", "source", "messages", "reasoning", "provenance", "quality", "language"}; a
    failed or missing generation is never a row. `quality` names the checks that a row fails, and
    `language` is the one its answers were identified as, or null (see quality/inspection.py).
    `progress` is told (done, total, note) of the current step. Each response is in the ledger as
    soon as it arrives, so an interrupted call, repeated, goes on from there and writes the same
    files: rows.jsonl and the data set's card, which names the `origins` of its inputs. With
    `pilot`, at most so many requests of each step are asked and nothing is written but the ledger.
    Raises a GenerationError for what a user can mend. One is that requests failed for reasons that
    may pass: nothing is written then, since another call would fill the holes. A request that the
    teacher refuses (HTTP 400) is no hole but a counted loss.
    """
    source, language, settings = order.source, order.language, order.settings
    prompts = load_prompts(order.prompts_file, language=language, lists=teacher.lists)
    inputs = hash_inputs(order)
    inspection = Inspection(
        settings.quality,
        language=language,
        flores_code=order.flores_code,
        script=order.script,
        wordings=prompts.list_wordings(),
    )

    async def run() -> SourceFacts:
        with Ledger(ledger) as book:
            async with TeacherClient(teacher) as client:
                asker = Asker(
                    teacher=teacher,
                    prompts=prompts,
                    client=client,
                    ledger=book,
                    seed=order.seed,
                    progress=progress,
                    pilot=pilot,
                )
                if source == "translated":
                    rows = translate(asker, settings.translated, tokens.count)
                else:
                    rows = _generate_rows(asker, order, tokens)
                if pilot is None:
                    whole = _check_whole(rows, asker, source)
                    async with aclosing(whole):
                        written = await _write(whole, inspection, out / ROWS)
                else:
                    written = sum([1 async for _ in rows])
                quality = inspection.make_facts()
                # The last step made the rows; what was asked to be left out is its loss.
                step = asker.steps[-1]
                step.kept = written
                for reason, count in quality.dropped.items():
                    step.lose(reason, count)
            facts = SourceFacts(
                rows=written,
                steps=tuple(step.make_facts() for step in asker.steps),
                tokens_input=sum(step.tokens_input for step in asker.steps),
                tokens_output=sum(step.tokens_output for step in asker.steps),
                tokens_input_new=book.tokens_input,
                tokens_output_new=book.tokens_output,
                cost_usd=_sum_costs([step.cost_usd for step in asker.steps]),
                calls=sum(step.answered for step in asker.steps),
                calls_new=book.appended,
                quality=quality,
            )
            if pilot is not None:
                return facts
            write_card(
                out,
                source,
                language=language,
                flores_code=order.flores_code,
                teacher=teacher.name,
                seed=order.seed,
                inputs=inputs,
                origins=origins,
                facts=facts,
            )
            return facts

    return asyncio.run(run())


def hash_inputs(order: Order) -> dict[str, str]:
    """SHA-256 of each file that a source is made from, by its role, for an artifact's key.

    Data sets of the Hub are no files here: see corpus.py.
    """
    source, settings = order.source, order.settings
    files = {"prompts": order.prompts_file}
    if source == "context" and not is_hub(settings.context.texts):
        texts = settings.context.texts
        files["texts"] = find_texts(texts, language=order.language, flores_code=order.flores_code)
    if source == "translated" and not is_hub(settings.translated.conversations):
        files["conversations"] = find_conversations(settings.translated.conversations)
    try:
        return {role: hash_file(path) for role, path in files.items()}
    except OSError as error:
        raise InputError(f"{error}. Remedy: see that the file can be read.") from error


async def _generate_rows(
    asker: Asker, order: Order, tokens: TokenMeasure
) -> AsyncGenerator[Made, None]:
    source, settings = order.source, order.settings
    if source == "topic":
        prompts = await make_topic_prompts(asker, settings.topic)
    elif source == "scenario":
        prompts = await make_scenario_prompts(asker, settings.scenario)
    else:
        texts = settings.context.texts
        corpus = read_texts(texts, language=order.language, flores_code=order.flores_code)
        prompts = await make_context_prompts(asker, settings.context, corpus, tokens.cut)
    prompts = await revise(asker, source, prompts, settings.revised_share)
    async with aclosing(respond(asker, source, prompts)) as rows:
        async for row in rows:
            yield row


async def _check_whole(
    rows: AsyncGenerator[Made, None], asker: Asker, source: Source
) -> AsyncGenerator[Made, None]:
    """The rows; then an error if the teacher may yet answer what they lack."""
    async with aclosing(rows):
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


async def _write(rows: AsyncGenerator[Made, None], inspection: Inspection, path: Path) -> int:
    written = 0
    try:
        with making(path) as half, half.open("w", encoding="utf-8") as file:
            async for made in rows:
                if inspection.look(made.row, made.instruction):
                    file.write(json.dumps(made.row, ensure_ascii=False) + "\n")
                    written += 1
    except OSError as error:
        raise OutputError(
            f"The rows cannot be written to {path}: {error}. Remedy: make room on the disk, then "
            "start the same command again; every answer is in the ledger."
        ) from error
    return written


def _sum_costs(costs: list[float | None]) -> float | None:
    known = [cost for cost in costs if cost is not None]
    return sum(known) if len(known) == len(costs) else None
