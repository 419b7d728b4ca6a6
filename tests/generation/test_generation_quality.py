"""Faults of rows: found where they are, and not where they are not."""

import json
import random
import re
import zlib
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from datasketch import MinHash, MinHashLSH
from hypothesis import example, given, settings
from hypothesis import strategies as st
from running import EMBEDDED, SMALL, run
from scripted import Scripted, answer, completion

from generation.quality.checks import (
    Instructions,
    has_broken_unicode,
    is_refusal,
    repeats_itself,
)
from generation.quality.duplicates import Duplicates
from generation.quality.signature import SHINGLE, sign_text
from generation.settings import Quality, Teacher

LOOP = "Habari ya leo. " + "Ninapenda kusoma vitabu. " * 8
SOUND = (EMBEDDED / "contexts" / "swh_Latn.txt").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (LOOP, True),
        ("na " * 40, True),
        ("Orodha:\n" + "\n".join(f"{n}. kitu cha {n}" for n in range(30)), False),
        (SOUND, False),
        ("Jina: " + "_" * 80, False),
        ("Ndiyo ndiyo ndiyo!", False),
    ],
)
def test_repetition(text: str, expected: bool) -> None:
    assert repeats_itself(text) is expected


LOOP_DEFINED = re.compile(r"(.{1,80}?)\1{4,}\s*\Z", re.DOTALL)


def repeats_by_definition(text: str) -> bool:
    """The check as a regular expression says it."""
    loop = LOOP_DEFINED.search(text[-600:])
    if loop and len(loop[0]) >= 60 and any(map(str.isalnum, loop[1])):
        return True
    data = text.encode("utf-8", "replace")
    return len(data) >= 400 and len(data) > 8.0 * len(zlib.compress(data, 6))


# Few letters make loops by chance: of spaces, across units, with a rest that is half a unit.
SCRAPS = st.text("ab. \n\u2028", max_size=12) | st.text("aሀກ😀_", max_size=90)
REPEATED = st.builds(lambda unit, times: unit * times, SCRAPS, st.integers(1, 90))


@settings(max_examples=1500, deadline=None)
@given(st.lists(REPEATED, max_size=5).map("".join))
@example("a" * 59)
@example("a" * 60)
@example(f"{'ab' * 40}{'.' * 400}")
@example(f"{'b' * 81}{'a b ' * 20} \n\u2028 ")
@example(f"{'x' * 80}y" * 7)
@example(f"{'x' * 79}y" * 7)
def test_a_loop_is_what_the_definition_says(text: str) -> None:
    assert repeats_itself(text) is repeats_by_definition(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("I'm sorry, but I can't help with that.", True),
        ("I’m sorry, I cannot assist with this request.", True),
        ("As an AI language model, I do not have feelings.", True),
        ("Samahani, siwezi kusaidia.", False),
        ("Kwa Kiingereza: 'I cannot swim' maana yake siwezi kuogelea.", False),
    ],
)
def test_refusals(text: str, expected: bool) -> None:
    assert is_refusal(text) is expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("kaf\ufffd", True),
        ("CafÃ© â€™", True),
        ("a\x08b", True),
        ("private \ue000", True),
        ("Àwọn ọmọ\n\tÂ und Ã", False),
        ("👩\u200d👩\u200d👧 می\u200cخواهم", False),  # joiners are spelling
    ],
)
def test_broken_unicode(text: str, expected: bool) -> None:
    assert has_broken_unicode(text) is expected


def test_leaked_instructions() -> None:
    wording = "You break a subject into smaller ones. Name specific topics within the subject."
    found = Instructions([wording])
    assert found.leaks_into("Sawa! you BREAK a subject into smaller ones: name specific things")
    assert not found.leaks_into("You break a subject into smaller ones and go")
    assert found.leaks_into("Jibu.<|im_end|>")


def shingles(text: str) -> set[str]:
    """All runs of five characters; the whole text where it is shorter."""
    return {text[at : at + SHINGLE] for at in range(max(1, len(text) - SHINGLE + 1))}


@settings(max_examples=500, deadline=None)
@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=60) | REPEATED)
@example("")
@example("ab")
@example(SOUND)
@example("aéກ😀" * 5000)
def test_a_signature_is_that_of_datasketch(text: str) -> None:
    mark = MinHash(num_perm=128, hashfunc=zlib.crc32, seed=1, scheme="affine32")
    mark.update_batch([shingle.encode() for shingle in shingles(text)])
    assert (sign_text(text) == mark.hashvalues).all()


def test_duplicates_are_those_that_an_exact_count_finds() -> None:
    seen = Duplicates(0.8)
    lao = "ເດັກນ້ອຍໄປໂຮງຮຽນທຸກໆເຊົ້າແລະກັບບ້ານຕອນແລງພ້ອມໝູ່ຂອງເຂົາເຈົ້າ" * 2
    near = lao[:30] + lao[32:]
    far = lao[:60] + SOUND[:60]
    for text, expected in ((lao, None), (f" {lao}\n", "duplicate"), (near, "near duplicate")):
        assert seen.see(text) == expected
    assert seen.see(far) is None
    for text, least in ((near, True), (far, False)):
        one, two = shingles(lao), shingles(text)
        assert (len(one & two) / len(one | two) >= 0.8) is least


def test_duplicates_are_those_of_datasketchs_index() -> None:
    """On texts whose similarity lies on both sides of the threshold, several of a kind."""
    rng = random.Random(5)
    words = SOUND.split()
    kinds = [[rng.choice(words) for _ in range(30)] for _ in range(12)]
    seen, index, marks = Duplicates(0.8), MinHashLSH(threshold=0.8, num_perm=128), {}
    told: Counter[str | None] = Counter()
    for number in range(600):
        said = list(rng.choice(kinds))
        for _ in range(rng.randrange(5)):
            said[rng.randrange(30)] = rng.choice(words)
        text = " ".join(said).casefold()
        mark = MinHash(num_perm=128, hashfunc=zlib.crc32, seed=1, scheme="affine32")
        mark.update_batch([shingle.encode() for shingle in shingles(text)])
        near = any(marks[found].jaccard(mark) >= 0.8 for found in index.query(mark))
        found = seen.see(text)
        told[found] += 1
        assert (found is None) is not near
        if found is None:
            index.insert(number, mark)
            marks[number] = mark
    assert min(told[kind] for kind in (None, "near duplicate", "duplicate")) > 20


def rows(folder: Path) -> list[dict[str, Any]]:
    text = (folder / "topic" / "rows.jsonl").read_text(encoding="utf-8")
    return [json.loads(line) for line in text.splitlines()]


@pytest.fixture
def mixed(server: Scripted) -> Scripted:
    """Answers that are English, loops, refusals, and sound Swahili."""
    kinds = [
        "The children walk to school every morning and come home in the afternoon.",
        LOOP,
        "I'm sorry, but I can't help with that. Samahani sana, rafiki yangu mpendwa.",
        "Watoto wanakwenda shuleni kila siku asubuhi, na wanarudi nyumbani jioni.",
    ]

    def behave(body: dict[str, Any], nth: int) -> dict[str, Any]:
        if "JSON" in body["messages"][0]["content"]:
            return answer(body)
        return completion(kinds[body["seed"] % 4], reasoning="Hm")

    server.behave = behave
    return server


def test_faults_are_reported_and_nothing_is_left_out_by_default(
    mixed: Scripted, teacher: Teacher, tmp_path: Path
) -> None:
    facts = run("topic", tmp_path, teacher)
    found = rows(tmp_path)
    quality = facts.quality
    assert facts.rows == len(found) == quality.rows == facts.steps[-1].parsed
    assert not quality.dropped
    for name in ("language", "repetition", "refusal"):
        assert quality.flags[name] == sum(name in row["quality"] for row in found) > 0
    english = [row for row in found if row["language"] == "eng"]
    assert len(english) == quality.languages["eng"] >= quality.other_language > 0
    asked = quality.in_language + quality.other_language + quality.undetermined_language
    assert asked == quality.rows


def test_faults_that_are_named_are_left_out_and_counted(
    mixed: Scripted, teacher: Teacher, tmp_path: Path
) -> None:
    reported = run("topic", tmp_path / "all", teacher)
    strict = replace(SMALL, quality=Quality(drop=("language", "repetition", "refusal")))
    facts = run("topic", tmp_path / "strict", teacher, strict)
    sound = [
        row for row in rows(tmp_path / "all") if not set(row["quality"]) & {*strict.quality.drop}
    ]
    assert rows(tmp_path / "strict") == sound
    last = facts.steps[-1]
    assert last.kept == facts.rows == len(sound) < reported.rows
    assert last.parsed == last.kept + sum(last.reasons.values())
    assert last.reasons == facts.quality.dropped
    assert facts.quality.flags == reported.quality.flags


def test_the_card_says_what_is_in_it(mixed: Scripted, teacher: Teacher, tmp_path: Path) -> None:
    facts = run("topic", tmp_path, teacher)
    card = (tmp_path / "topic" / "README.md").read_text(encoding="utf-8")
    assert card.startswith('---\npretty_name: "Swahili: topic"\nlanguage: "sw"\n')
    assert f"{facts.rows:,} rows" in card
    assert "unknown (no prices were given)" in card
    for step in facts.steps:
        numbers = (step.asked, step.answered, step.parsed, step.kept)
        name = step.step.replace("_", "\\_")
        assert f"| {name} | {' | '.join(f'{n:,}' for n in numbers)} |" in card
    assert f"| repetition | {facts.quality.flags['repetition']} | 0 |" in card
    assert card.count("```text\n[user]") == 3


def test_samples_cannot_break_out_of_the_card(
    server: Scripted, teacher: Teacher, tmp_path: Path
) -> None:
    evil = "````\n\x1b[2J<script>alert(1)</script>\u202e ```` "

    def behave(body: dict[str, Any], nth: int) -> dict[str, Any]:
        if "JSON" in body["messages"][0]["content"]:
            return answer(body)
        return completion(f"{evil} {body['seed']}")

    server.behave = behave
    run("topic", tmp_path, teacher)
    card = (tmp_path / "topic" / "README.md").read_text(encoding="utf-8")
    assert "\x1b" not in card
    assert "\u202e" not in card
    assert card.count("`````text\n") == card.count("\n`````\n") == 3
