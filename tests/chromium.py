"""The browser that tests look at pages with: the machine's Chromium, else Playwright's own."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

NAMES = ("chromium", "chromium-browser", "google-chrome")
CHROMIUM = next(filter(None, map(shutil.which, NAMES)), None)
# Milliseconds for which a page may be waited for. Only a failure waits so long, so that it is far
# more than a page takes on a busy machine.
PATIENCE = 60_000


@contextmanager
def launched() -> Iterator[Any]:
    """A browser; skips the test where this machine has none."""
    from playwright.sync_api import Error, sync_playwright

    with sync_playwright() as playwright:
        try:
            browser = playwright.chromium.launch(executable_path=CHROMIUM, timeout=PATIENCE)
        except Error as error:
            if CHROMIUM:
                raise
            pytest.skip(f"there is no Chromium on this machine: {str(error).splitlines()[0]}")
        yield browser
        browser.close()


def open_context(browser: Any, width: int, height: int, **options: Any) -> Any:
    """A browser's window of a size in pixels, with cookies of its own."""
    context = browser.new_context(viewport={"width": width, "height": height}, **options)
    context.set_default_timeout(PATIENCE)
    return context


def click_through(page: Any, selector: str) -> None:
    """Clicks on what leads to another page, and waits until that is loaded.

    A wait for something that this page shows already would not wait at all.
    """
    with page.expect_navigation():
        page.click(selector)
