"""Two revisions of FLORES+: which sentences differ is told, once, and no more than is known."""

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from store_maker import (
    ABOUT_BASE,
    SWAHILI,
    cell,
    key_of,
    translations,
    write_artifact,
    write_plan,
    write_score,
)

from core.contract.facts import CheckpointFacts
from core.contract.score import ScoredData
from reports.outputs.markdown import as_markdown
from reports.report import Report
from reports.store.read import read_store
from reports.tables.revisions import MOST, find_revisions, tabulate_revisions

BASE = ("base", key_of("base"))
ENGLISH = [f"The house number {n} is red." for n in range(130)]
SWAHILI_TEXTS = [f"Nyumba namba {n} ni nyekundu." for n in range(130)]
Sides = tuple[list[str], list[str]]


def make_data(revision: str, name: str = "hub") -> ScoredData:
    return ScoredData(
        name=name,
        sha256=key_of(revision),
        split="devtest",
        revision=revision * 40 if name == "hub" else None,
        repository="openlanguagedata/flores_plus" if name == "hub" else None,
    )


def write_store(
    store: Path, scored: Mapping[str, tuple[ScoredData, Sides]], tasks: tuple[str, ...]
) -> Report:
    write_artifact(store, "base", BASE[1], "student", ABOUT_BASE, CheckpointFacts(), {})
    for order, (which, (data, (english, swahili))) in enumerate(scored.items()):
        cells = []
        for task in tasks:
            key = key_of(which, task)
            sides = (english, swahili) if task.endswith("en_xx") else (swahili, english)
            rows = translations(sides[0], sides[1], sides[1])
            write_score(store, key, "Swahili", "base", BASE, task, rows, data=data)
            cells.append(cell("Swahili", "base", BASE, task, key))
        write_plan(store, f"20260101-12000{order}", SWAHILI, cells, [BASE])
    return Report.from_store(read_store(store))


def change(texts: list[str], places: range, how: Callable[[str], str]) -> list[str]:
    return [how(text) if n in places else text for n, text in enumerate(texts)]


def test_changed_sentences_are_listed_once_for_both_directions(tmp_path: Path) -> None:
    later = change(SWAHILI_TEXTS[:30], range(3, 5), lambda text: f"{text} Kabisa.")
    report = write_store(
        tmp_path,
        {
            "old": (make_data("a"), (ENGLISH[:32], SWAHILI_TEXTS[:32])),
            "new": (make_data("b"), (ENGLISH[:30], later)),
        },
        ("flores_xx_en", "flores_en_xx"),
    )
    assert report.view
    (found,), unread = find_revisions(report.view, {"Swahili"})
    assert (found.shared, found.first_alone, found.second_alone) == (30, 2, 0)
    assert [one.id for one in found.changed] == ["item-3", "item-4"]
    assert not unread
    sheet = tabulate_revisions(report.view, {"Swahili"})
    assert sheet
    assert [row[4:] for row in sheet.rows] == [
        (f"item-{n}", "reference", SWAHILI_TEXTS[n], f"{SWAHILI_TEXTS[n]} Kabisa.") for n in (3, 4)
    ]
    text = as_markdown(report)
    assert (
        "Swahili, FLORES en→xx: 2 of 30 sentences differ between openlanguagedata/flores_plus at "
        "aaaaaaa and openlanguagedata/flores_plus at bbbbbbb; 2 are in "
        "openlanguagedata/flores_plus at aaaaaaa alone."
    ) in text.replace("\\", "")
    assert tabulate_revisions(report.view, {"Uyghur"}) is None


@pytest.mark.parametrize("name", ["embedded", "same"])
def test_no_two_revisions_no_table(tmp_path: Path, name: str) -> None:
    other = make_data("b", "embedded") if name == "embedded" else make_data("a")
    later = change(SWAHILI_TEXTS[:30], range(2), str.upper)
    report = write_store(
        tmp_path,
        {
            "old": (make_data("a"), (ENGLISH[:30], SWAHILI_TEXTS[:30])),
            "new": (other, (ENGLISH[:30], later)),
        },
        ("flores_en_xx",),
    )
    assert report.view
    assert tabulate_revisions(report.view, {"Swahili"}) is None


def test_local_files_that_equal_a_revision_say_so_and_long_lists_end(tmp_path: Path) -> None:
    report = write_store(
        tmp_path,
        {
            "hub": (make_data("a"), (ENGLISH, SWAHILI_TEXTS)),
            "same": (make_data("c", "local"), (ENGLISH, SWAHILI_TEXTS)),
            "other": (make_data("d", "local"), (ENGLISH, [one.upper() for one in SWAHILI_TEXTS])),
        },
        ("flores_en_xx",),
    )
    assert report.view
    found, _ = find_revisions(report.view, {"Swahili"})
    assert sorted(len(one.changed) for one in found) == [0, 130, 130]
    sheet = tabulate_revisions(report.view, {"Swahili"})
    assert sheet
    assert len(sheet.rows) == 2 * MOST
    assert any("0 of 130 sentences differ between local files" in note for note in sheet.notes)
    assert sum("the first 100 are listed" in note for note in sheet.notes) == 2
