"""One line of a CSV or TSV file as its cells, where a line is a row and every quote mark is closed.

The usual readers go on to the next line for the end of a quoted cell: one stray quote mark then
makes one row of many, without a word. No table read here has a cell of several lines.
"""

import csv


def split_cells(line: str, delimiter: str) -> list[str]:
    """Returns the cells of a line; a cell may be quoted, quote marks in it doubled.

    Raises ValueError, in words that follow "line 7: ", where a quote mark is not closed in the
    line, or closed before the end of its cell.
    """
    if '"' not in line:
        return line.split(delimiter)
    try:
        (cells,) = csv.reader([line], delimiter=delimiter, strict=True)
    except csv.Error as error:
        if "unexpected end" in str(error):
            why = "a quote mark opens a cell and is not closed in the line"
        elif "field larger" in str(error):
            why = f"a cell is too long, as where a quote mark is not closed ({error})"
        else:
            why = "a quote mark closes before the end of its cell"
        raise ValueError(why) from None
    return cells
