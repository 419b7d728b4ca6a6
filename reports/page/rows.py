"""The rows of a long table as HTML: by hand, since a template takes ten times as long for them."""

from collections.abc import Mapping

from markupsafe import Markup, escape

from reports.signs import clean
from reports.tables.sheet import Sheet, SheetCell


def write_rows(sheet: Sheet, links: Mapping[tuple[str, str], str]) -> list[Markup]:
    """Write one `<tr>` a row, every value escaped.

    `links` leads from (first value of the row, name of a column) to an element of the page.
    """
    rows = []
    for first, *rest in sheet.list_cells():
        of = str(first.value)
        cells = "".join([_write_cell(cell, links.get((of, cell.column.name))) for cell in rest])
        rows.append(Markup(f'<tr><th scope="row">{_write_words(first)}</th>{cells}</tr>'))
    return rows


def _write_cell(cell: SheetCell, link: str | None) -> str:
    column = cell.column
    kind = "num" if column.numeric else "prose" if column.prose else "name"
    words = _write_words(cell)
    if column.code and cell.value:
        words = f"<code>{words}</code>"
    elif link and isinstance(cell.value, int | float):
        words = f'<a href="#{escape(link)}">{words}</a>'
    kinds = " ".join((kind, *sorted(cell.marks))) if cell.marks else kind
    return f'<td class="{kinds}">{words}</td>'


def _write_words(cell: SheetCell) -> str:
    # Numbers hold nothing to escape, and are most of a page. As plain text, since to put together
    # what is escaped already takes three times as long by Markup's own means.
    return str(escape(clean(cell.text))) if isinstance(cell.value, str) else cell.text
