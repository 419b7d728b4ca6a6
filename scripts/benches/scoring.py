"""The scoring engine against lm-eval's own HFLM and against the floor of its tokens, in fp32.

scripts/bench scoring [--items N] [--only TEXT] [--no-hflm] [--profile]

Reads $KAKUGO_DATA_DIR where it is set (SIB-200 in English and Amharic, 201 items; Belebele in Zulu,
120; FLORES into Swahili, 60; a set of each family of the wider benchmarks, 24 to 100), else the
embedded sets in Swahili. Of MultiBLiMP, Global PIQA, AfriMMLU and TUMLU it makes sets up, out of
FLORES's sentences. While it times, it compares every number; of answers that are written and read,
HFLM is asked as stock lm-eval asks it, and goes on where the engine has an answer already: there
the beginnings are compared. The floor is a plain forward pass, without head, cache or shots, over
as many tokens as the items and the shots have once each (for translations, the tokens decoded too),
in batches of the engine's size; it is timed before and after the engine, and the mean is taken.
What every item must also do is look at the shots: the floor with shots has that, too. --profile
shows where the engine's time goes beside the floor's.
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
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import torch
from lm_eval.models.huggingface import HFLM
from torch.profiler import ProfilerActivity, profile

from core.output import guard_output
from decoding.prompts import find_common_prefix
from harness.scoring.engine import SharedPrefixLM
from tasks.catalogue import TASKS
from tasks.data import BenchmarkData, open_data
from tasks.loading import Loaded, load_task
from tasks.protocol import Protocol
from training.students import find_embedded_gguf, materialise_gguf


@dataclass(frozen=True)
class Measured:
    """A task that is measured. `made`: its set is made up here."""

    task: str
    code: str
    items: int
    made: bool = False
    prompt: Literal["plain", "chat-message"] = "plain"


REAL = {
    "SIB-200 English": Measured("sib200", "eng_Latn", 201),
    "SIB-200 Amharic": Measured("sib200", "amh_Ethi", 201),
    "Belebele Zulu": Measured("belebele", "zul_Latn", 120),
    "FLORES eng-swh": Measured("flores_en_xx", "swh_Latn", 60),
    "XCOPA Haitian": Measured("xcopa", "ht", 100),
    "GATITOS Faroese": Measured("gatitos", "fo", 48),
    "SEA-HELM sentiment": Measured("seahelm_sentiment", "jv", 24),
    "SEA-HELM metaphor": Measured("seahelm_metaphor", "jv", 24),
    "SEA-HELM chat": Measured("seahelm_sentiment", "jv", 24, prompt="chat-message"),
    "SEA-HELM NusaX": Measured("seahelm_nusax_id_xx", "jv", 24),
    "MultiBLiMP made-up": Measured("multiblimp", "eng", 100, made=True),
    "Global PIQA made-up": Measured("global_piqa", "eng_latn", 100, made=True),
    "AfriMMLU made-up": Measured("afrimmlu", "swa", 60, made=True),
    "TUMLU made-up": Measured("tumlu", "tatar", 60, made=True),
}
EMBEDDED = {
    "SIB-200": Measured("sib200", "swh_Latn", 24),
    "Belebele": Measured("belebele", "swh_Latn", 24),
    "FLORES eng-swh": Measured("flores_en_xx", "swh_Latn", 24),
    "MultiBLiMP made-up": Measured("multiblimp", "eng", 24, made=True),
    "Global PIQA made-up": Measured("global_piqa", "eng_latn", 24, made=True),
    "AfriMMLU made-up": Measured("afrimmlu", "swa", 20, made=True),
    "TUMLU made-up": Measured("tumlu", "tatar", 20, made=True),
}
ROW = 64  # tokens in a row of the floor's batches


def make_sets(folder: Path) -> None:
    """Writes sets of the wider benchmarks, whose texts are FLORES's sentences in Swahili."""
    flores = load_task(TASKS["flores_en_xx"], "swh_Latn", "Swahili", open_data(None))
    texts = [item.target for item in flores.items][:120]
    rows: dict[str, list[dict[str, Any]]] = {
        name: [] for name in ("multiblimp/eng", "global_piqa/eng_latn", "afrimmlu/swa")
    }
    for place, text in enumerate(texts):
        words = text.split()
        half = max(1, len(words) // 2)
        wrong = " ".join([*words[:half], words[half - 1], *words[half:]])
        rows["multiblimp/eng"].append({"sen": text, "wrong_sen": wrong})
        ends = [" ".join(one.split()[-half:]) for one in (text, texts[place - 1])]
        ending = {"prompt": " ".join(words[:half]), "solution0": ends[0], "solution1": ends[1]}
        rows["global_piqa/eng_latn"].append({**ending, "label": 0})
        answers = [" ".join(texts[place - way].split()[:6]) for way in range(4)]
        asked = {"subject": "all", "question": text, "answer": "A", "choices": answers}
        rows["afrimmlu/swa"].append(asked)
    rows["tumlu/tatar"] = rows["afrimmlu/swa"]
    for name, own in rows.items():
        path = folder / f"{name}.jsonl"
        path.parent.mkdir(exist_ok=True)
        path.write_text("".join(json.dumps(row) + "\n" for row in own), encoding="utf-8")


def load_measured(measured: Measured, data: BenchmarkData) -> Loaded:
    protocol = Protocol(prompt=measured.prompt)
    return load_task(TASKS[measured.task], measured.code, "Swahili", data, protocol)


def make_requests(loaded: Loaded, items: int, lm: SharedPrefixLM) -> list[Any]:
    """Makes the lm-eval requests of a task's first items, translations of at most 64 tokens."""
    built = loaded.make_lm_eval_tasks(max_new_tokens=64)["tasks"][loaded.name]
    chat = loaded.protocol.prompt != "plain"
    built.build_all_requests(
        limit=items,
        rank=0,
        world_size=1,
        apply_chat_template=chat,
        chat_template=lm.apply_chat_template if chat else None,
    )
    return list(built.instances)


def make_stock_requests(asked: list[Any]) -> list[Any]:
    """Makes the requests that stock lm-eval makes, which knows nothing of where an answer ends."""
    own = asked[0].args[1]
    if not (isinstance(own, dict) and "after" in own):
        return asked
    settings = {**{name: value for name, value in own.items() if name != "after"}, "until": []}
    return [replace(one, arguments=(one.args[0], dict(settings))) for one in asked]


def is_beginning(mine: str, theirs: str) -> bool:
    """Says whether two texts are the same up to where the shorter ends, or to 200 characters: of
    hundreds of tokens some are as likely as others, and rounding chooses."""
    return theirs.startswith(mine[:200]) or mine.startswith(theirs[:200])


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
    rest = max(tokens % budget // ROW, tokens < budget)
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
    """Tokens of the shots, and of all items without them, answers' texts but their last token
    included: a letter is one token."""
    texts = list(dict.fromkeys(request.args[0] for request in asked))
    contexts = [tuple(lm.tok_encode(text)) for text in texts]
    shared = len(find_common_prefix(contexts))
    tails = 0
    if asked[0].request_type == "loglikelihood":
        tails = sum(len(lm.tok_encode(request.args[1])) - 1 for request in asked)
    return shared, sum(len(context) - shared for context in contexts) + tails


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
        made = folder / "made"
        made.mkdir()
        make_sets(made)
        for label, measured in (EMBEDDED if data == "embedded" else REAL).items():
            if options.only not in label:
                continue
            count = min(measured.items, options.items)
            lm = engine(label)
            given = open_data(str(made) if measured.made else None)
            asked = make_requests(load_measured(measured, given), count, lm)
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
                "items": count,
                "tokens": tokens + decoded,
                "engine_s": engine_s,
                "floor_s": floor_s,
                "share_of_floor": floor_s / engine_s,
                "floor_with_shots_s": floor_s + shots_s,
                "share_of_floor_with_shots": (floor_s + shots_s) / engine_s,
            }
            said = f"{label:<19} engine {engine_s:6.1f} s   floor {floor_s:6.1f} s"
            said += f", with shots {floor_s + shots_s:6.1f} s"
            if theirs:
                stock = make_stock_requests(asked)
                reference, row["hflm_s"] = measure_time(theirs, stock)
                row["ratio"] = row["hflm_s"] / engine_s
                if asked[0].request_type == "loglikelihood":
                    pairs = list(zip(answers, reference, strict=True))
                    row["largest_difference"] = max(abs(a[0] - b[0]) for a, b in pairs)
                    row["same"] = row["largest_difference"] < 1e-3
                else:
                    pairs = list(zip(answers, reference, strict=True))
                    alike = str.__eq__ if stock is asked else is_beginning
                    row["same_texts"] = sum(alike(a, b) for a, b in pairs)
                    row["same"] = row["same_texts"] == len(reference)
                said += f"   HFLM {row['hflm_s']:6.1f} s   {row['ratio']:.1f} times"
                said += f"   same: {row['same']}"
            results[label] = row
            print(said, flush=True)
            if options.profile:
                again = engine(f"{label}-profile")
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
