"""Mix sources by weight into one shuffled file of chats to train on."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from generation.errors import MixtureError
from generation.ids import digest
from generation.settings import Mix


@dataclass(frozen=True)
class MixedSource:
    """A source's line in the table; share is of the mixture's rows, characters of its messages."""

    source: str
    weight: float
    available: int
    rows: int
    share: float
    characters: int


@dataclass(frozen=True)
class MixtureFacts:
    """Rows in the mixture, and one line for each source with a weight."""

    rows: int
    table: list[MixedSource]


@dataclass(frozen=True)
class _Place:
    source: str
    id: str
    offset: int


def make_mixture(
    sources: Mapping[str, Path], settings: Mix, *, language: str, seed: int, out: Path
) -> MixtureFacts:
    """Write out/rows.jsonl, {"id", "source", "messages"} in a seeded random order.

    `sources` gives each source's rows.jsonl (or its folder). Each source's rows stand in a seeded
    order; they are merged so that after any number of rows the shares are as near to the weights
    as whole rows allow, up to `max_examples` or the end of the first source that runs out, so that
    no row is repeated and a larger budget contains the smaller one. A source without rows gets a
    line of zeros and the others keep their proportions; one with weight 0 need not be in `sources`
    and gets no line. Raises MixtureError when a source with a weight is not there or when nothing
    remains.
    """
    weights = {name: weight for name, weight in settings.weights.items() if weight > 0}
    lacking = sorted(set(weights) - set(sources))
    if lacking:
        raise MixtureError(
            f"The mixture {settings.name!r} needs sources that are not there: {', '.join(lacking)}."
            f" Remedy: make them, or weigh only these: {', '.join(sorted(sources)) or 'none'}."
        )
    files = {name: _rows_file(sources[name]) for name in weights}
    places = {name: _places(name, file, seed) for name, file in files.items()}
    chosen = _merge(places, weights, settings)
    if not chosen:
        found = ", ".join(f"{name} has {len(rows)} rows" for name, rows in places.items())
        raise MixtureError(
            f"The mixture {settings.name!r} of {language} is empty: {found}. Remedy: give a weight "
            "above 0 to a source that has rows."
        )
    chosen.sort(key=lambda place: digest(seed, "mixture.order", place.id))
    counts = dict.fromkeys(weights, 0)
    characters = dict.fromkeys(weights, 0)
    out.mkdir(parents=True, exist_ok=True)
    partial = out / "rows.jsonl.tmp"
    with partial.open("w", encoding="utf-8") as file:
        for name, row in _read(files, chosen):
            mixed = _as_training_row(row, settings)
            counts[name] += 1
            characters[name] += sum(len(turn["content"]) for turn in mixed["messages"])
            file.write(json.dumps(mixed, ensure_ascii=False) + "\n")
    partial.replace(out / "rows.jsonl")
    table = [
        MixedSource(
            source=name,
            weight=weight,
            available=len(places.get(name, ())),
            rows=counts.get(name, 0),
            share=counts.get(name, 0) / len(chosen),
            characters=characters.get(name, 0),
        )
        for name, weight in weights.items()
    ]
    return MixtureFacts(rows=len(chosen), table=table)


def _merge(
    places: dict[str, list[_Place]], weights: dict[str, float], settings: Mix
) -> list[_Place]:
    """Highest-quotient merge: row number r of a source comes at time (r + 1/2) / weight."""
    filled = {name: rows for name, rows in places.items() if rows}
    rates = {
        name: weights[name] * (len(rows) if settings.shares == "rows" else 1)
        for name, rows in filled.items()
    }
    # As many rows as the weights allow without repeating one; the small term is for rounding.
    whole = min((len(rows) / rates[name] for name, rows in filled.items()), default=0.0)
    budget = int(whole * sum(rates.values()) + 1e-9)
    if settings.max_examples is not None:
        budget = min(budget, settings.max_examples)
    timed = [
        ((number + 0.5) / rates[name], name, number)
        for name, rows in filled.items()
        for number in range(len(rows))
    ]
    return [filled[name][number] for _, name, number in sorted(timed)[:budget]]


def _places(source: str, path: Path, seed: int) -> list[_Place]:
    places = []
    offset = 0
    with path.open("rb") as lines:
        for line in lines:
            places.append(_Place(source, json.loads(line)["id"], offset))
            offset += len(line)
    return sorted(places, key=lambda place: digest(seed, "mixture.sample", place.id))


def _read(files: dict[str, Path], places: list[_Place]) -> Iterator[tuple[str, dict[str, Any]]]:
    opened = {name: path.open("rb") for name, path in files.items()}
    try:
        for place in places:
            file = opened[place.source]
            file.seek(place.offset)
            yield place.source, json.loads(file.readline())
    finally:
        for file in opened.values():
            file.close()


def _as_training_row(row: dict[str, Any], settings: Mix) -> dict[str, Any]:
    turns = [dict(turn) for turn in row["messages"]]
    system = settings.plain_system_prompt
    if settings.reasoning and row.get("reasoning"):
        system = settings.thinking_system_prompt
        turns[-1]["content"] = f"<think>{row['reasoning']}</think>{turns[-1]['content']}"
    if system:
        turns.insert(0, {"role": "system", "content": system})
    return {"id": row["id"], "source": row["source"], "messages": turns}


def _rows_file(path: Path) -> Path:
    file = path / "rows.jsonl" if path.is_dir() else path
    if not file.is_file():
        raise MixtureError(f"There are no rows at {file}. Remedy: make the source first.")
    return file
