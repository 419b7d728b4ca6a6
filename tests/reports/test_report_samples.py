"""`kakugo-report samples`: what a person reads, in the terminal and as a page."""

import os
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from store_maker import (
    SCRIPT,
    SWAHILI,
    cell,
    choices,
    make_store,
    translations,
    write_plan,
    write_score,
)

from core.contract.record import read_record
from core.contract.samples import Translation
from core.languages import Language as LanguageEntry
from core.languages import list_languages
from reports.cli import main
from reports.errors import SamplesNotFoundError
from reports.outputs.sample_text import find_mark
from reports.report import Report
from reports.samples import (
    UNKNOWN,
    Direction,
    find_answer_direction,
    find_directions,
    find_samples,
)
from reports.store import samples
from reports.store.languages import describe_language
from reports.store.read import read_store
from reports.tables import output_language

SWAHILI_SIB = ("--language", "swahili", "--task", "sib200")


def printed(store: Path, *arguments: str) -> str:
    """What the command prints, as a process of its own."""
    command = [sys.executable, "-m", "reports.cli", "samples", "--store", str(store), *arguments]
    environment = os.environ | {"COLUMNS": "80", "PYTHONUTF8": "1"}
    return subprocess.run(
        command, capture_output=True, text=True, check=True, env=environment
    ).stdout


def test_base_stands_beside_the_trained_ones(store: Path) -> None:
    text = printed(store, *SWAHILI_SIB, "--count", "2", "--prompt")
    assert "48 of 48 items, the first 2 here" in text
    assert "item-3" in text
    assert "Item 3: which?" in text
    assert "903 tokens" in text
    for name in ("base", "trained:gen", "trained:topic"):
        assert f"{name}: right" in text or f"{name}: wrong" in text
    assert "(62%)" in text or "(38%)" in text, "how sure the model was among the choices"


def test_right_to_left_texts_stand_on_lines_of_their_own(store: Path) -> None:
    text = printed(store, "--language", "Uyghur", "--task", "flores_en_xx", "--count", "1")
    heads = ("Source", "Reference", "base", "trained:gen")
    lines = text.splitlines()
    (place,) = [n for n, line in enumerate(lines) if line.strip() == "Reference"]
    assert lines[place + 1].strip().startswith("دەريا")
    assert not any(head in lines[place + 1] for head in heads)


def test_filters_and_documents(report: Report) -> None:
    results = report.results
    everything = find_samples(results, "Swahili", "sib200", ("base", "trained:gen"), count=99)
    assert (everything.matching, len(everything.items)) == (48, 48)
    counts = {
        only: find_samples(results, "Swahili", "sib200", ("base", "trained:gen"), only).matching
        for only in ("right", "wrong", "gained", "lost")
    }
    assert counts["right"] + counts["wrong"] == 48
    assert counts["right"] == 27, "56.2% of 48"
    assert counts["gained"] - counts["lost"] == 17, "the gain of 35.4 points"
    one = find_samples(results, "Swahili", "sib200", docs=("item-7",))
    assert [row.doc_id for row in one.items[0] if row] == ["item-7"] * 3
    assert find_samples(results, "Swahili", "sib200", docs=("7",)).items == one.items
    texts = ("base", "trained:gen")
    better = find_samples(results, "Uyghur", "flores_xx_en", texts, "gained", count=99)
    assert all(b.chrf < t.chrf for b, t in better.items if b and t)
    assert better.matching > find_samples(results, "Uyghur", "flores_xx_en", texts, "lost").matching


@pytest.mark.parametrize(
    ("question", "said"),
    [
        (("Klingon", "sib200"), "one of: Swahili, Uyghur"),
        (("Swahili", "flores"), "one of: sib200"),
        (("Uyghur", "belebele"), "Belebele does not cover Uyghur."),
        (("Swahili", "sib200", ("other",)), "one of: base, trained:gen"),
        (("Swahili", "sib200", (), "all", ("999",)), "ids look like 'item-3'"),
    ],
)
def test_what_is_not_there_is_said_with_what_is(
    report: Report, question: tuple[str, ...], said: str
) -> None:
    with pytest.raises(SamplesNotFoundError, match=said):
        find_samples(report.results, *question)  # type: ignore[arg-type]


def test_model_output_is_text_in_the_terminal_and_on_the_page(tmp_path: Path) -> None:
    evil = "\x1b[31mred\x1b]0;title\x07 \u202eback [bold]not bold[/bold]"
    rows = [row | {"prediction": evil, "prompt": evil + SCRIPT} for row in choices([1], [True])]
    store = tmp_path / "store"
    write_score(store, "s", "Swahili", "base", ("base", "b"), "sib200", rows)
    write_plan(store, "r", SWAHILI, [cell("Swahili", "base", ("base", "b"), "sib200", "s")])
    text = printed(store, *SWAHILI_SIB, "--prompt")
    assert not set("\x1b\x07\u202e") & set(text)
    assert "[bold]not bold[/bold]" in text
    page = tmp_path / "samples.html"
    arguments = ["samples", "--store", str(store), *SWAHILI_SIB, "--prompt", "--out", str(page)]
    assert main(arguments) == 0
    html = page.read_text(encoding="utf-8")
    assert "<script" not in html
    assert not set("\x1b\x07\u202e") & set(html)


def test_the_page_sets_language_and_direction(tmp_path: Path) -> None:
    store = make_store(tmp_path / "store")
    uyghur = ("--language", "Uyghur", "--task", "flores_en_xx", "--out", str(tmp_path))
    assert main(["samples", "--store", str(store), *uyghur]) == 0
    html = (tmp_path / "samples.html").read_text(encoding="utf-8")
    assert '<dd dir="rtl" lang="ug">دەريا' in html
    assert '<dd dir="ltr" lang="en">The river' in html
    # A translation into Uyghur is laid out as Uyghur, though a word of Swahili begins it.
    assert '<dd dir="rtl" lang="ug">na ' in html
    assert '<dd dir="auto"' not in html


@pytest.mark.parametrize("entry", list_languages().values(), ids=lambda entry: entry.id)
def test_a_translation_is_laid_out_as_its_task_says(entry: LanguageEntry) -> None:
    own = describe_language(entry.name)
    into, out = (find_directions(task, own)[1] for task in ("flores_en_xx", "flores_xx_en"))
    assert into == (entry.direction, entry.tag)
    assert out == ("ltr", "en")
    (row,) = translations(["a"], ["Lao ﻻ"], ["b"])
    said = read_record(Translation, row)
    assert find_answer_direction(said, into) == into
    # No screen reader is told of a language that the text is not in.
    elsewhere = replace(said, in_language=False)
    assert find_answer_direction(elsewhere, into) == (entry.direction, "")


def test_a_screen_lays_each_line_out_as_its_language_runs(tmp_path: Path) -> None:
    urdu, english = Direction("rtl", "ur"), Direction("ltr", "en")
    rlm, lrm = "\N{RIGHT-TO-LEFT MARK}", "\N{LEFT-TO-RIGHT MARK}"
    assert find_mark("IBM نے کہا", urdu) == rlm
    assert find_mark("«نے» IBM", urdu) == ""
    assert find_mark("12 %", urdu) == rlm, "it has no letter that could say so"
    assert find_mark("«نے» means", english) == lrm
    assert find_mark("The river", english) == ""
    assert find_mark("IBM نے", UNKNOWN) == ""
    store = make_store(tmp_path / "store")
    text = printed(store, "--language", "Uyghur", "--task", "flores_en_xx", "--count", "1")
    assert any(line.strip().startswith(f"{rlm}na ") for line in text.splitlines())
    assert text.count(rlm) + text.count(lrm) < len(text.splitlines())


def test_all_tables_share_one_reading_of_a_scores_samples(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_store(tmp_path / "store")
    read: Counter[tuple[Path, tuple[str, ...]]] = Counter()
    once = samples.read_columns

    def read_columns(folder: Path, columns: Sequence[str], first: int | None = None) -> Any:
        if first is None:
            read[folder, tuple(columns)] += 1
        return once(folder, columns, first)

    monkeypatch.setattr(samples, "read_columns", read_columns)
    monkeypatch.setattr(output_language, "read_columns", read_columns)
    samples._read_once.cache_clear()
    formats = ("terminal", "markdown", "csv", "latex", "html")
    asked = [f"--format={name}" for name in formats]
    main(["--store", str(tmp_path / "store"), "--out", str(tmp_path), *asked])
    assert {*read.values()} == {1}


def test_scores_of_the_same_items_share_what_was_asked(tmp_path: Path) -> None:
    rows = choices(range(4), [True, False, True, False])
    other = [rows[0] | {"prompt_sha256": "0" * 64}, *rows[1:]]
    for key, own in (("aa", rows), ("bb", rows), ("cc", other)):
        write_score(tmp_path, key, "Swahili", key, ("train", key), "sib200", own)
    scores = read_store(tmp_path).scores
    one, same, differs = (samples.read_items(scores[key]).asked for key in ("aa", "bb", "cc"))
    assert one is same
    assert differs is not one
    assert differs.prompts[0].as_py() == "0" * 64
