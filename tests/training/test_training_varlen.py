"""Documents kept apart by torch's operation over rows of unequal lengths, run plainly here."""

from pathlib import Path
from typing import Any

import pytest
import torch
from plain_varlen import attend_plainly
from test_training_isolation import ROW, SHORT, model_of, probed
from transformers import AutoConfig
from tuning import log_of, tune

from decoding import varlen
from training.attention import VARLEN, choose_attention, is_flat
from training.collate import Collator
from training.errors import LaunchError, LeakError
from training.settings import Train

CUDA, CPU = torch.device("cuda"), torch.device("cpu")
LLAMA = AutoConfig.for_model("llama", num_attention_heads=4, hidden_size=64)


@pytest.fixture
def replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(varlen, "load_kernel", lambda: attend_plainly)
    monkeypatch.setattr("training.attention.find_obstacle", lambda device, dtype: None)


@pytest.mark.parametrize("family", ["llama", "granite"])
def test_the_probe_passes(family: str, replaced: None) -> None:
    assert probed(model_of(family, VARLEN), Collator(VARLEN, 0)) < 1e-5


def test_the_probe_finds_documents_whose_ends_are_wrong(replaced: None) -> None:
    class Shifted(Collator):
        def __call__(self, rows: Any) -> dict[str, Any]:
            batch = super().__call__(rows)
            batch["cu_seq_lens_q"] = batch["cu_seq_lens_q"].clone()
            batch["cu_seq_lens_q"][1] += 1
            return batch

    with pytest.raises(LeakError):
        probed(model_of("llama", VARLEN), Shifted(VARLEN, 0))


def test_two_rows_are_laid_end_to_end(replaced: None) -> None:
    batch = Collator(VARLEN, 0)([ROW, SHORT])
    assert batch["cu_seq_lens_q"].tolist() == [0, 3, 7, 9]
    assert not {"attention_mask", "documents"} & set(batch)


def test_a_window_is_kept(replaced: None) -> None:
    """As transformers' own mask keeps it: a token sees so many, itself among them."""
    from transformers import AutoModelForCausalLM

    config = AutoConfig.for_model(
        "mistral", vocab_size=300, hidden_size=32, intermediate_size=64, num_hidden_layers=2,
        num_attention_heads=4, num_key_value_heads=2, sliding_window=4,
    )  # fmt: skip
    torch.manual_seed(0)
    model = AutoModelForCausalLM.from_config(config, attn_implementation="eager").eval()
    ids = torch.arange(3, 23)[None]
    with torch.no_grad():
        theirs = model(ids).logits
        model.set_attn_implementation(VARLEN)
        torch.testing.assert_close(model(ids).logits, theirs, atol=1e-5, rtol=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize("checkpointing", [False, True])
def test_losses_are_those_of_dense_masks(
    tiny: Path, rows: Path, tmp_path: Path, replaced: None, checkpointing: bool
) -> None:
    losses = []
    for attention in ("varlen", "sdpa"):
        settings = Train(
            name="t", steps=4, batch_size=2, micro_batch=2, max_length=128, learning_rate=1e-2,
            attention=attention, gradient_checkpointing=checkpointing, validation=0.1,
        )  # fmt: skip
        facts = tune(tiny, rows, tmp_path / attention, settings)
        assert facts.attention == attention
        assert facts.probe is not None
        assert facts.probe < 1e-5
        losses.append([line["loss"] for line in log_of(tmp_path / attention) if "loss" in line])
    assert losses[0] == pytest.approx(losses[1], abs=1e-5)
    assert losses[0][0] != pytest.approx(losses[0][-1], abs=1e-3), "something was learnt"


def choose(
    monkeypatch: pytest.MonkeyPatch, *, kernel: str | None = None, flash: bool = False,
    device: torch.device = CUDA, config: Any = LLAMA, precision: Any = "bf16", **settings: Any,
) -> Any:  # fmt: skip
    """The choice where varlen_attn has the obstacle `kernel`, with flash attention or without."""
    monkeypatch.setattr("training.attention.find_obstacle", lambda device, dtype: kernel)
    monkeypatch.setattr("transformers.utils.is_flash_attn_2_available", lambda **options: flash)
    return choose_attention(Train(name="t", **settings), precision, config, device)


def test_the_best_that_is_there_is_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    assert choose(monkeypatch).name == VARLEN
    assert choose(monkeypatch, flash=True).name == VARLEN
    assert choose(monkeypatch, kernel="it is old", flash=True).name == "flash_attention_2"
    dense = choose(monkeypatch, kernel="it is old")
    assert dense.options == {}
    assert "which is slow: it is old" in dense.said
    assert choose(monkeypatch, kernel="a CPU", device=CPU).said == "", "where nothing else is"
    together = choose(monkeypatch, isolation="none")
    assert (together.options, together.said) == ({}, "")
    assert choose(monkeypatch, attention="sdpa").name == "sdpa"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"attn_logit_softcapping": 30.0}, "caps no scores"),
        ({"attention_dropout": 0.1}, "dropout"),
        ({"head_dim": 20}, "multiple of 8"),
        ({"head_dim": 512}, "up to 256"),
    ],
)
def test_a_student_whose_attention_has_more_is_not_given_it(
    monkeypatch: pytest.MonkeyPatch, change: dict[str, Any], words: str
) -> None:
    config = AutoConfig.for_model("llama", num_attention_heads=4, hidden_size=64, **change)
    assert words in choose(monkeypatch, config=config).said
    with pytest.raises(LaunchError, match=rf"{words}.*Remedy: train\.attention=auto"):
        choose(monkeypatch, config=config, attention="varlen")


def test_what_was_asked_for_and_cannot_run_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(LaunchError, match=r"runs on NVIDIA GPUs.*Remedy"):
        choose(monkeypatch, kernel="torch's varlen_attn runs on NVIDIA GPUs", attention="varlen")
    with pytest.raises(LaunchError, match="wants them together"):
        choose(monkeypatch, attention="varlen", isolation="none")
    with pytest.raises(LaunchError, match="flash-attn or kernels"):
        choose(monkeypatch, attention="flash_attention_2")


def test_all_that_need_the_ends_of_documents_are_known_by_name() -> None:
    flat = ["varlen", "flash_attention_2", "kernels-community/flash-attn2"]
    assert [name for name in (*flat, "sdpa", "eager") if is_flat(name)] == flat
