"""Sides, order, repeats and checks: exact balance whatever the secret and the nonces."""

from collections import Counter, defaultdict

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from preference.design import RaterItem, StudyPrompt, assign, order_items, turn_sides

M = "ab" * 32
MT_BENCH = [StudyPrompt(f"q{n}", f"c{n // 10}") for n in range(80)]
secrets = st.binary(min_size=32, max_size=32)
nonces = st.text("0123456789abcdef", min_size=8, max_size=8)
prompt_lists = st.lists(st.sampled_from("abcd"), min_size=2, max_size=30).map(
    lambda categories: [StudyPrompt(f"q{n}", c) for n, c in enumerate(categories)]
)


def blocks_of(prompts: list[StudyPrompt]) -> dict[str, list[str]]:
    blocks: dict[str, list[str]] = defaultdict(list)
    for prompt in prompts:
        blocks[prompt.category].append(prompt.question)
    return blocks


def on_the_left(items: list[RaterItem], turn: dict[str, bool]) -> dict[str, int]:
    """Question -> number of the text on side A of its main item."""
    return {i.question: i.first.number ^ turn[i.question] for i in items if i.kind == "main"}


@given(secrets, nonces)
@settings(max_examples=20, deadline=None)
def test_mt_bench_is_balanced_to_the_prompt(secret: bytes, nonce: str) -> None:
    turn = turn_sides(nonce, blocks_of(MT_BENCH))
    for items in assign(secret, M, MT_BENCH, slots=2, repeats=8, checks=3):
        left = on_the_left(items, turn)
        assert Counter(left.values()) == {0: 40, 1: 40}
        shown = Counter((p.category, left[p.question]) for p in MT_BENCH)
        assert all(count == 5 for count in shown.values())


@given(secrets, prompt_lists, nonces)
@settings(max_examples=60, deadline=None)
def test_any_sizes_are_balanced_within_one_and_mirrored_in_a_pair(
    secret: bytes, prompts: list[StudyPrompt], nonce: str
) -> None:
    turn = turn_sides(nonce, blocks_of(prompts))
    one, two, three = (
        on_the_left(items, turn)
        for items in assign(secret, M, prompts, slots=3, repeats=0, checks=0)
    )
    assert one.keys() == two.keys()
    assert all(one[question] != two[question] for question in one)
    assert three == one, "the next pair has a nonce of its own to turn it"
    for left in (one, two):
        for category in {p.category for p in prompts}:
            counts = Counter(left[p.question] for p in prompts if p.category == category)
            assert abs(counts[0] - counts[1]) <= 1
        counts = Counter(left.values())
        assert abs(counts[0] - counts[1]) <= 1


def test_pairs_of_other_nonces_do_not_copy() -> None:
    turns = [turn_sides(f"nonce {n}", blocks_of(MT_BENCH)) for n in range(200)]
    assert len({tuple(sorted(turn.items())) for turn in turns}) == 200
    share = np.mean([[turn[p.question] for p in MT_BENCH] for turn in turns], axis=0)
    # Each prompt is turned in half of the pairs: 5 standard errors of 200 coin flips.
    assert np.all(np.abs(share - 0.5) < 5 * 0.5 / np.sqrt(200))


def test_repeats_are_swapped_and_in_the_other_half() -> None:
    for seed in range(20):
        (items,) = assign(bytes([seed] * 32), M, MT_BENCH, slots=1, repeats=8, checks=3)
        originals = {i.question: i for i in items if i.kind == "main"}
        repeats = [i for i in items if i.kind == "repeat"]
        assert len(repeats) == 8
        for repeat in repeats:
            original = originals[repeat.question]
            assert (repeat.first, repeat.second) == (original.second, original.first)
        twins = {i.id: originals[i.question].id for i in repeats}
        ranked = order_items(f"nonce{seed}", [i.id for i in items], twins)
        assert sorted(ranked) == sorted(i.id for i in items)
        half = len(ranked) // 2
        for repeat_id, original_id in twins.items():
            assert (ranked.index(repeat_id) < half) != (ranked.index(original_id) < half)


def test_a_check_shows_a_wrong_answer_of_another_category_each_text_drawn_for_itself() -> None:
    category = {p.question: p.category for p in MT_BENCH}
    numbers: Counter[tuple[int, int]] = Counter()
    for seed in range(100):
        (items,) = assign(bytes([seed] * 32), M, MT_BENCH, slots=1, repeats=0, checks=6)
        checks = [i for i in items if i.kind == "check"]
        assert len(checks) == 6
        assert sum(check.first.question == check.question for check in checks) == 3
        for check in checks:
            texts = sorted((check.first, check.second), key=lambda t: t.question != check.question)
            assert texts[0].question == check.question
            assert category[texts[1].question] != check.category
            numbers[texts[0].number, texts[1].number] += 1
    # 150 of 600 each: 5 standard errors of a binomial.
    assert set(numbers) == {(0, 0), (0, 1), (1, 0), (1, 1)}
    assert all(abs(count - 150) < 5 * np.sqrt(600 * 3 / 16) for count in numbers.values())


def test_order_says_nothing_of_sides() -> None:
    """Over 200 raters, place and side are correlated as by chance, on average and in spread."""
    correlations = []
    (items,) = assign(bytes(32), M, MT_BENCH, slots=1, repeats=0, checks=0)
    question = {i.id: i.question for i in items}
    for n in range(200):
        left = on_the_left(items, turn_sides(f"pair {n}", blocks_of(MT_BENCH)))
        ranked = order_items(f"nonce {n}", list(question), {})
        sides = [left[question[i]] for i in ranked]
        correlations.append(np.corrcoef(range(80), sides)[0, 1])
    # The standard error of the mean of 200 correlations of 80 places is 0.008.
    assert abs(np.mean(correlations)) < 4 * 0.008
    assert np.std(correlations) == pytest.approx(1 / np.sqrt(79), rel=0.2)


def test_raters_have_orders_of_their_own() -> None:
    ids = [p.question for p in MT_BENCH]
    places = [order_items(f"nonce {n}", ids, {}).index("q0") for n in range(200)]
    assert len(set(places)) > 50


def test_more_checks_than_prompts_are_refused() -> None:
    with pytest.raises(ValueError, match="9 repeats of 8 prompts"):
        assign(bytes(32), M, MT_BENCH[:8], slots=1, repeats=9, checks=0)
