"""A score, its samples and measures; shared by processes; from an endpoint."""

import dataclasses
import json
import math
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
import torch
from sacrebleu.metrics import CHRF

from core.contract.names import SAMPLES, SCORES
from core.contract.record import read_record
from core.contract.samples import Choice, Sample, Translation, make_arrow_schema
from core.contract.score import ScoreRecord
from harness.errors import ScoringError
from harness.scoring.choice import EngineChoice
from harness.scoring.measures import is_copied, measure_prompts
from harness.scoring.score import JOURNAL, ScoreRequest, score_task
from harness.scoring.workers import count_processes
from harness.study.answers import generate_answers
from tasks.catalogue import TASKS
from tasks.data import open_data
from tasks.files import EMBEDDED
from tasks.loading import load_task
from tasks.protocol import Protocol

pytestmark = pytest.mark.slow

SWAHILI = {"flores_code": "swh_Latn", "name": "Swahili", "script": "Latin"}


def request(checkpoint: Path, task: str, limit: int | None = 8, **changes: Any) -> ScoreRequest:
    protocol = changes.pop("protocol", Protocol())
    loaded = load_task(TASKS[task], "swh_Latn", "Swahili", open_data(str(EMBEDDED)), protocol)
    engine = EngineChoice("transformers", "fp32", 256)
    asked = ScoreRequest(checkpoint, loaded, SWAHILI, limit, 12, engine)
    return dataclasses.replace(asked, **changes)


def score(asked: ScoreRequest, out: Path) -> dict[str, Any]:
    out.mkdir(parents=True, exist_ok=True)
    record = score_task(asked, out, lambda done, total, note: None)
    written: dict[str, Any] = json.loads((out / SCORES).read_text())
    assert read_record(ScoreRecord, written) == record
    return written


def read_samples(path: Path) -> list[dict[str, Any]]:
    return pq.read_table(path).to_pylist()


def test_samples_say_what_was_asked_and_answered(tiny: Path, tmp_path: Path) -> None:
    scores = score(request(tiny, "belebele"), tmp_path)
    assert pq.read_schema(tmp_path / "samples.parquet").equals(make_arrow_schema(Choice))
    rows = read_samples(tmp_path / "samples.parquet")
    assert [row["doc"] for row in rows] == list(range(8))
    assert len({row["doc_id"] for row in rows}) == 8
    assert all(row["cluster"].startswith("https://") for row in rows)
    for row in rows:
        best = max(row["logprobs"])
        assert row["prediction"] == row["choices"][row["logprobs"].index(best)]
        assert row["correct"] == (row["prediction"] == row["answer"])
        assert row["prompt"].endswith("Answer:")
        assert not row["truncated"]
    assert scores["score"] == pytest.approx(100 * sum(row["correct"] for row in rows) / 8)
    interval = scores["interval"]
    assert 0 <= interval["low"] < scores["score"] < interval["high"] <= 100
    assert scores["engine"]["shares_prefix"]
    assert scores["measures"]["prompt_tokens_mean"] == pytest.approx(
        sum(row["prompt_tokens"] for row in rows) / 8
    )


def test_sentence_statistics_give_the_corpus_score(tiny: Path, tmp_path: Path) -> None:
    scores = score(request(tiny, "flores_en_xx"), tmp_path)
    assert pq.read_schema(tmp_path / "samples.parquet").equals(make_arrow_schema(Translation))
    rows = read_samples(tmp_path / "samples.parquet")
    metric = CHRF(word_order=2)
    summed = [sum(column) for column in zip(*(r["chrf_statistics"] for r in rows), strict=True)]
    assert metric._compute_f_score(summed) == pytest.approx(scores["score"])
    hypotheses, references = [r["hypothesis"] for r in rows], [[r["reference"] for r in rows]]
    assert metric.corpus_score(hypotheses, references).score == pytest.approx(scores["score"])
    assert scores["measures"]["unfinished_share"] == sum(not r["finished"] for r in rows) / 8
    assert all(row["hypothesis_tokens"] == 12 for row in rows if not row["finished"])
    assert scores["measures"]["chrf_nfc"] == scores["score"]
    assert scores["measures"]["nfc_changed_share"] == 0


@pytest.mark.parametrize("task", ["sib200", "flores_en_xx"])
def test_processes_share_the_items_and_give_the_same_score(
    tiny: Path, tmp_path: Path, task: str
) -> None:
    alone, shared = tmp_path / "alone", tmp_path / "shared"
    score(request(tiny, task), alone)
    score(request(tiny, task, processes=2), shared)
    for name in ("scores.json", "samples.parquet"):
        assert (alone / name).read_bytes() == (shared / name).read_bytes()
    if task == "sib200":  # eight translations are a single wave
        by_rank = [(shared / JOURNAL / f"{rank}.jsonl").read_text() for rank in (0, 1)]
        assert all('"results": [[' in text for text in by_rank)


@pytest.mark.parametrize(
    ("engine", "asked", "gpus", "count"),
    [
        ("transformers", None, 0, 1),
        ("transformers", None, 8, 8),
        ("transformers", 2, 8, 2),
        ("vllm", None, 8, 1),
    ],
)
def test_all_gpus_share_the_items_unless_told_otherwise(
    monkeypatch: pytest.MonkeyPatch, engine: str, asked: int | None, gpus: int, count: int
) -> None:
    monkeypatch.setattr(torch.cuda, "device_count", lambda: gpus)
    assert count_processes(engine, asked) == count


def test_workers_end_with_the_process_that_started_them(tiny: Path, tmp_path: Path) -> None:
    """Killed with -9, and continued by one process alone."""
    script = f"""
import sys
sys.path.insert(0, {str(Path(__file__).parent)!r})
from pathlib import Path
from test_score import request, score
asked = request(Path({str(tiny)!r}), "belebele", None, processes=2)
score(asked, Path({str(tmp_path / "killed")!r}))
"""
    running = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.DEVNULL)
    journal = tmp_path / "killed" / JOURNAL
    deadline = time.monotonic() + 120
    while not any("[[" in p.read_text() for p in journal.glob("*.jsonl")):
        assert time.monotonic() < deadline
        assert running.poll() is None
        time.sleep(0.02)
    os.kill(running.pid, signal.SIGKILL)
    running.wait()
    while _workers(journal):
        assert time.monotonic() < deadline
        time.sleep(0.1)
    kept = sum(path.read_text().count("\n") for path in journal.glob("*.jsonl"))
    assert kept
    score(request(tiny, "belebele", None), tmp_path / "killed")
    score(request(tiny, "belebele", None), tmp_path / "whole")
    for name in ("scores.json", "samples.parquet"):
        killed, whole = tmp_path / "killed" / name, tmp_path / "whole" / name
        assert killed.read_bytes() == whole.read_bytes()


def _workers(journal: Path) -> list[str]:
    found = []
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            command = entry.read_bytes().decode(errors="replace")
        except OSError:
            continue
        if str(journal) in command and "harness.scoring.workers" in command:
            found.append(command)
    return found


def test_a_chat_needs_a_template(tiny: Path, tmp_path: Path, tokenizer: Any) -> None:
    bare = tmp_path / "bare"
    bare.mkdir()
    for path in tiny.iterdir():
        (bare / path.name).symlink_to(path)
    (bare / "chat_template.jinja").unlink()
    with pytest.raises(ScoringError, match="no chat template"):
        score(request(bare, "sib200", protocol=Protocol(prompt="chat-turns")), tmp_path / "out")


def test_label_texts_are_scored_in_one_pass(tiny: Path, tmp_path: Path) -> None:
    scores = score(request(tiny, "sib200", protocol=Protocol(answers="labels")), tmp_path)
    assert "answer labels" in scores["protocol"]
    (row, *_) = read_samples(tmp_path / "samples.parquet")
    assert "science/technology" in row["choices"]


def test_measures() -> None:
    every = {"doc": 0, "doc_id": "", "doc_sha256": "", "cluster": "", "prompt": ""}
    rows = [
        Sample(**every, prompt_sha256="", prompt_tokens=tokens, truncated=tokens > 4)
        for tokens in (4, 8)
    ]
    assert measure_prompts(rows, ["one two", "three"], [4, 2]) == {
        "items_truncated": 1,
        "prompt_tokens_mean": 6.0,
        "fertility": 2.0,
        "tokens_per_character": 6 / 11,
    }
    assert measure_prompts(rows, [" ", ""], [1, 0])["fertility"] is None
    assert is_copied("HABARI yako!", "Habari, yako")
    assert not is_copied("", "")
    assert not is_copied("Habari", "Hello")


def test_answers_to_conversations(smollm2: Path, tmp_path: Path) -> None:
    def answers(*texts: str, journal: str = "j") -> Any:
        return generate_answers(
            smollm2,
            [[{"role": "user", "content": text}] for text in texts],
            system_prompt=None,
            thinking=None,
            max_new_tokens=8,
            repetition_penalty=1.05,
            precision="fp32",
            batch_tokens=256,
            journal=tmp_path / journal,
            progress=lambda done, total, note: None,
        )

    both = answers("Habari?", "Hello there", "Habari?")
    assert both[0] == both[2] != both[1]
    assert answers("Hello there", journal="k") == [both[1]]
    with pytest.raises(ScoringError, match="do not fit"):
        answers("word " * 9000)


def test_an_endpoint_scores_what_it_serves(smollm2: Path, tmp_path: Path, composed: Any) -> None:
    """llama.cpp computes with quantised weights and activations: close, not equal."""
    from harness.teacher import running_teacher
    from training.students import find_embedded_gguf

    with running_teacher(composed().teacher, find_embedded_gguf()) as teacher:
        engine = EngineChoice("completions", base_url=teacher.base_url)
        served = score(request(smollm2, "sib200", 4, engine=engine), tmp_path / "served")
        labels = request(smollm2, "sib200", 2, engine=engine, protocol=Protocol(answers="labels"))
        score(labels, tmp_path / "labels")
        translated = score(request(smollm2, "flores_en_xx", 2, engine=engine), tmp_path / "text")
    assert any("not verified" in warning for warning in served["warnings"])
    ours = score(request(smollm2, "sib200", 4), tmp_path / "ours")
    assert served["n"] == ours["n"]
    pairs = zip(_logprobs(tmp_path / "served"), _logprobs(tmp_path / "ours"), strict=True)
    assert all(abs(a - b) < 0.5 for a, b in pairs if a is not None)
    score(dataclasses.replace(labels, engine=request(smollm2, "sib200").engine), tmp_path / "l")
    both = list(zip(_logprobs(tmp_path / "labels"), _logprobs(tmp_path / "l"), strict=True))
    assert all(abs(a - b) < 1 for a, b in both if a is not None)
    assert sum(a is not None for a, _ in both) > len(both) / 2
    assert translated["measures"]["hypothesis_tokens_mean"] > 0


def test_llama_cpp_gives_the_scores_of_our_engine_from_the_same_weights(
    smollm2: Path, tmp_path: Path, composed: Any
) -> None:
    """In fp32 on both sides, by token ids: letters, and labels whose tokens are parts of
    characters, of which neither side reads another's number."""
    from harness.scoring.completions import CompletionsLM
    from harness.scoring.engine import SharedPrefixLM
    from harness.scoring.lm import TokenQuestion
    from harness.teacher import running_teacher

    same = write_whole_numbers(tmp_path / "same.gguf")
    with running_teacher(composed().teacher, same) as teacher:
        engine = EngineChoice("completions", base_url=teacher.base_url)
        served = score(request(smollm2, "sib200", 6, engine=engine), tmp_path / "served")
        score(request(smollm2, "flores_en_xx", 3, engine=engine), tmp_path / "flores/served")
        lm = CompletionsLM(smollm2, engine, journal=tmp_path / "theirs")
        contexts = [tuple(lm.tok_encode(text)) for text in ("Neno hili: ሳይንስ. Aina:", "Aina: ")]
        labels = tuple(
            tuple(lm.tok_encode(text, add_special_tokens=False)) for text in (" ሳ", " ስ", " ጤና")
        )
        questions = [TokenQuestion(context, labels) for context in contexts]
        theirs = lm.score_batch((), questions)
    ours = score(request(smollm2, "sib200", 6), tmp_path / "ours")
    assert served["score"] == ours["score"]
    pairs = list(zip(_logprobs(tmp_path / "served"), _logprobs(tmp_path / "ours"), strict=True))
    assert all(a == pytest.approx(b, abs=5e-3) for a, b in pairs)
    own = SharedPrefixLM(smollm2, precision="fp32", budget=256, journal=tmp_path / "own")
    for mine, other in zip(own.score_batch((), questions), theirs, strict=True):
        known = [(a[0], b[0]) for a, b in zip(mine, other, strict=True) if b[0] is not None]
        assert [b for _, b in known] == pytest.approx([a for a, _ in known], abs=5e-3)
        assert mine.index(max(mine)) == max(range(3), key=lambda i: other[i][0] or -math.inf)
    score(request(smollm2, "flores_en_xx", 3), tmp_path / "flores/ours")
    texts = [
        [row["hypothesis"] for row in read_samples(tmp_path / "flores" / name / SAMPLES)]
        for name in ("served", "ours")
    ]
    assert texts[0] == texts[1]


def write_whole_numbers(out: Path) -> Path:
    """Writes the embedded model with the very weights of its checkpoint, as fp32."""
    import gguf
    import torch

    from training.students import find_embedded_gguf

    packed = gguf.GGUFReader(find_embedded_gguf())
    writer = gguf.GGUFWriter(out, packed.get_field("general.architecture").contents())
    for field in packed.fields.values():
        if not field.name.startswith("GGUF.") and field.name not in (
            "general.architecture",
            "general.file_type",
        ):
            inner = field.types[-1] if field.types[0] == gguf.GGUFValueType.ARRAY else None
            writer.add_key_value(field.name, field.contents(), field.types[0], inner)
    writer.add_file_type(gguf.LlamaFileType.ALL_F32)
    for tensor in packed.tensors:
        whole = gguf.dequantize(tensor.data, tensor.tensor_type)
        rounded = torch.tensor(whole).bfloat16().float()
        writer.add_tensor(tensor.name, rounded.numpy())
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return out


def _logprobs(out: Path) -> list[float | None]:
    return [value for row in read_samples(out / "samples.parquet") for value in row["logprobs"]]


def test_an_endpoint_that_is_not_there(tiny: Path, tmp_path: Path) -> None:
    engine = EngineChoice("completions", base_url="http://127.0.0.1:9/v1", model="m")
    with pytest.raises(ScoringError, match="what has been scored is kept"):
        score(request(tiny, "sib200", 1, engine=engine), tmp_path)


def test_vllm_scores_as_our_engine(smollm2: Path, tmp_path: Path) -> None:
    """Where KAKUGO_VLLM names the program: vLLM needs an environment of its own."""
    command = os.environ.get("KAKUGO_VLLM")
    if not command:
        pytest.skip("KAKUGO_VLLM does not name vLLM's program")
    vllm = EngineChoice("vllm", command=command)
    for task in ("sib200", "flores_en_xx"):
        for name, engine in (("vllm", vllm), ("ours", request(smollm2, task).engine)):
            score(request(smollm2, task, 4, engine=engine), tmp_path / task / name)
    pairs = zip(
        _logprobs(tmp_path / "sib200/vllm"), _logprobs(tmp_path / "sib200/ours"), strict=True
    )
    assert all(a == pytest.approx(b, abs=1e-3) for a, b in pairs)
    texts = [
        [row["hypothesis"] for row in read_samples(tmp_path / "flores_en_xx" / name / SAMPLES)]
        for name in ("vllm", "ours")
    ]
    assert texts[0] == texts[1]


def test_no_vllm_is_said_with_the_remedy(tiny: Path, tmp_path: Path) -> None:
    engine = EngineChoice("vllm", command="no-such-program")
    with pytest.raises(ScoringError, match=r"evaluate\.vllm\.command: there is no no-such-program"):
        score(request(tiny, "sib200", 1, engine=engine), tmp_path)


def test_a_vllm_that_does_not_start_says_why(tiny: Path, tmp_path: Path) -> None:
    program = tmp_path / "vllm"
    program.write_text("#!/bin/sh\necho out of GPUs >&2\nexit 1\n")
    program.chmod(0o755)
    engine = EngineChoice("vllm", command=str(program))
    with pytest.raises(
        ScoringError, match=r"vLLM did not start \(ended with status 1\):\nout of GPUs"
    ):
        score(request(tiny, "sib200", 1, engine=engine), tmp_path)


@pytest.mark.parametrize("task", ["sib200", "flores_xx_en"])
def test_the_file_of_another_language_is_told(tiny: Path, tmp_path: Path, task: str) -> None:
    shutil.copytree(EMBEDDED, data := tmp_path / "data")
    for place in ("sib200/{}/test.tsv", "flores/devtest/{}.txt"):
        shutil.copy(data / place.format("eng_Latn"), data / place.format("swh_Latn"))
    other = load_task(TASKS[task], "swh_Latn", "Swahili", open_data(str(data)))
    asked = request(tiny, task, spoken=SWAHILI)
    said = score(dataclasses.replace(asked, task=other), tmp_path / "a")["warnings"]
    wrong = "8 of 8 items look like another language than Swahili (most of them like English)"
    assert any(warning.startswith(wrong) for warning in said)
    same = "8 sentences are the same in both languages: 4, 5, 6, 7, 8 and 3 more"
    assert (same in said) == (task == "flores_xx_en")
    right = score(asked, tmp_path / "b")["warnings"]
    assert not [warning for warning in right if "language" in warning]
