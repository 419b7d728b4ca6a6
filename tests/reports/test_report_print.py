"""What goes into print: LaTeX tables, and figures as SVG, PNG and PDF."""

import csv
import re
import struct
import subprocess
import xml.etree.ElementTree as ET
from collections import Counter
from itertools import pairwise
from pathlib import Path
from shutil import which

import numpy as np
import pytest
from synthetic_store import make_synthetic_store

from reports import read_store
from reports.errors import FiguresError
from reports.figures.export import PRINT, convert, write_figures
from reports.figures.scatter import place_labels
from reports.figures.svg import Figure, draw_text, find_font
from reports.outputs.latex import LONG, as_latex, escape, write_latex
from reports.report import Report
from reports.sections import draw_all, find_sheets
from reports.stats.crossed import UnitScores, compare_producers
from reports.store.model import ShownLanguage
from reports.tables.before_after import tabulate_before_after, tabulate_paired
from reports.tables.importing import PUBLISHED, import_table, read_published
from reports.tables.ranking import Ranking, rank_producers
from reports.tables.results import Result, Results
from reports.tables.sheet import Column, Mark, Sheet
from reports.tables.subsets import tabulate_languages, tabulate_subsets

LANGUAGES = [
    {"name": name, "autonym": own, "direction": "auto", "flores_code": code, "script": ""}
    for name, own, code in (
        ("Swahili", "Kiswahili", "swh_Latn"),
        ("Uyghur", "ئۇيغۇرچە", "uig_Arab"),
        ("Lhasa Tibetan", "ལྷ་སའི་སྐད", "bod_Tibt"),
        ("Telugu & <b>", "తెలుగు", "tel_Telu"),
    )
]


@pytest.fixture(scope="module")
def made_up(tmp_path_factory: pytest.TempPathFactory) -> Report:
    store = tmp_path_factory.mktemp("print") / "store"
    make_synthetic_store(store, LANGUAGES, 3, {"sib200": 60, "flores_en_xx": 40})
    return Report.from_store(read_store(store))


@pytest.fixture(scope="module")
def figures(made_up: Report) -> dict[str, Figure]:
    return {figure.name: figure for figure in draw_all(made_up)}


def test_every_kind_of_figure_is_drawn(figures: dict[str, Figure]) -> None:
    assert {
        *("scatter-sib200", "forest-sib200", "scatter-flores_en_xx", "forest-flores_en_xx"),
        *("heatmap", "heatmap-sib200", "heatmap-flores_en_xx", "subsets", "cost"),
        *("mixture-size", "mixture-share-topic", "mixture-share-translated", "loss-1"),
    } <= set(figures)


def test_figures_are_whole_xml_and_stay_in_their_frame(figures: dict[str, Figure]) -> None:
    for figure in figures.values():
        svg = convert(figure, "svg").decode()
        assert "var(" not in svg, "a colour that only the page has"
        root = ET.fromstring(svg)
        for element in root.iter():
            for name, limit in (("x", figure.width), ("cx", figure.width), ("cy", figure.height)):
                value = element.get(name)
                if value and "%" not in value:
                    assert -0.5 <= float(value) <= limit + 0.5, (figure.name, element.attrib)


def test_names_are_text_and_scripts_name_their_font(figures: dict[str, Figure]) -> None:
    svg = str(figures["forest-sib200"].svg)
    assert "Telugu &amp; &lt;b&gt;" in svg
    assert 'font-family="Noto Sans Arabic' in draw_text(0, 0, "ئۇيغۇرچە")
    assert find_font("ལྷ་ས").startswith("Noto Serif Tibetan")
    assert find_font("አማርኛ").startswith("Noto Sans Ethiopic")
    assert find_font("Kiswahili") == find_font("Татар") == ""


def test_labels_never_overlap() -> None:
    places = [(100 + 7.0 * (n % 5), 100 + 5.0 * (n // 5)) for n in range(30)]
    placed, left_out = place_labels([f"Language {n}" for n in range(30)], places)
    assert len(placed) + left_out == 30
    assert left_out > 0
    for one in placed:
        px, py = places[int(one.name.split()[-1])]
        across = max(one.x - px, px - one.x - 5.6 * len(one.name), 0)
        down = max(one.y - 9 - py, py - one.y - 2, 0)
        assert across + down <= 8 or (one.line and one.line[:2] == (px, py)), (
            "a line leads to what is away"
        )
    boxes = [(one.x, one.y - 9, one.x + 5.4 * len(one.name), one.y + 2) for one in placed]
    for n, one in enumerate(boxes):
        for other in boxes[:n]:
            apart = one[0] >= other[2] or other[0] >= one[2]
            assert apart or one[1] >= other[3] or other[1] >= one[3]


def test_png_and_pdf_are_of_the_right_size_and_the_same_each_time(
    figures: dict[str, Figure],
) -> None:
    pytest.importorskip("typst", reason="PNG and PDF need the extra `figures`")
    figure = figures["forest-sib200"]
    png = convert(figure, "png")
    width, height = struct.unpack(">II", png[16:24])
    assert (width, height) == pytest.approx(
        (figure.width * 0.75 / 72 * 300, figure.height * 0.75 / 72 * 300), abs=2
    )
    pdf = convert(figure, "pdf")
    assert pdf.startswith(b"%PDF")
    assert convert(figure, "pdf") == pdf
    assert convert(figure, "png") == png


def test_colours_are_told_apart_in_greyscale() -> None:
    def lightness(colour: str) -> float:
        digits = PRINT[colour].lstrip("#")
        digits = "".join(2 * d for d in digits) if len(digits) == 3 else digits
        red, green, blue = (int(digits[n : n + 2], 16) for n in (0, 2, 4))
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    for side in (("h4", "h3", "h2", "h1", "h0"), ("h4", "h5", "h6", "h7", "h8")):
        steps = [lightness(name) for name in side]
        assert all(one - other > 15 for one, other in pairwise(steps))


def test_nothing_to_draw_is_said(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("language,task,base\nZulu,sib200,50.0\n")
    with pytest.raises(FiguresError, match="nothing to draw"):
        write_figures(Report.from_table(import_table(path)), tmp_path, "svg")


def test_latex_tables_are_whole(tmp_path: Path, made_up: Report) -> None:
    paths = write_latex(made_up, tmp_path)
    report = next(path for path in paths if path.name == "report.tex").read_text()
    for name in re.findall(r"\\input\{(\w+)\}", report):
        text = (tmp_path / "latex" / f"{name}.tex").read_text()
        begun = re.findall(r"\\begin\{(\w+)\}", text)
        assert sorted(begun) == sorted(re.findall(r"\\end\{(\w+)\}", text))
        (form,) = re.findall(r"\\begin\{(?:tabular|longtable)\}\{((?:[lr]|S\[[^]]*\])+)\}", text)
        # siunitx's columns are told by their form, which has letters of its own.
        form = re.sub(r"\[[^]]*\]", "", form)
        assert ("S" in form) == (r"\sisetup" in text)
        head, body = text.rsplit("\\midrule\n", 1)
        body = body.split("\\bottomrule\n\\end{tabular}")[0].split("\\endfoot\n")[-1]
        rows = [line for line in body.splitlines() if line.endswith(r"\\")]
        assert rows
        for row in rows:
            assert len(re.findall(r"(?<!\\)&", row)) == len(form) - 1
        assert text.count("{") - text.count(r"\{") == text.count("}") - text.count(r"\}")
        is_long = "longtable" in begun
        assert is_long == (r"\endfirsthead" in text)
        for rule in (r"\toprule", r"\midrule", r"\bottomrule"):
            assert text.count(rule) == 1 + (is_long and rule != r"\bottomrule")
        assert head.count(r"\caption{") == 1, "no second entry in the list of tables"


def test_a_caption_is_short_and_notes_stand_below() -> None:
    columns = (Column("language", "Language"), Column("n", "n", numeric=True))
    for count in (2, LONG + 1):
        rows = tuple((f"L{number}", number) for number in range(count))
        text = as_latex(Sheet(columns, rows, notes=("One", "50% of it."), title="T", name="t"))
        assert r"\caption{T}\label{tab:t}" in text
        assert text.index(r"One. 50\% of it.") > max(
            text.index(r"\bottomrule"), text.index("L1 &"), text.find(r"\end{longtable}")
        )


def test_space_parts_languages_that_have_several_rows() -> None:
    columns = (Column("language", "Language"), Column("n", "n", numeric=True))
    for rows, spaces in (((("A", 1), ("B", 2)), 0), ((("A", 1), ("A", 2), ("B", 3)), 1)):
        assert as_latex(Sheet(columns, rows)).count("addlinespace") == spaces


def test_decimal_points_stand_in_one_line() -> None:
    columns = (Column("a", "A"), Column("n", "N", numeric=True))
    rows = (("x", 1.25), ("y", -14_003), ("z", None), ("w", "failed"))
    best: Mark = "best"
    text = as_latex(Sheet(columns, rows, title="T", name="t", marks={(0, 1): frozenset({best})}))
    assert r"\begin{tabular}{lS[table-format=+5.2]}" in text
    assert "A & {N} \\\\" in text
    assert r"x & \bfseries 1.25 \\" in text
    assert "y & -14003 \\\\" in text
    assert "z & {--} \\\\" in text
    assert "w & {failed} \\\\" in text


def test_numbers_that_siunitx_does_not_set_are_filled_up() -> None:
    shares = Column("n", "N", ".1%", numeric=True), Column("p", "p", "p", numeric=True)
    rows = ((0.5, 0.25), (None, 0.0001))
    text = as_latex(Sheet(shares, rows, title="T", name="t"))
    assert r"\begin{tabular}{rr}" in text
    assert r"50.0\% & 0.250 \\" in text
    assert r"-- & $<$ 0.001 \\" in text
    marks: dict[tuple[int, int], frozenset[Mark]] = {(0, 0): frozenset({"best_equal"})}
    numbers = (Column("n", "N", numeric=True),)
    text = as_latex(Sheet(numbers, ((1.25,), (3,)), title="T", name="t", marks=marks))
    assert r"\underline{1.25} \\" in text
    assert r"3\phantom{.00} \\" in text


def test_pairs_stand_as_in_the_papers_table_6_and_wins_as_in_its_table_4(tmp_path: Path) -> None:
    paper = Report.from_table(read_published())
    (paired,) = [s for s in find_sheets("latex", paper) if s.name == "paired"]
    text = as_latex(paired)
    assert r" & \multicolumn{2}{c}{SIB-200} & \multicolumn{2}{c}{Belebele} & " in text
    assert r"Language & {Base} & {kakugo} & {Base} & {kakugo} & " in text
    assert r"Amharic & 26.4 & 51.2 & 30.0 & 36.8 & 27.9 & 29.4 & 18.8 & 31.6 & " in text
    assert r"\bfseries" not in text
    assert "Nothing is bold: without the items no pair can be tested" in text
    (wins,) = [s for s in find_sheets("latex", paper) if s.name == "wins_by_language"]
    text = as_latex(wins)
    assert r"Amharic & 5/5 \\" in text
    # Galician lost on one of its three.
    assert r"Galician & 2/3 \\" in text
    table = csv.DictReader((PUBLISHED / "kakugo_table6.csv").read_text("utf-8").splitlines())
    won: Counter[str] = Counter()
    tasks: Counter[str] = Counter()
    for row in table:
        tasks[row["language"]] += 1
        won[row["language"]] += float(row["kakugo"]) > float(row["base"])
    for language, count in tasks.items():
        assert f"{language} & {won[language]}/{count} \\\\" in text
    assert tabulate_paired(paper.results, ()).rows == ()


def test_in_pairs_the_one_is_bold_that_a_test_found_to_be_better(made_up: Report) -> None:
    sheet = tabulate_paired(made_up.results, made_up.verdicts)
    shown = [v for v in made_up.verdicts if v.result.producer == made_up.results.shown]
    tested = {(v.result.language.name, v.result.base, v.result.score): v.by_test for v in shown}
    bold = set()
    for row, place in sheet.marks:
        language, values = sheet.rows[row][0], sheet.rows[row]
        first = place - (place - 1) % 2
        verdict = tested[str(language), values[first], values[first + 1]]  # type: ignore[index]
        assert verdict == ("win" if place != first else "loss")
        bold.add((language, values[first]))
    assert len(bold) == sum(verdict in ("win", "loss") for verdict in tested.values()) > 0


def test_base_score_and_gain_stand_below_their_task(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text(
        "language,task,base,a\nZulu,sib200,50,90\nZulu,belebele,40,39\nXhosa,sib200,30,\n"
    )
    sheet = tabulate_before_after(import_table(path))
    assert [row[0] for row in sheet.rows] == ["Zulu"], "a row has a gain"
    text = as_latex(sheet)
    assert r" & \multicolumn{3}{c}{SIB-200} & \multicolumn{3}{c}{Belebele} \\" in text
    assert r"\cmidrule(lr){2-4}\cmidrule(lr){5-7}" in text
    assert r"50.0 & 90.0 & +40.0 & 40.0 & 39.0 & -1.0 \\" in text
    assert "Score: a. Gain:" in text
    assert "Without a gain, and left out: 1 of 2 languages." in text


def rank(right: dict[str, int]) -> tuple[Results, Ranking]:
    """Producers with so many right answers of 100, to the same items in one language."""
    units = tuple(map(str, range(100)))
    sums = np.stack([100.0 * (np.arange(100) < count) for count in right.values()])
    cells = {"sib200": {"Zulu": UnitScores(units, sums, np.ones(100))}}
    rows = [
        Result(ShownLanguage("Zulu"), "sib200", name, "result", score=float(count))
        for name, count in right.items()
    ]
    compared = compare_producers(cells)
    ranking = Ranking(tuple(right), cells, compared, {"sib200": compared}, ())
    return Results(tuple(rows), "t"), ranking


def test_bold_are_the_best_and_those_that_cannot_be_told_from_it() -> None:
    results, ranking = rank({"base": 50, "a": 61, "b": 60, "c": 90, "d": 89})
    text = as_latex(tabulate_languages(results, ranking))
    assert r"c & \bfseries 90.0" in text
    assert r"d & \bfseries 89.0" in text
    assert text.count("bfseries") == 2
    means = as_latex(tabulate_subsets(results, ranking))
    assert means.count("bfseries") == 2


def test_underlined_are_the_best_of_equal_budget() -> None:
    results, ranking = rank({"base": 50, "a": 75, "b": 60, "c": 90})
    equal = type(results)(results.rows, "t", equal=frozenset({"a", "b"}))
    text = as_latex(tabulate_languages(equal, ranking))
    assert r"a & \underline{75.0}" in text
    assert r"c & \textbf{90.0}" in text
    assert text.count("textbf") == text.count("underline") == 1
    both = type(results)(results.rows, "t", equal=frozenset({"a", "c"}))
    assert r"\textbf{\underline{90.0}}" in as_latex(tabulate_languages(both, ranking))


def test_nothing_is_bold_where_nothing_can_be_told_apart(tmp_path: Path) -> None:
    results, ranking = rank({"base": 50, "a": 51, "b": 52})
    assert "bfseries" not in as_latex(tabulate_languages(results, ranking))
    path = tmp_path / "t.csv"
    path.write_text("language,task,base,a\nZulu,sib200,50,90\n")
    found = import_table(path)
    alone = tabulate_languages(found, rank_producers(found))
    assert "bfseries" not in as_latex(alone), "one number of each is no test"


def test_latex_prints_any_text_as_it_is() -> None:
    assert escape("a|b ≤ c") == r"a\textbar{}b $\leq$ c"
    assert escape(r"50% & _x_ #1 {a} ~ ^ \ $") == (
        r"50\% \& \_x\_ \#1 \{a\} \textasciitilde{} \textasciicircum{} \textbackslash{} \$"
    )


@pytest.mark.skipif(which("lualatex") is None, reason="there is no LaTeX here")
@pytest.mark.parametrize("source", ["published", "store"])
def test_the_tables_compile_and_fit_the_page(tmp_path: Path, report: Report, source: str) -> None:
    write_latex(report if source == "store" else Report.from_table(read_published()), tmp_path)
    subprocess.run(
        ["lualatex", "-interaction=nonstopmode", "-halt-on-error", "report.tex"],
        cwd=tmp_path / "latex",
        check=True,
        capture_output=True,
    )
    log = (tmp_path / "latex" / "report.log").read_text(encoding="utf-8", errors="replace")
    assert (tmp_path / "latex" / "report.pdf").stat().st_size > 10_000
    assert "Overfull" not in log
