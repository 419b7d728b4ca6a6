"""What a look at the files finds: each fault is a sentence with its file and a remedy."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from small_checkpoints import copied, edit, save_model
from transformers import AutoModelForCausalLM

from core.checkpoints.errors import CheckpointError
from core.checkpoints.files import check_files

POINTER = "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 269060552\n"
WHOLE = "model.safetensors"


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_model(tmp_path_factory.mktemp("sound") / "model")


@pytest.fixture(scope="module")
def sharded(sound: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = copied(sound, tmp_path_factory.mktemp("sharded") / "model")
    (out / WHOLE).unlink()
    AutoModelForCausalLM.from_pretrained(sound).save_pretrained(out, max_shard_size="50KB")
    return out


def cut(name: str, keep: int | None = None) -> Callable[[Path], None]:
    def harm(folder: Path) -> None:
        content = (folder / name).read_bytes()
        (folder / name).write_bytes(content[: len(content) - 9 if keep is None else keep])

    return harm


def written(name: str, text: str) -> Callable[[Path], object]:
    return lambda folder: (folder / name).write_text(text)


def without(*names: str) -> Callable[[Path], None]:
    def harm(folder: Path) -> None:
        for name in names:
            (folder / name).unlink()

    return harm


def linked(folder: Path) -> None:
    (folder / WHOLE).unlink()
    (folder / WHOLE).symlink_to(folder / "blobs" / "gone")


def in_bytes(folder: Path) -> None:
    weights = load_file(folder / WHOLE)
    save_file({n: w.to(torch.int8) for n, w in weights.items()}, folder / WHOLE)


def archived(size: int) -> Callable[[Path], None]:
    """Weights as torch.save writes them, cut to so many bytes."""

    def harm(folder: Path) -> None:
        torch.save(load_file(folder / WHOLE), folder / "pytorch_model.bin")
        (folder / WHOLE).unlink()
        cut("pytorch_model.bin", size)(folder)

    return harm


FAULTS: dict[str, tuple[Callable[[Path], object], str]] = {
    "weights are a pointer": (written(WHOLE, POINTER), r"model\.safetensors is a git-lfs pointer"),
    "a configuration is": (written("config.json", POINTER), r"config\.json is a git-lfs pointer"),
    "a tokenizer is": (written("tokenizer.json", POINTER), r"tokenizer\.json is a git-lfs pointer"),
    "cut weights": (cut(WHOLE), r"model\.safetensors was cut off: [\d,]+ of [\d,]+ bytes"),
    "a cut header": (cut(WHOLE, 100), r"model\.safetensors was cut off in its header"),
    "no weights in it": (cut(WHOLE, 0), r"model\.safetensors is no safetensors file \(0 bytes\)"),
    "a page of the web": (written(WHOLE, "<!doctype html>" * 9), r"is no safetensors file"),
    "no JSON": (written("config.json", '{"model_type": '), r"config\.json is not JSON"),
    "a list": (written("config.json", "[]"), r"config\.json holds no JSON object"),
    "another's": (written("config.json", "{}"), r"config\.json names no model_type"),
    "nothing": (written("config.json", ""), r"config\.json is empty"),
    "no configuration": (without("config.json"), r"holds no config\.json"),
    "no tokenizer": (without("tokenizer.json"), r"holds no tokenizer"),
    "an empty tokenizer": (written("tokenizer.json", ""), r"tokenizer\.json is empty"),
    "no weights": (without(WHOLE), r"holds no weights: neither model\.safetensors nor pytorch_mod"),
    "others": (lambda f: (f / WHOLE).rename(f / "a.gguf"), r"\(a\.gguf cannot be read here\)"),
    "a broken link": (linked, r"links to a file that is not there"),
    "an adapter": (
        lambda folder: edit(folder / "adapter_config.json", base_model_name_or_path="some/model"),
        r"is an adapter .* only a change to some/model",
    ),
    "whole numbers": (in_bytes, r"weights \(.*\) of whole numbers \(I8\)"),
    "a cut archive": (archived(5000), r"pytorch_model\.bin was cut off"),
    "no archive": (archived(0), r"pytorch_model\.bin is no file of PyTorch weights"),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_is_a_sentence_with_its_file_and_remedy(
    sound: Path, tmp_path: Path, name: str
) -> None:
    harm, message = FAULTS[name]
    check_files(folder := copied(sound, tmp_path / "model"))
    harm(folder)
    with pytest.raises(CheckpointError, match=rf"(?s){message}.*Remedy: ") as caught:
        check_files(folder)
    assert str(folder) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_what_is_no_directory(sound: Path, tmp_path: Path) -> None:
    for path, message in (
        (sound / WHOLE, "is a file, not the directory"),
        (tmp_path / "none", "there is no directory"),
        (tmp_path, "is empty"),
    ):
        with pytest.raises(CheckpointError, match=message):
            check_files(path)
    copied(sound, tmp_path / "checkpoint-400")
    with pytest.raises(CheckpointError, match=r"Perhaps .*checkpoint-400 was meant"):
        check_files(tmp_path)


def test_every_shard_must_be_there_and_hold_what_the_index_says(
    sharded: Path, tmp_path: Path
) -> None:
    check_files(folder := copied(sharded, tmp_path / "model"))
    *_, first, last = sorted(folder.glob("model-*.safetensors"))
    kept = last.read_bytes()
    last.write_bytes(first.read_bytes())
    with pytest.raises(CheckpointError, match=rf"{last.name} lacks .*index\.json says it holds"):
        check_files(folder)
    last.write_bytes(kept[:-1])
    with pytest.raises(CheckpointError, match=rf"{last.name} was cut off"):
        check_files(folder)
    last.unlink()
    with pytest.raises(CheckpointError, match=rf"{last.name} of the \d that .* is not there"):
        check_files(folder)
    edit(folder / "model.safetensors.index.json", weight_map={})
    with pytest.raises(CheckpointError, match="has no weight_map"):
        check_files(folder)
