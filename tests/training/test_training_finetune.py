import gc
import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import pyarrow.parquet as pq
import pytest
import torch
from tuning import log_of, tune

from core.checkpoints.errors import CheckpointError
from training.errors import DivergedError, LeakError, MemoryShort, RowsError
from training.finetune import _naming_memory_errors
from training.flops import count_flops_per_token, find_peak_flops
from training.prepare import prepare
from training.settings import Lora, Train

pytestmark = pytest.mark.slow

SETTINGS = Train(
    name="test",
    steps=6,
    learning_rate=2e-2,
    batch_size=2,
    micro_batch=2,
    max_length=128,
    validation=0.0,
    threads=1,
)


def test_fixed_losses(tiny: Path, rows: Path, tmp_path: Path) -> None:
    seen: list[tuple[int, int, str]] = []
    settings = replace(SETTINGS, validation=0.2, evaluations=2)
    facts = tune(tiny, rows, tmp_path / "out", settings, progress=lambda *step: seen.append(step))
    log = [line for line in log_of(tmp_path / "out") if "loss" in line]
    expected = [10.8035, 10.808, 10.0117, 9.3694, 8.621, 8.2069]
    assert [line["loss"] for line in log] == pytest.approx(expected, abs=2e-3)
    assert [line["step"] for line in log] == [1, 2, 3, 4, 5, 6]
    assert log[0]["learning_rate"] == 0.0  # the warm-up of one step begins at zero
    assert log[1]["learning_rate"] == 2e-2
    assert facts.loss_first == log[0]["loss"]
    assert facts.loss_last == log[-1]["loss"] < facts.loss_first
    assert (facts.steps, facts.precision, facts.processes) == (6, "fp32", 1)
    assert facts.tokens == sum(line["tokens"] for line in log) > facts.supervised_tokens > 0
    assert facts.device
    assert facts.probe is not None
    assert facts.probe < 1e-4
    assert seen[-1][:2] == (6, 6)
    assert seen[-1][2].startswith(f"loss {facts.loss_last:.2f}, ")
    speed = (tmp_path / "out" / "speed.jsonl").read_text(encoding="utf-8").splitlines()
    assert all(json.loads(line)["tokens_per_second"] > 0 for line in speed)
    assert len(speed) == 6


def test_losses_are_those_of_a_plain_trainer_on_unpacked_rows(
    tiny: Path, rows: Path, tmp_path: Path
) -> None:
    """Every row in each step, packed by us, padded by the other: equal to 1e-4 over six steps."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer, Trainer, TrainingArguments

    from training.dataset import read_examples, tokenise_conversations

    settings = replace(SETTINGS, batch_size=5, micro_batch=1, max_length=128, warmup=0.0)
    facts = tune(tiny, rows, tmp_path / "ours", settings)
    tokenizer = AutoTokenizer.from_pretrained(tiny)
    make = partial(tokenise_conversations, tokenizer=tokenizer, end_ids=frozenset({2}))
    examples = [each for _, some in read_examples(rows, make) for each in some]
    longest = max(len(example.input_ids) for example in examples)
    data = [
        {
            "input_ids": example.input_ids + [2] * (longest - len(example.input_ids)),
            "labels": example.labels + [-100] * (longest - len(example.input_ids)),
            "attention_mask": [1] * len(example.input_ids)
            + [0] * (longest - len(example.input_ids)),
        }
        for example in examples
    ]
    arguments = TrainingArguments(
        output_dir=str(tmp_path / "theirs"),
        max_steps=6,
        per_device_train_batch_size=len(data),
        learning_rate=2e-2,
        lr_scheduler_type="cosine",
        max_grad_norm=1.0,
        logging_steps=1,
        save_strategy="no",
        report_to="none",
        use_cpu=True,
        disable_tqdm=True,
        dataloader_pin_memory=False,
    )
    model = AutoModelForCausalLM.from_pretrained(tiny, dtype=torch.float32)
    trainer = Trainer(model=model, args=arguments, train_dataset=data)
    trainer.train()
    theirs = [entry["loss"] for entry in trainer.state.log_history if "loss" in entry]
    ours = [line["loss"] for line in log_of(tmp_path / "ours")]
    assert ours == pytest.approx(theirs, abs=1e-4)
    assert facts.supervised_tokens == 6 * sum(example.supervised for example in examples)


def test_the_loss_weights_every_trained_token_alike(tiny: Path, rows: Path, tmp_path: Path) -> None:
    """Micro-batches of unequal length: a mean of their means would differ."""
    settings = replace(SETTINGS, batch_size=4, max_length=64, packing=False, steps=3)
    tune(tiny, rows, tmp_path / "whole", replace(settings, micro_batch=4))
    tune(tiny, rows, tmp_path / "split", replace(settings, micro_batch=1))
    whole, split = log_of(tmp_path / "whole"), log_of(tmp_path / "split")
    for a, b in zip(whole, split, strict=True):
        assert a["loss"] == pytest.approx(b["loss"], abs=1e-4)
        assert a["tokens"] == b["tokens"]


def test_the_validation_loss_is_the_finished_models_own(
    tiny: Path, rows: Path, tmp_path: Path
) -> None:
    import pyarrow.parquet as pq
    import torch
    from transformers import AutoModelForCausalLM

    settings = replace(SETTINGS, validation=0.4, steps=2, learning_rate=1e-9)
    facts = tune(tiny, rows, tmp_path / "out", settings)
    model = AutoModelForCausalLM.from_pretrained(tiny, dtype=torch.float32)
    total, count = 0.0, 0
    for row in pq.read_table(tmp_path / "out-packed" / "validation.parquet").to_pylist():
        at = 0
        for length in row["seq_lengths"]:
            ids, labels = (row[name][at : at + length] for name in ("input_ids", "labels"))
            at += length
            with torch.no_grad():
                loss = model(torch.tensor([ids]), labels=torch.tensor([labels])).loss
            supervised = sum(label != -100 for label in labels)
            total, count = total + float(loss) * supervised, count + supervised
    assert facts.eval_loss == pytest.approx(total / count, abs=1e-4)


def test_the_checkpoint_is_complete_bf16_and_names_no_machine(
    tiny: Path, rows: Path, tmp_path: Path
) -> None:
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    settings = replace(SETTINGS, steps=1, lora=Lora(rank=2))
    facts = tune(tiny, rows, tmp_path / "lora", settings)
    assert 0 < facts.trained_parameters < facts.parameters / 50
    tune(tiny, rows, tmp_path / "out", replace(SETTINGS, steps=1))
    for name in ("lora", "out"):
        checkpoint = tmp_path / name / "checkpoint"
        model = AutoModelForCausalLM.from_pretrained(checkpoint)
        assert model.dtype == torch.bfloat16
        assert AutoTokenizer.from_pretrained(checkpoint).chat_template
        config, base = (
            json.loads((folder / "config.json").read_text(encoding="utf-8"))
            for folder in (checkpoint, tiny)
        )
        # Nothing is another but that older programs find the base of the rotary positions.
        assert config == {**base, "rope_theta": base["rope_parameters"]["rope_theta"]}
        assert '"PreTrainedTokenizerFast"' in (checkpoint / "tokenizer_config.json").read_text()
        assert {p.name for p in checkpoint.iterdir()} == {p.name for p in tiny.iterdir()}
        for path in checkpoint.iterdir():
            if path.suffix != ".safetensors":
                text = path.read_text(encoding="utf-8")
                assert str(tiny.parent) not in text, path.name
                assert str(tmp_path) not in text, path.name


def test_bf16_computes_in_bf16_over_fp32_weights(tiny: Path, rows: Path, tmp_path: Path) -> None:
    facts = tune(tiny, rows, tmp_path / "bf16", SETTINGS, precision="bf16")
    tune(tiny, rows, tmp_path / "fp32", SETTINGS)
    assert facts.precision == "bf16"
    bf16, fp32 = log_of(tmp_path / "bf16")[-1]["loss"], log_of(tmp_path / "fp32")[-1]["loss"]
    assert bf16 != fp32
    assert bf16 == pytest.approx(fp32, abs=0.1)


def test_bad_input_is_named_before_the_model_is_loaded(
    tiny: Path, rows: Path, write_rows: Callable[..., Path], tmp_path: Path
) -> None:
    data = SETTINGS.data
    with pytest.raises(CheckpointError, match=r"no config\.json.*Remedy"):
        prepare(base=tmp_path, rows=rows, out=tmp_path / "out", data=data, seed=0)
    small = tmp_path / "small"
    shutil.copytree(tiny, small)
    config = (small / "config.json").read_text(encoding="utf-8").replace("49152", "100")
    (small / "config.json").write_text(config, encoding="utf-8")
    with pytest.raises(RowsError, match=r"only 100 embeddings.*Remedy"):
        prepare(base=small, rows=rows, out=tmp_path / "out", data=data, seed=0)
    with pytest.raises(RowsError, match=r"all 10 rows are longer than 8 tokens.*max_length"):
        prepare(
            base=tiny, rows=rows, out=tmp_path / "out", data=replace(data, max_length=8), seed=0
        )
    with pytest.raises(RowsError, match=r"holds no rows.*Remedy"):
        prepare(base=tiny, rows=write_rows(), out=tmp_path / "out", data=data, seed=0)


def test_divergence_and_short_memory_name_the_setting(
    tiny: Path, rows: Path, tmp_path: Path
) -> None:
    with pytest.raises(DivergedError, match=r"the loss became nan at step .*learning_rate"):
        tune(tiny, rows, tmp_path / "out", replace(SETTINGS, learning_rate=1e30, steps=9))
    import torch

    with pytest.raises(MemoryShort, match=r"micro_batch=1 \(now 2\); .*lora\.rank"):  # noqa: SIM117
        with _naming_memory_errors(SETTINGS):
            torch.empty(2**50)
    with pytest.raises(RuntimeError, match="else"), _naming_memory_errors(SETTINGS):
        raise RuntimeError("something else")


def test_one_step_trains(tiny: Path, rows: Path, tmp_path: Path) -> None:
    """The first step of a warm-up does not: its learning rate is 0."""
    tune(tiny, rows, tmp_path / "out", replace(SETTINGS, steps=1))
    assert log_of(tmp_path / "out")[0]["learning_rate"] == 2e-2


def test_gradient_checkpointing_changes_no_loss(tiny: Path, rows: Path, tmp_path: Path) -> None:
    tune(tiny, rows, tmp_path / "kept", SETTINGS)
    tune(tiny, rows, tmp_path / "again", replace(SETTINGS, gradient_checkpointing=True))
    kept, again = ([line["loss"] for line in log_of(tmp_path / name)] for name in ("kept", "again"))
    assert again == pytest.approx(kept, abs=1e-6)


def test_rows_that_fill_up_the_last_step_train_nothing(
    tiny: Path, rows: Path, tmp_path: Path
) -> None:
    settings = replace(SETTINGS, steps=None, epochs=1.0, batch_size=4, micro_batch=4)
    tune(tiny, rows, tmp_path / "four", settings)
    assert pq.read_metadata(tmp_path / "four-packed" / "train.parquet").num_rows % 4
    tune(tiny, rows, tmp_path / "one", replace(settings, micro_batch=1))
    blank, plain = log_of(tmp_path / "four"), log_of(tmp_path / "one")
    assert blank[-1]["supervised_tokens"] == plain[-1]["supervised_tokens"]
    assert [line["loss"] for line in blank] == pytest.approx([line["loss"] for line in plain])


def test_a_student_with_a_window_is_refused(rows: Path, tiny: Path, tmp_path: Path) -> None:
    """A mask of documents would let its tokens look back further than they ever did."""
    from transformers import AutoTokenizer, MistralConfig, MistralForCausalLM

    size = {"hidden_size": 32, "intermediate_size": 32, "num_hidden_layers": 1}
    heads = {"num_attention_heads": 2, "num_key_value_heads": 2, "head_dim": 16}
    student = tmp_path / "student"
    MistralForCausalLM(
        MistralConfig(vocab_size=49152, sliding_window=16, **size, **heads)
    ).save_pretrained(student)
    AutoTokenizer.from_pretrained(tiny).save_pretrained(student)
    with pytest.raises(LeakError, match=r"at most 16 tokens.*train\.max_length=16"):
        tune(student, rows, tmp_path / "out", SETTINGS)


def test_operations_of_a_token(tiny: Path) -> None:
    """6 a weight, 4 a frozen one, and the attention of a token-weighted mean length."""
    from transformers import AutoModelForCausalLM

    model = AutoModelForCausalLM.from_pretrained(tiny)
    config = model.config
    weights = sum(parameter.numel() for parameter in model.parameters())
    attention = 6 * config.num_hidden_layers * config.hidden_size
    alike = count_flops_per_token(model, [100, 100], frozen=False)
    assert alike == 6 * weights + attention * 100
    assert count_flops_per_token(model, [10, 90], frozen=True) == 4 * weights + attention * 82
    assert find_peak_flops("NVIDIA H100 80GB HBM3", "bf16") == 989e12
    assert find_peak_flops("NVIDIA H100 80GB HBM3", "fp32") is None


def test_nothing_of_a_training_is_left_in_memory(tiny: Path, rows: Path, tmp_path: Path) -> None:
    """Scoring comes next on the same device. (The collector is off: what refers to itself in a
    circle would otherwise be freed by chance.)"""
    gc.collect()
    before = count_weights()
    gc.disable()
    try:
        tune(tiny, rows, tmp_path / "out", replace(SETTINGS, steps=2))
        assert count_weights() == before
    finally:
        gc.enable()


def count_weights() -> int:
    """The numbers in all parameters that are alive."""
    alive = [one for one in gc.get_objects() if type(one) is torch.nn.Parameter]
    return sum(one.numel() for one in alive)
