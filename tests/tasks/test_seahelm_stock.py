"""Stock lm-eval gives SEA-HELM's tasks the scores that we give them."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from lm_eval import simple_evaluate
from lm_eval.api.model import LM
from lm_eval.models.huggingface import HFLM
from lm_eval.tasks import TaskManager
from seahelm_data import write_seahelm
from test_seahelm_lite import make_settings, write_set

from core.statistics import score_strata
from harness.scoring.choice import EngineChoice
from harness.scoring.score import ScoreRequest, score_task
from tasks.catalogue import TASKS
from tasks.data import open_data
from tasks.errors import DataMissing
from tasks.loading import Loaded, load_task
from tasks.protocol import Protocol

pytestmark = pytest.mark.slow

FOLDER = Path(__file__).parents[2] / "tasks"
ENGINE = EngineChoice("transformers", "fp32", 256)
ASKED = {
    **dict.fromkeys(("seahelm_sentiment", "seahelm_metaphor", "seahelm_belebele"), "jv"),
    **dict.fromkeys(("seahelm_nusax_xx_id", "seahelm_nusax_id_xx"), "jv"),
    **dict.fromkeys(("seahelm_nli", "seahelm_causal", "seahelm_toxicity"), "id"),
    **dict.fromkeys(("seahelm_qa", "seahelm_summaries", "seahelm_flores_en_xx"), "id"),
    **dict.fromkeys(("seahelm_syntax", "seahelm_pragmatics"), "id"),
    "seahelm_paraphrase": "tl",
}
"""All tasks that base models are asked, each with the code of a language that has it here."""


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


def run_stock(model: LM, root: Path, names: Iterable[str], **more: Any) -> dict[str, Any]:
    found: dict[str, Any] = simple_evaluate(
        model,
        tasks=[TASKS[name].make_lm_eval_name(ASKED.get(name, "jv")) for name in names],
        task_manager=TaskManager(
            include_path=str(FOLDER),
            include_defaults=False,
            metadata={"data_dir": str(root), **more},
        ),
        bootstrap_iters=0,
    )
    return found


def load(root: Path, name: str, **choices: Any) -> Loaded:
    data = open_data(str(root))
    return load_task(TASKS[name], ASKED[name], "Javanese", data, Protocol(**choices))


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
    # Ours ends where the answer does; theirs goes on, and is cut when it is read. Of hundreds of
    # tokens of a random model some are as likely as others, and rounding chooses.
    for long, row in zip(said, rows, strict=True):
        assert long.startswith(row["said"][:200])
    assert any(row["said"] for row in rows)
    shared = len({row["cluster"] for row in rows}) < len(rows)
    assert shared == (name == "seahelm_belebele")


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


def test_all_tasks_of_base_models_are_asked_here() -> None:
    read = {name for name, task in TASKS.items() if task.content.suite}
    chats = {"seahelm_kalahi", "seahelm_ifeval", "seahelm_global_mmlu_lite"}
    assert read - ASKED.keys() == {"seahelm_flores_xx_en", *chats}


def find_score(found: dict[str, Any], name: str) -> dict[str, float]:
    metrics: dict[str, float] = found["results"][TASKS[name].make_lm_eval_name(ASKED[name])]
    return metrics


def test_words_are_rated_by_the_best_of_all_right_answers(root: Path) -> None:
    said = ["Jawaban: tepi sungai", "Jawaban: di tepi sungai", "ora ngerti", "Jawaban:"]
    found = find_score(run_stock(Scripted(said), root, ("seahelm_qa",)), "seahelm_qa")
    # Of words shared: 2 of 2 and 2; 3 of 3 and 4; none; and against "sungai besar" 1 of 2 and 2.
    first = [1, 2 * 3 / (3 + 4), 0, 0]
    second = [2 * 1 / (2 + 2), 2 * 1 / (3 + 2), 0, 0]
    assert found["score,none"] == pytest.approx(100 * (sum(first) + sum(second)) / 8)
    assert found["unread,none"] == pytest.approx(2 / 8)


def test_summaries_are_rated_by_the_longest_common_subsequence(root: Path) -> None:
    said = ["Rangkuman: nomor ringkasan, cuitan!", "Rangkuman: lain"]
    found = find_score(run_stock(Scripted(said), root, ("seahelm_summaries",)), "seahelm_summaries")
    # "ringkasan cuitan" is common to three words and to four.
    assert found["score,none"] == pytest.approx(100 * (2 * 2 / (3 + 4)) / 2)


def test_phenomena_count_alike_and_are_pooled_over_the_two_sets(root: Path) -> None:
    found = find_score(
        run_stock(Scripted(["Jawaban: A"]), root, ("seahelm_syntax",)), "seahelm_syntax"
    )
    # Two of four are A in one phenomenon, one of two in the other.
    assert found["score,none"] == 0
    found = find_score(
        run_stock(Scripted(["Jawaban: Benar"]), root, ("seahelm_pragmatics",)), "seahelm_pragmatics"
    )
    # Implicatures: 2 of 4. Presuppositions: none of two single sentences, 4 of 6 pairs.
    assert found["score,none"] == pytest.approx(100 * max((2 / 4 + 4 / 8) / 2 - 1 / 2, 0) * 2)
    true = ["Jawaban: Benar", "Jawaban: Salah", "Jawaban: Salah", "Jawaban: Benar", "Jawaban: Ya",
            "Jawaban: Tidak"]  # fmt: skip
    found = find_score(
        run_stock(Scripted(true), root, ("seahelm_pragmatics",)), "seahelm_pragmatics"
    )
    # All single sentences; of the pairs the first two, and neither yes nor no is an answer there.
    assert found["score,none"] == pytest.approx(100 * ((1 + 4 / 8) / 2 - 1 / 2) * 2)


def test_translations_are_read_and_scored_by_chrf(root: Path) -> None:
    from sacrebleu.metrics import CHRF

    said = ["Terjemahan: Matahari panas.\nLiyane", "Matahari panas hari ini 1."]
    found = find_score(
        run_stock(Scripted(said), root, ("seahelm_nusax_xx_id",)), "seahelm_nusax_xx_id"
    )
    right = [f"Matahari panas hari ini {n}." for n in range(7)]
    read = ["Matahari panas.", "Matahari panas hari ini 1."]
    hypotheses = [read[n % 2] for n in range(7)]
    expected = CHRF(word_order=2).corpus_score(hypotheses, [right]).score
    assert found["chrf++,none"] == pytest.approx(expected, abs=1e-9)
    strictly = [read[0] if n % 2 == 0 else "" for n in range(7)]
    expected = CHRF(word_order=2).corpus_score(strictly, [right]).score
    assert found["strict,none"] == pytest.approx(expected, abs=1e-9)


def test_instructions_are_checked_in_chats(root: Path) -> None:
    said = ["Sawah.", "Sawah <<1>>", "Sawah.", "Sawah amba.", "ฉันไปตลาดกับแม่เมื่อวานนี้", "a******b"]
    found = run_stock(Scripted(said), root, ("seahelm_ifeval",), prompt="chat-message")
    metrics = found["results"]["kakugo_seahelm_ifeval_jv"]
    assert metrics["score,none"] == metrics["strict,none"] == pytest.approx(100 * 5 / 6)
    assert metrics["unread,none"] == 0


def test_questions_of_global_mmlu_lite_are_read_in_chats(tmp_path: Path) -> None:
    write_set(tmp_path, make_settings())
    said = ["Jawaban: A", "Jawaban: A", "C", "Jawaban: D", "Jawaban: (A)", "Jawaban: B"]
    name = "seahelm_global_mmlu_lite"
    found = simple_evaluate(
        Scripted(said),
        tasks=[TASKS[name].make_lm_eval_name("id")],
        task_manager=TaskManager(
            include_path=str(FOLDER),
            include_defaults=False,
            metadata={"data_dir": str(tmp_path), "prompt": "chat-message"},
        ),
        bootstrap_iters=0,
    )["results"]["kakugo_seahelm_global_mmlu_lite_id"]
    # Right are A, B, C, D, A, B: one of two A, one of two B, the C and the D.
    assert found["score,none"] == pytest.approx(100 * ((0.5 + 0.5 + 1 + 1) / 4 - 1 / 4) / (3 / 4))
    assert found["unread,none"] == pytest.approx(1 / 6)


@pytest.mark.parametrize("name", ["seahelm_ifeval", "seahelm_kalahi"])
def test_what_is_asked_of_chats_alone_is_refused_otherwise(name: str, root: Path) -> None:
    code = "jv" if name == "seahelm_ifeval" else "tl"
    with pytest.raises(DataMissing, match="asked of chats alone"):
        load_task(TASKS[name], code, "Javanese", open_data(str(root)), Protocol())
    asked = load_task(
        TASKS[name], code, "Javanese", open_data(str(root)), Protocol(prompt="chat-turns")
    )
    assert asked.items
    if name == "seahelm_ifeval":
        thai = load_task(
            TASKS[name], "th", "Thai", open_data(str(root)), Protocol(prompt="chat-turns")
        )
        assert len(thai.items) == len(asked.items) - 1, "nobody counts words of Thai"
