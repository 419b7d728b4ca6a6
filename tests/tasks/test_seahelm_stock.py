"""Stock lm-eval gives SEA-HELM's tasks the scores that we give them."""

from pathlib import Path
from typing import Any

import pytest
from lm_eval import simple_evaluate
from lm_eval.api.model import LM
from lm_eval.models.huggingface import HFLM
from lm_eval.tasks import TaskManager
from seahelm_data import write_seahelm

from core.statistics import score_strata
from harness.scoring.choice import EngineChoice
from harness.scoring.score import ScoreRequest, score_task
from tasks.catalogue import TASKS
from tasks.data import open_data
from tasks.loading import Loaded, load_task
from tasks.protocol import Protocol

pytestmark = pytest.mark.slow

FOLDER = Path(__file__).parents[2] / "tasks"
ENGINE = EngineChoice("transformers", "fp32", 256)
ASKED = ("seahelm_sentiment", "seahelm_metaphor", "seahelm_belebele")


class Scripted(LM):  # type: ignore[misc]  # lm_eval has no type information
    """A model that says what it is told to, whatever it is asked."""

    def __init__(self, answers: list[str]) -> None:
        super().__init__()
        self.answers = answers

    def generate_until(self, requests: list[Any], **_: Any) -> list[str]:
        return [self.answers[request.doc_id % len(self.answers)] for request in requests]

    def loglikelihood(self, requests: list[Any], **_: Any) -> Any:
        raise NotImplementedError

    def loglikelihood_rolling(self, requests: list[Any], **_: Any) -> Any:
        raise NotImplementedError


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_seahelm(tmp_path_factory.mktemp("seahelm"))


def run_stock(model: LM, root: Path, names: tuple[str, ...], **more: Any) -> dict[str, Any]:
    found: dict[str, Any] = simple_evaluate(
        model,
        tasks=[TASKS[name].make_lm_eval_name("jv") for name in names],
        task_manager=TaskManager(
            include_path=str(FOLDER),
            include_defaults=False,
            metadata={"data_dir": str(root), **more},
        ),
        bootstrap_iters=0,
    )
    return found


def load(root: Path, name: str, **choices: Any) -> Loaded:
    return load_task(TASKS[name], "jv", "Javanese", open_data(str(root)), Protocol(**choices))


@pytest.fixture(scope="module")
def stock(root: Path, tiny: Path) -> dict[str, Any]:
    """The result of stock lm-eval's own model on all tasks."""
    return run_stock(HFLM(str(tiny), dtype="float32", device="cpu", batch_size=4), root, ASKED)


@pytest.mark.parametrize("name", ASKED)
def test_stock_lm_eval_gets_the_same(
    name: str, root: Path, tiny: Path, tmp_path: Path, stock: dict[str, Any]
) -> None:
    import pyarrow.parquet

    task = load(root, name)
    request = ScoreRequest(tiny, task, {"flores_code": "jav_Latn"}, None, None, ENGINE)
    ours = score_task(request, tmp_path, lambda done, total, note: None)
    theirs = stock["results"][task.name]
    samples = stock["samples"][task.name]
    assert (ours.n, ours.shots) == (len(samples), 5)
    metric = "chrf++,none" if ours.metric == "chrf++" else "score,none"
    assert ours.score == pytest.approx(theirs[metric], abs=1e-6)
    assert ours.measures.unread_share == pytest.approx(theirs["unread,none"], abs=1e-6)
    assert ours.measures.strict_score == pytest.approx(theirs["strict,none"], abs=1e-6)
    rows = pyarrow.parquet.read_table(tmp_path / "samples.parquet").to_pylist()
    said = [sample["filtered_resps"][0] for sample in samples]
    # Ours ends where the answer does; theirs goes on, and is cut when it is read.
    assert all(long.startswith(row["said"]) for long, row in zip(said, rows, strict=True))
    assert any(row["said"] for row in rows)


def test_malformed_answers_are_scored_alike_and_labels_are_counted_by_the_task(root: Path) -> None:
    answers = [
        "Jawaban: Positif", "Jawaban: (Negatif)", "netral.", "Jawaban: Positif\n\nJawaban: Netral",
        "embuh", "\n\nJawaban: negatif", "", "Jawaban: Negatif, utawa Positif",
    ]  # fmt: skip
    found = run_stock(Scripted(answers), root, ("seahelm_sentiment",))
    metrics = found["results"]["kakugo_seahelm_sentiment_jv"]
    right = ["Positif", "Negatif", "Netral", "Positif", "Negatif", "Negatif", "Positif", "Positif"]
    read = ["Positif", "", "Netral", "Positif", "", "Negatif", "", "Negatif"]
    strict = ["Positif", "Negatif", "Netral", "Positif", "", "Negatif", "", ""]

    def score(readings: list[str]) -> float:
        return score_strata(
            [float(a == b) for a, b in zip(right, readings, strict=True)], right, 1 / 3
        )

    assert metrics["score,none"] == pytest.approx(score(read), abs=1e-9)
    assert metrics["score,none"] == pytest.approx(100 * ((2 / 4 + 1 / 3 + 1) / 3 - 1 / 3) * 3 / 2)
    assert metrics["strict,none"] == pytest.approx(score(strict), abs=1e-9)
    assert metrics["unread,none"] == pytest.approx(3 / 8)
    chosen = run_stock(Scripted(answers), root, ("seahelm_sentiment",), extraction="strict")
    metrics = chosen["results"]["kakugo_seahelm_sentiment_jv"]
    assert metrics["score,none"] == metrics["strict,none"] == pytest.approx(score(strict))
