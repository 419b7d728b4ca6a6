import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from training.errors import DivergedError, RowsError, StudentError
from training.finetune import TrainFacts, finetune
from training.settings import Precision, Train

SETTINGS = Train(name="test", steps=6, learning_rate=2e-2, batch_size=4, micro_batch=4, threads=1)


def run(
    base: Path,
    rows: Path,
    out: Path,
    settings: Train = SETTINGS,
    precision: Precision = "fp32",
    **arguments: Any,
) -> TrainFacts:
    return finetune(
        base=base,
        rows=rows,
        out=out,
        settings=settings,
        precision=precision,
        seed=1,
        **arguments,
    )


def log_of(out: Path) -> list[dict[str, Any]]:
    lines = (out / "log.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


def test_fixed_losses(tiny: Path, rows: Path, tmp_path: Path) -> None:
    seen: list[tuple[int, int, str]] = []
    facts = run(tiny, rows, tmp_path, progress=lambda *step: seen.append(step))
    log = log_of(tmp_path)
    expected = [10.7926, 10.8100, 10.0015, 9.2682, 8.6395, 8.2712]
    assert [line["loss"] for line in log] == pytest.approx(expected, abs=2e-3)
    assert [line["step"] for line in log] == [1, 2, 3, 4, 5, 6]
    assert log[0]["learning_rate"] == 0.0  # the warm-up of one step begins at zero
    assert log[1]["learning_rate"] == 2e-2
    assert facts.loss_first == log[0]["loss"]
    assert facts.loss_last == log[-1]["loss"] < facts.loss_first
    assert (facts.steps, facts.rows, facts.dropped, facts.precision) == (6, 10, 0, "fp32")
    assert facts.tokens == sum(line["tokens"] for line in log) > facts.supervised_tokens > 0
    assert facts.tokens_per_second > 0
    assert seen[-1] == (6, 6, f"loss {facts.loss_last:.2f}")
    assert [done for done, _, _ in seen] == [0, 0, 1, 2, 3, 4, 5, 6]


def test_the_loss_weights_every_trained_token_alike(tiny: Path, rows: Path, tmp_path: Path) -> None:
    """Micro-batches of unequal length: a mean of their means would differ."""
    run(tiny, rows, tmp_path / "whole")
    run(tiny, rows, tmp_path / "split", replace(SETTINGS, micro_batch=1))
    whole, split = log_of(tmp_path / "whole"), log_of(tmp_path / "split")
    for a, b in zip(whole, split, strict=True):
        assert a["loss"] == pytest.approx(b["loss"], abs=1e-4)
        assert a["tokens"] == b["tokens"]


def test_the_first_loss_is_the_models_own(tiny: Path, rows: Path, tmp_path: Path) -> None:
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    from training.dataset import read_examples
    from training.order import data_order

    run(tiny, rows, tmp_path / "out", replace(SETTINGS, steps=1, batch_size=2, micro_batch=1))
    model = AutoModelForCausalLM.from_pretrained(tiny, dtype=torch.float32)
    tokenizer = AutoTokenizer.from_pretrained(tiny)
    examples = read_examples(rows, tokenizer, max_length=256, end_ids=frozenset({2})).examples
    total, count = 0.0, 0
    for i in data_order(Train(name="t", steps=1, batch_size=2, micro_batch=1), 10, seed=1):
        ids, labels = examples[i].input_ids, examples[i].labels
        with torch.no_grad():
            loss = model(torch.tensor([ids]), labels=torch.tensor([labels])).loss
        total += float(loss) * examples[i].supervised
        count += examples[i].supervised
    assert log_of(tmp_path / "out")[0]["loss"] == pytest.approx(total / count, abs=1e-5)


def test_the_checkpoint_is_complete_bf16_and_names_no_machine(
    tiny: Path, rows: Path, tmp_path: Path
) -> None:
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    run(tiny, rows, tmp_path / "out")
    checkpoint = tmp_path / "out" / "checkpoint"
    model = AutoModelForCausalLM.from_pretrained(checkpoint)
    assert model.dtype == torch.bfloat16
    assert AutoTokenizer.from_pretrained(checkpoint).chat_template
    assert (checkpoint / "config.json").read_bytes() == (tiny / "config.json").read_bytes()
    assert {p.name for p in checkpoint.iterdir()} == {p.name for p in tiny.iterdir()}
    for path in checkpoint.iterdir():
        if path.suffix != ".safetensors":
            text = path.read_text(encoding="utf-8")
            assert str(tiny.parent) not in text, path.name
            assert str(tmp_path) not in text, path.name


def test_bf16_computes_in_bf16_over_fp32_weights(tiny: Path, rows: Path, tmp_path: Path) -> None:
    facts = run(tiny, rows, tmp_path / "bf16", precision="bf16")
    run(tiny, rows, tmp_path / "fp32")
    assert facts.precision == "bf16"
    bf16, fp32 = log_of(tmp_path / "bf16")[-1]["loss"], log_of(tmp_path / "fp32")[-1]["loss"]
    assert bf16 != fp32
    assert bf16 == pytest.approx(fp32, abs=0.05)


def test_rows_longer_than_the_students_own_limit_are_dropped(
    tiny: Path, write_rows: Callable[..., Path], tmp_path: Path
) -> None:
    row = {"messages": [{"role": "user", "content": "A"}, {"role": "assistant", "content": "B"}]}
    long = {"messages": [*row["messages"][:1], {"role": "assistant", "content": "na " * 2100}]}
    facts = run(tiny, write_rows(row, long), tmp_path / "out", replace(SETTINGS, steps=1))
    assert (facts.rows, facts.dropped) == (1, 1)


def test_a_foreign_base_a_foreign_tokenizer_and_divergence_are_clear_errors(
    tiny: Path, rows: Path, tokenizer: Any, tmp_path: Path
) -> None:
    with pytest.raises(StudentError, match=r"no config\.json.*Remedy"):
        run(tmp_path, rows, tmp_path / "out")
    with pytest.raises(DivergedError, match=r"the loss became nan at step .*learning_rate"):
        run(tiny, rows, tmp_path / "out", replace(SETTINGS, learning_rate=1e30, steps=9))
    small = tmp_path / "small"
    small.mkdir()
    for path in tiny.iterdir():
        (small / path.name).write_bytes(path.read_bytes())
    config = (small / "config.json").read_text(encoding="utf-8").replace("49152", "100")
    (small / "config.json").write_text(config, encoding="utf-8")
    with pytest.raises(RowsError, match=r"only 100 embeddings.*Remedy"):
        run(small, rows, tmp_path / "other")
