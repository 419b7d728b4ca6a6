"""Planted leaks are found, in every script; what is no leak is not."""

import json
import random
import unicodedata
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from core.contract.names import CONTAMINATED
from generation.mixture.contamination import BenchmarkText, look_for_items, reduce_to_letters
from generation.mixture.settings import Contamination

ENGLISH = (
    "On Monday, scientists from the university announced that a new diagnostic tool can sort cells "
    "by type, and that it can be printed for about one cent each."
)
SCRIPTS = {
    "Amharic": "ሰኞ ዕለት ሳይንቲስቶች ሴሎችን በዓይነት መለየት የሚችል አዲስ መሣሪያ መፈልሰፉን ይፋ አድርገዋል፤ "
    "ይህም በትንሽ ወጪ ሊታተም ይችላል።",
    "Lao": "ໃນວັນຈັນນັກວິທະຍາສາດໄດ້ປະກາດການປະດິດເຄື່ອງມືວິນິດໄສໃໝ່ທີ່ສາມາດຈັດຮຽງຈຸລັງຕາມປະເພດໄດ້ຢ່າງວ່ອງໄວແລະລາຄາຖືກຫຼາຍ",
    "Uyghur": "دۈشەنبە كۈنى ئالىملار ھۈجەيرىلەرنى تۈرى بويىچە ئايرىيالايدىغان "
    "يېڭى بىر دىئاگنوز قورالى كەشىپ قىلغانلىقىنى ئېلان قىلدى",
}


def item(text: str, number: int = 0, benchmark: str = "flores", **more: Any) -> BenchmarkText:
    return BenchmarkText(benchmark, "Swahili", str(number), more.get("cluster", str(number)), text)


def look(
    tmp_path: Path,
    items: list[BenchmarkText],
    *answers: str,
    system: str = "Be helpful.",
    progress: Callable[[int, int, str], None] = lambda done, total, note: None,
    known: Path | None = None,
    **settings: Any,
) -> tuple[Any, list[dict[str, Any]]]:
    rows = tmp_path / "rows.jsonl"
    with rows.open("w", encoding="utf-8") as file:
        for number, answer in enumerate(answers):
            messages = [
                {"role": "system", "content": system},
                {"role": "user", "content": "Tafsiri: " + "neno " * (number % 3)},
                {"role": "assistant", "content": answer},
            ]
            row = {"id": f"row-{number}", "source": "mine", "messages": messages}
            file.write(json.dumps(row, ensure_ascii=False) + "\n")
    chosen = Contamination(**settings)
    facts = look_for_items(rows, items, chosen, tmp_path, progress, known=known)
    text = (tmp_path / CONTAMINATED).read_text(encoding="utf-8")
    return facts, [json.loads(line) for line in text.split("\n") if line]


@pytest.mark.parametrize("text", [ENGLISH, *SCRIPTS.values()], ids=["English", *SCRIPTS])
def test_a_planted_leak_is_found_in_any_script_and_wording(tmp_path: Path, text: str) -> None:
    inside = f"Here it is: “{text.upper()}” - is that so?"
    most = text[: len(text) * 7 // 8]
    facts, found = look(tmp_path, [item(text)], "Hapana.", inside, most)
    assert facts.contaminated_rows == 2
    assert [(f["id"], f["kind"]) for f in found] == [
        ("row-1", "run"),
        ("row-1", "near duplicate"),
        ("row-2", "run"),
        ("row-2", "near duplicate"),
    ]
    assert found[0]["overlap"] == 1.0
    assert facts.contamination == {
        "flores in Swahili: near duplicate": 2,
        "flores in Swahili: run": 2,
    }


def test_a_near_duplicate_without_a_long_run_is_found(tmp_path: Path) -> None:
    words = ENGLISH.split()
    changed = " ".join(w if n % 9 else "changed" for n, w in enumerate(words))
    facts, found = look(tmp_path, [item(ENGLISH)], changed, run=80, overlap=0.4)
    assert [f["kind"] for f in found] == ["near duplicate"]
    assert facts.rows == facts.contaminated_rows == 1


def test_one_text_of_three_benchmarks_is_counted_in_each(tmp_path: Path) -> None:
    items = [item(ENGLISH, benchmark=name) for name in ("flores", "sib200", "belebele")]
    facts, _ = look(tmp_path, items, ENGLISH)
    assert facts.contaminated_rows == 1
    assert facts.found_items == 3
    assert len(facts.contamination) == 6


def test_the_phrasing_of_a_benchmark_is_no_leak(tmp_path: Path) -> None:
    phrase = "Which of the following statements is the most accurate description of the subject of "
    subjects = [f"{number}{number}{number} trade" for number in range(9)]
    items = [item(phrase + s, n, "global_mmlu") for n, s in enumerate(subjects)]
    facts, _ = look(tmp_path, items, phrase + "his letter?")
    assert facts.contaminated_rows == 0
    # Two questions on one passage share it by design: it is theirs all the same.
    twins = [item(phrase + s, n, "belebele", cluster="p") for n, s in enumerate(subjects)]
    assert look(tmp_path, twins, phrase + "his letter?")[0].contaminated_rows == 1


def test_a_passage_of_many_questions_is_no_phrasing(tmp_path: Path) -> None:
    """Also where the benchmark gives every question a cluster of its own."""
    passage = " ".join(
        f"The {n}th mill was built by a family of {n * 7} weavers." for n in range(9)
    )
    items = [item(f"{passage}\nHow many looms had mill {n}?", n, "global_mmlu") for n in range(6)]
    facts, _ = look(tmp_path, items, "I read that " + passage[:120])
    assert facts.contaminated_rows == 1
    assert facts.found_items == 6


def test_a_rows_own_system_prompt_is_looked_at(tmp_path: Path) -> None:
    facts, _ = look(tmp_path, [item(ENGLISH)], "Hapana.", "Ndiyo.", system=f"Say: {ENGLISH}")
    assert facts.contaminated_rows == 2


def test_long_rows_are_looked_at_a_few_at_once(tmp_path: Path) -> None:
    """Memory must not grow with the length of the rows."""
    seen: list[int] = []
    long = "habari za leo " * 60_000
    look(tmp_path, [item(ENGLISH)], *[long] * 5, progress=lambda done, *_: seen.append(done))
    assert seen == [0, 0, 2, 4, 5]


def test_rows_that_are_left_out_already_stay_in_the_file(tmp_path: Path) -> None:
    known = tmp_path / "by hand.jsonl"
    known.write_text('{"id": "old"}', encoding="utf-8")  # no end of line
    facts, found = look(tmp_path, [item(ENGLISH)], "Hapana.", ENGLISH, known=known)
    assert list(dict.fromkeys(row["id"] for row in found)) == ["old", "row-1"]
    assert facts.contaminated_rows == 1


def test_short_items_are_counted_as_such(tmp_path: Path) -> None:
    facts, _ = look(tmp_path, [item("Habari gani?"), item(ENGLISH, 1)], "Habari gani? Nzuri.")
    assert (facts.items, facts.too_short, facts.contaminated_rows) == (2, 1, 0)


def test_against_plain_search(tmp_path: Path) -> None:
    """Runs and shares of random texts from few letters, by strings and sets instead of hashes."""
    rng = random.Random(0)
    texts = ["".join(rng.choices("abc", k=rng.randrange(30, 90))) for _ in range(40)]
    rows = []
    for _ in range(60):
        own = rng.choice(texts)
        cut = rng.randrange(len(own))
        rows.append("".join(rng.choices("abc", k=40)) + own[cut : cut + rng.randrange(60)])
    items = [item(text, number) for number, text in enumerate(texts)]
    _, found = look(tmp_path, items, *rows, run=24, ngram=12, overlap=0.5)
    seen = {(f["id"], f["item"], f["kind"]) for f in found}
    expected = set()
    for r, row in enumerate(rows):
        said = f"Tafsiri{'neno' * (r % 3)}".lower() + "\n" + row
        for t, text in enumerate(texts):
            grams = {text[i : i + 12] for i in range(len(text) - 11)}
            length = min(24, len(text))
            if any(text[i : i + length] in said for i in range(len(text) - length + 1)):
                expected.add((f"row-{r}", str(t), "run"))
            if sum(gram in said for gram in grams) / len(grams) >= 0.5:
                expected.add((f"row-{r}", str(t), "near duplicate"))
    assert seen == expected
    assert {kind for _, _, kind in seen} == {"run", "near duplicate"}


@pytest.mark.parametrize(
    ("text", "compared"),
    [
        ("Ａ b-C_1, ß! ١", "abc1ss١"),
        ("Ẹ̀kọ́ Yorùbá", "ekoyoruba"),
        ("بِسْمِ", "بسم"),
        ("ກິນເຂົ້າ", "ກິນເຂົ້າ"),
        ("बोलियाँ", "बोलियाँ"),
        ("བསྒྲུབས་", "བསྒྲུབས"),
        ("ሰላም", "ሰ0ለ3መ5"),
        ("한", "한"),
        ("ok ❤️ vitamin A. (b) 12) x", "okvitaminx"),
        ("की, x2: 1.5", "कीx215"),
    ],
)
def test_letters(text: str, compared: str) -> None:
    assert reduce_to_letters(text) == unicodedata.normalize("NFKD", compared)


@pytest.mark.parametrize("text", SCRIPTS.values(), ids=SCRIPTS)
def test_half_a_sentence_is_found_in_any_script(tmp_path: Path, text: str) -> None:
    facts, _ = look(tmp_path, [item(text)], text[: len(text) // 2])
    assert facts.contaminated_rows == 1


@pytest.mark.parametrize("mark", ["{}. ", "({}) ", "**{}**: ", "- {}) "])
@pytest.mark.parametrize("names", ["ABCD", "1234", "ሀለሐመ", "ກຂຄງ"])
@pytest.mark.parametrize("between", ["\n", " "])
def test_a_question_is_found_however_its_answers_are_listed(
    tmp_path: Path, mark: str, names: str, between: str
) -> None:
    question, *answers = "Who mends the town's clocks?", "A smith", "The baker", "My aunt", "No one"
    asked = [mark.format(name) + answer for name, answer in zip(names, answers, strict=True)]
    items = [item("\n".join([question, *answers]), benchmark="global_mmlu")]
    facts, _ = look(tmp_path, items, between.join([question, *asked, "Answer:"]))
    assert facts.contaminated_rows == 1


def test_flores_is_found_and_other_news_is_not(real_data: Path, tmp_path: Path) -> None:
    from tasks.catalogue import TASKS
    from tasks.data import BenchmarkData
    from tasks.loading import load_task

    loaded = load_task(
        TASKS["flores_xx_en"], "swh_Latn", "Swahili", BenchmarkData("local", real_data)
    )
    items = [item(i.text, n) for n, i in enumerate(loaded.items)]
    news = (real_data / "text" / "ntrex" / "swh_Latn.txt").read_text(encoding="utf-8").split("\n")
    facts, _ = look(tmp_path, items, *(line for line in news if line))
    assert facts.contaminated_rows == 0
    facts, _ = look(tmp_path, items, *(f"{i.source} Asante." for i in loaded.items[::7]))
    assert facts.contaminated_rows == len(loaded.items[::7])
