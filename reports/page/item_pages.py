"""`kakugo-report items`: pages over all items of a store's benchmarks, base beside one producer.

A page lists some hundred items with the languages in which each was flipped, and can be read
without JavaScript. What was asked and answered lies in files of few items each, which a page loads
when an item is opened; a script element does that from a folder, where nothing may be fetched.
"""

import base64
import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.contract.record import Unreadable
from core.contract.samples import AnySample, Translation, WrittenAnswer
from core.tasks import is_translation, show_task
from core.text import make_safe
from reports.page.write import HERE, make_environment, read_trusted
from reports.samples import find_answer_direction, find_directions
from reports.store import files
from reports.store.model import Score
from reports.store.samples import PROMPTS, read_rows
from reports.tables.flips import ItemFlips, TaskFlips, find_flips
from reports.tables.results import Result, Results

PER_PAGE, PER_FILE = 500, 20
"""Items that a page lists, and of which one file holds the texts."""


@dataclass(frozen=True)
class ItemRow:
    """One line of a page. `file` holds its texts, `place` is where in it."""

    item: ItemFlips
    file: str
    place: int


@dataclass(frozen=True)
class ItemPage:
    """One page of a task: its file, and the lines that it lists."""

    file: str
    number: int
    rows: tuple[ItemRow, ...]


@dataclass(frozen=True)
class TaskPages:
    """The pages of one task."""

    found: TaskFlips
    pages: tuple[ItemPage, ...]
    languages: int

    @property
    def title(self) -> str:
        return show_task(self.found.task)

    @property
    def translated(self) -> bool:
        return is_translation(self.found.task)


def write_item_pages(results: Results, producer: str, out: Path) -> Path | None:
    """Write the pages into a folder and return the first one; None where no task has an item in
    two languages.

    The texts are written first and the first page last, so that no link leads nowhere.
    """
    tasks = []
    for task in results.tasks:
        found = find_flips(results, task, producer)
        if found:
            out.mkdir(parents=True, exist_ok=True)
            pages = _plan(found)
            _write_texts(results, pages, out)
            tasks.append(pages)
    if not tasks:
        return None
    template = make_environment().get_template("items.html.j2")
    script = (HERE / "items.js").read_text(encoding="utf-8")
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    shared = {
        "css": read_trusted((HERE / "page.css").read_text(encoding="utf-8")),
        "script": read_trusted(script),
        "script_hash": f"sha256-{digest}",
        "producer": producer,
        "tasks": tasks,
        "notes": results.notes,
    }
    for one in tasks:
        for page in one.pages:
            files.write_whole(out / page.file, template.render(**shared, task=one, page=page))
    index = out / "index.html"
    files.write_whole(index, template.render(**shared, task=None, page=None))
    return index


def _plan(found: TaskFlips) -> TaskPages:
    """Lay the items out, those first that were flipped in most languages."""
    ordered = sorted(found.items, key=lambda one: -len(one.gained) - len(one.lost))
    if is_translation(found.task):
        ordered = sorted(found.items, key=lambda one: -abs(one.change))
    rows = [
        ItemRow(one, f"{found.task}-{place // PER_FILE + 1}.js", place % PER_FILE)
        for place, one in enumerate(ordered)
    ]
    pages = tuple(
        ItemPage(f"{found.task}-{number}.html", number, tuple(rows[start : start + PER_PAGE]))
        for number, start in enumerate(range(0, len(rows), PER_PAGE), start=1)
    )
    languages = {name for one in found.items for name in one.languages}
    return TaskPages(found, pages, len(languages))


def _write_texts(results: Results, pages: TaskPages, out: Path) -> None:
    """Write the texts of a task's items, `PER_FILE` of them a file."""
    of_items: dict[str, list[dict[str, Any]]] = {one.id: [] for one in pages.found.items}
    for row in results.find_gained(pages.found.task, pages.found.producer):
        if row.record and row.base_record and row.language.name not in pages.found.left_out:
            for id_, texts in _list_texts(row, row.base_record, row.record):
                if id_ in of_items:
                    of_items[id_].append(texts)
    by_file: dict[str, list[list[dict[str, Any]]]] = {}
    for page in pages.pages:
        for one in page.rows:
            by_file.setdefault(one.file, []).append(of_items[one.item.id])
    for name, texts_of_items in by_file.items():
        content = json.dumps(texts_of_items, ensure_ascii=False, separators=(",", ":"))
        # Line ends that JSON allows in a text and older JavaScript does not.
        content = content.replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")
        files.write_whole(out / name, f"kakugoItems({json.dumps(name)},{content});\n")


def _list_texts(row: Result, base: Score, record: Score) -> Iterator[tuple[str, dict[str, Any]]]:
    """Give the texts of each item in one language."""
    try:
        before = {one.doc_id: one for one in read_rows(base)}
        after = {one.doc_id: one for one in read_rows(record, without=PROMPTS)}
    except Unreadable:
        return
    asked = _cut_shots({id_: one.prompt for id_, one in before.items()})
    for id_, one in before.items():
        if id_ in after:
            yield id_, _as_texts(row, one, after[id_], asked[id_])


def _as_texts(row: Result, before: AnySample, after: AnySample, asked: str) -> dict[str, Any]:
    """The texts of an item as the page's script reads them: [label, text, direction, tag]."""
    origin, target = find_directions(row.task, row.language)
    lines: list[tuple[str, str, str, str]] = []
    if isinstance(before, Translation) and isinstance(after, Translation):
        lines += [("Source", before.source, *origin), ("Reference", before.reference, *target)]
        for name, said in (("base", before), (row.producer, after)):
            head = f"{name}: chrF++ {said.chrf:.1f}"
            lines.append((head, said.hypothesis, *find_answer_direction(said, target)))
    elif not isinstance(before, Translation) and not isinstance(after, Translation):
        lines.append(("Asked", asked, "auto", row.language.tag))
        lines.append(("Right", before.answer, "auto", ""))
        for name, chosen in (("base", before), (row.producer, after)):
            verdict = "right" if chosen.correct else "wrong"
            text = chosen.said if isinstance(chosen, WrittenAnswer) else chosen.prediction
            lines.append((f"{name}: {verdict}", text, "auto", ""))
    return {
        "language": row.language.name,
        "lines": [(a, make_safe(b), c, d) for a, b, c, d in lines],
    }


def _cut_shots(prompts: Mapping[str, str]) -> Mapping[str, str]:
    """Take from prompts the lines with which all of them begin: the shots, and what stands before
    them."""
    found = sorted(prompts.values())
    if len(found) < 2:
        return prompts
    # What the first and the last of them in order share, all others share, too.
    first, last = found[0], found[-1]
    alike = next((n for n, (a, b) in enumerate(zip(first, last, strict=False)) if a != b), 0)
    length = first.rfind("\n", 0, alike) + 1
    return {id_: prompt[length:].strip() for id_, prompt in prompts.items()}
