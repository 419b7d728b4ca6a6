import os
from pathlib import Path

import pytest
from store_maker import make_store

from reports import StoreView, read_store
from reports.report import Report

# No report of a test depends on what sacrebleu has fetched on this machine.
os.environ["SACREBLEU"] = str(Path(__file__).parent / "no such folder")


@pytest.fixture(scope="session")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The store of `make_store`; tests that change a store make their own."""
    return make_store(tmp_path_factory.mktemp("reports") / "artifacts")


@pytest.fixture(scope="session")
def view(store: Path) -> StoreView:
    return read_store(store)


@pytest.fixture(scope="session")
def report(view: StoreView) -> Report:
    return Report.from_store(view)
