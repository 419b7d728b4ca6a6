"""A store of made-up scores in exactly the harness's form: many languages, checkpoints and tasks.

Nothing in it was measured. Languages get the paper's names, checkpoints a made-up skill; items,
passages and sentence counts are drawn at random. Prompts are short: a real file holds longer ones.
"""

import hashlib
import io
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from simulations import sentences
from store_maker import (
    ABOUT_BASE,
    cell,
    key_of,
    lines,
    measures,
    train_facts,
    write_artifact,
    write_plan,
)

from core.contract.facts import CheckpointFacts, MixedSource, MixtureFacts
from core.contract.journal import LogLine
from core.contract.manifest import About
from core.contract.names import LOG, SAMPLES, SCORES
from core.contract.record import as_json
from core.contract.samples import Choice, Translation, make_arrow_schema
from core.contract.score import Engine, ProtocolFields, ScoredData, ScoreRecord
from reports.stats.chrf import compute_chrf

ITEMS = {
    "sib200": 201,
    "belebele": 897,
    "global_mmlu": 14_039,
    "flores_xx_en": 1_009,
    "flores_en_xx": 1_009,
}
"""Scored items of the complete benchmarks."""
CHANCE = {"sib200": 100 / 7, "belebele": 25.0, "global_mmlu": 25.0}
SIGNATURE = "nrefs:1|case:mixed|eff:yes|nc:6|nw:2|space:no|version:2.6.0"


def make_synthetic_store(
    store: Path,
    languages: Sequence[Mapping[str, str]],
    checkpoints: int = 10,
    items: Mapping[str, int] = ITEMS,
) -> int:
    """Writes it and returns the number of score artifacts; `checkpoints` counts base.

    `languages` have the keys of a plan's language. The same arguments give the same bytes.
    """
    base = ("base", key_of("base"))
    write_artifact(
        store, "base", base[1], "made-up student", ABOUT_BASE, CheckpointFacts(), {}, seconds=4.0
    )
    shared = {task: _shared(task, n) for task, n in items.items()}
    count = 0
    for number, language in enumerate(languages):
        name = language["name"]
        draw = np.random.default_rng(number)
        start = draw.uniform(-1.2, 0.2)
        for place in range(checkpoints):
            producer = "base" if place == 0 else f"trained:mix{place}"
            stages = [] if place == 0 else _stages(store, name, place, draw)
            checkpoint = base if place == 0 else stages[-1]
            skill = start + (0 if place == 0 else draw.normal(0.1 * place, 0.15))
            cells = []
            for task in items:
                key = key_of("score", name, producer, task)
                cells.append(cell(name, producer, checkpoint, task, key))
                _write_score(
                    store, key, name, producer, checkpoint, task, shared[task], skill, draw
                )
                count += 1
            if place == 0:
                bases = cells
            else:
                write_plan(
                    store,
                    f"20260101-000000/{number * checkpoints + place}",
                    language,
                    [*bases, *cells],
                    [base, *stages],
                    mix=f"mix{place}",
                )
    return count


def _shared(task: str, n: int) -> dict[str, Any]:
    """The columns that all scores of a task have in common."""
    draw = np.random.default_rng(n)
    hexes = [bytes(row).hex() for row in draw.integers(0, 256, (2 * n, 32), np.uint8)]
    # Belebele asks one or two questions on a passage.
    passage = np.sort(draw.integers(0, max(1, n * 488 // 897), n)) if task == "belebele" else None
    columns: dict[str, Any] = {
        "doc": pa.array(range(n), pa.int64()),
        "doc_id": pa.array([f"{task}-{place:05d}" for place in range(n)]),
        "doc_sha256": pa.array(hexes[:n]),
        "cluster": pa.array(
            [
                f"{task}-{place:05d}" if passage is None else f"p{passage[place]}"
                for place in range(n)
            ]
        ),
        "prompt": pa.array(
            [f"Three shots.\n\nItem {place} of {task}: which?\nAnswer:" for place in range(n)]
        ),
        "prompt_sha256": pa.array(hexes[n:]),
        "prompt_tokens": pa.array(draw.integers(600, 1200, n)),
        "truncated": pa.array(np.zeros(n, bool)),
    }
    if task.startswith("flores"):
        columns["source"] = pa.array([f"Sentence {place} in its own words." for place in range(n)])
        columns["reference"] = pa.array(
            [f"Reference {place} of the sentence." for place in range(n)]
        )
        columns["reference_tokens"] = columns["source_tokens"] = pa.array(draw.integers(20, 60, n))
    else:
        columns["choices"] = pa.array([["A", "B", "C", "D"]] * n)
        columns["answer"] = pa.array(["A"] * n)
        labelled = task == "global_mmlu"
        # As many as in Global-MMLU, of which only these were looked at.
        kinds = np.where(draw.random(n) < 0.2, np.where(draw.random(n) < 0.27, "CS", "CA"), "-")
        categories = draw.choice(["Humanities", "Medical", "STEM"], n)
        for name, values in (("category", categories), ("cultural_sensitivity", kinds)):
            columns[name] = pa.array(values.tolist() if labelled else [None] * n, pa.string())
    return columns


def _write_score(
    store: Path,
    key: str,
    language: str,
    producer: str,
    checkpoint: tuple[str, str],
    task: str,
    shared: Mapping[str, Any],
    skill: float,
    draw: np.random.Generator,
) -> None:
    n = len(shared["doc"])
    columns = dict(shared)
    translated = task.startswith("flores")
    stderr: float | None = None
    if translated:
        counts = sentences(draw, n, skill)[1]
        score = float(compute_chrf(counts.sum(axis=0)))
        columns |= {
            "hypothesis": pa.array([f"Words {place} that were said." for place in range(n)]),
            "chrf": pa.array(compute_chrf(counts)),
            "chrf_statistics": pa.ListArray.from_arrays(
                pa.array(np.arange(0, 24 * n + 1, 24), pa.int32()), pa.array(counts.ravel())
            ),
            "hypothesis_tokens": shared["reference_tokens"],
            "finished": pa.array(np.ones(n, bool)),
            "language": pa.array(["eng"] * n),
            "in_language": pa.array(np.ones(n, bool)),
            "copied_source": pa.array(np.zeros(n, bool)),
            "said": pa.nulls(n, pa.string()),
        }
    else:
        correct = draw.random(n) < 0.25 + 0.7 / (1 + np.exp(-skill))
        score = 100 * float(correct.mean())
        stderr = 100 * float(correct.std(ddof=1)) / n**0.5
        columns |= {
            "logprobs": pa.array([[-0.5, -1.5, -2.0, -3.0]] * n),
            "prediction": pa.array(np.where(correct, "A", "B")),
            "correct": pa.array(correct),
        }
    schema = make_arrow_schema(Translation if translated else Choice)
    stream = io.BytesIO()
    table = pa.table({name: columns[name] for name in schema.names}).cast(schema)
    pq.write_table(table, stream, compression="zstd")
    record = ScoreRecord(
        task=task,
        lm_eval_task=f"kakugo_{task}",
        metric="chrf++" if translated else "accuracy",
        score=score,
        stderr=stderr,
        interval=None,
        signature=SIGNATURE if translated else None,
        n=n,
        chance=CHANCE.get(task),
        guessing=None,
        shots=3,
        protocol="made up",
        protocol_fields=ProtocolFields("letters", "plain", None, "english", "first", None),
        data=ScoredData(
            name="local",
            sha256=hashlib.sha256(f"{language} {task}".encode()).hexdigest(),
            split="test",
            revision=None,
            repository=None,
        ),
        engine=Engine("none", "0", "fp32", True),
        measures=measures(3.0, translated),
        warnings=(),
    )
    write_artifact(
        store,
        "score",
        key,
        f"{task} of {producer}, {language}",
        About(language=language, producer=producer, task=task),
        record,
        {SCORES: json.dumps(as_json(record)), SAMPLES: stream.getvalue()},
        inputs=[("checkpoint", *checkpoint)],
    )


def _stages(
    store: Path, language: str, place: int, draw: np.random.Generator
) -> list[tuple[str, str]]:
    mixture, train = key_of("mixture", language, str(place)), key_of("train", language, str(place))
    share = place / 10
    table = tuple(
        MixedSource(
            source=source,
            weight=part,
            available=9000,
            excluded=0,
            untrainable=0,
            rows=int(9000 * part),
            share=part,
            tokens=int(1e6 * part * place),
            token_share=part,
            characters=int(4e6 * part * place),
            fertility=2.0,
        )
        for source, part in (("topic", share), ("translated", 1 - share))
    )
    write_artifact(
        store,
        "mixture",
        mixture,
        f"mix{place}, {language}",
        About(language=language, mix=f"mix{place}"),
        MixtureFacts(9000, 0, 1_000_000 * place, "tokens", None, table),
        {},
    )
    losses = 1.5 + 2 * np.exp(-np.arange(100) / 30) + draw.normal(0, 0.02, 100)
    log = lines([LogLine(n, float(loss), 1e-4, 900, 400) for n, loss in enumerate(losses, start=1)])
    write_artifact(
        store,
        "train",
        train,
        f"trained:mix{place}, {language}",
        About(language=language, producer=f"trained:mix{place}"),
        train_facts(9000, losses.tolist(), None),
        {LOG: log},
        inputs=[("mixture", "mixture", mixture)],
        seconds=3600.0 * place,
    )
    return [("mixture", mixture), ("train", train)]
