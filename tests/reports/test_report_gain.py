from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import stats
from store_maker import choices, task_samples, translations, write_score

from core.contract.record import Unreadable
from reports import read_store
from reports.store.model import Score
from reports.tables.gain import compute_gain


def pair(folder: Path, task: str, before: Any, after: Any, **changes: Any) -> tuple[Score, Score]:
    for key, samples in (("aa", before), ("bb", after)):
        extra = changes if key == "bb" else {}
        write_score(folder, key, "Swahili", key, ("train", key), task, samples, **extra)
    view = read_store(folder)
    assert not view.problems
    return view.scores["aa"], view.scores["bb"]


def test_accuracy_gain_is_the_difference_over_the_kept_items(tmp_path: Path) -> None:
    draw = np.random.default_rng(1)
    before, after = draw.random(60) < 0.4, draw.random(60) < 0.6
    docs = range(3, 63)
    gain = compute_gain(
        *pair(tmp_path, "sib200", choices(docs, before.tolist()), choices(docs, after.tolist()))
    )
    expected = stats.ttest_rel(100.0 * after, 100.0 * before)
    low, high = expected.confidence_interval(0.95)
    assert gain.points == pytest.approx(100 * (after.mean() - before.mean()))
    assert (gain.low, gain.high) == pytest.approx((low, high), abs=1.7)
    better, worse = int((after & ~before).sum()), int((before & ~after).sum())
    assert gain.p == pytest.approx(stats.binomtest(better, better + worse).pvalue)
    assert (gain.n, gain.units, gain.notes) == (60, 60, ())


def test_items_of_one_passage_count_as_one_unit(tmp_path: Path) -> None:
    draw = np.random.default_rng(2)
    sides = []
    for skill in (0.4, 0.6):
        rows = choices(range(60), (draw.random(60) < skill).tolist())
        sides.append([row | {"cluster": f"p{row['doc'] // 3}"} for row in rows])
    gain = compute_gain(*pair(tmp_path, "belebele", *sides))
    assert (gain.n, gain.units, gain.test) == (60, 20, "sign flips by passage, exact")
    assert gain.halves is not None


def test_chrf_gain_is_sacrebleus_corpus_difference(tmp_path: Path) -> None:
    before = task_samples("Swahili", "flores_en_xx", 0.3, 1)
    after = task_samples("Swahili", "flores_en_xx", 0.6, 2)
    base, trained = pair(tmp_path, "flores_en_xx", before, after)
    gain = compute_gain(base, trained)
    assert gain.points == pytest.approx(trained.score - base.score, abs=1e-9)
    assert gain.low is not None
    assert gain.high is not None
    assert gain.low < gain.points < gain.high
    assert gain.p is not None
    assert gain.p < 0.01


def test_translations_of_other_items_are_paired_by_document(tmp_path: Path) -> None:
    before = task_samples("Swahili", "flores_en_xx", 0.3, 1)
    after = task_samples("Swahili", "flores_en_xx", 0.6, 2)
    whole = compute_gain(*pair(tmp_path / "whole", "flores_en_xx", before, after))
    turned = compute_gain(*pair(tmp_path / "turned", "flores_en_xx", before, after[::-1]))
    assert (turned.points, turned.p) == (whole.points, whole.p)
    part = compute_gain(*pair(tmp_path / "part", "flores_en_xx", before, after[2:]))
    assert part.n == len(before) - 2


def test_unequal_items_are_paired_by_document_and_said(tmp_path: Path) -> None:
    before = choices(range(3, 13), [True] * 5 + [False] * 5)
    after = choices(range(6, 14), [True] * 8)
    gain = compute_gain(*pair(tmp_path, "sib200", before, after))
    assert (gain.n, gain.points) == (7, pytest.approx(100 * 5 / 7))
    assert "paired on the 7 items that both have (base 10, this 8)" in gain.notes[0]


def test_another_protocol_or_prompt_is_said(tmp_path: Path) -> None:
    before, after = choices(range(4), [True, False] * 2), choices(range(4), [True] * 4)
    after[0]["prompt_sha256"] = "another"
    notes = compute_gain(*pair(tmp_path, "sib200", before, after, shots=0)).notes
    assert any(note.startswith("base was scored as: 3-shot") for note in notes)
    assert any("1 of 4 items were asked with another prompt" in note for note in notes)


@pytest.mark.parametrize(
    ("places", "said"),
    [
        ([2], r"1 of 12 items .* the data differ \(item item-2\)$"),
        ([2, 5], r"2 of 12 items .*\(items item-2, item-5\)$"),
        (range(10), r"10 of 12 items .*\(items item-0, .*, item-7 and 2 more\)$"),
    ],
)
def test_items_of_another_revision_are_named(
    tmp_path: Path, places: Sequence[int], said: str
) -> None:
    after = choices(range(12), [True] * 12)
    for place in places:
        after[place]["doc_sha256"] = "another"
    with pytest.raises(Unreadable, match=said):
        compute_gain(*pair(tmp_path, "sib200", choices(range(12), [True] * 12), after))


def test_no_shared_item_and_another_metric_are_refused(tmp_path: Path) -> None:
    one, two = choices([1, 2], [True, False]), choices([3, 4], [True, True])
    with pytest.raises(Unreadable, match="share no item"):
        compute_gain(*pair(tmp_path / "a", "sib200", one, two))
    with pytest.raises(Unreadable, match="this by f1"):
        compute_gain(*pair(tmp_path / "b", "sib200", one, one, metric="f1"))


def test_one_item_and_ties_everywhere_claim_no_interval(tmp_path: Path) -> None:
    one = compute_gain(*pair(tmp_path / "a", "sib200", choices([1], [False]), choices([1], [True])))
    assert (one.points, one.stderr, one.low, one.p, one.n) == (100.0, None, None, None, 1)
    assert one.why == "one item has no spread"
    same = choices([1, 2, 3], [False, True, True])
    ties = compute_gain(*pair(tmp_path / "b", "sib200", same, same))
    assert (ties.points, ties.stderr, ties.low, ties.high) == (0.0, 0.0, None, None)
    assert (ties.p, ties.why) == (1.0, "no item changed")
    text = translations(["a", "b"], ["na", "so"], ["no", "so"])
    ties = compute_gain(*pair(tmp_path / "c", "flores_xx_en", text, text))
    assert (ties.points, ties.stderr, ties.low) == (0.0, 0.0, None)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda rows: [rows[0], rows[0] | {"doc_id": "x"}], "lists document 1 twice"),
        (lambda rows: [rows[0], rows[1] | {"doc_id": "item-1"}], "document id item-1 twice"),
        (lambda rows: [{k: v for k, v in r.items() if k != "cluster"} for r in rows], "no column"),
        (lambda rows: [r | {"cluster": None} for r in rows], "cluster is empty in some rows"),
        (lambda rows: [r | {"correct": 1} for r in rows], "correct is int64"),
    ],
)
def test_samples_that_cannot_be_are_refused(tmp_path: Path, change: Any, said: str) -> None:
    rows = change(choices([1, 2], [True, False]))
    with pytest.raises(Unreadable, match=said):
        compute_gain(*pair(tmp_path, "sib200", rows, rows))


def test_counts_that_cannot_be_are_refused(tmp_path: Path) -> None:
    rows = translations(["a"], ["b"], ["c"])
    short = [row | {"chrf_statistics": [1, 2]} for row in rows]
    with pytest.raises(Unreadable, match="2\\] numbers a row, not 24"):
        compute_gain(*pair(tmp_path / "a", "flores_en_xx", short, short))
    below = [row | {"chrf_statistics": [-1] * 24} for row in rows]
    with pytest.raises(Unreadable, match="at least 0"):
        compute_gain(*pair(tmp_path / "b", "flores_en_xx", below, below))


def test_another_number_of_items_than_recorded_is_refused(tmp_path: Path) -> None:
    rows = choices([1, 2], [True, False])
    with pytest.raises(Unreadable, match=r"holds 2 items, but scores.json says 9"):
        compute_gain(*pair(tmp_path, "sib200", rows, rows, n=9))
