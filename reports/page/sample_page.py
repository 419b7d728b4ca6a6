"""`kakugo-report samples --out FILE`: the chosen items as a page of their own."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from core.contract.samples import AnySample, Translation
from reports.outputs.sample_text import describe_answer, describe_oddities
from reports.page.samples import TextLine
from reports.page.write import HERE, make_environment, read_trusted
from reports.samples import FILTERS, FoundSamples, Item, find_answer_direction, find_directions
from reports.store import files


@dataclass(frozen=True)
class ItemView:
    """One item with all of its texts."""

    id: str
    prompt: str
    lines: tuple[TextLine, ...]


def write_sample_page(found: FoundSamples, out: Path, only: str, prompts: bool) -> Path:
    """Write the page and returns its path: `out` itself if it ends in .html, else a file in it."""
    path = out if out.suffix == ".html" else out / "samples.html"
    path.parent.mkdir(parents=True, exist_ok=True)
    items = []
    for item in found.items:
        row = next(row for row in item if row)
        prompt = row.prompt if prompts else ""
        items.append(ItemView(row.doc_id, prompt, tuple(_list_lines(found, row, item))))
    page = make_environment().get_template("samples.html.j2")
    css = (HERE / "page.css").read_text(encoding="utf-8")
    files.write_whole(
        path, page.render(found=found, items=items, words=FILTERS[only], css=read_trusted(css))
    )
    return path


def _list_lines(found: FoundSamples, row: AnySample, item: Item) -> Iterator[TextLine]:
    origin, target = find_directions(found.task, found.language)
    if isinstance(row, Translation):
        yield TextLine("Source", row.source, origin)
        yield TextLine("Reference", row.reference, target)
    else:
        yield TextLine("Answer", row.answer)
    for producer, mine in zip(found.producers, item, strict=True):
        direction = find_answer_direction(mine, target)
        yield TextLine(producer, describe_answer(mine), direction, describe_oddities(mine))
