"""A checkpoint is opened whole or not at all: no weight is random, none runs code of its own."""

import json
import os
import pickle
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from small_checkpoints import KINDS, copied, edit, save_model, small_tokenizer
from transformers import BertConfig, BertForMaskedLM, T5Config, T5ForConditionalGeneration

from core.checkpoints.errors import CheckpointError
from core.checkpoints.opening import check_checkpoint, open_model, open_tokenizer

WHOLE = "model.safetensors"


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("kinds")
    return {kind: save_model(folder / kind, kind) for kind in KINDS}


@pytest.mark.parametrize("kind", KINDS)
def test_sound_checkpoints_open_without_a_word(sound: dict[str, Path], kind: str) -> None:
    """Tied and untied, with experts whose weights are stored apart, windowed and recurrent."""
    assert check_checkpoint(sound[kind]) == []
    opened = open_model(sound[kind], dtype=torch.float32)
    stored = load_file(sound[kind] / WHOLE)
    assert opened.notes == ()
    held = opened.model.state_dict()
    same = [torch.equal(held[name], weight) for name, weight in stored.items() if name in held]
    assert same
    assert all(same)


def rewrite(folder: Path, change: Any) -> None:
    weights = change(load_file(folder / WHOLE))
    save_file(weights, folder / WHOLE, metadata={"format": "pt"})


@pytest.mark.parametrize("opening", [check_checkpoint, open_model])
@pytest.mark.parametrize("kind", ["llama", "gpt2", "mixtral", "mamba"])
def test_a_weight_that_is_missing_is_named(
    sound: dict[str, Path], tmp_path: Path, kind: str, opening: Any
) -> None:
    folder = copied(sound[kind], tmp_path / "model")
    lost = next(n for n in load_file(folder / WHOLE) if "norm" in n or "ln_1" in n)
    rewrite(folder, lambda weights: {n: w for n, w in weights.items() if n != lost})
    with pytest.raises(CheckpointError, match=rf"1 is not in its files .* random: {lost}\. Remedy"):
        opening(folder)


def test_an_untied_head_that_is_missing_is_named(sound: dict[str, Path], tmp_path: Path) -> None:
    folder = copied(sound["qwen3"], tmp_path / "model")
    rewrite(folder, lambda weights: {n: w for n, w in weights.items() if n != "lm_head.weight"})
    with pytest.raises(CheckpointError, match=r"random: lm_head\.weight"):
        check_checkpoint(folder)
    edit(folder / "config.json", tie_word_embeddings=True)
    assert check_checkpoint(folder) == []


def test_names_with_something_before_them(sound: dict[str, Path], tmp_path: Path) -> None:
    folder = copied(sound["llama"], tmp_path / "model")
    rewrite(folder, lambda weights: {f"base_model.{n}": w for n, w in weights.items()})
    stored = len(load_file(folder / WHOLE))
    with pytest.raises(CheckpointError, match=rf'{stored} are not .*take "base_model." off'):
        check_checkpoint(folder)


def test_another_shape_is_named(sound: dict[str, Path], tmp_path: Path) -> None:
    folder = copied(sound["qwen3"], tmp_path / "model")
    edit(folder / "config.json", intermediate_size=48)
    shape = (
        r"6 are of another shape .*layers\.0\.mlp\.down_proj\.weight is \[32, 64\], not \[32, 48\]"
    )
    for opening in (check_checkpoint, open_model):
        with pytest.raises(CheckpointError, match=shape):
            opening(folder)


def test_weights_without_a_place_are_told_of(sound: dict[str, Path], tmp_path: Path) -> None:
    folder = copied(sound["llama"], tmp_path / "model")
    rewrite(folder, lambda weights: {**weights, "score.weight": torch.ones(2)})
    (note,) = check_checkpoint(folder)
    assert note.startswith("1 weights in the checkpoint's files have no place in LlamaForCausalLM")
    assert "score.weight" in note
    assert open_model(folder).notes == (note,)


def test_what_does_not_continue_text_is_refused(sound: dict[str, Path], tmp_path: Path) -> None:
    size = len(small_tokenizer())
    t5 = T5Config(vocab_size=size, d_model=32, d_kv=8, d_ff=32, num_layers=1, num_heads=4)
    bert = BertConfig(vocab_size=size, hidden_size=32, num_hidden_layers=1, num_attention_heads=4,
                      intermediate_size=32)  # fmt: skip
    models = (T5ForConditionalGeneration(t5), BertForMaskedLM(bert))
    for model, fault in zip(models, ("encoder-decoder", "does not continue text"), strict=True):
        folder = tmp_path / fault
        model.save_pretrained(folder)
        small_tokenizer().save_pretrained(folder)
        with pytest.raises(CheckpointError, match=fault):
            check_checkpoint(folder)
    folder = copied(sound["llama"], tmp_path / "head")
    edit(folder / "config.json", architectures=["LlamaForSequenceClassification"])
    with pytest.raises(CheckpointError, match="LlamaForSequenceClassification does not continue"):
        check_checkpoint(folder)


def test_kinds_that_transformers_does_not_know(sound: dict[str, Path], tmp_path: Path) -> None:
    folder = copied(sound["llama"], tmp_path / "model")
    edit(folder / "config.json", model_type="llama17")
    with pytest.raises(CheckpointError, match=r"llama17.*Remedy: a newer transformers may know"):
        check_checkpoint(folder)
    (folder / "own.py").write_text(f"open({str(tmp_path / 'run')!r}, 'w')")
    edit(folder / "config.json", auto_map={"AutoConfig": "own.Config"})
    with pytest.raises(CheckpointError, match="code in checkpoints is not run"):
        check_checkpoint(folder)
    assert not (tmp_path / "run").exists()


class Harmful:
    """What a pickle can do to whoever loads it."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return (os.mkdir, (str(self.path),))


def test_pickled_weights_are_read_as_weights_alone(sound: dict[str, Path], tmp_path: Path) -> None:
    folder = copied(sound["llama"], tmp_path / "model")
    weights = load_file(folder / WHOLE)
    (folder / WHOLE).unlink()
    torch.save(weights, folder / "pytorch_model.bin")
    assert check_checkpoint(folder) == []
    torch.save({**weights, "x": Harmful(tmp_path / "run")}, folder / "pytorch_model.bin")
    with pytest.raises(CheckpointError, match="cannot be opened"):
        check_checkpoint(folder)
    (folder / "pytorch_model.bin").write_bytes(pickle.dumps(Harmful(tmp_path / "run"), 2))
    with pytest.raises(CheckpointError, match="cannot be opened"):
        check_checkpoint(folder)
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_weights_of_another_precision_are_taken(
    sound: dict[str, Path], tmp_path: Path, dtype: torch.dtype
) -> None:
    folder = copied(sound["qwen3"], tmp_path / "model")
    rewrite(folder, lambda weights: {n: w.to(dtype) for n, w in weights.items()})
    assert check_checkpoint(folder) == []
    model = open_model(folder, dtype=torch.float32).model
    assert {weight.dtype for weight in model.parameters()} == {torch.float32}


def test_a_tokenizer_larger_than_the_model(tmp_path: Path) -> None:
    tokenizer = small_tokenizer()
    size = len(tokenizer)
    folder = save_model(tmp_path / "model", tokenizer=tokenizer, vocab_size=size - 10)
    with pytest.raises(CheckpointError, match=rf"10 tokens .* no embedding: it has {size - 10}"):
        check_checkpoint(folder)
    # A special token that no text holds does no harm; one that a conversation holds does.
    tokenizer.add_special_tokens({"additional_special_tokens": ["<image>"]})
    folder = save_model(tmp_path / "image", tokenizer=tokenizer, vocab_size=size)
    (note,) = check_checkpoint(folder)
    assert "1 tokens (<image>)" in note
    template = (folder / "chat_template.jinja").read_text()
    (folder / "chat_template.jinja").write_text(f"<image>{template}")
    with pytest.raises(CheckpointError, match="<image>"):
        check_checkpoint(folder)


def test_a_tokenizer_that_is_none(sound: dict[str, Path], tmp_path: Path) -> None:
    folder = copied(sound["llama"], tmp_path / "model")
    (folder / "tokenizer.json").write_text(json.dumps({"version": "1.0", "model": {}}))
    with pytest.raises(CheckpointError, match=r"the tokenizer of .* cannot be opened.*Remedy"):
        open_tokenizer(folder)
