"""Names checkpoints by what differs between them, alike in every language."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from core.contract.plan import Checkpoint
from reports.store.cells import Entry
from reports.store.model import StoreView

MOST_SETTINGS = 3
"""With more differences than this a name would be a paragraph; a part of the key tells as much."""
_LONGEST = 24


def name_producers(view: StoreView, entries: list[Entry]) -> list[Entry]:
    """The entries with producer names that are unique within a language.

    Checkpoints of one name differ in settings, of training or of what it was trained on: those are
    added, as in "trained:gen, learning_rate 0.0005", in every language alike. What differs in more
    than `MOST_SETTINGS`, or in nothing that can be read, gets `#` and the beginning of its key.
    """
    checkpoints: dict[str, dict[str, set[Checkpoint]]] = defaultdict(lambda: defaultdict(set))
    for entry in entries:
        checkpoints[entry.cell.producer][entry.cell.language].add(entry.cell.checkpoint)
    names: dict[tuple[str, Checkpoint], str] = {}
    for producer, by_language in checkpoints.items():
        settings = {
            checkpoint: find_settings(view, checkpoint)
            for group in by_language.values()
            for checkpoint in group
        }
        differing = sorted(
            {
                name
                for group in by_language.values()
                for name in _find_differing([settings[checkpoint] for checkpoint in group])
            }
        )
        for group in by_language.values():
            for checkpoint, name in _name_group(producer, group, settings, differing).items():
                names[producer, checkpoint] = name
    return [
        replace(
            entry,
            cell=replace(entry.cell, producer=names[entry.cell.producer, entry.cell.checkpoint]),
        )
        for entry in entries
    ]


def _name_group(
    producer: str,
    group: Iterable[Checkpoint],
    settings: Mapping[Checkpoint, Mapping[str, str]],
    differing: list[str],
) -> dict[Checkpoint, str]:
    """The names of one language's checkpoints."""
    group = list(group)
    few = differing if len(differing) <= MOST_SETTINGS else []
    words = [name.rpartition(".")[2] for name in few]
    # Of two seeds one has to say whose each is.
    titles = {
        name: word if words.count(word) == 1 else f"{name.partition('.')[0]} {word}"
        for name, word in zip(few, words, strict=True)
    }
    said = {
        one: "".join(
            f", {title} {settings[one][name]}"
            for name, title in titles.items()
            if name in settings[one]
        )
        for one in group
    }
    found = {}
    for one in group:
        alike = {other.key for other in group if said[other] == said[one]}
        mark = f"#{one.key[: _find_least_length(alike)]}" if len(alike) > 1 else ""
        found[one] = f"{producer}{said[one]}{mark}"
    return found


def find_settings(view: StoreView, checkpoint: Checkpoint) -> dict[str, str]:
    """The settings of a checkpoint and of all that went into it; {} where its record is gone."""
    found: dict[str, str] = {}
    waiting, seen = [(checkpoint.stage, checkpoint.key)], set()
    while waiting:
        at = waiting.pop(0)
        artifact = view.artifacts.get(at[0], {}).get(at[1])
        if artifact is None or at in seen:
            continue
        seen.add(at)
        for name, value in _flatten_settings(artifact.manifest.config, at[0]):
            # The nearest says it: a seed of training before that of the mixture.
            found.setdefault(name, value)
        waiting += [(one.stage, one.key) for one in artifact.manifest.inputs]
    return found


def _flatten_settings(value: Any, path: str) -> Iterable[tuple[str, str]]:
    """The settings that a person can read, by their path; not hashes, texts and places of files."""
    if isinstance(value, Mapping):
        for name, inner in value.items():
            yield from _flatten_settings(inner, f"{path}.{name}")
    elif isinstance(value, bool) or value is None:
        yield path, {True: "yes", False: "no", None: "none"}[value]
    elif isinstance(value, int | float):
        yield path, f"{value:g}" if isinstance(value, float) else str(value)
    elif isinstance(value, str) and len(value) <= _LONGEST and "/" not in value:
        yield path, value


def _find_differing(settings: list[Mapping[str, str]]) -> set[str]:
    """The names of the settings that are not the same for all; one for each last word of a path."""
    names = {name for one in settings for name in one}
    differing = sorted(name for name in names if len({one.get(name) for one in settings}) > 1)
    by_word: dict[str, str] = {}
    for name in differing:
        word, values = name.rpartition(".")[2], [one.get(name) for one in settings]
        known = by_word.get(word)
        # The same choice may stand in the settings of several stages.
        if known is None or [one.get(known) for one in settings] != values:
            by_word[word if known is None else name] = name
    return set(by_word.values())


def _find_least_length(keys: set[str]) -> int:
    """Count how many first characters tell the keys apart, four at least."""
    longest = max(map(len, keys))
    lengths = range(4, longest + 1)
    return next((n for n in lengths if len({key[:n] for key in keys}) == len(keys)), longest)
