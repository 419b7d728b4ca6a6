"""Looks over a checkpoint's files without loading any: cheap enough for whenever a run is planned.

Found are directories that hold no model, adapters, weights that are not there, were cut off or
never downloaded, and broken configurations. Only the headers of weights are read; what they hold
is compared with the model where it is opened (`core.checkpoints.opening`).
"""

import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from core.checkpoints.errors import CheckpointError

CONFIG, ADAPTER = "config.json", "adapter_config.json"
# In the order in which transformers looks for them.
WEIGHTS = (
    "model.safetensors",
    "model.safetensors.index.json",
    "pytorch_model.bin",
    "pytorch_model.bin.index.json",
)
TOKENIZERS = (
    *(
        "tokenizer.json",
        "tokenizer.model",
        "tekken.json",
        "spiece.model",
        "sentencepiece.bpe.model",
    ),
    *("vocab.json", "vocab.txt", "spm.model"),
)
_POINTER = b"version https://git-lfs.github.com/spec/"
_GET_AGAIN = "Remedy: download the checkpoint again, whole"
# No model computes with weights of these; they are quantised, which config.json must say.
_WHOLE_NUMBERS = {"I8", "U8", "I16", "U16", "I32", "U32", "I64", "U64", "BOOL"}


def check_files(folder: Path) -> None:
    """Raises `CheckpointError` where the directory cannot be a whole checkpoint."""
    _check_folder(folder)
    config = read_json(folder / CONFIG)
    if not config.get("model_type"):
        raise CheckpointError(
            f"{folder / CONFIG} names no model_type, so that it is no configuration of "
            f"transformers. {_SAVED}"
        )
    for path in list_weight_files(folder):
        _check_weights(path, quantised="quantization_config" in config)
    there = [folder / name for name in TOKENIZERS if (folder / name).is_file()]
    if not there:
        raise CheckpointError(
            f"{folder} holds no tokenizer ({', '.join(TOKENIZERS[:2])}, ...). Remedy: copy the "
            "tokenizer's files of the model that it was trained from into it: "
            "AutoTokenizer.from_pretrained(MODEL).save_pretrained(DIRECTORY)."
        )
    for path in there:
        _check_content(path)


_SAVED = "Remedy: give the directory of a model that was saved with save_pretrained."


def _check_folder(folder: Path) -> None:
    if folder.is_file():
        kind = " Or student.kind=gguf, for a GGUF file." if folder.suffix == ".gguf" else ""
        raise CheckpointError(
            f"{folder} is a file, not the directory of a checkpoint. Remedy: give the directory "
            f"that holds it together with config.json.{kind}"
        )
    if not folder.is_dir():
        raise CheckpointError(f"there is no directory {folder}. {_SAVED}")
    if (folder / ADAPTER).is_file():
        base = read_json(folder / ADAPTER).get("base_model_name_or_path") or "another model"
        raise CheckpointError(
            f"{folder} is an adapter (it holds {ADAPTER}), which is only a change to {base}. "
            "Remedy: merge it with PEFT, AutoPeftModelForCausalLM.from_pretrained(DIRECTORY)"
            ".merge_and_unload().save_pretrained(OTHER), save the tokenizer there too, and give "
            f"that directory; or remove {ADAPTER} where whole weights stand beside it."
        )
    if (folder / CONFIG).is_file() or (folder / CONFIG).is_symlink():
        return
    if not any(folder.iterdir()):
        raise CheckpointError(f"{folder} is empty. {_SAVED}")
    inside = sorted(path.parent.name for path in folder.glob(f"*/{CONFIG}"))
    meant = f" Perhaps {folder / inside[-1]} was meant." if inside else ""
    raise CheckpointError(f"{folder} holds no {CONFIG}. {_SAVED}{meant}")


def read_json(path: Path) -> dict[str, Any]:
    """Returns the object in a checkpoint's JSON file; `CheckpointError` if it is not one."""
    content = _check_content(path)
    try:
        values = json.loads(content)
    except ValueError as error:
        raise CheckpointError(f"{path} is not JSON: {error}. {_GET_AGAIN}.") from None
    if not isinstance(values, dict):
        raise CheckpointError(f"{path} holds no JSON object. {_GET_AGAIN}.")
    return values


def _check_content(path: Path) -> bytes:
    """Returns the bytes of a small file; `CheckpointError` where it is none or stands for
    another."""
    if not path.is_file():
        raise CheckpointError(f"{path} is not there. {_GET_AGAIN}.")
    content = path.read_bytes()
    if not content:
        raise CheckpointError(f"{path} is empty. {_GET_AGAIN}.")
    _check_pointer(path, content)
    return content


def _check_pointer(path: Path, beginning: bytes) -> None:
    if beginning.startswith(_POINTER):
        raise CheckpointError(
            f"{path} is a git-lfs pointer: a few lines that stand for the file. Remedy: run "
            "`git lfs install` and `git lfs pull` in the clone, or download the checkpoint with "
            "`hf download`."
        )


def list_weight_files(folder: Path) -> list[Path]:
    """Returns the files of weights that transformers would read; each is there."""
    for name in WEIGHTS:
        path = folder / name
        if path.is_symlink() and not path.exists():
            raise CheckpointError(f"{path} links to a file that is not there. {_GET_AGAIN}.")
        if path.is_file():
            return _list_shards(path) if name.endswith(".index.json") else [path]
    others = sorted(p.name for p in folder.iterdir() if p.suffix in _OTHER_WEIGHTS)
    found = f" ({', '.join(others[:3])} cannot be read here)" if others else ""
    raise CheckpointError(
        f"{folder} holds no weights: neither {' nor '.join(WEIGHTS[::2])}, whole or with an index"
        f"{found}. {_GET_AGAIN}, in the format of transformers."
    )


_OTHER_WEIGHTS = {".safetensors", ".bin", ".pth", ".pt", ".gguf", ".msgpack", ".h5", ".ckpt"}


def _list_shards(index: Path) -> list[Path]:
    """Returns all files that an index names."""
    names = read_json(index).get("weight_map")
    if not isinstance(names, dict) or not names:
        raise CheckpointError(f"{index} has no weight_map. {_GET_AGAIN}.")
    wanted: dict[str, set[str]] = {}
    for weight, file in names.items():
        wanted.setdefault(str(file), set()).add(weight)
    lost = [name for name in sorted(wanted) if not (index.parent / name).is_file()]
    if lost:
        raise CheckpointError(
            f"{_list_first(lost, 'file')} of the {len(wanted)} that {index} names "
            f"{'is' if len(lost) == 1 else 'are'} not there. {_GET_AGAIN}."
        )
    for name, weights in sorted(wanted.items()):
        if name.endswith(".safetensors"):
            there = set(read_header(index.parent / name))
            if lacking := sorted(weights - there):
                raise CheckpointError(
                    f"{index.parent / name} lacks {_list_first(lacking, 'weight')}, which "
                    f"{index.name} says it holds. {_GET_AGAIN}."
                )
    return [index.parent / name for name in sorted(wanted)]


def _list_first(names: list[str], what: str) -> str:
    """Returns one name, or how many and the first three."""
    if len(names) == 1:
        return names[0]
    more = ", ..." if len(names) > 3 else ""
    return f"{len(names)} {what}s ({', '.join(names[:3])}{more})"


def _check_weights(path: Path, *, quantised: bool) -> None:
    if path.suffix != ".safetensors":
        with path.open("rb") as file:
            beginning = file.read(64)
        _check_pointer(path, beginning)
        # torch.save writes a ZIP archive, whose table stands at its end; before 1.6, a pickle.
        if beginning[:2] == b"PK" and not zipfile.is_zipfile(path):
            raise CheckpointError(f"{path} was cut off: its end is missing. {_GET_AGAIN}.")
        if beginning[:2] not in (b"PK", b"\x80\x02"):
            raise CheckpointError(f"{path} is no file of PyTorch weights. {_GET_AGAIN}.")
        return
    header = read_header(path)
    odd = sorted(
        name
        for name, entry in header.items()
        if name.endswith(".weight") and entry["dtype"] in _WHOLE_NUMBERS
    )
    if odd and not quantised:
        raise CheckpointError(
            f"{path}: {_list_first(odd, 'weight')} of whole numbers ({header[odd[0]]['dtype']}), "
            f"but {CONFIG} says nothing of a quantisation, so that they would be taken as they "
            "are. Remedy: give the checkpoint that is not quantised, or its quantization_config."
        )


def read_header(path: Path) -> dict[str, dict[str, Any]]:
    """Returns dtype, shape and data_offsets of each tensor in a safetensors file that is whole."""
    size = path.stat().st_size
    with path.open("rb") as file:
        beginning = file.read(64)
        _check_pointer(path, beginning)
        length = int.from_bytes(beginning[:8], "little")
        file.seek(8)
        text = file.read(length) if 2 <= length <= min(size - 8, 100_000_000) else b""
    try:
        header = json.loads(text)
        ends = [entry["data_offsets"][1] for entry in _list_tensors(header)]
    except (ValueError, LookupError, TypeError, AttributeError):
        short = beginning[8:9] == b"{" and length > size - 8
        fault = "was cut off in its header" if short else "is no safetensors file"
        raise CheckpointError(f"{path} {fault} ({size:,} bytes). {_GET_AGAIN}.") from None
    needed = 8 + length + max(ends, default=0)
    if size < needed:
        raise CheckpointError(
            f"{path} was cut off: {size:,} of {needed:,} bytes are there. {_GET_AGAIN}."
        )
    return {name: entry for name, entry in header.items() if name != "__metadata__"}


def _list_tensors(header: dict[str, Any]) -> Iterator[dict[str, Any]]:
    return (entry for name, entry in header.items() if name != "__metadata__")
