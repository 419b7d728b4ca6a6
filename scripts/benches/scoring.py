"""The scoring engine against lm-eval's own HFLM: the same items and checkpoint, fp32, one process.

scripts/bench scoring [--items N]

Reads $KAKUGO_DATA_DIR where it is set (SIB-200 in English and Amharic, Belebele in Zulu, FLORES in
Swahili), else the embedded sets in Swahili. While it times, it compares every number.
"""

import os

# Before torch is loaded; see harness/cli.py. Both sides run under it.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import argparse
import json
import logging
import math
import tempfile
import time
from pathlib import Path
from typing import Any

from lm_eval.models.huggingface import HFLM

from harness.scoring.engine import SharedPrefixLM
from tasks.catalogue import TASKS
from tasks.data import open_data
from tasks.loading import load_task
from training.students import embedded_gguf, materialise_gguf

REAL = {
    "SIB-200 English": ("sib200", "eng_Latn"),
    "SIB-200 Amharic": ("sib200", "amh_Ethi"),
    "Belebele Zulu": ("belebele", "zul_Latn"),
    "FLORES eng-swh": ("flores_en_xx", "swh_Latn"),
}
EMBEDDED = {
    "SIB-200": ("sib200", "swh_Latn"),
    "Belebele": ("belebele", "swh_Latn"),
    "FLORES eng-swh": ("flores_en_xx", "swh_Latn"),
}


def requests(task: str, code: str, items: int) -> list[Any]:
    """The lm-eval requests of a task's first items, translations of at most 64 tokens."""
    loaded = load_task(TASKS[task], code, "Swahili", open_data(None))
    built = loaded.lm_eval_tasks(max_new_tokens=64)["tasks"][loaded.name]
    built.build_all_requests(limit=items, rank=0, world_size=1)
    return list(built.instances)


def timed(model: Any, asked: list[Any]) -> tuple[list[Any], float]:
    start = time.perf_counter()
    answers = getattr(model, asked[0].request_type)(asked, disable_tqdm=True)
    return answers, time.perf_counter() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else "")
    parser.add_argument("--items", type=int, default=24, help="items a task (default 24)")
    items = parser.parse_args().items
    logging.getLogger("lm_eval").setLevel(logging.ERROR)
    data = open_data(None).name
    results: dict[str, dict[str, Any]] = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        materialise_gguf(embedded_gguf(), folder / "student")
        theirs = HFLM(str(folder / "student"), dtype="float32", device="cpu", batch_size=8)
        ours = SharedPrefixLM(
            folder / "student", precision="fp32", batch_tokens=4096, journal=folder / "journal"
        )
        for label, (task, code) in (EMBEDDED if data == "embedded" else REAL).items():
            asked = requests(task, code, items)
            reference, hflm_s = timed(theirs, asked)
            answers, engine_s = timed(ours, asked)
            row: dict[str, Any] = {"items": items, "engine_s": engine_s, "hflm_s": hflm_s}
            row["ratio"] = hflm_s / engine_s
            if asked[0].request_type == "loglikelihood":
                pairs = list(zip(answers, reference, strict=True))
                row["largest_difference"] = max(abs(a[0] - b[0]) for a, b in pairs)
                row["same"] = row["largest_difference"] < 1e-3
            else:
                row["same_texts"] = sum(a == b for a, b in zip(answers, reference, strict=True))
                row["same"] = row["same_texts"] == len(reference)
            results[label] = row
            print(f"{label:<16} engine {engine_s:6.1f} s   HFLM {hflm_s:6.1f} s   "
                  f"{row['ratio']:.1f} times   same: {row['same']}", flush=True)  # fmt: skip
    ratio = math.exp(sum(math.log(row["ratio"]) for row in results.values()) / len(results))
    print(json.dumps({"bench": "scoring", "data": data, "tasks": results, "ratio": ratio}))


if __name__ == "__main__":
    main()
