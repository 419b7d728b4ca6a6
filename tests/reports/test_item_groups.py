"""Gains by what a benchmark says of its items: each group tested as if it were all."""

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from scipy import stats
from statsmodels.stats.contingency_tables import mcnemar
from statsmodels.stats.multitest import multipletests
from store_maker import SWAHILI, cell, choices, write_plan, write_score

from core.contract.names import SAMPLES
from reports.report import Report
from reports.stats.groups import compute_mean_change, contrast_groups
from reports.store.read import read_store
from reports.tables.item_groups import (
    find_group_gains,
    tabulate_group_gains,
    tabulate_mean_group_gains,
)
from reports.tables.sheet import Sheet

LABELS = ["CS"] * 20 + ["CA"] * 30 + ["-"] * 10 + [None] * 5
TASK = "global_mmlu"


def write(
    store: Path, label: str, rows: list[dict[str, Any]], kinds: list[Any], language: str = "Swahili"
) -> None:
    labelled = [
        row | {"cultural_sensitivity": kind, "category": ["STEM", "Medical"][row["doc"] % 2]}
        for row, kind in zip(rows, kinds, strict=True)
    ]
    producer, stage = ("base", "base") if label == "base" else ("trained:gen", "train")
    key = f"{language}-{label}"
    write_score(store, key, language, producer, (stage, label), TASK, labelled)


def make(store: Path, before: Any, after: Any, kinds: list[Any] = LABELS, **other: Any) -> Report:
    n = range(len(before))
    write(store, "base", choices(n, before), kinds)
    write(store, "trained", choices(n, after), other.get("after_kinds", kinds))
    plan = [
        cell("Swahili", "base", ("base", "base"), TASK, "Swahili-base"),
        cell("Swahili", "trained:gen", ("train", "trained"), TASK, "Swahili-trained"),
    ]
    write_plan(store, "r", SWAHILI, plan)
    return Report.from_store(read_store(store))


def rows_of(sheet: Sheet) -> list[dict[str, Any]]:
    names = [column.name for column in sheet.columns]
    return [dict(zip(names, row, strict=True)) for row in sheet.rows]


def sides(seed: int = 1) -> tuple[Any, Any]:
    draw = np.random.default_rng(seed)
    before = draw.random(len(LABELS)) < 0.4
    return before.tolist(), (before ^ (draw.random(len(LABELS)) < 0.3)).tolist()


def test_each_group_is_tested_as_if_it_were_all(tmp_path: Path) -> None:
    before, after = sides()
    found = find_group_gains(make(tmp_path, before, after).results)
    rows = {(row["kind"], row["group"]): row for row in rows_of(tabulate_group_gains(found))}
    assert {group for kind, group in rows if kind == "Subject"} == {"STEM", "Medical"}
    named = {"Culturally sensitive": "CS", "Culturally agnostic": "CA", "Not labelled": "-"}
    assert {group for kind, group in rows if kind == "Culture"} == named.keys()
    for name, label in named.items():
        # What bears no annotation at all is labelled by nobody, as "-" is.
        at = [n for n, kind in enumerate(LABELS) if (kind or "-") == label]
        b, a = np.array(before)[at], np.array(after)[at]
        row = rows["Culture", name]
        assert (row["n"], row["gain"]) == (len(at), pytest.approx(100 * (a.mean() - b.mean())))
        assert (row["base"], row["score"]) == pytest.approx((100 * b.mean(), 100 * a.mean()))
        table = [[sum(b & a), sum(b & ~a)], [sum(~b & a), sum(~b & ~a)]]
        assert row["p"] == pytest.approx(mcnemar(table, exact=True).pvalue)
    ps = [row["p"] for row in rows.values()]
    assert [row["p_holm"] for row in rows.values()] == pytest.approx(
        multipletests(ps, method="holm")[1]
    )


def test_the_difference_of_two_groups_is_that_of_two_samples(tmp_path: Path) -> None:
    before, after = sides()
    found = find_group_gains(make(tmp_path, before, after).results)
    (row,) = [
        row
        for row in rows_of(tabulate_mean_group_gains(found))
        if row["group"] == "Agnostic minus sensitive"
    ]
    change = 100 * (np.array(after, float) - np.array(before, float))
    sensitive, agnostic = change[:20], change[20:50]
    assert row["gain"] == pytest.approx(agnostic.mean() - sensitive.mean())
    # Of the same size as Welch's error, which divides by n - 1 in each group.
    error = np.sqrt(agnostic.var(ddof=1) / 30 + sensitive.var(ddof=1) / 20)
    reach = stats.t.ppf(0.975, 49) * error
    assert (row["high"] - row["low"]) / 2 == pytest.approx(reach, rel=0.03)


def test_samples_of_before_are_a_gap_with_its_remedy(tmp_path: Path) -> None:
    before, after = sides()
    one, both = tmp_path / "one", tmp_path / "both"
    for store in (one, both):
        make(store, before, after)
    drop_labels(one, "base")
    # The producer's samples tell of the same items what base's no longer do.
    rows = rows_of(tabulate_group_gains(find(one)))
    assert {row["group"] for row in rows} >= {"Culturally sensitive", "STEM"}
    drop_labels(both, "base", "trained:gen")
    (row,) = rows_of(tabulate_group_gains(find(both)))
    assert row["gain"] is None
    assert row["why"].startswith("the samples are older than the items' labels; delete score/")
    mean = tabulate_mean_group_gains(find(both))
    (row,) = rows_of(mean)
    assert (row["group"], row["languages"], row["gain"]) == ("Without labels", 1, None)
    (note,) = mean.notes[1:]
    assert "delete score/" in note


def test_labels_that_differ_are_not_compared(tmp_path: Path) -> None:
    before, after = sides()
    report = make(tmp_path, before, after, after_kinds=["CA", *LABELS[1:]])
    (row,) = rows_of(tabulate_group_gains(find_group_gains(report.results)))
    assert row["why"] == "base and this differ in the culture of an item"


def test_a_file_without_labels_is_a_gap_by_culture_alone(tmp_path: Path) -> None:
    before, after = sides()
    report = make(tmp_path, before, after, [None] * len(LABELS))
    rows = rows_of(tabulate_group_gains(find_group_gains(report.results)))
    assert [(row["kind"], row["why"]) for row in rows if row["gain"] is None] == [
        ("Culture", "the benchmark's file bears no such label")
    ]


@pytest.mark.parametrize("languages", [1, 9])
def test_equal_gains_on_both_groups_are_told_apart_in_one_of_twenty(languages: int) -> None:
    draw = np.random.default_rng(3)
    times, wrong, wrong_mean = 300, 0, 0
    ids = [[f"{group}{n}" for n in range(60)] for group in "ab"]
    for _ in range(times):
        # With few languages the result is of these alone, which have no gain here.
        gains, groups = draw.normal(0, 0.05 * (languages > 1), languages), ({}, {})
        hard = [draw.normal(0, 0.1, 60) for _ in groups]
        for place, gain in enumerate(gains):
            for group, found in enumerate(groups):
                signs = draw.random((2, 60))
                up, down = signs[0] < 0.2 + gain + hard[group], signs[1] < 0.2
                found[str(place)] = (ids[group], 100.0 * (up.astype(float) - down))
        wrong += (contrast_groups(*groups).p or 1) < 0.05
        wrong_mean += (compute_mean_change(groups[0]).p or 1) < 0.05
    # Up to three standard errors above 5%.
    assert wrong <= times * (0.05 + 3 * np.sqrt(0.05 * 0.95 / times))
    assert wrong_mean <= times * (0.05 + 3 * np.sqrt(0.05 * 0.95 / times))


def find(store: Path) -> Any:
    return find_group_gains(Report.from_store(read_store(store)).results)


def drop_labels(store: Path, *producers: str) -> None:
    """Make samples as they were before they had labels, with a manifest that fits them."""
    for manifest in store.glob("score/*/manifest.json"):
        said = json.loads(manifest.read_text())
        path = manifest.with_name(SAMPLES)
        if said["about"]["producer"] in producers:
            table = pq.read_table(path).drop_columns(["category", "cultural_sensitivity"])
            pq.write_table(table, path)
            content = path.read_bytes()
            said["files"][SAMPLES] = {
                "bytes": len(content),
                "sha256": hashlib.sha256(content).hexdigest(),
            }
            manifest.write_text(json.dumps(said))
