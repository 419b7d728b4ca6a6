"""The pages over all items in a real Chromium, from a folder, with and without script."""

from pathlib import Path
from typing import Any

import pytest
from chromium import open_context
from test_flips import EVIL, make

from reports.cli import main

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("items")
    for task in ("sib200", "flores_en_xx"):
        make(root / task, task)
        assert main(["items", "--store", str(root / task), "--out", str(root / f"{task}-out")]) == 0
    return root


def show(browser: Any, path: Path, width: int, **options: Any) -> Any:
    page = open_context(browser, width, 900, offline=True, **options).new_page()
    page.complaints = []
    page.on("console", lambda message: page.complaints.append(message.text))
    page.on("pageerror", lambda error: page.complaints.append(str(error)))
    page.on("dialog", lambda dialog: page.complaints.append(dialog.message))
    page.goto(path.as_uri())
    return page


@pytest.mark.parametrize("width", [1200, 360])
def test_an_item_is_opened_from_a_folder(browser: Any, folder: Path, width: int) -> None:
    page = show(browser, folder / "sib200-out" / "index.html", width)
    with page.expect_navigation():
        page.click("table a")
    page.click("tr[data-file] button")
    page.wait_for_selector("tr.opened dl")
    assert page.locator("tr.opened h2").all_inner_texts() == [
        "Eastern Yiddish",
        "Swahili",
        "Uyghur",
    ]
    assert EVIL.strip("\u2028") in page.locator("tr.opened dd").first.inner_text()
    assert page.complaints == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.fill("#filter", "item-2")
    assert page.locator("tr[data-file]:visible").count() == 1
    assert page.locator("tr.opened:visible").count() == 0


def test_translations_run_as_their_task_says(browser: Any, folder: Path) -> None:
    page = show(browser, folder / "flores_en_xx-out" / "flores_en_xx-1.html", 1200)
    page.click("tr[data-file] button")
    page.wait_for_selector("tr.opened dl")
    said = page.evaluate(
        """[...document.querySelectorAll("tr.opened dl")].map((list) =>
             [...list.querySelectorAll("dd")].map((one) => getComputedStyle(one).direction))"""
    )
    # Source, reference, base and producer; the translations begin with a Latin letter.
    assert said == [["ltr", way, way, way] for way in ("rtl", "ltr", "rtl")]


def test_without_script_the_list_is_there(browser: Any, folder: Path) -> None:
    page = show(browser, folder / "sib200-out" / "sib200-1.html", 360, java_script_enabled=False)
    assert page.locator("tr[data-file]").count() == 4
    assert "Uyghur" in page.locator("table").inner_text()
    assert "kakugo-report samples" in page.locator("noscript").inner_text()


def test_a_file_that_is_not_there_is_named(browser: Any, folder: Path, tmp_path: Path) -> None:
    alone = tmp_path / "sib200-1.html"
    alone.write_bytes((folder / "sib200-out" / "sib200-1.html").read_bytes())
    page = show(browser, alone, 1200)
    page.click("tr[data-file] button")
    page.wait_for_selector("tr.opened :text('copy the whole folder')")


def test_axe_finds_nothing_in_an_opened_item(browser: Any, folder: Path) -> None:
    from axe_playwright_python.sync_playwright import Axe

    # axe is put into the page, which the page's own policy forbids.
    path = folder / "sib200-out" / "sib200-1.html"
    free = path.with_name("axe.html")
    text = path.read_text(encoding="utf-8")
    free.write_text(text.replace("Content-Security-Policy", "x-policy"), encoding="utf-8")
    page = show(browser, free, 360)
    page.click("tr[data-file] button")
    page.wait_for_selector("tr.opened dl")
    found = Axe().run(page)
    assert [(v["id"], v["nodes"][0]["html"][:120]) for v in found.response["violations"]] == []
