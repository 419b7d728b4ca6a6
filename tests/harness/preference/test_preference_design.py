"""Sides, order, repeats and checks: exact balance whatever the secret and the nonces."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.preference.design import Prompt, assign, order, sides, turned

M = "ab" * 32
MT_BENCH = [Prompt(f"q{n}", f"c{n // 10}") for n in range(80)]
secrets = st.binary(min_size=32, max_size=32)
prompt_lists = st.lists(st.sampled_from("abcd"), min_size=2, max_size=30).map(
    lambda categories: [Prompt(f"q{n}", c) for n, c in enumerate(categories)]
)


@given(secrets, st.text("0123456789abcdef", min_size=32, max_size=32))
@settings(max_examples=40, deadline=None)
def test_mt_bench_is_balanced_to_the_prompt_after_the_nonce_turned_it(
    secret: bytes, nonce: str
) -> None:
    slots = assign(secret, M, MT_BENCH, slots=4, repeats=8, checks=3)
    turn = turned(nonce, Counter(p.category for p in MT_BENCH))
    for items in slots:
        main = [(i.category, i.arm_first ^ turn[i.category]) for i in items if i.kind == "main"]
        assert Counter(arm for _, arm in main) == {0: 40, 1: 40}
        assert all(count == 5 for count in Counter(main).values())


@given(secrets, prompt_lists, st.text("0123456789abcdef", min_size=8, max_size=8))
@settings(max_examples=100, deadline=None)
def test_any_sizes_are_balanced_within_one(
    secret: bytes, prompts: list[Prompt], nonce: str
) -> None:
    first = sides(secret, M, 0, prompts)
    turn = turned(nonce, Counter(p.category for p in prompts))
    shown = [(p.category, first[p.question] ^ turn[p.category]) for p in prompts]
    for category in {p.category for p in prompts}:
        counts = Counter(arm for c, arm in shown if c == category)
        assert abs(counts[0] - counts[1]) <= 1
    counts = Counter(arm for _, arm in shown)
    assert abs(counts[0] - counts[1]) <= 1


@given(secrets, prompt_lists)
@settings(max_examples=50, deadline=None)
def test_pairs_of_raters_mirror_and_other_pairs_do_not_copy(
    secret: bytes, prompts: list[Prompt]
) -> None:
    one, two, *_ = assign(secret, M, prompts, slots=4, repeats=0, checks=0)
    assert [i.arm_first for i in one] == [1 - i.arm_first for i in two]
    assert len({i.id for row in (one, two) for i in row}) == 2 * len(prompts)


def test_repeats_are_swapped_and_in_the_other_half() -> None:
    for seed in range(50):
        (items,) = assign(bytes([seed] * 32), M, MT_BENCH, slots=1, repeats=8, checks=3)
        originals = {i.question: i for i in items if i.kind == "main"}
        repeats = [i for i in items if i.kind == "repeat"]
        assert len(repeats) == 8
        assert all(i.arm_first == 1 - originals[i.question].arm_first for i in repeats)
        twins = {i.id: originals[i.question].id for i in repeats}
        ranked = order(f"nonce{seed}", [i.id for i in items], twins)
        assert sorted(ranked) == sorted(i.id for i in items)
        half = len(ranked) // 2
        for repeat, original in twins.items():
            assert (ranked.index(repeat) < half) != (ranked.index(original) < half)


def test_checks_show_a_wrong_answer_of_another_category_and_the_same_arm() -> None:
    (items,) = assign(bytes(32), M, MT_BENCH, slots=1, repeats=0, checks=6)
    category = {p.question: p.category for p in MT_BENCH}
    checks = [i for i in items if i.kind == "check"]
    assert len(checks) == 6
    assert all(i.wrong_question and category[i.wrong_question] != i.category for i in checks)
    assert Counter(i.wrong_first for i in checks) == {True: 3, False: 3}


def test_order_says_nothing_of_sides() -> None:
    """Over 400 raters, place and side are correlated as by chance, on average and in spread."""
    correlations = []
    for n in range(400):
        (items,) = assign(n.to_bytes(32, "big"), M, MT_BENCH, slots=1, repeats=0, checks=0)
        arm = {i.id: i.arm_first for i in items}
        ranked = order(f"nonce {n}", list(arm), {})
        correlations.append(np.corrcoef(range(80), [arm[i] for i in ranked])[0, 1])
    # The standard error of the mean of 400 correlations of 80 places is 0.0056.
    assert abs(np.mean(correlations)) < 4 * 0.0056
    assert np.std(correlations) == pytest.approx(1 / np.sqrt(79), rel=0.2)


def test_raters_have_orders_of_their_own() -> None:
    ids = [p.question for p in MT_BENCH]
    places = [order(f"nonce {n}", ids, {}).index("q0") for n in range(200)]
    assert len(set(places)) > 50


def test_more_checks_than_prompts_are_refused() -> None:
    with pytest.raises(ValueError, match="9 repeats of 8 prompts"):
        assign(bytes(32), M, MT_BENCH[:8], slots=1, repeats=9, checks=0)
