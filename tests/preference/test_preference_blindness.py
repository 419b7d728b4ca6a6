"""No pack says whose a text is: the proof, an attack that checks it, and the level of the test."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from small_study import SECRET, answers, frozen, write_lines
from unblinding_attack import View, agreement, arm_balanced_layout, by_chance, recover

from core.statistics import flip_signs_sampled
from preference.commitment import write_canonical
from preference.design import StudyPrompt, turn_sides
from preference.key import Content, Key, Settings, find_first_arm
from preference.pack import pack_of
from preference.preparation import Preparation
from preference.preparing import prepare_study
from preference.screens import lay_out_screens

SIZES = (2, 4, 10, 14, 20, 30, 50)
MT_BENCH = [StudyPrompt(f"q{n}", f"c{n // 10}") for n in range(80)]


def key_of(secret: bytes, rows: Sequence[tuple[str, str, str, str, str]], **options: Any) -> Key:
    return Key(
        secret=secret,
        content=Content(tuple(rows)),
        settings=Settings(title="", language={"name": "Swahili"}, messages={}, **options),
        arms=({"name": "northern"}, {"name": "southern"}),
        trained=1,
        plan={"seed": 0},
        questions_sha256="",
    )


@given(
    st.binary(min_size=32, max_size=32),
    # Few letters, so that some questions have the same answer from both arms.
    st.lists(
        st.tuples(st.sampled_from("ab"), st.sampled_from("xyz"), st.sampled_from("xyz"))
    ).filter(lambda rows: len(rows) > 1),
    st.integers(1, 5),
    st.data(),
)
@settings(max_examples=60, deadline=None)
def test_exchanging_the_arms_of_any_questions_leaves_every_byte_of_the_pack_but_the_commitment(
    secret: bytes, texts: list[tuple[str, str, str]], slots: int, data: st.DataObject
) -> None:
    exchanged = data.draw(st.lists(st.booleans(), min_size=len(texts), max_size=len(texts)))
    rows = [(str(n), c, f"{n}?", one, two) for n, (c, one, two) in enumerate(texts)]
    other = [
        (q, c, p, two, one) if exchange else (q, c, p, one, two)
        for (q, c, p, one, two), exchange in zip(rows, exchanged, strict=True)
    ]
    options = {"slots": slots, "repeats": 1, "checks": 1}
    key, turned_key = key_of(secret, rows, **options), key_of(secret, other, **options)
    packs = [pack_of(key), pack_of(turned_key)]
    commitments = [pack.pop("commitment") for pack in packs]
    assert write_canonical(packs[0]) == write_canonical(packs[1])
    assert (commitments[0] == commitments[1]) == (rows == other), "whose a text is must be bound"
    # The key still knows: every text is led back to the arm that gave it.
    for one in (key, turned_key):
        given_by = {
            (q, arm): t for q, _, _, *texts in one.content.rows for arm, t in enumerate(texts)
        }
        whose = one.map_texts()
        assert whose.keys() == packs[0]["texts"].keys()
        assert {whose[name]: text for name, text in packs[0]["texts"].items()} == given_by


def test_every_file_that_the_server_gets_is_the_same_but_for_the_commitment(tmp_path: Path) -> None:
    study = frozen(tmp_path)
    north, south = (
        [json.loads(x) for x in answers(tmp_path, n).read_text("utf-8").split("\n") if x]
        for n in ("northern", "southern")
    )
    folders = []
    for number, exchanged in enumerate(((), (3,), (0, 1, 6), range(8))):
        folder = tmp_path / str(number)
        rows = [
            [(b if n in exchanged else a) for n, (a, b) in enumerate(zip(one, two, strict=True))]
            for one, two in ((north, south), (south, north))
        ]
        files = [write_lines(folder / f"{arm}.jsonl", of) for arm, of in enumerate(rows)]
        prepare_study(
            Preparation(
                study=study,
                base=f"northern={files[0]}",
                trained=f"southern={files[1]}",
                pack=folder / "pack",
                key=folder / "key",
                raters=3,
            ),
            secret=SECRET,
        )
        folders.append({p.name: p.read_text("utf-8") for p in (folder / "pack").iterdir()})
    published = [json.loads(files["commitment.json"]) for files in folders]
    assert len({p["commitment"] for p in published}) == 4
    hidden = []
    for files, own in zip(folders, published, strict=True):
        # Of both files, only the commitment, its first digits and the hash of the pack with it.
        out = json.dumps(files)
        for name in ("commitment", "fingerprint", "pack_sha256"):
            out = out.replace(own[name], name)
        hidden.append(out)
    assert len(set(hidden)) == 1


def rows_of_mt_bench(secret: bytes) -> list[tuple[str, str, str, str, str]]:
    return [
        (p.question, p.category, f"{p.question}?", f"{p.question} {secret.hex()[:4]} one", "two")
        for p in MT_BENCH
    ]


def views(pack: dict[str, Any]) -> dict[str, View]:
    """What the pack alone shows, and what whoever serves it sees once the nonces are drawn."""
    items = [
        [(i["prompt"], i["first"], i["second"]) for i in slot if i["id"] not in twins]
        for slot, twins in zip(pack["slots"], pack["twins"], strict=True)
    ]
    served = [
        [
            (s.prompt, s.a, s.b)
            for s in lay_out_screens(pack, slot, f"rater {slot}", f"pair {slot // 2}")
            if s.item not in pack["twins"][slot]
        ]
        for slot in range(len(pack["slots"]))
    ]
    blocks = list(pack["blocks"].values())
    return {"pack": View(items, blocks), "served": View(served, blocks)}


@pytest.mark.parametrize(("raters", "least"), [(10, 64), (14, 79), (20, 79)])
def test_the_attack_recovers_arms_that_a_layout_is_balanced_against(
    raters: int, least: int
) -> None:
    for seed in range(3):
        view, truth = arm_balanced_layout(bytes([seed] * 32), MT_BENCH, raters=raters)
        assert agreement(recover(view, seed=seed), truth) >= least


@pytest.mark.parametrize("raters", SIZES)
def test_the_attack_does_no_better_than_chance_on_a_pack(raters: int) -> None:
    mean, deviation = by_chance(80)
    found = []
    for seed in range(3):
        secret = bytes([seed, raters] * 16)
        key = key_of(secret, rows_of_mt_bench(secret), slots=raters)
        pack = pack_of(key)
        prompt_of = {i["first"]: i["prompt"] for i in pack["slots"][0]}
        prompt_of |= {i["second"]: i["prompt"] for i in pack["slots"][0]}
        whose = key.map_texts()
        prompts = {name: text.rstrip("?") for name, text in pack["prompts"].items()}
        names = {question: name for name, question in prompts.items()}
        truth = {names[question]: text for text, (question, arm) in whose.items() if arm == 0}
        found += [agreement(recover(v, seed=seed), truth) for v in views(pack).values()]
    # Four deviations of the mean, and no single one that chance would give once in 100,000.
    assert np.mean(found) < mean + 4 * deviation / np.sqrt(len(found)), found
    assert max(found) < mean + 5 * deviation, found


def arms_on_a(rng: np.random.Generator, *, raters: int) -> np.ndarray:
    """Whether arm 1 stands on side A, shape (raters, prompts), as secret and nonces have it."""
    secret = rng.bytes(32)
    blocks: dict[str, list[str]] = {}
    for prompt in MT_BENCH:
        blocks.setdefault(prompt.category, []).append(prompt.question)
    first = [find_first_arm(secret, p.question, ("one", "two")) for p in MT_BENCH]
    out = []
    for slot in range(raters):
        if slot % 2 == 0:
            turn = turn_sides(rng.bytes(16).hex(), blocks)
        out.append([a ^ turn[p.question] ^ slot % 2 for a, p in zip(first, MT_BENCH, strict=True)])
    return np.array(out, dtype=bool)


def test_for_one_rater_sides_are_coin_flips_and_over_a_pair_they_are_exact() -> None:
    rng = np.random.default_rng(0)
    counts = []
    for _ in range(400):
        one, two = arms_on_a(rng, raters=2)
        assert np.all(one != two)
        counts.append(one.sum())
    # Binomial of 80: mean 40, deviation 4.47; 4 standard errors of each.
    assert np.mean(counts) == pytest.approx(40, abs=4 * 4.47 / 20)
    assert np.std(counts) == pytest.approx(4.47, rel=4 / np.sqrt(800))


@pytest.mark.parametrize(
    ("raters", "rated"),
    [(1, 1.0), (2, 0.4), (3, 1.0)],
    ids=["one rater", "a partner who stopped early", "three raters"],
)
def test_a_liking_for_a_side_makes_no_false_finding(raters: int, rated: float) -> None:
    """Level of the primary test at 0.05 where no arm is better and raters choose A four times of
    five; the last rater has rated only a part."""
    rng = np.random.default_rng(raters)
    studies, found = 200, 0
    for _ in range(studies):
        on_a = arms_on_a(rng, raters=raters)
        chose_a = rng.random(on_a.shape) < 0.8
        scores = np.where(on_a == chose_a, 1.0, -1.0)
        scores[-1, rng.random(80) >= rated] = np.nan
        p = flip_signs_sampled(np.nanmean(scores, axis=0).tolist(), resamples=199)
        found += p is not None and p <= 0.05
    # 10 of 200 by chance, deviation 3.1; with sides that are not drawn it would be nearly all.
    assert found <= 10 + 3.5 * 3.1


def test_the_simulation_finds_a_layout_that_shows_one_arm_on_one_side() -> None:
    rng = np.random.default_rng(0)
    scores = np.where(rng.random(80) < 0.8, 1.0, -1.0)
    p = flip_signs_sampled(scores.tolist(), resamples=499)
    assert p is not None
    assert p < 0.01
