import base64
import hashlib
import re
import shutil
from html.parser import HTMLParser
from pathlib import Path

import pytest
from store_maker import SCRIPT, SWAHILI, cell, make_store, task_samples, write_plan, write_score

from reports import StoreView, read_store
from reports.figures.training import Log, draw_curve
from reports.page.write import render, write_page
from reports.report import Report
from reports.tables.panels import build_panels
from reports.words import describe_gain, describe_interval

VOID = {"meta", "br", "link", "img", "input"}


class Reader(HTMLParser):
    """Collects tags and checks that they nest."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag, f"</{tag}> closes another element"

    def handle_data(self, data: str) -> None:
        self.text.append(data)


def read(html: str) -> Reader:
    reader = Reader()
    reader.feed(html)
    reader.close()
    assert not reader.open
    return reader


@pytest.fixture(scope="module")
def html(view: StoreView) -> str:
    return render(Report.from_store(view))


def test_the_page_is_one_file_that_loads_nothing(html: str) -> None:
    reader = read(html)
    assert not {tag for tag, _ in reader.tags} & {"link", "img", "iframe", "object"}
    (policy,) = [a["content"] for t, a in reader.tags if t == "meta" and "http-equiv" in a]
    # The one script that may run is the page's own: no text of the store can add another.
    script = re.search(r"<script>(.*)</script>", html, re.DOTALL)
    assert script
    digest = base64.b64encode(hashlib.sha256(script[1].encode()).digest()).decode()
    assert policy == (
        f"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{digest}'; "
        "img-src data:; base-uri 'none'; form-action 'none'"
    )
    assert not re.search(r"https?://|@import|url\(", html)
    assert not [a for _, a in reader.tags if any(name.startswith("on") for name in a)]


def test_ids_are_unique_and_links_lead_somewhere(html: str) -> None:
    tags = read(html).tags
    ids = [a["id"] for _, a in tags if "id" in a]
    assert len(ids) == len(set(ids))
    targets = {a["href"] for t, a in tags if t == "a"}
    assert targets
    assert targets <= {f"#{name}" for name in ids}
    for _, attributes in tags:
        for name in (attributes.get("aria-labelledby") or "").split():
            assert name in ids


def test_tables_name_themselves_and_their_headers(html: str) -> None:
    tags = read(html).tags
    assert all(a.get("scope") in ("col", "row", "rowgroup") for t, a in tags if t == "th")
    regions = [a for _, a in tags if a.get("role") == "region"]
    assert regions
    assert all(a.get("tabindex") == "0" and a.get("aria-label") for a in regions)


def test_the_numbers_of_the_table_are_in_the_page(view: StoreView, html: str) -> None:
    text = read(html).text
    for panel in build_panels(view):
        for row in panel.rows:
            for one in row.others:
                if one.gain and one.score:
                    assert f"{one.score.score:.1f}" in text
                    assert describe_gain(one.gain) in text
                    assert describe_interval(one.gain) in text


def test_names_and_texts_carry_their_language_and_direction(html: str) -> None:
    tags = read(html).tags
    assert ("bdi", {"class": "autonym", "lang": "ug", "dir": "rtl"}) in tags
    said = [a for t, a in tags if t == "td" and a.get("class") == "said"]
    assert {(a["dir"], a.get("lang")) for a in said} == {
        ("ltr", "en"),
        ("ltr", "sw"),
        ("rtl", "ug"),
    }


def test_model_output_and_names_are_text(tmp_path: Path, html: str) -> None:
    assert SCRIPT not in html
    assert "&lt;script&gt;alert(&#39;hypothesis&#39;)&lt;/script&gt;" in html
    name = "<script>alert('name')</script>\"' onload=x \x00\ud800"
    samples = task_samples("Swahili", "flores_en_xx", 0.5, 1)
    for producer in ("base", name):
        key = f"key of {producer[:4]}"
        write_score(
            tmp_path,
            "s" if producer == "base" else "t",
            name,
            producer,
            ("train", key),
            "flores_en_xx",
            samples,
            protocol=name,
            warnings=[name],
        )
    plan = [
        cell(name, "base", ("train", "key of base"), "flores_en_xx", "s"),
        cell(name, name, ("train", f"key of {name[:4]}"), "flores_en_xx", "t"),
        cell(name, name, ("train", f"key of {name[:4]}"), "sib200", None, name),
    ]
    language = SWAHILI | {"name": name, "autonym": name, "flores_code": name}
    write_plan(tmp_path, "r", language, plan, error=name[:30])
    path = write_page(Report.from_store(read_store(tmp_path)), tmp_path / "out")
    reader = read(path.read_text(encoding="utf-8"))
    assert [tag for tag, _ in reader.tags].count("script") == 1
    assert not [a for _, a in reader.tags if "onload" in a]


def test_the_same_store_gives_the_same_bytes(tmp_path: Path, store: Path) -> None:
    first = write_page(Report.from_store(read_store(store)), tmp_path / "one.html").read_bytes()
    copy = shutil.copytree(store, tmp_path / "elsewhere")
    assert write_page(Report.from_store(read_store(copy)), tmp_path / "two").read_bytes() == first
    again = Report.from_store(read_store(make_store(tmp_path / "again")))
    assert write_page(again, tmp_path).read_bytes() == first


def test_the_page_says_what_is_not_there_and_whose_data_it_is(html: str) -> None:
    text = " ".join(read(html).text)
    for words in (
        "Not benchmark scores.",
        "Damaged files.",
        "Belebele does not cover Uyghur.",
        "train: the loss is not finite at step 3",
        "Loss 5.30 → 1.35 in 40 steps",
        "0123456789ab",
        "torch 2.13.0",
    ):
        assert words in text


def test_figures_have_titles_and_stay_within_their_frame(html: str) -> None:
    assert html.count("<svg ") == 18
    for svg in re.findall(r"<svg .*?</svg>", html, flags=re.DOTALL):
        assert "<title " in svg
        assert "<desc " in svg
        width = float(re.findall(r'viewBox="0 0 (\d+)', svg)[0])
        places = re.findall(r' (?:x|x1|x2|cx)="([-\d.]+)"', svg)
        assert all(0 <= float(x) <= width for x in places)


def test_a_curve_needs_two_points_and_stays_small() -> None:
    assert draw_curve(Log([(1.0, 2.0)]), "c", "t") is None
    many = [(float(x), 1 / (x + 1)) for x in range(100_000)]
    drawn = draw_curve(Log(many, many[::20_000], many, many), "c", "t")
    assert drawn is not None
    assert len(drawn.svg) < 25_000
    assert "Learning rate, at most 1.0e+00" in drawn.svg
    assert "On held-out rows 0.00 at the end" in drawn.svg
    assert drawn.svg.count("<polyline") == 3
    for number in ("0.5", "80,000"):
        assert f">{number}</text>" in drawn.svg, "its axes have numbers"
    signals = {"Teacher on rollouts": many, "Sequences": [(1.0, 0.69), (9.0, 0.4)]}
    parts = draw_curve(Log(many, learning_rate=many, signals=signals), "c", "t")
    assert parts is not None
    assert parts.svg.count("<polyline") == 4
    assert ">Sequences, 0.69 → 0.4</text>" in parts.svg
