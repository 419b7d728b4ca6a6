"""The user's own data as a source: chats, or parallel text in either direction, checked as any."""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from core.contract.facts import QualityFacts, SourceFacts
from core.contract.names import ROWS
from core.files import making
from core.lines import count_lines
from generation.ask import Progress, StepCounts
from generation.card import write_card
from generation.errors import InputError, OutputError
from generation.ids import draw_chance, fold_text, hash_parts, rank_by_seed
from generation.own_files import Row, find_own_files, read_chats, read_pairs
from generation.quality.inspection import Inspection
from generation.settings import Own, Quality

_TOLD = 1_000  # rows between two words of progress


def make_own(
    name: str,
    own: Own,
    *,
    language: str,
    flores_code: str | None,
    script: str | None,
    quality: Quality,
    hashes: dict[str, str],
    seed: int,
    out: Path,
    progress: Progress,
) -> SourceFacts:
    """Write out/rows.jsonl and its card, as any source has them; no teacher is asked.

    `hashes` are the SHA-256 of the files by role. Lines that are no conversation, empty sides and
    duplicates are counted losses; files that cannot be read, whose lines do not correspond, or
    none of whose lines can be used are an InputError.
    """
    files = list(find_own_files(name, own).values())
    step = StepCounts(f"{name}.read")
    read = read_chats if own.kind == "chat" else read_pairs
    # Of two files that belong together a line of each is one row.
    lines = _count_lines(files if own.kind == "chat" else files[:1])
    rows = list(_keep_distinct(_tell_progress(read(files, step), lines, progress), step))
    if own.max_rows is not None and len(rows) > own.max_rows:
        step.lose("sampled out", len(rows) - own.max_rows)
        rows = rank_by_seed(rows, seed, f"own.{name}", _take_content)[: own.max_rows]
    inspections = {
        into: Inspection(
            quality,
            language=language if into else own.other,
            flores_code=flores_code if into else own.other_code,
            script=script if into else None,
            wordings=(),
        )
        for into in (True, False)
    }
    written = 0
    try:
        with making(out / ROWS) as half, half.open("w", encoding="utf-8") as file:
            total = len(rows) * (2 if own.direction == "both" and own.kind != "chat" else 1)
            progress(0, total, "checking")
            made_rows = _make_rows(name, own, language, rows, seed)
            for done, (into, instruction, made) in enumerate(made_rows, 1):
                if inspections[into].look(made, instruction):
                    file.write(json.dumps(made, ensure_ascii=False) + "\n")
                    written += 1
                if done % _TOLD == 0:
                    progress(done, total, "checking")
    except OSError as error:
        raise OutputError(
            f"The rows cannot be written to {out}: {error}. Remedy: make room on the disk, then "
            "start the same command again."
        ) from error
    found = _add_inspections([inspection.make_facts() for inspection in inspections.values()])
    for reason, count in found.dropped.items():
        step.lose(reason, count)
    step.kept = written
    facts = SourceFacts(
        rows=written,
        steps=(step.make_facts(),),
        tokens_input=0,
        tokens_output=0,
        tokens_input_new=0,
        tokens_output_new=0,
        cost_usd=0.0,
        calls=0,
        calls_new=0,
        quality=found,
    )
    write_card(
        out,
        name,
        language=language,
        flores_code=flores_code,
        teacher="none",
        seed=seed,
        inputs=hashes,
        origins={"origin": own.origin or "not said"},
        facts=facts,
    )
    return facts


def _count_lines(files: Sequence[Path]) -> int:
    try:
        return sum(map(count_lines, files))
    except OSError as error:
        raise InputError(f"{error}. Remedy: see that the file can be read.") from error


def _tell_progress(rows: Iterable[Row], lines: int, progress: Progress) -> Iterator[Row]:
    """The rows; tells how many of the files' lines have given one."""
    progress(0, lines, "reading")
    for done, row in enumerate(rows, 1):
        if done % _TOLD == 0:
            progress(done, lines, "reading")
        yield row


def _make_rows(
    name: str, own: Own, language: str, rows: Sequence[Row], seed: int
) -> Iterator[tuple[bool, str, Row]]:
    """(whether the answer is in the language, what is asked, the row).

    What is asked is the text to translate, or all that the user says: what rows have in common by
    design, a prompt's wording, a system message or a greeting, makes no duplicates.
    """
    directions = {"into": (True,), "from": (False,), "both": (True, False)}[own.direction]
    for row in rows:
        if own.kind == "chat":
            said = [turn["content"] for turn in row["messages"] if turn["role"] == "user"]
            yield (
                True,
                "\n".join(said),
                _make_row(name, row["messages"], row["reasoning"], row["at"]),
            )
            continue
        for into in directions:
            sides = [(own.other, row["pair"][0]), (language, row["pair"][1])]
            (source, text), (target, answer) = sides if into else reversed(sides)
            which = int(draw_chance(seed, "own.prompt", name, into, row["pair"]) * len(own.prompts))
            prompt = own.prompts[which].replace("{source}", source).replace("{target}", target)
            messages = [
                {"role": "user", "content": prompt.replace("{text}", text)},
                {"role": "assistant", "content": answer},
            ]
            yield into, text, _make_row(name, messages, None, row["at"])


def _make_row(name: str, messages: list[Row], reasoning: str | None, at: str) -> Row:
    return {
        "id": f"{name}-{hash_parts(messages)[:16]}",
        "source": name,
        "messages": messages,
        "reasoning": reasoning,
        "provenance": {"at": at},
    }


def _take_content(row: Row) -> object:
    """Give the content that a sample is drawn by: not where the row stands, which an artifact's
    key leaves out.
    """
    return row.get("pair") or [row["messages"], row["reasoning"]]


def _keep_distinct(rows: Iterable[Row], step: StepCounts) -> Iterator[Row]:
    seen: set[str] = set()
    for row in rows:
        mark = hash_parts(
            [fold_text(text) for text in row["pair"]]
            if "pair" in row
            else [_identify_turn(turn) for turn in row["messages"]]
        )
        if mark in seen:
            step.lose("duplicate")
        else:
            seen.add(mark)
            yield row


def _identify_turn(turn: Row) -> tuple[object, ...]:
    """Give what makes two turns the same: their text, and whether it is trained."""
    return fold_text(turn["content"]), turn.get("weight", 1)


def _add_inspections(parts: Sequence[QualityFacts]) -> QualityFacts:
    """The counts of several inspections, added."""
    return QualityFacts(
        rows=sum(part.rows for part in parts),
        identifier=parts[0].identifier,
        in_language=sum(part.in_language for part in parts),
        other_language=sum(part.other_language for part in parts),
        undetermined_language=sum(part.undetermined_language for part in parts),
        languages=_sum_counts([part.languages for part in parts]),
        flags=_sum_counts([part.flags for part in parts]),
        dropped=_sum_counts([part.dropped for part in parts]),
    )


def _sum_counts(counts: Sequence[Mapping[str, int]]) -> dict[str, int]:
    return dict(sum(map(Counter, counts), Counter[str]()))
