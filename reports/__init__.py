"""Reports: reads a store's finished artifacts and shows who gained, by how much, at what cost.

    store ─read.py─> StoreView ─table.py─> Panel ─> terminal.py, page.py, markdown.py, csv_files.py

Nothing here runs an experiment or imports a live object of one: the input is files.
"""

from reports.errors import EmptyStoreError, ReportsError, RunNotFoundError, StoreNotFoundError
from reports.model import StoreView
from reports.read import read_store, select_run

__all__ = [
    "EmptyStoreError",
    "ReportsError",
    "RunNotFoundError",
    "StoreNotFoundError",
    "StoreView",
    "read_store",
    "select_run",
]
