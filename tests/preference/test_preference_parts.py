"""Each pair of raters a part of the prompts: dealt evenly, at the test's level, and verified."""

from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from small_study import answers, frozen, prepared, vote_all

from core.statistics import flip_signs_exactly
from preference import cli
from preference.closing import close
from preference.design import StudyPrompt, assign, share_parts
from preference.key import read_key
from preference.pack import read_pack
from preference.preparation import Preparation
from preference.screens import lay_out_screens
from preference.simulation import simulate_parts
from preference.unblinding import unblind

M = "ab" * 32
MT_BENCH = [StudyPrompt(f"q{n}", f"c{n // 10}") for n in range(80)]


@given(st.binary(min_size=32, max_size=32), st.integers(1, 79), st.integers(1, 20))
@settings(max_examples=60, deadline=None)
def test_every_prompt_is_dealt_as_often_as_any_other(secret: bytes, part: int, pairs: int) -> None:
    dealt = share_parts(secret, M, MT_BENCH, pairs=pairs, part=part)
    assert [len({p.question for p in one}) for one in dealt] == [part] * pairs
    counts = Counter(p.question for one in dealt for p in one)
    often = [counts[p.question] for p in MT_BENCH]
    assert max(often) - min(often) <= 1
    assert dealt == share_parts(secret, M, MT_BENCH, pairs=pairs, part=part)


@given(st.binary(min_size=32, max_size=32))
@settings(max_examples=20, deadline=None)
def test_a_part_holds_the_categories_in_their_shares(secret: bytes) -> None:
    dealt = share_parts(secret, M, MT_BENCH, pairs=12, part=20)
    for one in dealt[:4]:  # within one round
        shares = Counter(p.category for p in one)
        assert all(1 <= shares[f"c{n}"] <= 4 for n in range(8)), shares
    assert len({tuple(p.question for p in one) for one in dealt}) == 12, "no part comes twice"


def test_without_a_part_the_design_is_what_it_was() -> None:
    """The keys of older studies derive the same items."""
    secret = bytes(range(32))
    whole = assign(secret, M, MT_BENCH, slots=4, repeats=8, checks=3)
    assert whole == assign(secret, M, MT_BENCH, slots=4, repeats=8, checks=3, part=80)
    assert [len(row) for row in whole] == [91] * 4


def test_repeats_and_checks_are_of_the_raters_own_part() -> None:
    for row in assign(bytes(32), M, MT_BENCH, slots=8, repeats=2, checks=3, part=20):
        own = {item.question for item in row if item.kind == "main"}
        assert len(own) == 20
        assert {item.question for item in row} == own
        assert Counter(item.kind for item in row) == {"main": 20, "repeat": 2, "check": 3}
    with pytest.raises(ValueError, match="a part of 81"):
        assign(bytes(32), M, MT_BENCH, slots=2, repeats=0, checks=0, part=81)


def test_a_study_in_parts_is_rated_unblinded_and_verified(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pack_dir, key = prepared(tmp_path, 8, raters=6, part=4, repeats=1, checks=1)
    pack = read_pack(pack_dir)
    assert [len(items) for items in pack["slots"]] == [6] * 6
    # Within a pair, each of the two texts stands on each side; for one rater, half of them do.
    texts = read_key(key).map_texts()
    sheets = [lay_out_screens(pack, slot, f"{slot:032x}", "7" * 32) for slot in (0, 1)]
    twins = {**pack["twins"][0], **pack["twins"][1]}
    left = [
        {s.prompt: texts[s.a][1] for s in sheet if texts[s.a][0] == texts[s.b][0]}
        for sheet in [[s for s in sheet if s.item not in twins] for sheet in sheets]
    ]
    both = left[0].keys() & left[1].keys()
    assert len(both) >= 3
    assert all(left[0][prompt] != left[1][prompt] for prompt in both)
    vote_all(pack_dir, lambda pack, screen, slot: "ab"[texts[screen.b][1]], slots=6)
    close(pack_dir)
    result = unblind(pack_dir, key, tmp_path / "result")
    assert result["power"]["prompts"] == 8
    assert sum(row["wins"] for row in result["raters"]) == 24
    assert all(row["wins"] == 4 for row in result["raters"])
    assert cli.main(["verify", str(tmp_path / "result")]) == 3
    capsys.readouterr()


def test_how_many_raters_a_question_gets(tmp_path: Path) -> None:
    """Against the design itself."""
    for raters, part in ((6, 20), (7, 20), (8, 30), (16, 20), (5, 79)):
        made = Preparation(study=tmp_path, pack=tmp_path, key=tmp_path, raters=raters, part=part)
        rows = assign(bytes(32), M, MT_BENCH, slots=raters, repeats=0, checks=0, part=part)
        counts = Counter(item.question for row in rows for item in row)
        often = [counts[p.question] for p in MT_BENCH]
        fewest, most = made.count_raters_of_each(80)
        assert fewest <= min(often)
        assert max(often) <= most


def test_prepare_says_what_it_costs_and_what_would_leave_questions_out(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    study = frozen(tmp_path)
    long = "neno " * 3000
    arms = [
        f"{name}={answers(tmp_path, name, text=lambda n, name=name: f'{long}{name[::-1]}{n}')}"
        for name in ("northern", "southern")
    ]
    command = ["prepare", str(study), "--base", arms[0], "--trained", arms[1]]
    command += ["--allow", "language", "--allow", "identical"]

    def prepare(name: str, *more: str) -> tuple[int, str]:
        out = ["--pack", str(tmp_path / name), "--key", str(tmp_path / f"{name}.key")]
        status = cli.main([*command, *out, *more])
        return status, capsys.readouterr().err

    status, said = prepare("all", "--repeats", "0", "--checks", "0")
    assert status == 0
    # 8 questions of 3 words, two answers of 3001: 48,040 words, at 184 a minute, and choosing.
    assert "each rater reads up to 48,040 words in 8 items, about 265 minutes" in said
    assert "few finish that much. Remedy: --part 1 --raters 16" in said
    status, said = prepare("part", "--part", "2", "--raters", "8")
    assert status == 0
    assert "every prompt gets 2 raters" in said
    assert "few finish" not in said
    status, said = prepare("few", "--part", "2", "--raters", "2")
    assert status == 2
    assert "--part 2 with --raters 2: some questions would be rated by 0 people" in said
    assert "Remedy: --raters 8 or more" in said
    status, said = prepare("more", "--part", "9")
    assert status == 2
    assert "--part 9: allowed are 1 to 8" in said


@pytest.mark.long
def test_parts_keep_the_level_and_the_power_of_the_same_number_of_votes() -> None:
    """320 votes: 4 raters of all 80 prompts, or 16 raters of 20. Raters who each lean to an arm
    make a study of few raters wrong, and one of many less so."""
    studies = 1000

    def rate(raters: int, part: int, **more: float) -> float:
        rng = np.random.default_rng(part)
        found = [
            flip_signs_exactly(
                simulate_parts(rng, prompts=80, raters=raters, part=part, spread=1.0, **more)
            )
            <= 0.05
            for _ in range(studies)
        ]
        return float(np.mean(found))

    # Three standard errors of a share of 5% in so many studies are 2.1 points.
    assert rate(16, 20) <= 0.071
    assert rate(4, 80) <= 0.071
    assert rate(16, 20, shift=0.45) >= rate(4, 80, shift=0.45) - 0.06
    assert rate(16, 20, taste=0.5) < rate(4, 80, taste=0.5)
