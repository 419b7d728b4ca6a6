import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sacrebleu.metrics import CHRF
from scipy import stats
from store_maker import choices, task_samples, translations, write_score

from reports import read_store
from reports.files import Unreadable
from reports.gain import RESAMPLES, SEED, chrf, paired_gain, t_quantile
from reports.model import Gain, Score


def pair(folder: Path, task: str, before: Any, after: Any, **changes: Any) -> tuple[Score, Score]:
    for key, samples in (("aa", before), ("bb", after)):
        extra = changes if key == "bb" else {}
        write_score(folder, key, "Swahili", key, ("train", key), task, samples, **extra)
    view = read_store(folder)
    assert not view.problems
    return view.scores["aa"], view.scores["bb"]


def test_accuracy_gain_is_the_paired_t_interval(tmp_path: Path) -> None:
    draw = np.random.default_rng(1)
    before, after = draw.random(60) < 0.4, draw.random(60) < 0.6
    docs = range(3, 63)
    gain = paired_gain(
        *pair(tmp_path, "sib200", choices(docs, before.tolist()), choices(docs, after.tolist()))
    )
    expected = stats.ttest_rel(100.0 * after, 100.0 * before)
    low, high = expected.confidence_interval(0.95)
    differences = 100.0 * after - 100.0 * before
    assert gain.points == pytest.approx(differences.mean())
    assert gain.stderr == pytest.approx(differences.std(ddof=1) / math.sqrt(60))
    assert (gain.low, gain.high) == pytest.approx((low, high), abs=1e-3)
    assert (gain.n, gain.notes) == (60, ())


@pytest.mark.parametrize("freedom", [1, 2, 3, 4, 5, 10, 23, 200, 5000])
def test_t_quantile_is_scipys(freedom: int) -> None:
    tolerance = 0.02 if freedom == 3 else 0.002
    assert t_quantile(freedom) == pytest.approx(stats.t.ppf(0.975, freedom), abs=tolerance)


def test_chrf_gain_is_sacrebleus_corpus_difference(tmp_path: Path) -> None:
    before = task_samples("Swahili", "flores_en_xx", 0.3, 1)
    after = task_samples("Swahili", "flores_en_xx", 0.6, 2)
    base, trained = pair(tmp_path, "flores_en_xx", before, after)
    gain = paired_gain(base, trained)
    assert gain.points == pytest.approx(trained.score - base.score, abs=1e-9)

    # The same bootstrap, the slow way: sacrebleu's corpus score of each resample.
    metric = CHRF(word_order=2)

    def corpus(rows: list[dict[str, Any]], times: Any) -> float:
        chosen = [row for row, count in zip(rows, times, strict=True) for _ in range(count)]
        references = [[row["reference"] for row in chosen]]
        return float(metric.corpus_score([row["hypothesis"] for row in chosen], references).score)

    n = len(before)
    draws = np.random.default_rng(SEED).multinomial(n, np.full(n, 1 / n), RESAMPLES)[:40]
    slow = [corpus(after, times) - corpus(before, times) for times in draws]
    counts = [
        np.array(
            metric._extract_corpus_statistics(
                [row["hypothesis"] for row in rows], [[row["reference"] for row in rows]]
            ),
            float,
        )
        for rows in (before, after)
    ]
    fast = chrf(draws @ counts[1]) - chrf(draws @ counts[0])
    assert fast == pytest.approx(slow, abs=1e-9)
    assert gain.low is not None
    assert gain.high is not None
    assert gain.low < gain.points < gain.high
    assert gain.stderr == pytest.approx((gain.high - gain.low) / 3.92, rel=0.15)


@pytest.mark.parametrize("hypothesis", ["", "a", "?!", "  ", "ئۇيغۇر"])
def test_chrf_of_odd_texts_is_sacrebleus(hypothesis: str) -> None:
    metric = CHRF(word_order=2)
    reference = "The river rises."
    counts = np.array(metric._extract_corpus_statistics([hypothesis], [[reference]])[0], float)
    assert chrf(counts) == pytest.approx(metric.corpus_score([hypothesis], [[reference]]).score)


def test_unequal_items_are_paired_by_document_and_said(tmp_path: Path) -> None:
    before = choices(range(3, 13), [True] * 5 + [False] * 5)
    after = choices(range(6, 14), [True] * 8)
    gain = paired_gain(*pair(tmp_path, "sib200", before, after))
    assert (gain.n, gain.points) == (7, pytest.approx(100 * 5 / 7))
    assert "paired on the 7 items that both have (base 10, this 8)" in gain.notes[0]


def test_another_protocol_or_prompt_is_said(tmp_path: Path) -> None:
    before, after = choices(range(4), [True, False] * 2), choices(range(4), [True] * 4)
    after[0]["prompt_sha256"] = "another"
    notes = paired_gain(*pair(tmp_path, "sib200", before, after, shots=0)).notes
    assert any(note.startswith("base was scored as: 3-shot") for note in notes)
    assert any("1 of 4 items were asked with another prompt" in note for note in notes)


def test_another_answer_is_refused(tmp_path: Path) -> None:
    after = choices(range(4), [True] * 4)
    after[2]["answer"] = "D"
    with pytest.raises(Unreadable, match="item 2 has another answer"):
        paired_gain(*pair(tmp_path, "sib200", choices(range(4), [True] * 4), after))


def test_no_shared_item_and_another_metric_are_refused(tmp_path: Path) -> None:
    one, two = choices([1, 2], [True, False]), choices([3, 4], [True, True])
    with pytest.raises(Unreadable, match="share no item"):
        paired_gain(*pair(tmp_path / "a", "sib200", one, two))
    with pytest.raises(Unreadable, match="this by f1"):
        paired_gain(*pair(tmp_path / "b", "sib200", one, one, metric="f1"))


def test_one_item_and_ties_everywhere_claim_no_interval(tmp_path: Path) -> None:
    one = paired_gain(*pair(tmp_path / "a", "sib200", choices([1], [False]), choices([1], [True])))
    assert one == Gain(100.0, None, None, None, 1, ("one item has no standard error",))
    same = choices([1, 2, 3], [False, True, True])
    ties = paired_gain(*pair(tmp_path / "b", "sib200", same, same))
    assert (ties.points, ties.stderr, ties.low, ties.high) == (0.0, 0.0, None, None)
    text = translations(["a", "b"], ["na", "so"], ["no", "so"])
    ties = paired_gain(*pair(tmp_path / "c", "flores_xx_en", text, text))
    assert (ties.points, ties.stderr, ties.low) == (0.0, 0.0, None)


def test_a_document_listed_twice_is_refused(tmp_path: Path) -> None:
    twice = choices([1, 1], [True, False])
    with pytest.raises(Unreadable, match="document 1 twice"):
        paired_gain(*pair(tmp_path, "sib200", twice, twice))
