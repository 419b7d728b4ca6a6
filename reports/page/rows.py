"""The rows of a long table as HTML: by hand, since a template takes ten times as long for them."""

from collections.abc import Mapping

from markupsafe import Markup, escape

from reports.signs import clean
from reports.tables.sheet import Column, Sheet, Value


def table_rows(sheet: Sheet, links: Mapping[tuple[str, str], str]) -> list[Markup]:
    """One `<tr>` a row, every value escaped.

    `links` leads from (first value of the row, name of a column) to an element of the page.
    """
    kinds = [_kind(column) for column in sheet.columns]
    return [
        Markup("<tr>{}</tr>").format(
            Markup("").join(
                _head(column, value)
                if place == 0
                else _cell(
                    column,
                    value,
                    " ".join((kinds[place], *sorted(sheet.marks.get((number, place), ())))),
                    links.get((str(row[0]), column.name)),
                )
                for place, (column, value) in enumerate(zip(sheet.columns, row, strict=True))
            )
        )
        for number, row in enumerate(sheet.rows)
    ]


def _kind(column: Column) -> str:
    return "num" if column.numeric else "prose" if column.prose else "name"


def _head(column: Column, value: Value) -> Markup:
    return Markup(f'<th scope="row">{_words(column, value)}</th>')


def _cell(column: Column, value: Value, kind: str, link: str | None) -> Markup:
    words = _words(column, value)
    if column.code and value:
        words = Markup(f"<code>{words}</code>")
    elif link and isinstance(value, int | float):
        words = Markup(f'<a href="#{escape(link)}">{words}</a>')
    return Markup(f'<td class="{kind}">{words}</td>')


def _words(column: Column, value: Value) -> Markup:
    shown = column.show(value)
    # Numbers hold nothing to escape, and are most of a page.
    return escape(clean(shown)) if isinstance(value, str) else Markup(shown)
