from pathlib import Path
from typing import Any

import pytest
from store_maker import (
    SWAHILI,
    cell,
    choices,
    key_of,
    make_store,
    source_facts,
    write_artifact,
    write_plan,
    write_score,
)

from core.contract.facts import ContaminationFacts, PackedFacts, TakenFacts
from core.contract.manifest import About
from reports import StoreView, read_store
from reports.store.model import ShownLanguage
from reports.tables.mixtures import tabulate_mixtures
from reports.tables.panels import Panel, TableCell, build_panels, list_lines
from reports.tables.quality import tabulate_quality
from reports.tables.results import Result, find_equal_budget

BASE = ("base", "ba" * 32)


def scored(
    store: Path, key: str, producer: str, checkpoint: tuple[str, str], n: int = 20, **c: Any
) -> Any:
    """One scored cell on sib200, with every second item right."""
    samples = choices(range(3, n + 3), [doc % 2 == 0 for doc in range(n)])
    write_score(store, key, "Swahili", producer, checkpoint, "sib200", samples, **c)
    return cell("Swahili", producer, checkpoint, "sib200", key)


def by_name(panel: Panel, task: str) -> dict[str, TableCell]:
    (row,) = [row for row in panel.rows if row.task == task]
    return {cell.producer: cell for cell in row.cells}


@pytest.mark.parametrize("teacher", [None, "SmolLM2"], ids=["own chats", "taught"])
def test_a_teacher_is_named_where_one_wrote(tmp_path: Path, teacher: str | None) -> None:
    """The plans of older runs name one in any case."""
    key = key_of("mine")
    told = About(language="Swahili", source="mine", teacher=teacher)
    write_artifact(tmp_path, "source", key, "mine", told, source_facts(3), {"rows.jsonl": "{}"})
    cells = [scored(tmp_path, "aa", "base", BASE)]
    write_plan(tmp_path, "run", SWAHILI, cells, [("source", key)])
    (panel,) = build_panels(read_store(tmp_path))
    assert panel.teachers == (("SmolLM2-135M-Instruct (embedded)",) if teacher else ())


def test_every_cell_has_a_state_and_every_gap_a_reason(view: StoreView) -> None:
    swahili, uyghur = build_panels(view)
    assert swahili.language.name == "Swahili"
    states = {
        (panel.language.name, row.task, cell.producer): (cell.state, cell.reason)
        for panel in (swahili, uyghur)
        for row, cell in panel.gaps
    }
    damage = view.damaged[key_of("score", "Swahili", "trained:topic", "belebele")]
    crash = "train: the loss is not finite at step 3"
    lacking = {"belebele": "Belebele does not cover Uyghur.", "global_mmlu": "Not in its list."}
    assert states == {
        ("Swahili", "belebele", "trained:topic"): ("damaged", damage),
        ("Swahili", "global_mmlu", "trained:topic"): ("missing", "not run yet"),
        ("Uyghur", "sib200", "trained:topic"): ("failed", crash),
        ("Uyghur", "flores_xx_en", "trained:topic"): ("failed", crash),
        ("Uyghur", "flores_en_xx", "trained:topic"): ("failed", crash),
        **{
            ("Uyghur", task, producer): ("gap", reason)
            for task, reason in lacking.items()
            for producer in ("base", "trained:gen", "trained:topic")
        },
    }
    assert [row.task for row in swahili.rows] == [
        "sib200",
        "belebele",
        "global_mmlu",
        "flores_xx_en",
        "flores_en_xx",
    ]


def test_gains_are_the_differences_of_the_scores(view: StoreView) -> None:
    for panel in build_panels(view):
        for row in panel.rows:
            for one in row.others:
                if one.score and one.base and one.gain:
                    assert one.gain.points == pytest.approx(one.score.score - one.base.score)
    assert by_name(build_panels(view)[0], "belebele")["trained:topic"].no_gain.startswith("scores")


def test_two_checkpoints_of_one_name_are_told_apart(tmp_path: Path) -> None:
    for run, checkpoint in (("r1", "aaaa1" + "0" * 59), ("r2", "bbbb2" + "0" * 59)):
        base = cell("Swahili", "base", BASE, "sib200", "base-score")
        if run == "r1":
            scored(tmp_path, "base-score", "base", BASE)
        trained = scored(tmp_path, f"{run}-score", "trained:gen", ("train", checkpoint))
        write_plan(tmp_path, run, SWAHILI, [base, trained])
    (panel,) = build_panels(read_store(tmp_path))
    assert panel.producers == ["trained:gen#aaaa", "trained:gen#bbbb"]
    assert len(panel.rows) == 1


def test_keys_with_one_start_get_longer_names(tmp_path: Path) -> None:
    cells = [scored(tmp_path, f"s{x}", "t", ("train", "aaaa" + x * 60)) for x in "bc"]
    write_plan(tmp_path, "r1", SWAHILI, cells)
    (panel,) = build_panels(read_store(tmp_path))
    assert panel.producers == ["t#aaaab", "t#aaaac"]


def test_another_limit_gets_a_row_of_its_own(tmp_path: Path) -> None:
    train = ("train", "cc" * 32)
    for run, n in (("r1", 20), ("r2", 8)):
        cells = [
            scored(tmp_path, f"{run}-base", "base", BASE, n),
            scored(tmp_path, f"{run}-trained", "trained:gen", train, n),
        ]
        write_plan(tmp_path, run, SWAHILI, cells)
    (panel,) = build_panels(read_store(tmp_path))
    assert [row.setting.split(";")[0] for row in panel.rows] == ["n 20", "n 8"]
    assert [row.others[0].gain.n for row in panel.rows if row.others[0].gain] == [20, 8]


def test_a_planned_cell_stands_beside_those_of_its_run(tmp_path: Path) -> None:
    base = scored(tmp_path, "base-score", "base", BASE)
    planned = cell("Swahili", "trained:gen", ("train", "dd"), "sib200", "not-there")
    write_plan(tmp_path, "r1", SWAHILI, [base, planned])
    (panel,) = build_panels(read_store(tmp_path))
    (row,) = panel.rows
    (line,) = list_lines(row)
    assert line.base is not None
    assert line.base.score is not None
    assert (line.cell.state if line.cell else None, line.n) == ("missing", 20)


def test_scores_outlive_their_run_records(tmp_path: Path) -> None:
    scored(tmp_path, "base-score", "base", BASE)
    scored(tmp_path, "trained-score", "trained:gen", ("train", "ee" * 32))
    (panel,) = build_panels(read_store(tmp_path))
    assert panel.producers == ["trained:gen"]
    assert panel.rows[0].others[0].gain is not None


def test_a_newer_result_of_the_same_cell_replaces_the_older_and_is_said(tmp_path: Path) -> None:
    for run in ("r1", "r2"):
        write_plan(tmp_path, run, SWAHILI, [scored(tmp_path, f"{run}-base", "base", BASE)])
    (panel,) = build_panels(read_store(tmp_path))
    (row,) = panel.rows
    assert row.bases[0].score is not None
    assert row.bases[0].score.artifact.key == "r2-base"
    assert panel.notes == ("SIB-200, base: planned twice; the newer is shown, not r1-base",)


def test_samples_that_do_not_give_the_score_are_said(tmp_path: Path) -> None:
    write_plan(tmp_path, "r", SWAHILI, [scored(tmp_path, "s", "base", BASE, score=61.0)])
    (panel,) = build_panels(read_store(tmp_path))
    assert panel.notes == (
        "SIB-200, base: the kept samples give 50.00, but scores.json says 61.00",
    )


def test_a_warning_says_whose_it_is_unless_all_bear_it(tmp_path: Path) -> None:
    cells = [
        scored(tmp_path, "b", "base", BASE, warnings=["one label", "3 of 20 were cut"]),
        scored(tmp_path, "t", "trained:gen", ("train", "ee" * 32), warnings=["one label"]),
        scored(tmp_path, "u", "trained:topic", ("train", "dd" * 32), warnings=["one label"]),
    ]
    write_plan(tmp_path, "r", SWAHILI, cells)
    (panel,) = build_panels(read_store(tmp_path))
    assert panel.notes == ("SIB-200: one label", "SIB-200, base: 3 of 20 were cut")
    (alone,) = build_panels(read_store(tmp_path), "ee" * 32)
    assert alone.producers == ["trained:gen"]
    assert alone.notes == panel.notes


def test_a_gap_for_want_of_data_ends_when_the_data_come(tmp_path: Path) -> None:
    lacking = cell("Swahili", "base", BASE, "sib200", None, "no file for Swahili")
    write_plan(tmp_path, "r1", SWAHILI, [lacking])
    (panel,) = build_panels(read_store(tmp_path))
    assert [found.state for _, found in panel.gaps] == ["gap"]
    write_plan(tmp_path, "r2", SWAHILI, [scored(tmp_path, "s", "base", BASE)])
    write_plan(tmp_path, "r3", SWAHILI, [lacking])
    (panel,) = build_panels(read_store(tmp_path))
    assert len(panel.rows) == 1
    assert not panel.gaps


def test_a_contamination_check_says_that_it_found_nothing_and_what_it_did_not_look_for(
    tmp_path: Path,
) -> None:
    facts = ContaminationFacts(
        rows=40,
        contaminated_rows=0,
        items=1234,
        found_items=0,
        too_short=5,
        contamination={},
        unchecked={"belebele in Lao": "there is no file x.jsonl"},
    )
    about = About(language="Lao", mix="topic")
    write_artifact(tmp_path, "contamination", "c" * 24, "look", about, facts, {})
    sheet = tabulate_quality(read_store(tmp_path))
    assert [row[4:] for row in sheet.rows] == [
        ("contamination", "rows with a benchmark's text", 0, 0.0),
        ("contamination", "looked for 1,234 texts: 0 found, 5 too short to tell", None, None),
        (
            "contamination",
            "belebele in Lao was not looked for: there is no file x.jsonl",
            None,
            None,
        ),
    ]


def test_what_packing_cut_stands_in_its_sources_line(tmp_path: Path) -> None:
    store = make_store(tmp_path / "artifacts")
    key = key_of("mixture", "Swahili", "gen")
    every = {"rows": 15, "dropped": 0, "control_tokens": 0, "truncated": 4}
    every |= {"tokens": 90, "supervised_tokens": 9}
    facts = PackedFacts(
        **every,
        packs=1,
        validation_rows=0,
        validation_packs=0,
        max_length=512,
        fill=0.5,
        sources={"topic": TakenFacts(**every)},
    )
    inputs = [("mixture", "mixture", key)]
    write_artifact(store, "packed", "c" * 24, "tokens", About(), facts, {}, inputs=inputs)
    sheet = tabulate_mixtures(read_store(store))
    names = [column.name for column in sheet.columns]
    lines = [dict(zip(names, row, strict=True)) for row in sheet.rows]
    found = {
        (line["language"], line["mix"], line["source"]): (line["untrainable"], line["truncated"])
        for line in lines
    }
    assert found["Swahili", "gen", "topic"] == (2, 4)
    assert found["Swahili", "gen", "translated"] == (0, None)
    assert found["Swahili", "topic", "topic"] == (2, None)


@pytest.mark.parametrize(("other", "equal"), [(985_000, True), (975_000, False)])
def test_budgets_that_are_both_within_a_hundredth_are_equal(other: int, equal: bool) -> None:
    language = ShownLanguage("Swahili")
    rows = [
        Result(language, "sib200", name, "result", size=float(size))
        for name, size in (("trained:a", 1_000_000), ("trained:b", other))
    ]
    assert bool(find_equal_budget(rows)) == equal
