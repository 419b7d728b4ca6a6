"""The scoring engine against lm-eval's own HFLM and against the floor of its tokens, in fp32.

scripts/bench scoring [--items N] [--only TEXT] [--no-hflm] [--profile]

Reads $KAKUGO_DATA_DIR where it is set (SIB-200 in English and Amharic, 201 items; Belebele in Zulu,
120; FLORES into Swahili, 60), else the embedded sets in Swahili. While it times, it compares every
number. The floor is a plain forward pass, without head, cache or shots, over as many tokens as the
items and the shots have once each (for translations, the tokens decoded too), in batches of the
engine's size; it is timed before and after the engine, and the mean is taken. What every item must
also do is look at the shots: the floor with shots has that, too. --profile shows where the
engine's time goes beside the floor's.
"""

import os

# Before torch is loaded; see harness/cli.py. All sides run under it.
os.environ.setdefault("GOMP_SPINCOUNT", "5000")
os.environ.setdefault("TQDM_DISABLE", "1")

import argparse
import json
import logging
import math
import tempfile
import time
from pathlib import Path
from typing import Any

import torch
from lm_eval.models.huggingface import HFLM
from torch.profiler import ProfilerActivity, profile

from core.output import guard_output
from decoding.prompts import find_common_prefix
from harness.scoring.engine import SharedPrefixLM
from tasks.catalogue import TASKS
from tasks.data import open_data
from tasks.loading import load_task
from training.students import find_embedded_gguf, materialise_gguf

# Task, code and number of items.
REAL = {
    "SIB-200 English": ("sib200", "eng_Latn", 201),
    "SIB-200 Amharic": ("sib200", "amh_Ethi", 201),
    "Belebele Zulu": ("belebele", "zul_Latn", 120),
    "FLORES eng-swh": ("flores_en_xx", "swh_Latn", 60),
}
EMBEDDED = {
    "SIB-200": ("sib200", "swh_Latn", 24),
    "Belebele": ("belebele", "swh_Latn", 24),
    "FLORES eng-swh": ("flores_en_xx", "swh_Latn", 24),
}
ROW = 64  # tokens in a row of the floor's batches


def make_requests(task: str, code: str, items: int) -> list[Any]:
    """The lm-eval requests of a task's first items, translations of at most 64 tokens."""
    loaded = load_task(TASKS[task], code, "Swahili", open_data(None))
    built = loaded.make_lm_eval_tasks(max_new_tokens=64)["tasks"][loaded.name]
    built.build_all_requests(limit=items, rank=0, world_size=1)
    return list(built.instances)


def measure_time(model: Any, asked: list[Any]) -> tuple[list[Any], float]:
    start = time.perf_counter()
    answers = getattr(model, asked[0].request_type)(asked, disable_tqdm=True)
    return answers, time.perf_counter() - start


@torch.inference_mode()
def measure_floor(model: Any, tokens: int, budget: int) -> float:
    """Seconds of a plain forward pass over so many tokens in batches of `budget`."""
    rows = torch.randint(100, 40000, (budget // ROW, ROW), generator=torch.Generator())
    start = time.perf_counter()
    for _ in range(tokens // budget):
        model.model(rows, use_cache=False)
    rest = tokens % budget // ROW
    if rest:
        model.model(rows[:rest], use_cache=False)
    return (time.perf_counter() - start) * tokens / (tokens - tokens % budget + rest * ROW)


@torch.inference_mode()
def measure_attention(model: Any, tokens: int, shots: int, budget: int) -> float:
    """Seconds of every layer's attention of so many tokens over the keys of the shots."""
    config = model.config
    size = config.hidden_size // config.num_attention_heads
    query = torch.randn(1, config.num_attention_heads, budget, size)
    keys = torch.randn(1, config.num_attention_heads, shots, size)
    start = time.perf_counter()
    for _ in range(config.num_hidden_layers):
        torch.nn.functional.scaled_dot_product_attention(query, keys, keys)
    return (time.perf_counter() - start) * tokens / budget


def count_unique_tokens(lm: SharedPrefixLM, asked: list[Any]) -> tuple[int, int]:
    """Tokens of the shots, and of all items without them; letters have no tails."""
    texts = list(dict.fromkeys(request.args[0] for request in asked))
    contexts = [tuple(lm.tok_encode(text)) for text in texts]
    shared = len(find_common_prefix(contexts))
    return shared, sum(len(context) - shared for context in contexts)


def print_shares(what: str, work: Any) -> None:
    """Prints which operations the time goes to."""
    with profile(activities=[ProfilerActivity.CPU]) as found:
        work()
    events = sorted(found.key_averages(), key=lambda event: -event.self_cpu_time_total)
    total = sum(event.self_cpu_time_total for event in events)
    lines = [f"{event.key} {event.self_cpu_time_total / total:.1%}" for event in events[:8]]
    print(f"  {what} ({total / 1e6:.1f} s of operations): {', '.join(lines)}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else "")
    parser.add_argument("--items", type=int, default=10**6, help="at most so many items a task")
    parser.add_argument("--only", default="", help="only the tasks whose name holds this text")
    parser.add_argument("--no-hflm", action="store_true", help="only the engine and the floor")
    parser.add_argument("--profile", action="store_true", help="show where the time goes")
    options = parser.parse_args()
    logging.getLogger("lm_eval").setLevel(logging.ERROR)
    data = open_data(None).name
    results: dict[str, dict[str, Any]] = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        materialise_gguf(find_embedded_gguf(), folder / "student")

        def engine(journal: str) -> SharedPrefixLM:
            lm = SharedPrefixLM(folder / "student", precision="fp32", journal=folder / journal)
            lm.shares  # noqa: B018  # loads the model
            return lm

        theirs = None
        if not options.no_hflm:
            theirs = HFLM(str(folder / "student"), dtype="float32", device="cpu", batch_size=8)
        plain = engine("plain").model
        plain.set_attn_implementation("sdpa")
        for label, (task, code, count) in (EMBEDDED if data == "embedded" else REAL).items():
            if options.only not in label:
                continue
            asked = make_requests(task, code, min(count, options.items))
            lm = engine(f"{task}-{code}")
            shots, own = count_unique_tokens(lm, asked)
            tokens = shots + own
            measure_floor(plain, lm.batch_tokens, lm.batch_tokens)  # warm
            before = measure_floor(plain, tokens, lm.batch_tokens)
            answers, engine_s = measure_time(lm, asked)
            tokens_s = (before + measure_floor(plain, tokens, lm.batch_tokens)) / 2
            decoded = sum(done.tokens for done in lm.continuations.values())
            floor_s = tokens_s * (tokens + decoded) / tokens
            shots_s = measure_attention(plain, own + decoded, shots, lm.batch_tokens)
            row: dict[str, Any] = {
                "items": min(count, options.items),
                "tokens": tokens + decoded,
                "engine_s": engine_s,
                "floor_s": floor_s,
                "share_of_floor": floor_s / engine_s,
                "floor_with_shots_s": floor_s + shots_s,
                "share_of_floor_with_shots": (floor_s + shots_s) / engine_s,
            }
            said = f"{label:<16} engine {engine_s:6.1f} s   floor {floor_s:6.1f} s"
            said += f", with shots {floor_s + shots_s:6.1f} s"
            if theirs:
                reference, row["hflm_s"] = measure_time(theirs, asked)
                row["ratio"] = row["hflm_s"] / engine_s
                if asked[0].request_type == "loglikelihood":
                    pairs = list(zip(answers, reference, strict=True))
                    row["largest_difference"] = max(abs(a[0] - b[0]) for a, b in pairs)
                    row["same"] = row["largest_difference"] < 1e-3
                else:
                    pairs = list(zip(answers, reference, strict=True))
                    row["same_texts"] = sum(a == b for a, b in pairs)
                    row["same"] = row["same_texts"] == len(reference)
                said += f"   HFLM {row['hflm_s']:6.1f} s   {row['ratio']:.1f} times"
                said += f"   same: {row['same']}"
            results[label] = row
            print(said, flush=True)
            if options.profile:
                again = engine(f"{task}-{code}-profile")
                print_shares("engine", lambda again=again, asked=asked: measure_time(again, asked))
                budget = lm.batch_tokens
                print_shares(
                    "floor",
                    lambda tokens=tokens, budget=budget: measure_floor(plain, tokens, budget),
                )
    ratios = [row["ratio"] for row in results.values() if "ratio" in row]
    ratio = math.exp(sum(map(math.log, ratios)) / len(ratios)) if ratios else None
    print(json.dumps({"bench": "scoring", "data": data, "tasks": results, "ratio": ratio}))


if __name__ == "__main__":
    guard_output("scripts/bench")
    main()
