"""Training: our packed rows against stock TRL packing, the same chats and model, fp32, one process.

scripts/bench training [--rounds N] [--rows N] [--steps N] [--length TOKENS] [--hidden SIZE]

The embedded SmolLM2-135M, or with --hidden a random Llama of that width, takes the same number of
steps on the same chats, in rows of the same length. Stock TRL packs by best fit (bfd) and leaves it
to position ids that documents do not see each other; ours isolates them by a mask that the probe
has checked. Each side runs in a process of its own, so that its peak memory is its own, and the
sides take turns. The last line is JSON: every round, and the median of the rounds' ratios.
"""

import argparse
import json
import random
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from core.output import guard_output


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--rows", type=int, default=120)
    parser.add_argument("--steps", type=int, default=8)
    parser.add_argument("--length", type=int, default=512)
    parser.add_argument(
        "--hidden", type=int, help="of a random Llama; the embedded model if left out"
    )
    parser.add_argument("--side", choices=("ours", "trl"))
    parser.add_argument("--folder", type=Path)
    options = parser.parse_args()
    if options.side:
        print(json.dumps(SIDES[options.side](options)))
        return
    with tempfile.TemporaryDirectory() as folder:
        _make_student(Path(folder), options)
        _write_chats(Path(folder) / "rows.jsonl", options.rows)
        rounds = []
        for at in range(options.rounds):
            # The side that goes first may find the machine in another state.
            sides = list(SIDES) if at % 2 == 0 else list(reversed(SIDES))
            found = {side: _run_in_process(side, folder, options) for side in sides}
            rounds.append({side: found[side] for side in SIDES})
            print(rounds[-1], flush=True)
    speed = [_compute_ratio(found, "tokens_per_second") for found in rounds]
    memory = [_compute_ratio(found, "peak_memory_gb") for found in rounds]
    ratios = {
        "speed_ratio": round(statistics.median(speed), 3),
        "memory_ratio": round(statistics.median(memory), 3),
    }
    print(json.dumps({"rounds": rounds, **ratios}))


def _run_in_process(side: str, folder: str, options: argparse.Namespace) -> dict[str, Any]:
    command = [sys.executable, "-P", __file__, "--side", side, "--folder", folder]
    for name in ("rows", "steps", "length"):
        command += [f"--{name}", str(getattr(options, name))]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return result


def _compute_ratio(found: dict[str, Any], name: str) -> float:
    return float(found["ours"][name] / found["trl"][name])


def _train_ours(options: argparse.Namespace) -> dict[str, Any]:
    from training.launch import run_training
    from training.prepare import prepare
    from training.settings import Train

    folder = options.folder
    shutil.rmtree(folder / "ours", ignore_errors=True)  # an earlier round's
    settings = Train(
        name="bench",
        steps=options.steps,
        batch_size=1,
        max_length=options.length,
        validation=0.0,
        learning_rate=1e-4,
        save_every=10**6,
    )
    student, out = folder / "student", folder / "ours"
    packed = prepare(
        base=student, rows=folder / "rows.jsonl", out=folder / "packed", data=settings.data, seed=0
    )
    facts = run_training(
        base=student,
        packed=folder / "packed",
        out=out,
        settings=settings,
        precision="fp32",
        seed=0,
    )
    lines = (out / "speed.jsonl").read_text(encoding="utf-8").splitlines()[1:]
    log = (out / "log.jsonl").read_text(encoding="utf-8").splitlines()[1:]
    tokens = sum(json.loads(line)["tokens"] for line in log)
    seconds = sum(json.loads(line)["seconds"] for line in lines)
    return _compute_figures(tokens, seconds) | {
        "fill": round(packed.fill, 4),
        "difference_of_packed_logits": facts.probe,
    }


def _train_trl(options: argparse.Namespace) -> dict[str, Any]:
    import torch
    from datasets import Dataset
    from transformers import AutoModelForCausalLM, AutoTokenizer, TrainerCallback
    from trl import SFTConfig, SFTTrainer

    student = options.folder / "student"
    rows = [json.loads(line) for line in (options.folder / "rows.jsonl").open(encoding="utf-8")]
    seconds: list[float] = []

    class Clock(TrainerCallback):
        def on_step_begin(self, *_: Any, **__: Any) -> None:
            self.began = time.perf_counter()

        def on_step_end(self, *_: Any, **__: Any) -> None:
            seconds.append(time.perf_counter() - self.began)

    trainer = SFTTrainer(
        model=AutoModelForCausalLM.from_pretrained(student, dtype=torch.float32),
        processing_class=AutoTokenizer.from_pretrained(student),
        train_dataset=Dataset.from_list([{"messages": row["messages"]} for row in rows]),
        callbacks=[Clock()],
        args=SFTConfig(
            output_dir=str(options.folder / "trl"),
            max_steps=options.steps,
            per_device_train_batch_size=1,
            learning_rate=1e-4,
            max_length=options.length,
            packing=True,
            train_sampling_strategy="sequential",  # so that the tokens of each step are known
            bf16=False,
            use_cpu=not torch.accelerator.is_available(),
            activation_checkpointing=False,
            gradient_checkpointing=None,
            report_to="none",
            save_strategy="no",
            logging_strategy="no",
            disable_tqdm=True,
            dataloader_pin_memory=False,
        ),
    )
    packed = [len(ids) for ids in trainer.train_dataset["input_ids"]]
    trainer.train()
    tokens = sum(packed[at % len(packed)] for at in range(1, options.steps))
    fill = sum(packed) / (len(packed) * options.length)
    return _compute_figures(tokens, sum(seconds[1:])) | {"fill": round(fill, 4)}


SIDES = {"ours": _train_ours, "trl": _train_trl}


def _compute_figures(tokens: float, seconds: float) -> dict[str, Any]:
    """Without the first step, in which memory is first used."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e9
    return {
        "tokens_per_second": round(tokens / seconds, 1),
        "peak_memory_gb": round(peak, 3),
    }


def _make_student(folder: Path, options: argparse.Namespace) -> None:
    import torch
    from transformers import AutoTokenizer, LlamaConfig, LlamaForCausalLM

    from training.students import find_embedded_gguf, materialise_gguf

    if options.hidden is None:
        materialise_gguf(find_embedded_gguf(), folder / "student")
        return
    materialise_gguf(find_embedded_gguf(), folder / "smollm2")
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=49152,
        hidden_size=options.hidden,
        intermediate_size=4 * options.hidden,
        num_hidden_layers=8,
        num_attention_heads=8,
        num_key_value_heads=4,
        max_position_embeddings=8192,
        tie_word_embeddings=True,
        bos_token_id=1,
        eos_token_id=2,
        pad_token_id=2,
    )
    LlamaForCausalLM(config).save_pretrained(folder / "student")
    AutoTokenizer.from_pretrained(folder / "smollm2").save_pretrained(folder / "student")


def _write_chats(path: Path, count: int) -> None:
    rng = random.Random(0)
    words = "habari ya leo ni njema sana na watu wote wanafanya kazi".split()  # noqa: SIM905
    with path.open("w", encoding="utf-8") as file:
        for _ in range(count):
            text = " ".join(rng.choices(words, k=max(4, int(rng.expovariate(1 / 60)))))
            answer = " ".join(rng.choices(words, k=max(4, int(rng.expovariate(1 / 60)))))
            messages = [
                {"role": "user", "content": text[:1200]},
                {"role": "assistant", "content": answer[:1200]},
            ]
            file.write(json.dumps({"source": "bench", "messages": messages}) + "\n")


if __name__ == "__main__":
    guard_output("scripts/bench")
    main()
