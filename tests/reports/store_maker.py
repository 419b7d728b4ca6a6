"""Writes a small store as the harness would: real manifests, hashes, scores and samples."""

import hashlib
import io
import json
import random
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from sacrebleu.metrics import CHRF

SWAHILI = {
    "name": "Swahili",
    "autonym": "Kiswahili",
    "direction": "ltr",
    "flores_code": "swh_Latn",
    "script": "Latin",
}
UYGHUR = {
    "name": "Uyghur",
    "autonym": "ئۇيغۇرچە",
    "direction": "rtl",
    "flores_code": "uig_Arab",
    "script": "Arabic",
}
SCRIPT = "<script>alert('hypothesis')</script>"
TASKS = ("sib200", "belebele", "global_mmlu", "flores_xx_en", "flores_en_xx")
SENTENCES = {
    "en": "The river rises every spring and the fields beside it stay under water for {} days.",
    "Swahili": "Mto hujaa kila masika na mashamba yaliyo kando yake hukaa chini ya maji siku {}.",
    "Uyghur": "دەريا ھەر باھاردا تاشىدۇ، يېنىدىكى ئېتىزلار {} كۈن سۇ ئاستىدا قالىدۇ.",
}


CARD = "---\nlanguage: sw\n---\n\n# SmolLM2 for Swahili\n\n## Scores\n\nSee the report.\n"


def key_of(*parts: str) -> str:
    """A key as the harness makes them: 64 hex digits."""
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def write_artifact(
    store: Path,
    stage: str,
    key: str,
    label: str,
    about: Mapping[str, str],
    facts: Mapping[str, Any],
    files: Mapping[str, str | bytes],
    inputs: Sequence[tuple[str, str, str]] = (),
    tokens: tuple[int, int] = (0, 0),
    seconds: float = 1.5,
    cost_usd: float | None = None,
) -> Path:
    """One finished artifact with its manifest."""
    folder = store / stage / key
    folder.mkdir(parents=True)
    contents = {name: c.encode() if isinstance(c, str) else c for name, c in files.items()}
    for name, content in contents.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(content)
    manifest = {
        "stage": stage,
        "version": 1,
        "key": key,
        "label": label,
        "config": {},
        "inputs": [{"name": name, "stage": s, "key": k} for name, s, k in inputs],
        "about": about,
        "facts": facts,
        "packages": {"torch": "2.13.0", "transformers": "5.23.0"},
        "git": {"commit": "0123456789abcdef0123456789abcdef01234567", "dirty": False},
        "created": "2026-01-01T00:00:00Z",
        "seconds": seconds,
        "tokens": {"input": tokens[0], "output": tokens[1]},
        "cost_usd": cost_usd,
        "files": {
            name: {
                "bytes": len(content),
                "sha256": hashlib.sha256(content).hexdigest(),
            }
            for name, content in contents.items()
        },
    }
    (folder / "manifest.json").write_text(json.dumps(manifest))
    return folder


def lines(rows: Sequence[Mapping[str, Any]]) -> str:
    """JSON Lines."""
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


def parquet(rows: Sequence[Mapping[str, Any]]) -> bytes:
    """The rows as a Parquet file."""
    stream = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(list(rows)), stream, compression="zstd")
    return stream.getvalue()


def about_item(doc: int, cluster: str | None = None) -> dict[str, Any]:
    """The columns that every sample has."""
    prompt = f"Shots.\n\nItem {doc}: which?\nAnswer:"
    return {
        "doc": doc,
        "doc_id": f"item-{doc}",
        "doc_sha256": key_of("content", str(doc)),
        "cluster": cluster or f"item-{doc}",
        "prompt": prompt,
        "prompt_sha256": key_of("prompt", str(doc)),
        "prompt_tokens": 900 + doc,
        "truncated": False,
    }


def choices(docs: Sequence[int], correct: Sequence[bool]) -> list[dict[str, Any]]:
    """Multiple-choice samples: answer A, or B predicted when wrong."""
    return [
        about_item(doc)
        | {
            "choices": ["A", "B"],
            "logprobs": [-0.5, -1.0],
            "prediction": "A" if right else "B",
            "answer": "A",
            "correct": right,
        }
        for doc, right in zip(docs, correct, strict=True)
    ]


def translations(
    sources: Sequence[str], hypotheses: Sequence[str], references: Sequence[str]
) -> list[dict[str, Any]]:
    """FLORES samples, with sacrebleu's sentence scores."""
    metric = CHRF(word_order=2)
    return [
        about_item(doc)
        | {
            "source": source,
            "hypothesis": hypothesis,
            "reference": reference,
            "chrf": metric.sentence_score(hypothesis, [reference]).score,
            "chrf_statistics": metric._extract_corpus_statistics([hypothesis], [[reference]])[0],
            "source_tokens": 2 * len(source.split()),
            "hypothesis_tokens": 2 * len(hypothesis.split()),
            "reference_tokens": 2 * len(reference.split()),
            "finished": True,
            "language": None if doc % 7 == 0 else "eng_Latn",
            "copied_source": hypothesis == source,
        }
        for doc, (source, hypothesis, reference) in enumerate(
            zip(sources, hypotheses, references, strict=True)
        )
    ]


def write_score(
    store: Path,
    key: str,
    language: str,
    producer: str,
    checkpoint: tuple[str, str],
    task: str,
    samples: Sequence[Mapping[str, Any]],
    **changes: Any,
) -> Path:
    """A score artifact whose score is computed from its samples."""
    n = len(samples)
    if "correct" in samples[0]:
        share = sum(row["correct"] for row in samples) / n
        measured = {
            "metric": "accuracy",
            "score": 100 * share,
            "stderr": 100 * (share * (1 - share) / max(n - 1, 1)) ** 0.5,
            "interval": {"low": 0.0, "high": 100.0, "level": 0.95, "method": "made up"},
            "chance": 25.0,
            "signature": None,
        }
    else:
        metric = CHRF(word_order=2)
        hypotheses = [row["hypothesis"] for row in samples]
        references = [[row["reference"] for row in samples]]
        measured = {
            "metric": "chrf++",
            "score": metric.corpus_score(hypotheses, references).score,
            "stderr": None,
            "interval": None,
            "chance": None,
            "signature": str(metric.get_signature()),
        }
    content = {
        "task": task,
        "lm_eval_task": f"kakugo_{task}",
        **measured,
        "n": n,
        "shots": 3,
        "protocol": "letters, plain, English instructions" if "correct" in samples[0] else "plain",
        "protocol_fields": {
            "answers": "letters",
            "prompt": "plain",
            "system_prompt": None,
            "instructions": "english",
            "shots": "first",
        },
        "data": {
            "name": "embedded",
            "sha256": "ab" * 32,
            "split": "test",
            "revision": None,
            "repository": None,
        },
        "engine": {
            "name": "shared-prefix",
            "version": 2,
            "precision": "fp32",
            "shares_prefix": True,
            "batch_tokens": 2048,
        },
        "measures": {
            "items_truncated": 0,
            "prompt_tokens_mean": 912.5,
            "fertility": 2.1 if language == "Swahili" else 4.8,
            "tokens_per_character": 0.4,
        }
        | (
            {}
            if "correct" in samples[0]
            else {
                "output_language_share": 0.75,
                "output_language_undetermined_share": 0.125,
                "copied_source_share": 0.0,
                "unfinished_share": 0.0,
                "empty_share": 0.0,
                "hypothesis_tokens_mean": 30.25,
            }
        ),
        "warnings": [],
    } | changes
    return write_artifact(
        store,
        "score",
        key,
        f"{task} of {producer}, {language}",
        {"language": language, "producer": producer, "task": task},
        content,
        {"scores.json": json.dumps(content), "samples.parquet": parquet(samples)},
        inputs=[("checkpoint", *checkpoint)],
    )


def write_plan(
    store: Path,
    run: str,
    language: Mapping[str, str],
    cells: Sequence[Mapping[str, Any]],
    stages: Sequence[tuple[str, str]] = (),
    error: str | None = None,
    mix: str = "gen",
) -> Path:
    """A run's plan, and its error.txt when it failed."""
    folder = store / "runs" / run
    folder.mkdir(parents=True)
    plan = {
        "run": run.rpartition("/")[2],
        "experiment": "quickstart",
        "command": f"kakugo language={language['name'].lower()} mix={mix}",
        "language": language,
        "student": "SmolLM2-135M-Instruct",
        "teacher": "SmolLM2-135M-Instruct (embedded)",
        "mix": mix,
        "stages": [{"stage": s, "key": k, "label": s} for s, k in stages],
        "cells": cells,
    }
    (folder / "plan.json").write_text(json.dumps(plan))
    if error:
        (folder / "error.txt").write_text(error)
    return folder


def cell(
    language: str,
    producer: str,
    checkpoint: tuple[str, str],
    task: str,
    key: str | None,
    gap: str | None = None,
) -> dict[str, Any]:
    """One planned cell."""
    stage, checkpoint_key = checkpoint
    return {
        "language": language,
        "producer": producer,
        "checkpoint": {"stage": stage, "key": checkpoint_key},
        "task": task,
        "key": key,
        "gap": gap,
    }


def task_samples(language: str, task: str, skill: float, seed: int) -> list[dict[str, Any]]:
    """Plausible samples: each item is right, or each word kept, with probability `skill`."""
    draw = random.Random(f"{language} {task} {seed}")
    if not task.startswith("flores"):
        n = {"sib200": 48, "belebele": 40, "global_mmlu": 32}[task]
        return choices(range(3, n + 3), [draw.random() < skill for _ in range(n)])
    target, origin = ("en", language) if task == "flores_xx_en" else (language, "en")
    sources = [SENTENCES[origin].format(day) for day in range(2, 26)]
    references = [SENTENCES[target].format(day) for day in range(2, 26)]
    hypotheses = [
        " ".join(word if draw.random() < skill else "na" for word in reference.split())
        for reference in references
    ]
    return translations(sources, hypotheses, references)


def write_stages(store: Path, language: str, mix: str) -> list[tuple[str, str]]:
    """Two sources, a mixture and a training run; returns their stages and keys."""
    sources = []
    for name, kept in (("topic", 18), ("translated", 9)):
        key = key_of("source", language, name)
        sources.append(("source", key))
        if (store / "source" / key).exists():
            continue
        steps = [
            {
                "step": "prompts",
                "asked": 6,
                "answered": 6,
                "parsed": 5,
                "kept": 24,
                "reasons": {"no list in the answer": 1},
            },
            {
                "step": "responses",
                "asked": 24,
                "answered": 22,
                "parsed": 22,
                "kept": kept,
                "reasons": {"timeout": 2, "cut off": 22 - kept},
            },
        ]
        quality = {
            "rows": kept + 4,
            "in_language": kept,
            "other_language": 3,
            "undetermined_language": 1,
            "flags": {"refusal": 2},
            "dropped": {"other_language": 3, "empty": 1},
        }
        facts = {"rows": kept, "steps": steps, "tokens_input": 5120, "tokens_output": 2210}
        facts |= {"quality": quality, "contamination": {"flores": 1}}
        write_artifact(
            store,
            "source",
            key,
            f"{name}, {language}",
            {"language": language, "source": name},
            facts,
            {"rows.jsonl": "{}\n"},
            tokens=(5120, 2210),
            seconds=14.25,
            cost_usd=0.0,
        )
    table = [
        {
            "source": "topic",
            "weight": 2.0,
            "available": 20,
            "rows": 18,
            "share": 0.6667,
            "tokens": 2410,
            "token_share": 0.7,
            "fertility": 2.41,
            "excluded": 0,
            "untrainable": 2,
            "characters": 4821,
        },
        {
            "source": "translated",
            "weight": 1.0,
            "available": 10,
            "rows": 9,
            "share": 0.3333,
            "tokens": 1033,
            "token_share": 0.3,
            "fertility": None,
            "excluded": 1,
            "untrainable": 0,
            "characters": 2110,
        },
    ]
    mixture = key_of("mixture", language, mix)
    write_artifact(
        store,
        "mixture",
        mixture,
        f"mixture {mix}, {language}",
        {"language": language, "mix": mix},
        {"rows": 27, "table": table, "unit": "tokens", "budget": 3450 if mix == "gen" else None},
        {"rows.jsonl": "{}\n"},
        seconds=0.04,
    )
    train = key_of("train", language, mix)
    losses = [4.2 * 0.93**step + 1.1 + 0.05 * (step % 3) for step in range(40)]
    facts = {
        "rows": 26,
        "dropped": 1,
        "steps": 40,
        "loss_first": losses[0],
        "loss_last": losses[-1],
        "tokens_per_second": 812.4,
        "eval_loss": 1.52,
        "fill": 0.991,
        "mfu": None,
        "memory_gb": 3.2,
        "supervised_tokens": 15210,
        "precision": "bf16",
    }
    log = lines(
        [
            {"step": step, "loss": loss, "learning_rate": 1e-4 * (1 - step / 41)}
            for step, loss in enumerate(losses, start=1)
        ]
        + [{"step": 40, "eval_loss": 1.52}]
    )
    speed = lines([{"step": step, "tokens_per_second": 800.0 + step} for step in range(1, 41)])
    write_artifact(
        store,
        "train",
        train,
        f"trained:{mix}, {language}",
        {"language": language, "producer": f"trained:{mix}"},
        facts,
        {"log.jsonl": log, "speed.jsonl": speed, "checkpoint/README.md": CARD},
        inputs=[("mixture", "mixture", mixture)],
        seconds=93.0,
    )
    return [*sources, ("mixture", mixture), ("train", train)]


def make_store(store: Path) -> Path:
    """Two languages: Swahili with two mixtures, complete but for a damaged and a missing cell;
    Uyghur with gaps, and a second run that failed in training.
    """
    base = ("base", key_of("base"))
    write_artifact(store, "base", base[1], "SmolLM2-135M-Instruct", {}, {}, {}, seconds=4.0)
    warning = "the 3 examples share one label (science/technology)"
    for order, (mix, skill) in enumerate((("gen", 0.55), ("topic", 0.45))):
        stages = write_stages(store, "Swahili", mix)
        cells = []
        for producer, checkpoint, ability, seed in (
            ("base", base, 0.3, 1),
            (f"trained:{mix}", stages[-1], skill, 2 + order),
        ):
            for task in TASKS:
                key = key_of("score", "Swahili", producer, task)
                cells.append(cell("Swahili", producer, checkpoint, task, key))
                missing = (mix, task, producer) == ("topic", "global_mmlu", "trained:topic")
                if missing or (store / "score" / key).exists():
                    continue
                samples = task_samples("Swahili", task, ability, seed)
                if (producer, task) == ("trained:gen", "flores_xx_en"):
                    first = samples[0]
                    samples[0] = (
                        first | translations([first["source"]], [SCRIPT], [first["reference"]])[0]
                    )
                changes = {"warnings": [warning]} if task == "sib200" else {}
                write_score(store, key, "Swahili", producer, checkpoint, task, samples, **changes)
        write_plan(store, f"20260101-12000{order}", SWAHILI, cells, [base, *stages], mix=mix)
    damaged = store / "score" / key_of("score", "Swahili", "trained:topic", "belebele")
    (damaged / "scores.json").write_text('{"score": 99.9}')

    stages = write_stages(store, "Uyghur", "gen")
    cells, failed = [], []
    for task in TASKS:
        lacks = {"belebele": "Belebele does not cover Uyghur.", "global_mmlu": "Not in its list."}
        for producer, checkpoint, ability, seed in (
            ("base", base, 0.25, 5),
            ("trained:gen", stages[-1], 0.5, 6),
        ):
            key = None if task in lacks else key_of("score", "Uyghur", producer, task)
            cells.append(cell("Uyghur", producer, checkpoint, task, key, lacks.get(task)))
            if key:
                samples = task_samples("Uyghur", task, ability, seed)
                write_score(store, key, "Uyghur", producer, checkpoint, task, samples)
        lost = ("train", key_of("train", "Uyghur", "topic"))
        key = None if task in lacks else key_of("score", "Uyghur", "trained:topic", task)
        failed.append(cell("Uyghur", "trained:topic", lost, task, key, lacks.get(task)))
    bases = [c for c in cells if c["producer"] == "base"]
    write_plan(store, "20260102-090000", UYGHUR, cells, [base, *stages])
    error = "train: the loss is not finite at step 3\nTraceback (most recent call last):\n"
    write_plan(store, "20260102-100000", UYGHUR, bases + failed, [base], error, mix="topic")
    return store
