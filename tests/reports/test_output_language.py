"""Pass rates are those of the Language Confusion Benchmark where all lines can be told, and honest
where they cannot."""

import json
import random
import shutil
from pathlib import Path

import pytest
from store_maker import ABOUT_BASE, answers, cell, key_of, write_artifact, write_plan, write_score

from core.contract.facts import CheckpointFacts
from reports.report import Report
from reports.stats.pass_rates import count_passes
from reports.store.model import ShownLanguage
from reports.store.read import read_store
from reports.tables.output_language import WantedLanguage, tabulate_output_language

SWAHILI_LINE = "Watoto wanaenda shule kila siku asubuhi kwa miguu na marafiki zao."
ENGLISH_LINE = "The children walk to their school every morning with all of their friends."
TELUGU_LINE = "పిల్లలు ప్రతి రోజు ఉదయం తమ స్నేహితులతో కలిసి బడికి వెళ్తారు."


def take_rates_of_the_benchmark(texts: list[str]) -> tuple[float, float]:
    """LPR and WPR as its paper has them: shares of answers, words among those without a wrong
    line. A line's language stands before it, in this test's texts."""
    asked = [[line for line in text.split("\n") if len(line.split()) >= 5] for text in texts]
    asked = [lines for lines in asked if lines]
    right = [lines for lines in asked if not any(line.startswith("WRONG") for line in lines)]
    clean = [lines for lines in right if not any("english" in line for line in lines)]
    return len(right) / len(asked), len(clean) / len(right)


def test_rates_are_the_benchmarks_where_every_line_can_be_told() -> None:
    draw = random.Random(3)
    texts = []
    for _ in range(300):
        lines = []
        for _ in range(draw.randint(1, 4)):
            word = draw.choice(["RIGHT"] * 9 + ["WRONG"])
            extra = draw.choice([""] * 9 + [" english"])
            lines.append(word + " Б" * draw.choice([1, 4, 7]) + extra)
        # The benchmark looks for words in its longer lines alone; a shorter one has none here.
        lines = [one if len(one.split()) >= 5 else one.replace(" english", "") for one in lines]
        texts.append("\n".join(lines))
    found = count_passes(texts, "Cyrl", lambda line: line.startswith("RIGHT"))
    assert (found.line_rate, found.word_rate) == pytest.approx(take_rates_of_the_benchmark(texts))
    assert found.answers == 300
    assert 0 < found.short < 100
    assert found.undetermined_share == 0


def test_what_cannot_be_told_is_neither_right_nor_wrong() -> None:
    verdicts: dict[str, bool | None] = {"a b c d e": True, "f g h i j": None, "k l m n o": False}
    texts = [*verdicts, "a b c d e\nf g h i j", "f g h i j\nk l m n o", "p q"]
    found = count_passes(texts, "Latn", verdicts.__getitem__)
    assert (found.short, found.undetermined, found.told, found.passed) == (1, 1, 4, 2)
    assert found.line_rate == 0.5
    assert found.undetermined_share == 0.2
    assert found.word_rate is None  # of a language in Latin letters no word is foreign by its look
    assert (
        count_passes(texts, "", verdicts.__getitem__).word_rate is None
    )  # nor where none is known
    nothing = count_passes(["f g h i j"], "Latn", verdicts.__getitem__)
    assert nothing.line_rate is None


@pytest.mark.parametrize(
    ("line", "script", "asked"),
    [("ສະບາຍດີຂ້ອຍຊື່ວ່າຄໍາຂ້ອຍມາຈາກວຽງຈັນ", "Laoo", True), ("ສະບາຍດີ", "Laoo", False)],
)
def test_lines_without_spaces_are_measured_in_letters(line: str, script: str, asked: bool) -> None:
    assert count_passes([line], script, lambda _: True).told == asked


@pytest.mark.parametrize(
    ("text", "code", "line_rate", "word_rate"),
    [
        (SWAHILI_LINE, "swh_Latn", 1, None),
        (f"{SWAHILI_LINE}\n\n{ENGLISH_LINE}", "swh_Latn", 0, None),
        (TELUGU_LINE, "tel_Telu", 1, 1),
        (TELUGU_LINE.replace("బడికి", "school కి"), "tel_Telu", 1, 0),
        (TELUGU_LINE.replace("బడికి", "NASA, x86, UN కి"), "tel_Telu", 1, 1),
        (ENGLISH_LINE, "tel_Telu", 0, None),
        (SWAHILI_LINE, "ast_Latn", None, None),  # a language that the identifier does not know
    ],
)
def test_real_lines(text: str, code: str, line_rate: float, word_rate: float | None) -> None:
    wanted = WantedLanguage.from_shown(ShownLanguage(code, flores_code=code))
    found = count_passes([text], wanted.script, wanted.is_right)
    assert (found.line_rate, found.word_rate) == (line_rate, word_rate)


def test_free_answers_and_translations_stand_in_the_report(tmp_path: Path, store: Path) -> None:
    base = ("base", key_of("base"))
    write_artifact(tmp_path, "base", base[1], "student", ABOUT_BASE, CheckpointFacts(), {})
    said = [f"{SWAHILI_LINE}\n{line}" for line in [SWAHILI_LINE] * 3 + [ENGLISH_LINE]]
    rows = [{**row, "said": text} for row, text in zip(answers("AAAA", "AAAA"), said, strict=True)]
    key = key_of("free")
    write_score(tmp_path, key, "Swahili", "base", base, "seahelm_ifeval", rows, metric="pass_rate")
    language = {"name": "Swahili", "autonym": "", "direction": "ltr", "flores_code": "swh_Latn"}
    plan = [cell("Swahili", "base", base, "seahelm_ifeval", key)]
    write_plan(tmp_path, "20260101-120000", {**language, "script": "Latin"}, plan, [base])
    sheet = tabulate_output_language(Report.from_store(read_store(tmp_path)).everything)
    assert sheet
    (row,) = [
        dict(zip([one.name for one in sheet.columns], values, strict=True)) for values in sheet.rows
    ]
    assert (row["answers"], row["line_pass_rate"], row["undetermined_share"]) == (4, 0.75, 0)
    assert row["line_low"] < 0.75 < row["line_high"]

    of_store = tabulate_output_language(Report.from_store(read_store(store)).everything)
    assert of_store
    wanted = {(values[1], values[3]) for values in of_store.rows}
    assert wanted == {
        ("flores_xx_en", "English"), ("flores_en_xx", "Swahili"), ("flores_en_xx", "Uyghur"),
    }  # fmt: skip


def test_a_score_without_its_texts_is_named(store: Path, tmp_path: Path) -> None:
    own = shutil.copytree(store, tmp_path / "artifacts")
    key = key_of("score", "Swahili", "base", "flores_en_xx")
    manifest = own / "score" / key / "manifest.json"
    content = json.loads(manifest.read_text())
    table = own / "score" / key / "samples.parquet"
    import hashlib

    import pyarrow.parquet as pq

    pq.write_table(pq.read_table(table).drop(["hypothesis"]), table)
    data = table.read_bytes()
    content["files"]["samples.parquet"] = {
        "bytes": len(data), "sha256": hashlib.sha256(data).hexdigest(),
    }  # fmt: skip
    manifest.write_text(json.dumps(content))
    sheet = tabulate_output_language(Report.from_store(read_store(own)).everything)
    assert sheet
    assert any("has no column hypothesis" in note for note in sheet.notes)
