"""Writes a small store as the harness would: real manifests, hashes, scores and samples.

All that the harness writes as a record is one here too, so that the two cannot differ.
"""

import hashlib
import io
import json
import random
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from sacrebleu.metrics import CHRF

from core.contract.facts import (
    CheckpointFacts,
    Facts,
    MixedSource,
    MixtureFacts,
    QualityFacts,
    SourceFacts,
    StepFacts,
    TrainFacts,
)
from core.contract.journal import LogLine, SpeedLine
from core.contract.manifest import About, FileEntry, Git, Input, Manifest, TokenCounts
from core.contract.names import CARD as CARD_FILE
from core.contract.names import ERROR, LOG, MANIFEST, PLAN, RUNS, SAMPLES, SCORES, SPEED
from core.contract.plan import Checkpoint, PlannedCell, PlannedLanguage, PlannedStage, RunPlan
from core.contract.record import as_json
from core.contract.samples import (
    Choice,
    Translation,
    WrittenAnswer,
    list_columns,
    make_arrow_schema,
)
from core.contract.score import (
    Engine,
    Measures,
    ProtocolFields,
    ScoredData,
    ScoreInterval,
    ScoreRecord,
)

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


ABOUT_BASE = About(student="SmolLM2-135M-Instruct", producer="base")


def key_of(*parts: str) -> str:
    """A key as the harness makes them: 24 hex digits."""
    return hash_of(*parts)[:24]


def hash_of(*parts: str) -> str:
    """A SHA-256."""
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def write_artifact(
    store: Path,
    stage: str,
    key: str,
    label: str,
    about: About,
    facts: Facts | ScoreRecord,
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
    manifest = Manifest(
        stage=stage,
        version=1,
        key=key,
        label=label,
        config={},
        inputs=tuple(Input(name, s, k, hash_of("content", k)) for name, s, k in inputs),
        about=about,
        facts=as_json(facts),
        packages={"torch": "2.13.0", "transformers": "5.23.0"},
        git=Git("0123456789abcdef0123456789abcdef01234567", False),
        created="2026-01-01T00:00:00Z",
        seconds=seconds,
        tokens=TokenCounts(*tokens),
        cost_usd=cost_usd,
        content=hash_of("content", key),
        files={
            name: FileEntry(len(content), hashlib.sha256(content).hexdigest())
            for name, content in contents.items()
        },
    )
    (folder / MANIFEST).write_text(json.dumps(as_json(manifest)))
    return folder


def lines(rows: Sequence[LogLine | SpeedLine]) -> str:
    """JSON Lines."""
    return "".join(json.dumps(as_json(row)) + "\n" for row in rows)


def train_facts(rows: int, losses: Sequence[float], eval_loss: float | None) -> TrainFacts:
    """The facts of a training run with these losses."""
    return TrainFacts(
        steps=len(losses),
        tokens=34400,
        supervised_tokens=15210,
        loss_first=losses[0],
        loss_last=losses[-1],
        eval_loss=eval_loss,
        tokens_per_second=812.4,
        supervised_tokens_per_second=359.2,
        mfu=None,
        memory_gb=3.2,
        precision="bf16",
        attention="sdpa",
        parameters=134_515_008,
        trained_parameters=134_515_008,
        processes=1,
        probe=None,
        device="cpu",
        rows=rows,
        truncated=0,
        packs=40,
        fill=0.991,
        validation_rows=1 if eval_loss else 0,
    )


def parquet(rows: Sequence[Mapping[str, Any]]) -> bytes:
    """The rows as a Parquet file; rows that a test has damaged have the types of what they hold."""
    every = (Choice, Translation, WrittenAnswer)
    kinds = [kind for kind in every if set(list_columns(kind)) == rows[0].keys()]
    try:
        table = pa.Table.from_pylist(list(rows), make_arrow_schema(kinds[0]) if kinds else None)
    except pa.ArrowInvalid:
        table = pa.Table.from_pylist(list(rows))
    stream = io.BytesIO()
    pq.write_table(table, stream, compression="zstd")
    return stream.getvalue()


def about_item(doc: int, cluster: str | None = None) -> dict[str, Any]:
    """The columns that every sample has."""
    prompt = f"Shots.\n\nItem {doc}: which?\nAnswer:"
    return {
        "doc": doc,
        "doc_id": f"item-{doc}",
        "doc_sha256": hash_of("content", str(doc)),
        "cluster": cluster or f"item-{doc}",
        "prompt": prompt,
        "prompt_sha256": hash_of("prompt", str(doc)),
        "prompt_tokens": 900 + doc,
        "truncated": False,
    }


def choices(docs: Sequence[int], correct: Sequence[bool]) -> list[dict[str, Any]]:
    """Multiple-choice samples: answer A, or B predicted when wrong."""
    return [
        as_json(
            Choice(
                **about_item(doc),
                choices=("A", "B"),
                logprobs=(-0.5, -1.0),
                prediction="A" if right else "B",
                answer="A",
                correct=right,
                category=None,
                cultural_sensitivity=None,
            )
        )
        for doc, right in zip(docs, correct, strict=True)
    ]


def translations(
    sources: Sequence[str], hypotheses: Sequence[str], references: Sequence[str]
) -> list[dict[str, Any]]:
    """FLORES samples, with sacrebleu's sentence scores."""
    metric = CHRF(word_order=2)
    return [
        as_json(
            Translation(
                **about_item(doc),
                source=source,
                hypothesis=hypothesis,
                reference=reference,
                chrf=metric.sentence_score(hypothesis, [reference]).score,
                chrf_statistics=tuple(
                    metric._extract_corpus_statistics([hypothesis], [[reference]])[0]
                ),
                source_tokens=2 * len(source.split()),
                hypothesis_tokens=2 * len(hypothesis.split()),
                reference_tokens=2 * len(reference.split()),
                finished=True,
                language=None if doc % 7 == 0 else "eng",
                in_language=None if doc % 7 == 0 else True,
                copied_source=hypothesis == source,
                said=None,
            )
        )
        for doc, (source, hypothesis, reference) in enumerate(
            zip(sources, hypotheses, references, strict=True)
        )
    ]


def answers(right: Sequence[str], read: Sequence[str]) -> list[dict[str, Any]]:
    """Answers that were read: "" for one that could not be."""
    return [
        as_json(
            WrittenAnswer(
                **about_item(doc),
                said=f"Jawaban: {said}" if said else "embuh",
                said_tokens=4,
                finished=bool(said),
                prediction=said,
                strict=said,
                answer=answer,
                references=(answer,),
                quality=float(said == answer),
                strict_quality=float(said == answer),
                correct=said == answer,
                stratum=answer,
                category=None,
            )
        )
        for doc, (answer, said) in enumerate(zip(right, read, strict=True))
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
    n, translated = len(samples), "correct" not in samples[0]
    chance, signature, interval, stderr = None, None, None, None
    if translated:
        metric = CHRF(word_order=2)
        hypotheses = [row["hypothesis"] for row in samples]
        references = [[row["reference"] for row in samples]]
        score = metric.corpus_score(hypotheses, references).score
        signature = str(metric.get_signature())
    else:
        share = sum(row["correct"] for row in samples) / n
        score, chance = 100 * share, 25.0
        stderr = 100 * (share * (1 - share) / max(n - 1, 1)) ** 0.5
        interval = ScoreInterval(0.0, 100.0, 0.95, "made up")
    record = ScoreRecord(
        task=task,
        lm_eval_task=f"kakugo_{task}",
        metric="chrf++" if translated else "accuracy",
        score=score,
        stderr=stderr,
        interval=interval,
        signature=signature,
        n=n,
        chance=chance,
        guessing=None,
        shots=3,
        protocol="plain" if translated else "letters, plain, English instructions",
        protocol_fields=ProtocolFields("letters", "plain", None, "english", "first", None),
        data=ScoredData(
            name="embedded", sha256="ab" * 32, split="test", revision=None, repository=None
        ),
        engine=Engine("shared-prefix", "2", "fp32", True, {"batch_tokens": 2048}),
        measures=measures(2.1 if language == "Swahili" else 4.8, translated),
        warnings=(),
    )
    record = replace(record, **changes)
    return write_artifact(
        store,
        "score",
        key,
        f"{task} of {producer}, {language}",
        About(language=language, producer=producer, task=task),
        record,
        {SCORES: json.dumps(as_json(record)), SAMPLES: parquet(samples)},
        inputs=[("checkpoint", *checkpoint)],
    )


def measures(fertility: float, translated: bool) -> Measures:
    """What the harness measures beside a score."""
    every = Measures(
        items_truncated=0,
        prompt_tokens_mean=912.5,
        fertility=fertility,
        tokens_per_character=0.4,
        items_left_out=0,
    )
    if not translated:
        return every
    return replace(
        every,
        output_language_share=0.75,
        output_language_undetermined_share=0.125,
        copied_source_share=0.0,
        unfinished_share=0.0,
        empty_share=0.0,
        hypothesis_tokens_mean=30.25,
        nfc_changed_share=0.0,
        reference_nfc_changed_share=0.0,
        chrf_nfc=50.0,
        chrf_visible=50.0,
    )


def write_plan(
    store: Path,
    run: str,
    language: Mapping[str, str],
    cells: Sequence[PlannedCell],
    stages: Sequence[tuple[str, str]] = (),
    error: str | None = None,
    mix: str = "gen",
    texts: Sequence[PlannedCell] = (),
) -> Path:
    """A run's plan, and its error.txt when it failed."""
    folder = store / RUNS / run
    folder.mkdir(parents=True)
    plan = RunPlan(
        run=run.rpartition("/")[2],
        experiment="quickstart",
        command=f"kakugo language={language['name'].lower()} mix={mix}",
        language=PlannedLanguage(**language),
        student="SmolLM2-135M-Instruct",
        teacher="SmolLM2-135M-Instruct (embedded)",
        mix=mix,
        stages=tuple(PlannedStage(s, k, s) for s, k in stages),
        cells=tuple(cells),
        texts=tuple(texts),
    )
    (folder / PLAN).write_text(json.dumps(as_json(plan)))
    if error:
        (folder / ERROR).write_text(error)
    return folder


def cell(
    language: str,
    producer: str,
    checkpoint: tuple[str, str],
    task: str,
    key: str | None,
    gap: str | None = None,
) -> PlannedCell:
    """One planned cell."""
    return PlannedCell(language, producer, Checkpoint(*checkpoint), task, key, gap)


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


def source_facts(kept: int) -> SourceFacts:
    """The facts of a source of two steps that wrote so many rows."""
    lost = {"timeout": 2, "cut off": 22 - kept}
    steps = (
        StepFacts("prompts", 6, 6, 5, 24, {"no list in the answer": 1}, 2120, 1210, 0.0),
        StepFacts("responses", 24, 22, 22, kept, lost, 3000, 1000, 0.0),
    )
    quality = QualityFacts(
        rows=kept + 4,
        identifier="cld2",
        in_language=kept,
        other_language=3,
        undetermined_language=1,
        languages={"swa": kept, "eng": 3, "undetermined": 1},
        flags={"refusal": 2},
        dropped={"other_language": 3, "empty": 1},
    )
    return SourceFacts(
        rows=kept,
        steps=steps,
        tokens_input=5120,
        tokens_output=2210,
        tokens_input_new=5120,
        tokens_output_new=2210,
        cost_usd=0.0,
        calls=28,
        calls_new=30,
        quality=quality,
    )


def write_stages(store: Path, language: str, mix: str) -> list[tuple[str, str]]:
    """Two sources, a mixture and a training run; returns their stages and keys."""
    sources = []
    for name, kept in (("topic", 18), ("translated", 9)):
        key = key_of("source", language, name)
        sources.append(("source", key))
        if (store / "source" / key).exists():
            continue
        write_artifact(
            store,
            "source",
            key,
            f"{name}, {language}",
            About(language=language, source=name),
            source_facts(kept),
            {"rows.jsonl": "{}\n"},
            tokens=(5120, 2210),
            seconds=14.25,
            cost_usd=0.0,
        )
    table = (
        MixedSource(
            source="topic",
            weight=2.0,
            available=20,
            excluded=0,
            untrainable=2,
            rows=18,
            share=0.6667,
            tokens=2410,
            token_share=0.7,
            characters=4821,
            fertility=2.41,
        ),
        MixedSource(
            source="translated",
            weight=1.0,
            available=10,
            excluded=1,
            untrainable=0,
            rows=9,
            share=0.3333,
            tokens=1033,
            token_share=0.3,
            characters=2110,
            fertility=None,
        ),
    )
    mixture = key_of("mixture", language, mix)
    write_artifact(
        store,
        "mixture",
        mixture,
        f"mixture {mix}, {language}",
        About(language=language, mix=mix),
        MixtureFacts(
            rows=27,
            reasoning=0,
            tokens=3443,
            unit="tokens",
            budget=3450 if mix == "gen" else None,
            table=table,
        ),
        {"rows.jsonl": "{}\n"},
        inputs=[(line.source, *source) for line, source in zip(table, sources, strict=True)],
        seconds=0.04,
    )
    train = key_of("train", language, mix)
    losses = [4.2 * 0.93**step + 1.1 + 0.05 * (step % 3) for step in range(40)]
    tuned = train_facts(rows=26, losses=losses, eval_loss=1.52)
    log = lines(
        [
            LogLine(step, loss, 1e-4 * (1 - step / 41), 860, 380)
            for step, loss in enumerate(losses, start=1)
        ]
        + [LogLine(40, eval_loss=1.52)]
    )
    speed = lines([SpeedLine(step, 1.0, 800.0 + step, 300.0, None, 3.2) for step in range(1, 41)])
    write_artifact(
        store,
        "train",
        train,
        f"trained:{mix}, {language}",
        About(language=language, producer=f"trained:{mix}"),
        tuned,
        {LOG: log, SPEED: speed, CARD_FILE: CARD},
        inputs=[("base", "base", key_of("base")), ("mixture", "mixture", mixture)],
        seconds=93.0,
    )
    return [*sources, ("mixture", mixture), ("train", train)]


def make_store(store: Path) -> Path:
    """Two languages: Swahili with two mixtures, complete but for a damaged and a missing cell;
    Uyghur with gaps, and a second run that failed in training.
    """
    base = ("base", key_of("base"))
    write_artifact(
        store,
        "base",
        base[1],
        "SmolLM2-135M-Instruct",
        ABOUT_BASE,
        CheckpointFacts(),
        {},
        seconds=4.0,
    )
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
                changes = {"warnings": (warning,)} if task == "sib200" else {}
                write_score(store, key, "Swahili", producer, checkpoint, task, samples, **changes)
        write_plan(store, f"20260101-12000{order}", SWAHILI, cells, [base, *stages], mix=mix)
    damaged = store / "score" / key_of("score", "Swahili", "trained:topic", "belebele")
    (damaged / SCORES).write_text('{"score": 99.9}')

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
    bases = [c for c in cells if c.producer == "base"]
    write_plan(store, "20260102-090000", UYGHUR, cells, [base, *stages])
    error = "train: the loss is not finite at step 3\nTraceback (most recent call last):\n"
    write_plan(store, "20260102-100000", UYGHUR, bases + failed, [base], error, mix="topic")
    return store
