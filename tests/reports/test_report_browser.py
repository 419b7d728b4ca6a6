"""The page in a real Chromium: shown, sorted, filtered, followed; axe has no objection."""

from pathlib import Path
from typing import Any

import pytest
from chromium import open_context
from synthetic_store import make_synthetic_store

from core.languages import list_languages
from reports import read_store
from reports.page.write import write_page
from reports.report import Report
from reports.tables.importing import read_published

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
NAMES = ("swahili", "uyghur", "lhasa_tibetan", "telugu", "eastern_yiddish")


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Report:
    """Five languages in five scripts, three checkpoints, five tasks."""
    folder = tmp_path_factory.mktemp("browser")
    languages = []
    for name in NAMES:
        keys = ("name", "autonym", "direction", "flores_code", "script")
        languages.append({key: getattr(list_languages()[name], key) for key in keys})
    items = dict.fromkeys(("sib200", "belebele", "global_mmlu", "flores_en_xx"), 40)
    make_synthetic_store(folder / "store", languages, 3, items)
    return Report.from_store(read_store(folder / "store"))


@pytest.fixture(scope="module")
def page_file(whole: Report, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_page(whole, tmp_path_factory.mktemp("page"))


@pytest.fixture(scope="module")
def short_page_file(whole: Report, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Every kind of table and figure, in three languages: axe looks at each element."""
    short = whole.keep_languages(["Uyghur", "Swahili", "Telugu"])
    return write_page(short, tmp_path_factory.mktemp("short"))


def show(browser: Any, path: Path, width: int = 1200, scheme: str = "light") -> Any:
    context = open_context(browser, width, 900, color_scheme=scheme, offline=True)
    page = context.new_page()
    page.complaints = []
    page.on("console", lambda message: page.complaints.append(message.text))
    page.on("pageerror", lambda error: page.complaints.append(str(error)))
    page.goto(path.as_uri())
    return page


@pytest.mark.parametrize(("width", "scheme"), [(1200, "dark"), (360, "light")])
def test_it_opens_offline_without_complaint_and_axe_finds_nothing(
    browser: Any, short_page_file: Path, width: int, scheme: str
) -> None:
    from axe_playwright_python.sync_playwright import Axe

    page = show(browser, short_page_file, width, scheme)
    assert page.complaints == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    # axe is put into the page, which the page's own policy forbids: a browser may ignore it.
    policy_free = short_page_file.with_name(f"axe-{width}-{scheme}.html")
    text = short_page_file.read_text(encoding="utf-8")
    policy_free.write_text(text.replace("Content-Security-Policy", "x-policy"), encoding="utf-8")
    found = Axe().run(show(browser, policy_free, width, scheme))
    assert [(v["id"], v["nodes"][0]["html"][:120]) for v in found.response["violations"]] == []


def test_a_table_sorts_by_mouse_and_keyboard(browser: Any, page_file: Path) -> None:
    page = show(browser, page_file)
    column = "#table-wins thead th:has-text('Gain')"

    def gains() -> list[float]:
        place = page.eval_on_selector(column, "head => head.cellIndex")
        cells = page.eval_on_selector_all(
            "#table-wins tbody tr", f"rows => rows.map(row => row.cells[{place}].textContent)"
        )
        return [float(text.replace("−", "-")) for text in cells]

    before = gains()
    page.click(f"{column} button")
    assert gains() == sorted(before, reverse=True)
    page.focus(f"{column} button")
    page.keyboard.press("Enter")
    assert gains() == sorted(before)
    assert page.get_attribute(column, "aria-sort") == "ascending"


def test_a_table_filters_and_says_how_much_is_left(browser: Any, page_file: Path) -> None:
    page = show(browser, page_file)
    page.fill("#filter-wins", "uyghur belebele")
    visible = page.locator("#table-wins tbody tr:visible")
    assert visible.count() == 2
    assert all("Uyghur" in text for text in visible.all_text_contents())
    assert page.text_content("[data-for=table-wins] [role=status]") == "2 of 40 rows"


def test_the_picker_shows_one_language_and_a_cell_leads_to_its_samples(
    browser: Any, page_file: Path
) -> None:
    page = show(browser, page_file)
    shown = page.locator("section.language:visible")
    assert shown.count() == 1, "more than three languages: one at a time"
    page.select_option("#picker", label="Uyghur · ئۇيغۇرچە")
    assert shown.count() == 1
    assert "Uyghur" in shown.first.text_content()
    # A cell of the table over languages opens the samples, in whichever section they are.
    page.click("#table-by_language tbody tr:has-text('Swahili') td.num a")
    opened = page.locator("details[open]:visible").first
    assert "What the model saw" in opened.text_content()
    assert "Swahili" in shown.first.text_content()
    page.select_option("#picker", value="")
    assert shown.count() == 5


def test_a_producer_is_chosen_for_tables_and_figures(browser: Any, page_file: Path) -> None:
    page = show(browser, page_file, 360)
    page.select_option("#picker", value="")
    chooser = page.locator("#producer")
    names = chooser.locator("option").all_text_contents()
    assert names[1:] == ["trained:mix2", "trained:mix1"]
    assert names[0] == "All, figures of trained:mix2"
    rows = page.locator("#table-by_language tbody tr:visible")
    drawn = page.locator(".of-producer figure:visible")
    assert rows.count() == 15
    assert "trained:mix2" in drawn.first.text_content()
    # By the keyboard alone.
    chooser.focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    assert chooser.input_value() == "trained:mix1"
    said = page.locator("#table-by_language tbody tr:visible td:nth-child(2)").all_text_contents()
    assert said == ["base", "trained:mix1"] * 5
    assert drawn.count() > 3
    assert all("trained:mix1" in text for text in drawn.all_text_contents())
    # A table whose rows share a cell keeps them, and only mutes the others.
    own = page.locator("section.language:visible table").first
    muted = own.locator("tr.other").all_text_contents()
    assert muted
    assert all("trained:mix2" in text for text in muted)
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    page.select_option("#producer", value="")
    assert rows.count() == 15
    # A link to a figure of another leads to it.
    page.goto(f"{page_file.as_uri()}#scatter-sib200-1-title")
    page.wait_for_function("() => document.getElementById('producer').value === 'trained:mix1'")
    assert page.complaints == []


def test_without_scripts_everything_is_there(browser: Any, page_file: Path) -> None:
    context = browser.new_context(java_script_enabled=False, offline=True)
    page = context.new_page()
    page.goto(page_file.as_uri())
    assert page.locator("section.language:visible").count() == 5
    assert page.locator(".tools:visible").count() == 0


def test_a_right_to_left_name_is_set_from_right_to_left(browser: Any, page_file: Path) -> None:
    page = show(browser, page_file)
    page.select_option("#picker", "")
    autonym = page.locator("h2 .autonym[lang=ug]")
    assert autonym.evaluate("e => getComputedStyle(e).direction") == "rtl"


def test_the_published_table_is_a_page_too(browser: Any, tmp_path: Path) -> None:
    path = write_page(Report.from_table(read_published()), tmp_path / "published.html")
    page = show(browser, path, 360)
    page.click("#whole button")
    page.wait_for_function("() => !document.querySelector('.packed')")
    assert page.complaints == []
    assert page.locator("svg[role=img]").count() == 12
    scrolled = page.evaluate(
        """[...document.querySelectorAll("figure .scroll")]
             .filter((one) => one.scrollWidth > one.clientWidth)
             .map((one) => one.querySelector("title").textContent)"""
    )
    assert scrolled == [], "a phone shows every figure whole"
    assert page.evaluate("document.documentElement.scrollWidth") <= 360


def test_a_translation_runs_as_its_language_does_on_the_screen(
    browser: Any, short_page_file: Path
) -> None:
    page = show(browser, short_page_file)
    laid_out = page.evaluate(
        """[...document.querySelectorAll("td.said")].map((cell) => {
             const style = getComputedStyle(cell);
             return [cell.dir, style.direction, style.unicodeBidi];
           })"""
    )
    # With `plaintext` the first letter of a line would decide, whatever `dir` says.
    assert {tuple(cell) for cell in laid_out} == {
        ("rtl", "rtl", "isolate"),
        ("ltr", "ltr", "isolate"),
    }


@pytest.fixture(scope="module")
def large_page_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The paper's languages and tasks with two checkpoints, and few items."""
    folder = tmp_path_factory.mktemp("large")
    keys = ("name", "autonym", "direction", "flores_code", "script")
    known = [one for one in list_languages().values() if one.flores_code and one.id != "english"]
    languages = [{key: getattr(one, key) for key in keys} for one in known[:54]]
    items = dict.fromkeys(("sib200", "belebele", "global_mmlu", "flores_xx_en", "flores_en_xx"), 24)
    make_synthetic_store(folder / "store", languages, 2, items)
    return write_page(Report.from_store(read_store(folder / "store")), folder)


def count_elements(page: Any) -> int:
    count: int = page.evaluate("document.getElementsByTagName('*').length")
    return count


def test_a_page_of_54_languages_is_light(browser: Any, large_page_file: Path) -> None:
    """A page of four checkpoints and five tasks may have 2 MB and 20,000 elements; this is half."""
    assert large_page_file.stat().st_size < 1_000_000
    page = show(browser, large_page_file, 360)
    assert page.complaints == []
    assert count_elements(page) < 10_000
    assert page.evaluate("document.documentElement.scrollWidth") <= 360


def test_its_long_parts_are_drawn_where_a_reader_comes_to_them(
    browser: Any, large_page_file: Path
) -> None:
    page = show(browser, large_page_file)
    packed = page.locator(".packed").count()
    assert packed > 50
    page.select_option("#picker", label="Swahili · Kiswahili")
    page.wait_for_function(
        "() => { const own = document.querySelector('section.language:not([hidden])');"
        " return own.textContent.includes('Kiswahili') && own.querySelector('table'); }"
    )
    own = page.locator("section.language:not([hidden])")
    assert own.count() == 1
    assert "SIB-200" in str(own.locator("table").first.text_content())
    assert 0 < page.locator(".packed").count() < packed
    # A link to something inside of one leads there.
    inside = page.evaluate("[...document.querySelectorAll('.packed')].at(-1).dataset.ids").split()
    page.goto(f"{large_page_file.as_uri()}#{inside[0]}")
    found = page.locator(f"#{inside[0]}")
    found.wait_for(state="attached")
    page.wait_for_function(
        "id => document.getElementById(id).getBoundingClientRect().top < innerHeight", arg=inside[0]
    )
    # All of it, for a search or for print.
    page.click("#whole button")
    page.wait_for_function("() => !document.querySelector('.packed')")
    assert page.locator("section.language:visible").count() == 54
    assert page.complaints == []
    head = page.locator("table.sortable th button").last
    head.click()
    assert page.locator("th[aria-sort]").count() == 1, "what is drawn later can be sorted, too"


def test_print_and_a_search_find_what_is_packed(browser: Any, large_page_file: Path) -> None:
    for event in ("dispatchEvent(new Event('beforeprint'))", None):
        page = show(browser, large_page_file)
        page.wait_for_function("() => 'ready' in document.documentElement.dataset")
        assert page.locator(".packed").count() > 50
        if event:
            page.evaluate(event)
        else:
            page.keyboard.press("Control+f")
        assert page.locator(".packed").count() == 0, "at once: neither waits"
        assert page.locator("section.language:visible").count() == 54
        assert page.locator("#whole").is_hidden()
        assert page.complaints == []
    page = show(browser, large_page_file)
    page.wait_for_function("() => 'ready' in document.documentElement.dataset")
    page.select_option("#picker", label="Swahili · Kiswahili")
    assert page.pdf().startswith(b"%PDF")
    assert page.locator(".packed").count() == 0
    assert page.locator("section.language:visible").count() == 1, "one that was chosen stays"


def test_without_scripts_a_large_page_says_where_its_long_parts_are(
    browser: Any, large_page_file: Path
) -> None:
    page = browser.new_context(java_script_enabled=False, offline=True).new_page()
    page.goto(large_page_file.as_uri())
    assert "points against base on average" in page.locator("#table-glance").inner_text()
    assert page.locator("#table-summary").count() == 1
    said = page.locator(".packed").first.inner_text()
    assert "kakugo-report --format csv has it, in " in said
    assert page.locator("#whole").is_hidden()
