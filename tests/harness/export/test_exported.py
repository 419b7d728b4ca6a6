"""Checkpoints go through `kakugo export`: converted, talked to on a llama.cpp server, scored."""

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import gguf
import pytest
import torch
from small import KAKUGO, manifests, run, small
from transformers import AutoConfig, AutoModelForCausalLM

from harness.errors import ExportError
from harness.export.converter import PACKAGE, VERSION, find_converter

pytestmark = pytest.mark.long

# As Granite 4 Micro's configuration has them; the sizes are small.
GRANITE: dict[str, Any] = {
    "vocab_size": 49152, "hidden_size": 32, "intermediate_size": 64, "shared_intermediate_size": 64,
    "num_hidden_layers": 2, "num_attention_heads": 4, "num_key_value_heads": 2,
    "max_position_embeddings": 8192, "layer_types": ["attention"] * 2, "num_local_experts": 0,
    "num_experts_per_tok": 0, "position_embedding_type": "rope", "tie_word_embeddings": True,
    "rope_parameters": {"rope_type": "default", "rope_theta": 1e7}, "embedding_multiplier": 12.0,
    "logits_scaling": 10.0, "residual_multiplier": 0.22, "attention_multiplier": 1 / 8,
    "mamba_n_heads": 4, "initializer_range": 0.3, "bos_token_id": 1, "eos_token_id": 2,
    "pad_token_id": 2,
}  # fmt: skip


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """An empty store, to whose cache llama.cpp's converter is linked from where a person has it."""
    folder = f"{PACKAGE}-{VERSION}"
    try:
        script = find_converter(Path("~/.cache/kakugo").expanduser())
    except ExportError as error:
        pytest.skip(str(error))
    store = tmp_path / "store"
    (store / "cache").mkdir(parents=True)
    (store / "cache" / folder).symlink_to(script.parent)
    return store


def export(command: list[str], *words: str) -> "subprocess.CompletedProcess[str]":
    return run([*KAKUGO, "export", *command[len(KAKUGO) :], *words])


def read_files(store: Path) -> dict[str, gguf.GGUFReader]:
    """Reads the store's GGUF files, by the type of their weights."""
    return {
        one["config"]["kind"]: gguf.GGUFReader(store / "gguf" / one["key"] / one["config"]["file"])
        for one in manifests(store, "gguf")
    }


def test_what_was_trained_is_exported_scored_and_kept(store: Path, tiny: Path) -> None:
    command = small(store, tiny, "mix=topic", "evaluate.tasks=[sib200]")
    assert (made := run(command)).returncode == 0, made.stderr
    done = export(command)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("it said, greedily: ") == 2
    assert len(re.findall(r"  sib200: checkpoint [\d.]+, file [\d.]+, .*n = 3", done.stdout)) == 2
    files = read_files(store)
    assert files.keys() == {"f16", "q8_0"}
    assert {one.fields["general.architecture"].contents() for one in files.values()} == {"llama"}
    # What is weighed is what was trained: f16 has the weights of the checkpoint, to their rounding.
    (trained,) = manifests(store, "train")
    model = AutoModelForCausalLM.from_pretrained(store / "train" / trained["key"] / "checkpoint")
    theirs = {tensor.name: tensor.data for tensor in files["f16"].tensors}
    ours = model.model.layers[0].mlp.up_proj.weight.detach().to(torch.float16)
    assert torch.from_numpy(theirs["blk.0.ffn_up.weight"].copy()).equal(ours)
    # The losses are those of the scores that stand beside them.
    for loss in manifests(store, "gguf_loss"):
        before, after = (
            json.loads((store / one["stage"] / one["key"] / "scores.json").read_text())
            for one in sorted(loss["inputs"], key=lambda one: one["name"], reverse=True)
        )
        assert (loss["facts"]["before"], loss["facts"]["after"]) == (
            before["score"],
            after["score"],
        )
    times = {path: path.stat().st_mtime_ns for path in store.glob("gguf*/*/manifest.json")}
    assert export(command).returncode == 0
    assert {p: p.stat().st_mtime_ns for p in store.glob("gguf*/*/manifest.json")} == times


def test_granite_as_transformers_spells_it_is_converted_with_its_attention(
    store: Path, tokenizer: Any, tmp_path: Path
) -> None:
    """The converter takes layers of a name that it does not know for layers without attention."""
    student = tmp_path / "granite"
    torch.manual_seed(0)
    config = AutoConfig.for_model("granitemoehybrid", **GRANITE)
    AutoModelForCausalLM.from_config(config).to(torch.bfloat16).save_pretrained(student)
    tokenizer.save_pretrained(student)
    assert "full_attention" in (student / "config.json").read_text()
    command = small(store, student, "producers=[base]", "evaluate.tasks=[sib200]")
    assert (made := run(command)).returncode == 0, made.stderr
    done = export(command, "types=f16")
    assert done.returncode == 0, done.stdout + done.stderr
    (file,) = read_files(store).values()
    # With a name that it does not know it writes a hybrid of no heads, which does not load.
    assert file.fields["general.architecture"].contents() == "granite"
    assert file.fields["granite.attention.head_count_kv"].contents() == [2, 2]
    assert file.fields["granite.rope.freq_base"].contents() == 1e7
    (loss,) = manifests(store, "gguf_loss")
    # The same model: of three items, none is answered otherwise.
    assert (loss["facts"]["points"], loss["facts"]["n"]) == (0.0, 3)
