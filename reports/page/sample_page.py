"""`kakugo-report samples --out FILE`: the chosen items as a page of their own."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.tasks import is_from_english
from reports.outputs.sample_text import head_note, said
from reports.page.write import HERE, environment, trusted
from reports.samples import FILTERS, Found
from reports.store import files


@dataclass(frozen=True)
class Line:
    """One text of an item; `direction` and `tag` are HTML's dir and lang."""

    whose: str
    note: str
    text: str
    direction: str = "auto"
    tag: str = ""


@dataclass(frozen=True)
class ItemView:
    """One item with all that was said of it."""

    id: str
    prompt: str
    lines: tuple[Line, ...]


def write_sample_page(found: Found, out: Path, only: str, prompts: bool) -> Path:
    """Writes the page and returns its path: `out` itself if it ends in .html, else a file in it."""
    path = out if out.suffix == ".html" else out / "samples.html"
    path.parent.mkdir(parents=True, exist_ok=True)
    items = []
    for item in found.items:
        row = next(row for row in item if row)
        prompt = str(row.get("prompt", "")) if prompts else ""
        items.append(ItemView(str(row.get("doc_id")), prompt, tuple(_lines(found, row, item))))
    page = environment().get_template("samples.html.j2")
    css = (HERE / "page.css").read_text(encoding="utf-8")
    files.write_whole(
        path, page.render(found=found, items=items, words=FILTERS[only], css=trusted(css))
    )
    return path


def _lines(
    found: Found, row: dict[str, Any], item: tuple[dict[str, Any] | None, ...]
) -> Iterator[Line]:
    own, english = (found.language.direction, found.language.tag), ("ltr", "en")
    if found.translated:
        origin, target = (english, own) if is_from_english(found.task) else (own, english)
        yield Line("Source", "", str(row.get("source", "")), *origin)
        yield Line("Reference", "", str(row.get("reference", "")), *target)
    else:
        yield Line("Answer", "", str(row.get("answer", "")))
    for producer, mine in zip(found.producers, item, strict=True):
        # A model may answer in any script, so its text sets its own direction.
        yield Line(producer, head_note(mine), said(mine))
