"""Bits per byte in a report: over the right base, on the same documents, and gaps with reasons."""

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from store_maker import cell, hash_of, key_of, train_facts, write_artifact, write_plan

from core.contract.facts import CheckpointFacts, TextFacts
from core.contract.manifest import About
from core.contract.score import Engine
from reports import read_store
from reports.report import Report
from reports.sections import find_sheets
from reports.stats.bits import compare_bits

SWAHILI = {"name": "Swahili", "flores_code": "swh_Latn"}
SIZES = [40, 100, 300, 25, 60, 900, 80, 45, 70, 120, 33, 210, 77]
BASE, TRAINED = ("base", key_of("base")), ("train", key_of("trained"))


def write_text(
    store: Path, checkpoint: tuple[str, str], per_byte: float, *,
    english: bool = False, ids: str = "d", precision: str = "fp32",
) -> tuple[str, str]:  # fmt: skip
    """A measure in which each document has `per_byte` nats a byte, a little more or less."""
    nats = [size * per_byte * (1 + 0.1 * math.sin(size)) for size in SIZES]
    rows = [
        {"id": f"{ids}{n}", "bytes": size, "tokens": size // 3, "nats": value}
        for n, (size, value) in enumerate(zip(SIZES, nats, strict=True))
    ]
    key = key_of("text", *checkpoint, str(english), precision)
    role = "base" if checkpoint == BASE else "trained"
    facts = TextFacts(
        *("flores", hash_of("text", str(english)), None, None, len(SIZES), sum(SIZES)),
        *(sum(size // 3 for size in SIZES), sum(nats) / math.log(2) / sum(SIZES), 512),
        engine=Engine("shared-prefix", "2", precision, True),
        english=english,
    )
    write_artifact(
        store, "text", key, "text", About(language="Swahili", producer=role, role=role), facts,
        {"documents.jsonl": "".join(json.dumps(row) + "\n" for row in rows)},
        [("checkpoint", *checkpoint)],
    )  # fmt: skip
    return "text", key


@pytest.fixture
def store(tmp_path: Path) -> Path:
    made = tmp_path / "artifacts"
    write_artifact(made, *BASE, "base", About(producer="base", role="base"), CheckpointFacts(), {})
    about = About(language="Swahili", producer="trained", role="trained")
    facts = train_facts(10, [2.0, 1.0], None)
    write_artifact(made, *TRAINED, "trained", about, facts, {}, [("student", *BASE)])
    texts = [
        write_text(made, BASE, 1.5),
        write_text(made, TRAINED, 1.2),
        write_text(made, BASE, 0.9, english=True),
        write_text(made, TRAINED, 1.0, english=True),
    ]
    gap = cell("Swahili", "trained", TRAINED, "ntrex", None, "NTREX has no Swahili here.")
    cells = [cell("Swahili", "trained", TRAINED, "sib200", None, "SIB-200 lacks it.")]
    write_plan(made, "one", SWAHILI, cells, [BASE, TRAINED, *texts], texts=[gap])
    return made


def list_rows(store: Path) -> list[dict[str, Any]]:
    sheet = Report.from_store(read_store(store)).bits_per_byte
    assert sheet
    names = [column.name for column in sheet.columns]
    return [dict(zip(names, row, strict=True)) for row in sheet.rows]


def test_each_checkpoint_stands_beside_its_base(store: Path) -> None:
    base, trained, english_base, english = list_rows(store)
    assert (base["text"], base["producer"], base["change"]) == ("flores", "base", None)
    assert trained["producer"] == "trained"
    assert trained["bits_per_byte"] == pytest.approx(base["bits_per_byte"] * 1.2 / 1.5)
    assert trained["change"] == pytest.approx(trained["bits_per_byte"] - base["bits_per_byte"])
    assert trained["low"] < trained["change"] < trained["high"] < 0
    assert trained["percent"] == pytest.approx(-20)
    assert trained["p"] < 0.05
    assert english["text"] == english_base["text"] == "flores (English)"
    assert english["change"] > 0


def test_what_is_not_there_is_said(store: Path) -> None:
    sheet = Report.from_store(read_store(store)).bits_per_byte
    assert sheet
    assert "Swahili, ntrex, trained: NTREX has no Swahili here." in sheet.notes
    for form in ("terminal", "markdown", "html", "latex", "csv"):
        names = [one.name for one in find_sheets(form, Report.from_store(read_store(store)))]  # type: ignore[arg-type]
        assert "bits_per_byte" in names


def test_a_damaged_file_and_other_documents_give_no_change(store: Path) -> None:
    (file,) = (store / "text" / key_of("text", *TRAINED, "False", "fp32")).glob("*.jsonl")
    file.write_text(file.read_text().replace('"d0"', '"x0"'))
    row = list_rows(store)[1]
    assert row["change"] is None
    sheet = Report.from_store(read_store(store)).bits_per_byte
    assert sheet
    assert any("trained: documents.jsonl was changed" in note for note in sheet.notes)


def test_another_precision_is_not_compared(store: Path) -> None:
    write_text(store, TRAINED, 1.1, precision="bf16")
    found = [row for row in list_rows(store) if row["text"] == "flores"]
    assert [row["change"] is None for row in found] == [True, False, True]
    sheet = Report.from_store(read_store(store)).bits_per_byte
    assert sheet
    assert any("base was not measured on it the same way" in note for note in sheet.notes)


def test_two_documents_are_too_few(store: Path) -> None:
    two, one = np.array([100.0, 200.0]), np.array([50.0])
    few = compare_bits(two, two * 0.9, np.array([50.0, 90.0]))
    assert (few.interval, few.p) == (None, None)
    assert "too few" in few.why
    assert few.points == pytest.approx(-30 / math.log(2) / 140)
    assert compare_bits(one, one, one).p == 1.0


def test_a_report_without_texts_has_no_such_table(tmp_path: Path) -> None:
    gap = cell("Swahili", "base", BASE, "sib200", None, "SIB-200 lacks it.")
    write_plan(tmp_path, "one", SWAHILI, [gap])
    assert Report.from_store(read_store(tmp_path)).bits_per_byte is None
