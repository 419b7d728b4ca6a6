"""Spells a checkpoint's settings so that older programs read them as newer ones do.

transformers 5 writes some settings under names that transformers 4.57, and the vLLM and llama.cpp
of its time, do not know. Most of them stop there; but the base of rotary positions they replace by
their own default, and such a model answers, worse. Newer programs know the older names, too.

Not covered: rotary positions that differ by the kind of layer (Gemma 3), and kinds of models that
an older program does not have at all.
"""

import json
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from core.checkpoints.files import CONFIG
from core.files import write_whole

TOKENIZER = "tokenizer_config.json"
_ROTARY = ("rope_theta", "partial_rotary_factor")
# Kinds of models that had words of their own for their layers.
_LAYERS = {
    "granitemoehybrid": {"full_attention": "attention", "linear_attention": "mamba"},
}
# What transformers writes of the call that read a checkpoint, and of the machine it was on.
_OF_THE_CALL = ("is_local", "local_files_only", "_name_or_path")


def spell_checkpoint(folder: Path) -> None:
    """Writes a checkpoint's settings anew; weights and vocabulary stay as they are."""
    for name, spell in SPELLINGS.items():
        path = folder / name
        if path.is_file():
            values = json.loads(path.read_text(encoding="utf-8"))
            write_whole(path, write_settings(spell(values)))


@contextmanager
def making_spelled_copy(folder: Path) -> Iterator[Path]:
    """Gives a folder of the same name that links to a checkpoint's files, with its settings as
    `spell_checkpoint` writes them: for a program that is to read a checkpoint of before."""
    with TemporaryDirectory(prefix="kakugo-") as place:
        linked = Path(place) / folder.name
        linked.mkdir()
        for path in folder.iterdir():
            if path.name in SPELLINGS:
                shutil.copyfile(path, linked / path.name)
            else:
                (linked / path.name).symlink_to(path.resolve())
        spell_checkpoint(linked)
        yield linked


def write_settings(values: Mapping[str, Any]) -> str:
    """Writes settings as JSON, as transformers does."""
    return json.dumps(values, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def spell_config(values: Mapping[str, Any]) -> dict[str, Any]:
    """Returns the values of a `config.json` with the older names beside or in place of newer."""
    spelled = _leave_out_call(values)
    rotary = values.get("rope_parameters")
    if isinstance(rotary, dict) and not any(isinstance(one, dict) for one in rotary.values()):
        spelled |= {name: rotary[name] for name in _ROTARY if rotary.get(name) is not None}
        if rotary.get("rope_type", "default") != "default":
            spelled["rope_scaling"] = {k: v for k, v in rotary.items() if k not in _ROTARY}
    layers = _LAYERS.get(str(values.get("model_type")), {})
    if isinstance(values.get("layer_types"), list):
        spelled["layer_types"] = [layers.get(one, one) for one in values["layer_types"]]
    return spelled


def spell_tokenizer(values: Mapping[str, Any]) -> dict[str, Any]:
    """Returns the values of a `tokenizer_config.json` under names that older programs know."""
    spelled = _leave_out_call(values)
    if spelled.get("tokenizer_class") == "TokenizersBackend":
        spelled["tokenizer_class"] = "PreTrainedTokenizerFast"
    # A list is older programs' `additional_special_tokens`; their `extra_...` are a dictionary.
    if isinstance(spelled.get("extra_special_tokens"), list):
        spelled["additional_special_tokens"] = spelled.pop("extra_special_tokens")
    return spelled


SPELLINGS: Mapping[str, Callable[[Mapping[str, Any]], dict[str, Any]]] = {
    CONFIG: spell_config,
    TOKENIZER: spell_tokenizer,
}
"""The files of settings, and what spells the values of each."""


def _leave_out_call(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if name not in _OF_THE_CALL}
