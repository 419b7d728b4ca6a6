"""The rows of a long table as HTML: by hand, since a template takes ten times as long for them."""

from collections.abc import Mapping

from markupsafe import Markup, escape

from reports.signs import clean
from reports.tables.sheet import Sheet, SheetCell


def write_rows(sheet: Sheet, links: Mapping[tuple[str, str], str]) -> list[Markup]:
    """Write one `<tr>` a row, every value escaped.

    `links` leads from (first value of the row, name of a column) to an element of the page.
    """
    return [
        Markup("<tr>{}</tr>").format(
            Markup("").join(
                (
                    Markup(f'<th scope="row">{_write_words(first)}</th>'),
                    *(
                        _write_cell(cell, links.get((str(first.value), cell.column.name)))
                        for cell in rest
                    ),
                )
            )
        )
        for first, *rest in sheet.list_cells()
    ]


def _write_cell(cell: SheetCell, link: str | None) -> Markup:
    column = cell.column
    kind = "num" if column.numeric else "prose" if column.prose else "name"
    words = _write_words(cell)
    if column.code and cell.value:
        words = Markup(f"<code>{words}</code>")
    elif link and isinstance(cell.value, int | float):
        words = Markup(f'<a href="#{escape(link)}">{words}</a>')
    return Markup(f'<td class="{" ".join((kind, *sorted(cell.marks)))}">{words}</td>')


def _write_words(cell: SheetCell) -> Markup:
    # Numbers hold nothing to escape, and are most of a page.
    return escape(clean(cell.text)) if isinstance(cell.value, str) else Markup(cell.text)
