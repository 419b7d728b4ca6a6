"""The user's own data as a source: chats, or parallel text in either direction, checked as any."""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import zip_longest
from pathlib import Path
from typing import Any

from generation.ask import Progress, Step
from generation.card import write_card
from generation.errors import InputError, OutputError
from generation.facts import SourceFacts
from generation.ids import chance, digest, folded, ranked
from generation.parse import is_conversation, is_sound
from generation.quality.inspection import Inspection, QualityFacts
from generation.settings import Own, Quality

Row = dict[str, Any]
_ROLES = {"human": "user", "gpt": "assistant"}


def own_files(name: str, own: Own) -> dict[str, Path]:
    """Each file by its role, for an artifact's key; raises InputError where one is not there."""
    paths = {f"file {number}": Path(file) for number, file in enumerate(own.files, 1)}
    for path in paths.values():
        if not path.is_file():
            raise InputError(
                f"sources.own.{name}.files: {path} is not a file. Remedy: check the path."
            )
    return paths


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
    duplicates are counted losses; files that cannot be read, or whose lines do not correspond, are
    an InputError.
    """
    files = list(own_files(name, own).values())
    step = Step(f"{name}.read")
    rows = list(_distinct(_chats(files, step) if own.kind == "chat" else _pairs(files, step), step))
    if own.max_rows is not None and len(rows) > own.max_rows:
        step.lose("sampled out", len(rows) - own.max_rows)
        rows = ranked(rows, seed, f"own.{name}", lambda row: digest(row))[: own.max_rows]
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
    partial = out / "rows.jsonl.tmp"
    out.mkdir(parents=True, exist_ok=True)
    try:
        with partial.open("w", encoding="utf-8") as file:
            for done, (into, made) in enumerate(_made(name, own, language, rows, seed), 1):
                if inspections[into].look(made, made["messages"][0]["content"]):
                    file.write(json.dumps(made, ensure_ascii=False) + "\n")
                    written += 1
                if done % 1000 == 0:
                    progress(done, len(rows), name)
        partial.replace(out / "rows.jsonl")
    except OSError as error:
        raise OutputError(
            f"The rows cannot be written to {out}: {error}. Remedy: make room on the disk, then "
            "start the same command again."
        ) from error
    found = _together([inspection.done() for inspection in inspections.values()])
    for reason, count in found.dropped.items():
        step.lose(reason, count)
    step.kept = written
    facts = SourceFacts(
        rows=written,
        steps=[step],
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


def _made(
    name: str, own: Own, language: str, rows: Sequence[Row], seed: int
) -> Iterator[tuple[bool, Row]]:
    """(whether the answer is in the language, the row)."""
    directions = {"into": (True,), "from": (False,), "both": (True, False)}[own.direction]
    for row in rows:
        if own.kind == "chat":
            yield True, _row(name, row["messages"], row["reasoning"], row["at"])
            continue
        for into in directions:
            sides = [(own.other, row["pair"][0]), (language, row["pair"][1])]
            (source, text), (target, answer) = sides if into else reversed(sides)
            which = int(chance(seed, "own.prompt", name, into, row["pair"]) * len(own.prompts))
            prompt = own.prompts[which].replace("{source}", source).replace("{target}", target)
            messages = [
                {"role": "user", "content": prompt.replace("{text}", text)},
                {"role": "assistant", "content": answer},
            ]
            yield into, _row(name, messages, None, row["at"])


def _row(name: str, messages: list[Row], reasoning: str | None, at: str) -> Row:
    return {
        "id": f"{name}-{digest(messages)[:16]}",
        "source": name,
        "messages": messages,
        "reasoning": reasoning,
        "provenance": {"at": at},
    }


def _distinct(rows: Iterable[Row], step: Step) -> Iterator[Row]:
    seen: set[str] = set()
    for row in rows:
        mark = digest([folded(text) for text in row.get("pair") or _texts(row["messages"])])
        if mark in seen:
            step.lose("duplicate")
        else:
            seen.add(mark)
            yield row


def _texts(messages: list[Row]) -> list[str]:
    return [turn["content"] for turn in messages]


def _chats(files: Sequence[Path], step: Step) -> Iterator[Row]:
    for path in files:
        for number, line in enumerate(_lines(path), 1):
            if not line.strip():
                continue
            step.asked += 1
            try:
                value = json.loads(line)
            except ValueError as error:
                raise InputError(
                    f"{path}, line {number} is not JSON ({error}). Remedy: one chat a line, "
                    '{"messages": [{"role": "user", "content": "..."}, ...]}.'
                ) from error
            turns = _turns(value)
            chat = turns[1:] if turns and turns[0]["role"] == "system" else turns
            if not is_conversation(chat) or len(chat) % 2:
                step.lose("not an alternating chat")
                continue
            reasoning = value.get("reasoning")
            step.answered += 1
            step.parsed += 1
            yield {
                "messages": turns,
                "reasoning": reasoning if isinstance(reasoning, str) else None,
                "at": f"{path.name}:{number}",
            }


def _turns(value: Any) -> list[Row]:
    """The turns of `messages`, or of `conversations` with from/value."""
    found = (value.get("messages") or value.get("conversations")) if isinstance(value, dict) else ()
    return [
        {
            "role": _ROLES.get(str(role := turn.get("role") or turn.get("from")), str(role)),
            "content": turn.get("content") or turn.get("value") or "",
        }
        for turn in (found if isinstance(found, list) else ())
        if isinstance(turn, dict)
    ]


def _pairs(files: Sequence[Path], step: Step) -> Iterator[Row]:
    for number, pair in enumerate(_sides(files), 1):
        step.asked += 1
        texts = [text.strip() for text in pair]
        if not all(texts):
            step.lose("empty side")
        elif not all(map(is_sound, texts)):
            step.lose("broken unicode")
        else:
            step.answered += 1
            step.parsed += 1
            yield {"pair": texts, "at": f"{files[-1].name}:{number}"}


def _sides(files: Sequence[Path]) -> Iterator[tuple[str, str]]:
    if len(files) == 2:
        for number, (a, b) in enumerate(zip_longest(*map(_lines, files)), 1):
            if a is None or b is None:
                raise InputError(
                    f"{files[0]} and {files[1]} have different numbers of lines: one ends before "
                    f"line {number}. Remedy: give files whose lines belong together."
                )
            yield a, b
        return
    for number, line in enumerate(_lines(files[0]), 1):
        if not line.strip():
            continue
        columns = line.split("\t")
        if len(columns) != 2:
            raise InputError(
                f"{files[0]}, line {number} has {len(columns)} tab-separated columns instead of 2. "
                "Remedy: the other language, a tab, the language; or two files."
            )
        yield columns[0], columns[1]


def _lines(path: Path) -> Iterator[str]:
    """Lines end at newlines only: other separators may stand inside a text."""
    try:
        with path.open(encoding="utf-8-sig", newline="\n") as file:
            for line in file:
                yield line.rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(
            f"{path} cannot be read as UTF-8 text ({error}). Remedy: check the file."
        ) from error


def _together(parts: Sequence[QualityFacts]) -> QualityFacts:
    """The counts of several inspections, added."""
    whole = QualityFacts(identifier=parts[0].identifier)
    for part in parts:
        whole.rows += part.rows
        whole.in_language += part.in_language
        whole.other_language += part.other_language
        whole.undetermined_language += part.undetermined_language
        whole.languages = dict(Counter(whole.languages) + Counter(part.languages))
        whole.flags = dict(Counter(whole.flags) + Counter(part.flags))
        whole.dropped = dict(Counter(whole.dropped) + Counter(part.dropped))
    return whole
