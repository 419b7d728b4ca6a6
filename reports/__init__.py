"""Reports: reads a store's finished artifacts and shows who gained, by how much, at what cost.

    store/ ──> tables/ ──> parts/, sections.py ──> outputs/   terminal, Markdown, CSV, LaTeX
       or         │            │               └──> page/      one HTML file
    a CSV file   stats/        └ figures/  ──────────────────  SVG, PNG, PDF

`sections.py` is the table of contents: all parts in reading order, which `parts/` makes of tables
and figures. A new table is a file in tables/ and an entry in a part; every format then shows it.

Nothing here runs an experiment or imports a live object of one: the input is files.
"""

from core.versions import VERSION
from reports.errors import EmptyStoreError, ReportsError, RunNotFoundError, StoreNotFoundError
from reports.store.model import StoreView
from reports.store.read import read_store

__all__ = [
    "EmptyStoreError",
    "ReportsError",
    "RunNotFoundError",
    "StoreNotFoundError",
    "StoreView",
    "read_store",
]

__version__ = VERSION
