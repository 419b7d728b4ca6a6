"""Gain per dollar and GPU-hour: sums of what the manifests say, and a gap where they do not."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import stats
from store_maker import make_store

from reports.report import Report
from reports.stats.languages import compute_ratio
from reports.store.read import read_store
from reports.tables.worth import find_worth, sum_dollars, tabulate_mean_worth, tabulate_worth


def change(store: Path, stage: str, edit: Callable[[dict[str, Any]], None]) -> None:
    for path in store.glob(f"{stage}/*/manifest.json"):
        manifest = json.loads(path.read_text())
        edit(manifest)
        path.write_text(json.dumps(manifest))


def rows_of(store: Path, mean: bool = False) -> list[dict[str, Any]]:
    report = Report.from_store(read_store(store))
    found = find_worth(read_store(store), report.results)
    sheet = (tabulate_mean_worth if mean else tabulate_worth)(found)
    names = [column.name for column in sheet.columns]
    return [dict(zip(names, row, strict=True)) for row in sheet.rows]


def cost_of(store: Path, key: str) -> float:
    """The dollars of the sources below an artifact, each once, by the files themselves."""
    seen, waiting, sum_ = set(), [key], 0.0
    while waiting:
        at = waiting.pop()
        for path in store.glob(f"*/{at}/manifest.json"):
            if at not in seen:
                manifest = json.loads(path.read_text())
                sum_ += manifest["facts"].get("cost_usd", 0) if manifest["stage"] == "source" else 0
                waiting += [entry["key"] for entry in manifest["inputs"]]
        seen.add(at)
    return sum_


def test_dollars_are_those_of_every_source_below(tmp_path: Path) -> None:
    store = make_store(tmp_path / "store")
    change(store, "source", lambda found: found["facts"].update(cost_usd=1.25))
    report = Report.from_store(read_store(store))
    checkpoints = {
        (r.language.name, r.task, r.producer): r.record.artifact.manifest.checkpoint
        for r in report.results.rows
        if r.record
    }
    rows = rows_of(store)
    assert rows
    for row in rows:
        key = checkpoints[row["language"], row["task"], row["producer"]]
        expected = cost_of(store, key)
        assert row["cost_usd"] == pytest.approx(expected)
        assert expected > 0
        assert row["per_usd"] == pytest.approx(row["gain"] / expected)
    # Of all together, what they share counts once.
    keys = {key for which, key in checkpoints.items() if which[2] != "base"}
    sources = {path.parent.name for path in store.glob("source/*/manifest.json")}
    together = sum_dollars(read_store(store), [*keys, *keys])
    assert together == 1.25 * len(sources) < sum(cost_of(store, key) for key in keys)


def test_an_unknown_price_is_unknown_and_never_free(tmp_path: Path) -> None:
    store = make_store(tmp_path / "store")
    change(store, "source", lambda found: found["facts"].update(cost_usd=None))
    trained = [path.parent.name for path in store.glob("train/*/manifest.json")]
    assert sum_dollars(read_store(store), trained) is None
    for row in rows_of(store):
        assert (row["cost_usd"], row["per_usd"]) == (None, None)
        assert row["why_usd"].startswith("no price is known for ")
    change(store, "source", lambda found: found["facts"].update(cost_usd=0.0))
    for row in rows_of(store):
        assert (row["cost_usd"], row["per_usd"]) == (0.0, None)
        assert row["why_usd"] == "nothing was paid"
    for row in rows_of(store, mean=True):
        assert (row["priced_usd"], row["per_usd"]) == (0, None)
    change(store, "mixture", lambda found: found.update(inputs=[]))
    said = {row["why_usd"] for row in rows_of(store)}
    assert said == {"it is not recorded which artifact its source topic is"}
    (path,) = list(store.glob("mixture/*/manifest.json"))[:1]
    path.unlink()
    assert "the record of its mixture is gone" in {row["why_usd"] for row in rows_of(store)}


def test_gpu_hours_are_the_time_of_all_processes(tmp_path: Path) -> None:
    store = make_store(tmp_path / "store")
    for row in rows_of(store):
        assert (row["gpu_hours"], row["why_gpu"]) == (0.0, "it was trained without a GPU")

    def on_gpus(found: dict[str, Any]) -> None:
        found["facts"].update(device="NVIDIA H100", processes=8)
        found.update(seconds=1800.0, resumed=False)

    change(store, "train", on_gpus)
    for row in rows_of(store):
        assert (row["gpu_hours"], row["why_gpu"]) == (4.0, "")
        assert row["per_gpu_hour"] == pytest.approx(row["gain"] / 4)
    # The base of a real store lies among the students that all stores share.
    shutil.rmtree(store / "base")
    assert {row["gpu_hours"] for row in rows_of(store)} == {4.0}
    change(store, "train", lambda found: found.update(resumed=True))
    assert {row["gpu_hours"] for row in rows_of(store)} == {None}
    change(
        store, "train", lambda found: (found.update(resumed=False), found["facts"].pop("device"))
    )
    assert {row["why_gpu"] for row in rows_of(store)} == {"the device is not recorded"}


def test_a_mean_is_mean_gain_over_mean_cost() -> None:
    draw = np.random.default_rng(2)
    costs, gains = draw.uniform(10, 60, 20), draw.normal(8, 6, 20)
    ratio, interval = compute_ratio(gains.tolist(), costs.tolist())
    assert ratio == pytest.approx(gains.mean() / costs.mean())
    theirs = stats.bootstrap(
        (gains, costs),
        lambda a, b, axis=-1: a.sum(axis) / b.sum(axis),
        paired=True,
        method="percentile",
        rng=1,
    ).confidence_interval
    assert interval is not None
    # Ours is the expanded one, a little wider.
    assert interval.low == pytest.approx(theirs.low, abs=0.02)
    assert interval.high == pytest.approx(theirs.high, abs=0.02)
    assert interval.low < theirs.low < theirs.high < interval.high
    assert compute_ratio([1.0] * 6, [2.0] * 6) == (0.5, None)
