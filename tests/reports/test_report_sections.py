"""A report is a list of sections: what is added to the list appears in every format."""

import re
from dataclasses import replace
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from reports import sections
from reports.cli import main
from reports.figures.svg import Figure, draw_figure, draw_text
from reports.outputs.csv_files import write_csv
from reports.outputs.latex import write_latex
from reports.outputs.markdown import as_markdown
from reports.outputs.terminal import print_report
from reports.page.write import render
from reports.report import Report
from reports.section import FORMATS, Omission, Part, Section
from reports.tables.importing import read_published
from reports.tables.sheet import Column, Sheet

ROOT = Path(__file__).parents[2] / "reports"
WRITERS = (
    *(ROOT / "outputs" / f"{name}.py" for name in ("terminal", "markdown", "csv_files", "latex")),
    *(ROOT / "page").glob("*.j2"),
    ROOT / "page" / "write.py",
)
EVERY = [section for part in sections.PARTS for section in part.sections]


def make_sheet(report: Report) -> Sheet:
    columns = (Column("flower", "Flower"), Column("petals", "Petals", numeric=True))
    return Sheet(columns, (("lily", 6), ("rose", 5)), notes=("Counted by hand.",))


def draw_flower(report: Report) -> list[Figure]:
    return [draw_figure("flower", "A flower", "Its petals.", 40, 40, [draw_text(20, 20, "petal")])]


FLOWERS = Section(
    "flowers", "Flowers seen", "How many petals a flower has.", make_sheet, draw=draw_flower
)


def write_all(report: Report, out: Path) -> dict[str, str]:
    """Write a report in all formats; each format to all of its text."""
    screen = StringIO()
    print_report(report, Console(file=screen, width=100))
    return {
        "terminal": screen.getvalue(),
        "markdown": as_markdown(report),
        "csv": "\n".join(f"{p.stem}\n{p.read_text()}" for p in write_csv(report, out)),
        "latex": "\n".join(path.read_text() for path in write_latex(report, out)),
        "html": render(report),
    }


@pytest.fixture(params=["store", "imported"])
def any_report(request: pytest.FixtureRequest, report: Report) -> Report:
    """The report of a store, and that of an imported table, with nothing made yet."""
    return (
        Report.from_table(read_published())
        if request.param == "imported"
        else replace(report, kept={})
    )


@pytest.mark.parametrize("alone", [True, False], ids=["a part of its own", "in a part"])
def test_a_section_of_the_list_is_in_every_format(
    any_report: Report, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, alone: bool
) -> None:
    parts = list(sections.PARTS)
    if alone:
        parts.append(Part("garden", "In the garden", (FLOWERS,)))
    else:
        parts[0] = replace(parts[0], sections=(*parts[0].sections, FLOWERS))
    monkeypatch.setattr(sections, "PARTS", tuple(parts))
    written = write_all(any_report, tmp_path)
    assert written.keys() == set(FORMATS)
    for form, said in written.items():
        assert "lily" in said, form
        assert "rose" in said, form
        # CSV files are for programs: they hold neither titles nor notes.
        assert ("Flowers seen" in said) == (form != "csv"), form
        assert ("Counted by hand" in said) == (form != "csv"), form
    assert "flowers\nflower,petals\nlily,6\nrose,5\n" in written["csv"]
    assert r"\input{flowers}" in written["latex"]
    assert r"\label{tab:flowers}" in written["latex"]
    page = written["html"]
    place = "garden" if alone else parts[0].name
    assert f'<li><a href="#{place}">{"In the garden" if alone else parts[0].title}</a></li>' in page
    (part,) = re.findall(rf'<section class="part" id="{place}".*?</section>', page, re.DOTALL)
    assert 'id="table-flowers"' in part
    assert part.index("<figcaption>A flower</figcaption>") < part.index('id="table-flowers"')
    assert "flower" in [drawn.name for drawn in sections.draw_all(any_report)]


def test_a_format_leaves_out_what_the_list_says(
    report: Report, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    part = sections.PARTS[0]
    for form in FORMATS:
        one = replace(FLOWERS, left_out={form: Omission("a reason")})
        two = replace(FLOWERS, left_out={form: Omission("a reason", lambda report: False)})
        for section, is_there in ((one, False), (two, True)):
            monkeypatch.setattr(sections, "PARTS", (replace(part, sections=(section,)),))
            said = write_all(replace(report, kept={}), tmp_path / f"{form}-{is_there}")
            assert [name for name in FORMATS if "lily" not in said[name]] == [form] * (not is_there)


def test_a_section_without_a_table_is_written_nowhere(
    report: Report, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lacking = replace(FLOWERS, make=lambda report: None, draw=lambda report: ())
    monkeypatch.setattr(sections, "PARTS", (Part("garden", "In the garden", (lacking,)),))
    said = write_all(replace(report, kept={}), tmp_path)
    assert not any(word in text for word in ("lower", "garden") for text in said.values())


def test_names_are_unique_and_every_omission_has_a_reason() -> None:
    names = [section.name for section in EVERY]
    assert len(set(names)) == len(names)
    anchors = [part.name for part in sections.PARTS]
    assert len(set(anchors)) == len(anchors)
    for section in EVERY:
        assert section.says.endswith("."), section.name
        assert all(omission.why for omission in section.left_out.values()), section.name


def test_no_writer_knows_a_table() -> None:
    """Their texts name no section: what a table needs, its columns and its section say."""
    for path in WRITERS:
        quoted = set(re.findall(r"""["']([a-z_-]+)["']""", path.read_text("utf-8")))
        known = quoted & {section.name for section in EVERY}
        assert not known, f"{path.name} knows {known}"


def test_the_list_can_be_read(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["tables"]) == 0
    said = capsys.readouterr().out
    for section in EVERY:
        assert section.name in said
        assert section.says in said
