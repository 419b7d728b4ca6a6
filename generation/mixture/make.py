"""Mix sources by weight into one shuffled file of chats to train on."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import islice
from pathlib import Path
from typing import Any

from core.contract.facts import MixedSource, MixtureFacts
from core.contract.names import ROWS
from core.contract.record import to_text
from core.files import making
from core.lines import count_lines
from generation.errors import InputError, MixtureError
from generation.mixture.draw import RowPlace, draw
from generation.mixture.settings import Mix

Messages = list[dict[str, Any]]
_BATCH = 1_000


@dataclass(frozen=True)
class ChatTokens:
    """Counts by the student's tokens: what the trainer takes of each chat, 0 of one that it leaves
    out; and all of plain texts."""

    of_chats: Callable[[Sequence[Messages]], Sequence[int]]
    of_texts: Callable[[Sequence[str]], Sequence[int]]


def make_mixture(
    sources: Mapping[str, Path],
    settings: Mix,
    *,
    language: str,
    seed: int,
    out: Path,
    tokens: ChatTokens,
    progress: Callable[[int, int, str], None] = lambda done, total, note: None,
) -> MixtureFacts:
    """Write out/rows.jsonl, {"id", "source", "messages"}, and out/table.json, what it is made of.

    `sources` gives each needed source's rows.jsonl (or its folder); `draw` says which rows are
    taken. Rows of which the trainer takes nothing are left out before that, so that
    budgets and shares are of what is trained on. A source without rows gets a line of zeros and the
    others keep their proportions; one with weight 0 gets no line. Raises MixtureError when a needed
    source is not there, when nothing remains, or the budget cannot be met; InputError for a bad
    file of ids to exclude.
    """
    lacking = sorted(set(settings.needed) - set(sources))
    if lacking:
        raise MixtureError(
            f"The mixture {settings.name!r} needs sources that are not there: {', '.join(lacking)}."
            f" Remedy: make them, or weigh only these: {', '.join(sorted(sources)) or 'none'}."
        )
    excluded = _read_excluded(settings.exclude)
    files = {name: _find_rows_file(sources[name]) for name in settings.needed}
    every = {name: list(_list_places(name, file, progress)) for name, file in files.items()}
    places = {name: [p for p in rows if p.id not in excluded] for name, rows in every.items()}

    @cache
    def sizes(source: str, reasoning: bool) -> list[int]:
        counts: list[int] = []
        progress(0, len(every[source]), f"tokens of {source}")
        for rows in _split_rows(_read_rows(files[source]), _BATCH):
            chats = [_make_training_row(row, settings, reasoning)["messages"] for row in rows]
            counts += tokens.of_chats(chats)
            progress(len(counts), len(every[source]), f"tokens of {source}")
        return counts

    chosen, amount = draw(places, settings, language=language, seed=seed, sizes=sizes)
    sums = {name: _Sum() for name in settings.weighted}
    done = thinking = 0
    progress(0, len(chosen), "writing rows")
    with making(out / ROWS) as half, half.open("w", encoding="utf-8") as file:
        for rows in _split_rows(_read(files, chosen), _BATCH):
            mixed = [_make_training_row(row, settings, settings.reasoning) for row in rows]
            plain = tokens.of_texts([_join_text(row) for row in mixed])
            for place, row, words in zip(chosen[done:], mixed, plain, strict=False):
                size = sizes(place.source, settings.reasoning)[place.number]
                sums[row["source"]].add(row, size, words)
                file.write(json.dumps(row, ensure_ascii=False) + "\n")
            thinking += sum(_has_reasoning(row, settings.reasoning) for row in rows)
            done += len(rows)
            progress(done, len(chosen), "writing rows")
    total = sum(entry.tokens for entry in sums.values())
    table = tuple(
        MixedSource(
            source=name,
            weight=weight,
            available=len(every[name]),
            excluded=len(every[name]) - len(places[name]),
            untrainable=sum(not sizes(name, settings.reasoning)[p.number] for p in places[name]),
            rows=sums[name].rows,
            share=sums[name].rows / len(chosen),
            tokens=sums[name].tokens,
            token_share=sums[name].tokens / total if total else 0.0,
            characters=sums[name].characters,
            fertility=sums[name].plain / sums[name].words if sums[name].words else None,
        )
        for name, weight in settings.weighted.items()
    )
    unit = "tokens without reasoning" if settings.counts_plain else settings.budget.unit
    facts = MixtureFacts(len(chosen), thinking, total, unit, amount, table)
    (out / "table.json").write_text(to_text(facts), encoding="utf-8")
    return facts


@dataclass
class _Sum:
    rows: int = 0
    tokens: int = 0
    plain: int = 0
    words: int = 0
    characters: int = 0

    def add(self, row: dict[str, Any], tokens: int, plain: int) -> None:
        text = _join_text(row)
        self.rows += 1
        self.tokens += tokens
        self.plain += plain
        self.words += len(text.split())
        self.characters += sum(len(turn["content"]) for turn in row["messages"])


def _join_text(row: dict[str, Any]) -> str:
    """Join what was written for the row: without the system prompt, which is the same for all."""
    return "\n".join(turn["content"] for turn in row["messages"] if turn["role"] != "system")


def _split_rows(rows: Iterator[dict[str, Any]], size: int) -> Iterator[list[dict[str, Any]]]:
    """Lists of up to `size` rows. (itertools.batched is not in Python 3.11.)"""
    while batch := list(islice(rows, size)):
        yield batch


def _read_rows(file: Path) -> Iterator[dict[str, Any]]:
    with file.open("rb") as lines:
        yield from map(json.loads, lines)


def _list_places(
    source: str, path: Path, progress: Callable[[int, int, str], None]
) -> Iterator[RowPlace]:
    offset = 0
    total = count_lines(path)
    with path.open("rb") as lines:
        for number, line in enumerate(lines):
            if number % _BATCH == 0:
                progress(number, total, f"reading {source}")
            yield RowPlace(source, json.loads(line)["id"], number, offset)
            offset += len(line)


def _read(files: Mapping[str, Path], places: Iterable[RowPlace]) -> Iterator[dict[str, Any]]:
    opened = {name: path.open("rb") for name, path in files.items()}
    try:
        for place in places:
            file = opened[place.source]
            file.seek(place.offset)
            yield json.loads(file.readline())
    finally:
        for file in opened.values():
            file.close()


def _make_training_row(row: dict[str, Any], settings: Mix, reasoning: bool) -> dict[str, Any]:
    turns = [dict(turn) for turn in row["messages"]]
    system = settings.plain_system_prompt
    if _has_reasoning(row, reasoning):
        system = settings.thinking_system_prompt
        turns[-1]["content"] = f"<think>{row['reasoning']}</think>{turns[-1]['content']}"
    if system and turns[0]["role"] != "system":
        turns.insert(0, {"role": "system", "content": system})
    return {"id": row["id"], "source": row["source"], "messages": turns}


def _has_reasoning(row: dict[str, Any], reasoning: bool) -> bool:
    """Tell whether the row is trained with its reasoning."""
    return reasoning and bool(row.get("reasoning"))


def _read_excluded(location: str | None) -> frozenset[str]:
    if location is None:
        return frozenset()
    try:
        return frozenset(row["id"] for row in _read_rows(Path(location)))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(
            f"mix.exclude: {location} cannot be read as JSON lines with an id ({error}). Remedy: "
            'one {"id": "..."} a line, such as contaminated.jsonl of an earlier run.'
        ) from error


def _find_rows_file(path: Path) -> Path:
    file = path / ROWS if path.is_dir() else path
    if not file.is_file():
        raise MixtureError(f"There are no rows at {file}. Remedy: make the source first.")
    return file
