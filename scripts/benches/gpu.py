"""All that wants a GPU, in one run of at most eight minutes on one H100, with one line of JSON.

scripts/bench gpu [--minutes N] [--tiny] [--only TEXT]

A random student in Granite 4.0 Micro's true shape (3.4 B weights) scores, decodes and is trained,
by torch's varlen_attn and without it: tokens a second, share of the device's peak (MFU), peak
memory, what is free after training, and how far the two ways differ. Each part is printed as it
ends; one that fails, or for which no time is left, is an entry with its reason.

Where nothing can be installed, what is lacking travels as the wheels that gpu-wheels.txt names
beside this file (a version where it counts), and scripts/setup is left out:

    cd scripts/benches
    pip download --no-deps --only-binary=:all: --python-version 3.12 -d WHEELS -r gpu-wheels.txt
    pip install --no-index --no-deps --find-links WHEELS -r gpu-wheels.txt     # there
    python -P gpu.py

--tiny is the rehearsal: a model of a few kilobytes, also on a CPU. Its speeds mean nothing.
"""

import argparse
import gc
import importlib.util
import json
import platform
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

WHEELS = Path(__file__).with_name("gpu-wheels.txt")
# ibm-granite/granite-4.0-micro's configuration.
GRANITE = {
    "hidden_size": 2560, "intermediate_size": 8192, "shared_intermediate_size": 8192,
    "num_hidden_layers": 40, "num_attention_heads": 40, "num_key_value_heads": 8,
    "vocab_size": 100_352, "max_position_embeddings": 131_072,
    "logits_scaling": 10.0, "attention_multiplier": 1 / 64,
}  # fmt: skip
TINY = GRANITE | {
    "hidden_size": 64, "intermediate_size": 64, "shared_intermediate_size": 64,
    "num_hidden_layers": 2, "num_attention_heads": 4, "num_key_value_heads": 2,
    "vocab_size": 512, "attention_multiplier": 0.25,
}  # fmt: skip
SEED = 0
Tokens = tuple[int, ...]


@dataclass(frozen=True)
class Sizes:
    """The sizes of all that is measured, in tokens where nothing else is said.

    row is of a packed row of training and document of its documents; shots, long and item are of
    prompts, of which there are `items`; `sequences` are decoded at once, `decoded` tokens each.
    """

    shape: dict[str, Any] = field(default_factory=lambda: GRANITE)
    row: int = 8_000
    document: int = 500
    steps: int = 4
    rows: int = 2  # of a step
    shots: int = 2_048
    long: int = 7_000
    item: int = 150
    items: int = 512
    sequences: int = 256
    decoded: int = 64


SMALL = Sizes(TINY, 64, 16, 2, 2, 24, 48, 6, 8, 4, 4)


class Bench:
    """Runs the parts one after another while time is left, and keeps what each says."""

    def __init__(self, minutes: float, only: str) -> None:
        self.began, self.seconds, self.only = time.perf_counter(), 60 * minutes, only
        self.results: dict[str, Any] = {}

    def run(self, name: str, work: Callable[[], Any]) -> None:
        """Runs a part. What it raises is its result: the others are worth as much without it."""
        import torch

        passed = time.perf_counter() - self.began
        if self.only not in name:
            return
        if passed > self.seconds:
            found: Any = {"skipped": f"{passed:.0f} s had passed"}
        else:
            if torch.cuda.is_available():
                torch.cuda.reset_peak_memory_stats()
            try:
                found = work()
            except Exception as error:
                found = {"failed": f"{type(error).__name__}: {error}"[:600]}
            # The error's frames hold what they had made.
            release_memory()
            found |= {"seconds": round(time.perf_counter() - self.began - passed, 2)}
        self.results[name] = found
        print(f"{name:<22} {json.dumps(found)}", flush=True)


def main(arguments: Sequence[str] | None = None) -> dict[str, Any]:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--minutes", type=float, default=7.0, help="begin no part after so many")
    parser.add_argument("--tiny", action="store_true", help="the rehearsal, also without a GPU")
    parser.add_argument("--only", default="", help="only the parts whose name holds this text")
    options = parser.parse_args(arguments)
    if missing := list_missing():
        print(json.dumps({"bench": "gpu", "missing": missing}))
        sys.exit(f"missing: {', '.join(missing)}. Remedy: see the head of {Path(__file__).name}.")

    import torch

    if not options.tiny and not torch.cuda.is_available():
        sys.exit("there is no GPU. Remedy: --tiny rehearses without one.")
    sizes = SMALL if options.tiny else Sizes()
    bench = Bench(options.minutes, options.only)
    with tempfile.TemporaryDirectory() as name:
        run_parts(bench, sizes, Path(name))
    print(json.dumps({"bench": "gpu", "tiny": options.tiny, **bench.results}))
    return bench.results


def run_parts(bench: Bench, sizes: Sizes, folder: Path) -> None:
    bench.run("machine", describe_machine)
    bench.run("attention", lambda: measure_attention(sizes))
    held: list[Any] = []  # the model, while scoring and decoding need it
    bench.run("student", lambda: make_student(sizes, folder / "student", held))
    for way in ("varlen", "steps"):
        bench.run(f"scoring {way}", lambda way=way: measure_scoring(held, sizes, way, sizes.shots))
        bench.run(
            f"long shots {way}", lambda way=way: measure_scoring(held, sizes, way, sizes.long)
        )
    bench.run("scoring compared", lambda: compare_scoring(held, sizes))
    bench.run("decoding", lambda: measure_decoding(held, sizes))
    held.clear()
    release_memory()
    for way in ("varlen", "sdpa"):
        bench.run(f"training {way}", lambda way=way: measure_training(sizes, folder, way))
    bench.run("training compared", lambda: compare_training(bench.results))


def list_missing() -> list[str]:
    """Lists the wheels of the list that this machine lacks, or has in another version."""
    missing = []
    for line in WHEELS.read_text(encoding="utf-8").split():
        name, _, wanted = line.partition("==")
        try:
            found = version(name)
        except PackageNotFoundError:
            found = "none"
        if found == "none" or wanted not in ("", found):
            missing.append(f"{line} (here: {found})")
    return missing


def find_device() -> Any:
    import torch

    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def find_dtype() -> Any:
    import torch

    return torch.bfloat16 if torch.cuda.is_available() else torch.float32


def release_memory() -> None:
    import torch

    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()


def measure_memory() -> dict[str, float]:
    """Measures memory in GB: the peak since the part began, and what is free to other programs."""
    import torch

    if not torch.cuda.is_available():
        return {}
    free, total = torch.cuda.mem_get_info()
    peak = torch.cuda.max_memory_allocated()
    return {
        "peak_gb": round(peak / 1e9, 2),
        "free_gb": round(free / 1e9, 2),
        "of_gb": round(total / 1e9, 2),
    }


def measure_seconds(work: Callable[[], Any], count: int = 3) -> float:
    """Returns the seconds of one call, after a first one that is not counted."""
    import torch

    def wait() -> None:
        if torch.cuda.is_available():
            torch.cuda.synchronize()

    work()
    wait()
    began = time.perf_counter()
    for _ in range(count):
        work()
    wait()
    return (time.perf_counter() - began) / count


def describe_machine() -> dict[str, Any]:
    import torch

    from decoding.varlen import find_obstacle

    names = (
        "torch",
        "transformers",
        "trl",
        "datasets",
        "accelerate",
        "triton",
        "flash-attn",
        "kernels",
    )
    found = {}
    for name in names:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = None
    device = find_device()
    return {
        "python": platform.python_version(),
        "packages": found,
        "device": torch.cuda.get_device_name() if device.type == "cuda" else platform.machine(),
        "cuda": torch.version.cuda,
        "varlen": find_obstacle(device, find_dtype()) or "runs",
        **measure_memory(),
    }


def draw_documents(sizes: Sizes, total: int) -> list[int]:
    """Draws the lengths of documents that fill so many tokens: half to one and a half the mean."""
    import random

    rng, lengths = random.Random(SEED), []
    while sum(lengths) < total:
        lengths.append(rng.randint(sizes.document // 2, sizes.document * 3 // 2))
    lengths[-1] -= sum(lengths) - total
    return [length for length in lengths if length]


def measure_attention(sizes: Sizes) -> dict[str, Any]:
    """One layer over one packed row, forward and backward: dense mask, and varlen where it runs."""
    import torch
    from torch.nn.functional import scaled_dot_product_attention

    from decoding import varlen

    device, dtype, shape = find_device(), find_dtype(), sizes.shape
    heads, shared = shape["num_attention_heads"], shape["num_key_value_heads"]
    size = shape["hidden_size"] // heads
    torch.manual_seed(SEED)
    flat = [
        torch.randn(sizes.row, count, size, device=device, dtype=dtype, requires_grad=True)
        for count in (heads, shared, shared)
    ]
    lengths = draw_documents(sizes, sizes.row)
    ends = torch.tensor([0, *lengths], device=device).cumsum(0)
    owner = torch.repeat_interleave(torch.arange(len(lengths), device=device), ends.diff())
    mask = (owner[:, None] == owner[None]) & torch.ones(
        sizes.row, sizes.row, dtype=torch.bool, device=device
    ).tril()
    starts = ends.to(torch.int32)

    def attend_densely() -> Any:
        query, key, value = (part.transpose(0, 1)[None] for part in flat)
        found = scaled_dot_product_attention(query, key, value, mask, scale=0.1, enable_gqa=True)
        return found[0].transpose(0, 1)

    def attend_by_rows() -> Any:
        return varlen.attend_within_rows(
            flat[0], flat[1], flat[2], (starts, starts), (max(lengths),) * 2, 0.1, varlen.CAUSAL
        )[0]

    found: dict[str, Any] = {"dense_s": measure_seconds(lambda: attend_densely().sum().backward())}
    obstacle = varlen.find_obstacle(device, dtype)
    if obstacle:
        return found | {"varlen": obstacle}
    found["varlen_s"] = measure_seconds(lambda: attend_by_rows().sum().backward())
    found["ratio"] = found["dense_s"] / found["varlen_s"]
    with torch.no_grad():
        found["largest_difference"] = float((attend_densely() - attend_by_rows()).abs().max())
    return found | measure_memory()


def make_student(sizes: Sizes, out: Path, held: list[Any]) -> dict[str, Any]:
    """Makes the random student where it computes, and writes it as a checkpoint."""
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM

    tokenizer = make_tokenizer(sizes.shape["vocab_size"])
    config = AutoConfig.for_model(
        "granitemoehybrid",
        **sizes.shape,
        layer_types=["attention"] * sizes.shape["num_hidden_layers"],
        num_local_experts=0,
        num_experts_per_tok=0,
        position_embedding_type="rope",
        tie_word_embeddings=True,
        bos_token_id=1,
        eos_token_id=1,
        pad_token_id=0,
    )
    torch.manual_seed(SEED)
    with torch.device(find_device()):
        model = AutoModelForCausalLM.from_config(config, dtype=find_dtype()).eval()
    model.save_pretrained(out)
    tokenizer.save_pretrained(out)
    held += [model, tokenizer]
    return {"weights": sum(p.numel() for p in model.parameters()), **measure_memory()}


def make_tokenizer(size: int) -> Any:
    """A byte-level tokenizer of so many tokens, of words that no text has but the decoded one."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    letters = ["<pad>", "<end>", *sorted(pre_tokenizers.ByteLevel.alphabet())]
    words = letters + [f"\u0120word{n}" for n in range(size - len(letters))]
    raw = Tokenizer(models.BPE({word: n for n, word in enumerate(words)}, []))
    raw.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    raw.decoder = decoders.ByteLevel()
    return PreTrainedTokenizerFast(tokenizer_object=raw, eos_token="<end>", pad_token="<pad>")


def draw_tokens(sizes: Sizes, count: int, seed: int = SEED) -> Tokens:
    import torch

    random = torch.Generator().manual_seed(seed)
    return tuple(torch.randint(2, sizes.shape["vocab_size"], (count,), generator=random).tolist())


def draw_items(sizes: Sizes, count: int) -> list[Tokens]:
    return [draw_tokens(sizes, sizes.item, n + 1) for n in range(count)]


def open_packed(held: list[Any], way: str) -> Any:
    """The model over packed rows, whose attention goes that way. Raises where it cannot."""
    import decoding.attention
    from decoding.packed import PackedModel
    from decoding.varlen import find_obstacle

    if not held:
        raise RuntimeError("there is no student")
    obstacle = find_obstacle(find_device(), find_dtype())
    if way == "varlen" and obstacle:
        raise RuntimeError(obstacle)
    kept = decoding.attention._is_fused
    packed = None
    try:
        decoding.attention._is_fused = lambda query: way == "varlen"
        packed = PackedModel(held[0])
    finally:
        if packed is None:
            decoding.attention._is_fused = kept
    return packed


def score_items(packed: Any, sizes: Sizes, shots: Tokens, rows: list[Tokens]) -> Any:
    """The logits after each item, behind shots that are computed once, as the engine does it."""
    import torch

    from decoding.packed import Rows

    items = len(rows)
    with torch.inference_mode():
        prefix = packed.run_prefix(shots)
        layout = Rows([sizes.item] * items, prefix, packed.device)
        lasts = [(n + 1) * sizes.item - 1 for n in range(items)]
        return packed.forward(layout, rows, len(shots), lasts)


def measure_scoring(held: list[Any], sizes: Sizes, way: str, shots: int) -> dict[str, Any]:
    from decoding.memory import estimate_batch_tokens
    from training.flops import find_peak_flops

    packed = open_packed(held, way)
    try:
        items = max(1, min(sizes.items, estimate_batch_tokens(held[0]) // sizes.item))
        beginning, rows = draw_tokens(sizes, shots), draw_items(sizes, items)
        seconds = measure_seconds(lambda: score_items(packed, sizes, beginning, rows))
        tokens = shots + items * sizes.item
        weights = sum(p.numel() for p in held[0].parameters())
        machine = describe_machine()["device"]
        peak = find_peak_flops(machine, "bf16")
        return {
            "items": items,
            "items_per_second": items / seconds,
            "tokens_per_second": tokens / seconds,
            "mfu": 2 * weights * tokens / seconds / peak if peak else None,
            **measure_memory(),
        }
    finally:
        close_packed(packed)


def close_packed(packed: Any) -> None:
    import decoding.attention
    from decoding.varlen import find_obstacle

    packed.restore_attention()
    decoding.attention._is_fused = lambda query: find_obstacle(query.device, query.dtype) is None


def compare_scoring(held: list[Any], sizes: Sizes) -> dict[str, Any]:
    """How far the logits of the two ways differ, and how often the best token is another."""
    found = []
    for way in ("varlen", "steps"):
        packed = open_packed(held, way)
        try:
            rows = draw_items(sizes, min(64, sizes.items))
            found.append(score_items(packed, sizes, draw_tokens(sizes, sizes.shots), rows).float())
        finally:
            close_packed(packed)
    one, other = found
    return {
        "largest_difference": float((one - other).abs().max()),
        "of_spread": float((one - other).abs().max() / other.std()),
        "same_best": float((one.argmax(-1) == other.argmax(-1)).float().mean()),
    }


def measure_decoding(held: list[Any], sizes: Sizes) -> dict[str, Any]:
    """Greedy decoding behind shared shots, with a stop text to look for, as FLORES is."""
    import torch

    from decoding.greedy import decode_greedily
    from decoding.prompts import TokenPrompt
    from decoding.varlen import find_obstacle

    way = "steps" if find_obstacle(find_device(), find_dtype()) else "varlen"
    packed = open_packed(held, way)
    try:
        shared = draw_tokens(sizes, sizes.shots)
        prompts = [
            TokenPrompt(
                (*shared, *draw_tokens(sizes, sizes.item // 2, n + 1)), sizes.decoded, ("\n",)
            )
            for n in range(sizes.sequences)
        ]
        with torch.inference_mode():
            prefix = packed.run_prefix(shared)

            def decode() -> list[Any]:
                return decode_greedily(
                    packed, held[1], frozenset(), shared, prefix, prompts, sizes.sequences
                )

            done = decode()
            seconds = measure_seconds(decode, 1)
        tokens = sum(one.tokens for one in done)
        return {
            "attention": way,
            "tokens_per_second": tokens / seconds,
            "seconds_a_step": seconds / sizes.decoded,
            **measure_memory(),
        }
    finally:
        close_packed(packed)


def measure_training(sizes: Sizes, folder: Path, attention: Any) -> dict[str, Any]:
    """Some steps of `train=paper`'s rows, by the product's own trainer, and what it leaves."""
    import shutil

    from training.launch import run_training
    from training.settings import Train

    packed, out = folder / "packed", folder / f"training-{attention}"
    write_rows(sizes, packed)
    settings = Train(
        name="bench",
        steps=sizes.steps,
        batch_size=sizes.rows,
        max_length=sizes.row,
        validation=0.0,
        gradient_checkpointing=True,
        attention=attention,
        save_every=10**6,
    )
    before = measure_memory()
    try:
        facts = run_training(
            base=folder / "student",
            packed=packed,
            out=out,
            settings=settings,
            precision="bf16" if find_device().type == "cuda" else "fp32",
            seed=SEED,
        )
        lines = (out / "speed.jsonl").read_text(encoding="utf-8").splitlines()[1:]
        speed = [json.loads(line) for line in lines]  # without the first step
        tokens = sizes.rows * sizes.row * len(speed)
        seconds = sum(line["seconds"] for line in speed)
        log = [json.loads(line) for line in (out / "log.jsonl").read_text("utf-8").splitlines()]
        return {
            "tokens_per_second": tokens / seconds,
            "mfu": facts.mfu and facts.mfu * (tokens / seconds) / facts.tokens_per_second,
            "peak_gb": facts.memory_gb,
            "probe": facts.probe,
            "losses": [line["loss"] for line in log],
            "free_gb_before": before.get("free_gb"),
            "free_gb_after": measure_memory().get("free_gb"),
        }
    finally:
        shutil.rmtree(out, ignore_errors=True)


def write_rows(sizes: Sizes, packed: Path) -> None:
    """Full rows of random documents in the form that `training.prepare` writes."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    from training.prepare import TRAIN, VALIDATION

    packed.mkdir(exist_ok=True)
    numbers = pa.list_(pa.int32())
    schema = pa.schema([(name, numbers) for name in ("input_ids", "labels", "seq_lengths")])
    rows = []
    for at in range(sizes.rows * sizes.steps):
        tokens, lengths = list(draw_tokens(sizes, sizes.row, at)), draw_documents(sizes, sizes.row)
        labels, start = list(tokens), 0
        for length in lengths:
            labels[start] = -100
            start += length
        rows.append({"input_ids": tokens, "labels": labels, "seq_lengths": lengths})
    pq.write_table(pa.Table.from_pylist(rows, schema=schema), packed / TRAIN)
    pq.write_table(pa.Table.from_pylist([], schema=schema), packed / VALIDATION)


def compare_training(results: dict[str, Any]) -> dict[str, Any]:
    """The two ways beside each other: their speeds' ratio, and how far their losses differ."""
    fast, dense = results.get("training varlen", {}), results.get("training sdpa", {})
    if "losses" not in fast or "losses" not in dense:
        raise RuntimeError("one of the two ways gave no losses")
    pairs = zip(fast["losses"], dense["losses"], strict=True)
    return {
        "speed_ratio": fast["tokens_per_second"] / dense["tokens_per_second"],
        "largest_difference_of_losses": max(abs(a - b) for a, b in pairs),
    }


if __name__ == "__main__":
    if importlib.util.find_spec("core") is None:
        sys.path.insert(0, str(Path(__file__).parents[2]))
    main()
