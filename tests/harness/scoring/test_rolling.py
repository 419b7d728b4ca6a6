"""Bits per byte: lm-eval's own numbers, in windows and in batches of any size, and once."""

import json
import math
import random
from pathlib import Path
from typing import Any

import pytest
from lm_eval import simple_evaluate
from lm_eval.models.huggingface import HFLM
from lm_eval.tasks import TaskManager

from core.contract.facts import TextFacts
from harness.scoring.choice import EngineChoice
from harness.scoring.engine import SharedPrefixLM
from harness.scoring.lm import ScoringLM
from harness.scoring.rolling import TextRequest, measure_text
from tasks.texts import Document, Text

WORDS = ("mvua", "soko", "ilinyesha", "мөгіз", "ዝናብ", "habari", "na", "\n", "ya", "leo")
TASKS = Path(__file__).parents[3] / "tasks"
WINDOW = 40


@pytest.fixture(scope="module")
def text() -> Text:
    """Documents of a few tokens to several windows, two of them alike."""
    draw = random.Random(3)
    texts = [" ".join(draw.choices(WORDS, k=size)) for size in (1, 3, 12, 30, 90, 240)]
    return Text("made up", tuple(Document(str(n), one) for n, one in enumerate([*texts, texts[2]])))


def measure(tiny: Path, text: Text, out: Path, batch: int = 64, processes: int = 1) -> TextFacts:
    request = TextRequest(tiny, text, EngineChoice("transformers", "fp32", batch), processes)
    return measure_text(request, out, lambda done, total, note: None)


def read_nats(out: Path) -> list[float]:
    return [json.loads(line)["nats"] for line in (out / "documents.jsonl").read_text().splitlines()]


@pytest.fixture(scope="module")
def stock(tiny: Path, text: Text, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The result of stock lm-eval's own model, with windows of `WINDOW` tokens."""
    file = tmp_path_factory.mktemp("text") / "text.jsonl"
    rows = [json.dumps({"text": document.text}) + "\n" for document in text.documents]
    file.write_text("".join(rows), encoding="utf-8")
    return simple_evaluate(
        HFLM(str(tiny), dtype="float32", device="cpu", batch_size=2, max_length=WINDOW),
        tasks=["kakugo_text"],
        task_manager=TaskManager(
            include_path=str(TASKS), include_defaults=False, metadata={"text": str(file)}
        ),
        bootstrap_iters=0,
    )


@pytest.mark.slow
@pytest.mark.parametrize("batch", [8, 64, 4096])
def test_stock_lm_eval_gets_the_same(
    tiny: Path, text: Text, stock: dict[str, Any], tmp_path: Path, batch: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr(ScoringLM, "window", WINDOW)
    facts = measure(tiny, text, tmp_path, batch)
    theirs = stock["results"]["kakugo_text"]["bits_per_byte,none"]
    assert facts.bits_per_byte == pytest.approx(theirs, rel=1e-6)
    expected = [-sample["filtered_resps"][0] for sample in stock["samples"]["kakugo_text"]]
    assert read_nats(tmp_path) == [pytest.approx(one, abs=1e-3, rel=1e-5) for one in expected]
    assert facts.tokens > 3 * WINDOW, "some documents are longer than a window"


def test_the_sums_are_those_of_the_documents(tiny: Path, text: Text, tmp_path: Path) -> None:
    facts = measure(tiny, text, tmp_path)
    lines = (tmp_path / "documents.jsonl").read_text(encoding="utf-8").splitlines()
    rows = [json.loads(line) for line in lines]
    assert [row["id"] for row in rows] == [document.id for document in text.documents]
    assert [row["bytes"] for row in rows] == [len(d.text.encode()) for d in text.documents]
    assert facts.bytes == sum(row["bytes"] for row in rows)
    assert facts.tokens == sum(row["tokens"] for row in rows)
    nats = sum(row["nats"] for row in rows)
    assert facts.bits_per_byte == pytest.approx(nats / math.log(2) / facts.bytes)
    assert rows[2]["nats"] == pytest.approx(rows[6]["nats"], rel=1e-5)
    assert (facts.window, facts.documents, facts.name) == (2048, 7, "made up")


def test_what_was_read_is_not_read_again(
    tiny: Path, text: Text, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = measure(tiny, text, tmp_path)
    before = read_nats(tmp_path)
    (tmp_path / "documents.jsonl").unlink()

    def refuse(*_: Any) -> None:
        raise AssertionError("a batch was computed again")

    monkeypatch.setattr(SharedPrefixLM, "score_batch", refuse)
    assert measure(tiny, text, tmp_path) == first
    assert read_nats(tmp_path) == before


@pytest.mark.slow
def test_processes_share_the_documents(tiny: Path, text: Text, tmp_path: Path) -> None:
    alone, both = tmp_path / "alone", tmp_path / "both"
    facts = measure(tiny, text, alone)
    assert measure(tiny, text, both, processes=2) == facts
    assert read_nats(both) == read_nats(alone)
