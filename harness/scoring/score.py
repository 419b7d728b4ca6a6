"""Scores one checkpoint on one task, through lm-eval, and keeps every sample."""

import math
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.contract.names import SAMPLES, SCORES
from core.contract.record import read_record, to_text
from core.contract.samples import AnySample, Choice, Translation
from core.contract.score import (
    Engine,
    Measures,
    ProtocolFields,
    ScoredData,
    ScoreInterval,
    ScoreRecord,
)
from core.files import write_whole
from core.statistics import LEVEL, compute_wilson
from harness.errors import ScoringError
from harness.scoring.choice import EngineChoice
from harness.scoring.chrf import compute_chrf
from harness.scoring.engines import open_engine
from harness.scoring.forms import compare_forms
from harness.scoring.lm import ScoringLM, Share
from harness.scoring.measures import (
    compute_accuracy_per_byte,
    detect_language,
    is_copied,
    measure_prompts,
    measure_translations,
    warn_of_language,
    warn_of_neighbours,
)
from harness.scoring.quiet import quiet_lm_eval
from harness.scoring.samples import hash_document, hash_text, write_samples
from harness.scoring.workers import run_workers
from tasks.benchmark import Item
from tasks.loading import Loaded

# Finished batches, for a run that goes on from them.
JOURNAL = "journal"

AskedSample = Mapping[str, Any]
"""A sample as lm-eval gives it."""


@dataclass(frozen=True)
class ScoreRequest:
    """The order of a score: a checkpoint directory on a task in a language.

    `wanted` is the language that translations should be in, as `core.identify.text.is_in_language`
    takes it, and `spoken` that of the items' own texts (None: not looked at). `max_new_tokens` ends
    a translation that does not end by itself. `processes` share the items, one per GPU.
    """

    checkpoint: Path
    task: Loaded
    wanted: Mapping[str, Any]
    limit: int | None
    max_new_tokens: int | None
    engine: EngineChoice
    processes: int = 1
    spoken: Mapping[str, Any] | None = None


def score_task(
    request: ScoreRequest, out: Path, progress: Callable[[int, int, str], None]
) -> ScoreRecord:
    """Writes ``scores.json`` and ``samples.parquet`` into `out` and returns the former's content.

    What an interrupted run left in `out`, in the folder `JOURNAL`, is not computed again.
    """
    quiet_lm_eval()
    if request.processes > 1:
        run_workers(compute_share, request, out / JOURNAL, request.processes, progress)
    lm = open_engine(
        request.engine,
        request.checkpoint,
        journal=out / JOURNAL,
        on_progress=lambda done, total: progress(done, total, ""),
    )
    with closing(lm):
        result = ask_lm_eval(request, lm)
    loaded = request.task
    samples = sorted(result["samples"][loaded.name], key=lambda sample: sample["doc_id"])
    texts = [loaded.task.take_text(sample["doc"]) for sample in samples]
    warnings = [*loaded.list_warnings(request.limit), *lm.notes]
    rows: Sequence[AnySample]
    if loaded.task.chooses:
        rows, numbers = _score_accuracy(samples, lm, loaded.items)
        warnings += _warn_of_choices(rows)
        measures = measure_prompts(rows, texts, lm.count_tokens(texts))
        if loaded.task.content.cloze:
            measures["accuracy_per_byte"] = compute_accuracy_per_byte(rows)
        forms = None
    else:
        rows, numbers = _score_chrf(samples, lm, request.wanted)
        warnings += _warn_of_translations(rows) + warn_of_neighbours(rows, request.wanted)
        forms = compare_forms(
            numbers.score, [row.hypothesis for row in rows], [row.reference for row in rows]
        )
        measures = measure_prompts(rows, texts, lm.count_tokens(texts))
        measures |= measure_translations(rows) | forms.list_measures()
    _check_against_lm_eval(numbers.score, measures, result["results"][loaded.name])
    warnings += _warn_of_joins(lm)
    if request.spoken:
        warnings += warn_of_language(texts, request.spoken)
    if forms:
        warnings += forms.list_warnings()
    scores = ScoreRecord(
        task=loaded.task.name,
        lm_eval_task=loaded.name,
        metric=loaded.task.metric,
        score=numbers.score,
        stderr=numbers.stderr,
        interval=numbers.interval,
        signature=numbers.signature,
        n=len(rows),
        chance=loaded.task.chance,
        shots=loaded.task.shots,
        protocol=loaded.in_words,
        protocol_fields=ProtocolFields(**loaded.protocol.list_fields()),
        data=ScoredData(**loaded.data_facts),
        engine=read_record(Engine, lm.describe_engine()),
        left_out=loaded.left_out,
        measures=Measures(**measures, items_left_out=len(loaded.data.left_out)),
        warnings=tuple(warnings),
    )
    write_samples(out / SAMPLES, rows)
    write_whole(out / SCORES, to_text(scores))
    return scores


def compute_share(
    request: ScoreRequest, journal: Path, share: Share, progress: Callable[[int, int], None]
) -> None:
    """Computes one process's share of the batches into the journal, and no score."""
    quiet_lm_eval()
    lm = open_engine(
        request.engine, request.checkpoint, journal=journal, share=share, on_progress=progress
    )
    with closing(lm):
        ask_lm_eval(request, lm)


def ask_lm_eval(request: ScoreRequest, lm: ScoringLM) -> dict[str, Any]:
    """Returns lm-eval's result: it builds the prompts, the engine answers, lm-eval takes the
    metric."""
    from lm_eval import evaluate

    if request.task.protocol.prompt != "plain" and not lm.tokenizer.chat_template:
        raise ScoringError(
            f"evaluate.protocol.prompt={request.task.protocol.prompt}: the tokenizer of "
            f"{request.checkpoint} has no chat template. Remedy: evaluate.protocol.prompt=plain, "
            "or a checkpoint that was trained on chats."
        )
    result: dict[str, Any] = evaluate(
        lm,
        request.task.make_lm_eval_tasks(request.max_new_tokens),
        limit=request.limit,
        bootstrap_iters=0,
        **request.task.evaluate_options,
    )
    return result


@dataclass(frozen=True)
class _Numbers:
    """A score with what says how sure it is."""

    score: float
    stderr: float | None
    interval: ScoreInterval | None
    signature: str | None


def _score_accuracy(
    samples: Sequence[AskedSample], lm: ScoringLM, items: Sequence[Item]
) -> tuple[list[Choice], _Numbers]:
    """Returns rows and numbers of a multiple-choice task, accuracy in percent.

    The standard error is that of a mean of 0s and 1s with the sample variance, as lm-eval's; the
    interval is Wilson's (1927). Both take items for independent.
    """
    rows = []
    asked = {item.id: item for item in items}
    for sample in samples:
        item = asked[sample["doc"]["id"]]
        choices = list(sample["doc"]["choices"])
        logprobs = [response[0] for response in sample["filtered_resps"]]
        prediction = max(range(len(logprobs)), key=logprobs.__getitem__)
        rows.append(
            Choice(
                **_take_prompt_columns(sample, lm),
                choices=tuple(choices),
                logprobs=tuple(
                    round(value, 6) if math.isfinite(value) else None for value in logprobs
                ),
                prediction=choices[prediction],
                answer=choices[sample["target"]],
                correct=prediction == sample["target"],
                category=item.category,
                cultural_sensitivity=item.cultural_sensitivity,
            )
        )
    n, correct = len(rows), sum(row.correct for row in rows)
    mean = correct / n
    interval = compute_wilson(correct, n, LEVEL)
    assert interval is not None
    return rows, _Numbers(
        score=100 * mean,
        stderr=100 * math.sqrt(mean * (1 - mean) / (n - 1)) if n > 1 else None,
        interval=_make_interval((100 * interval.low, 100 * interval.high), "wilson"),
        signature=None,
    )


def _score_chrf(
    samples: Sequence[AskedSample], lm: ScoringLM, wanted: Mapping[str, Any]
) -> tuple[list[Translation], _Numbers]:
    """Returns rows and numbers of a translation task, chrF++ from 0 to 100.

    Outer white space is removed from hypotheses: the space between the prompt's colon and the
    translation belongs to the prompt. chrF++ does not count white space.
    """
    hypotheses = [sample["filtered_resps"][0].strip() for sample in samples]
    references = [str(sample["target"]) for sample in samples]
    sources = [str(sample["doc"]["source"]) for sample in samples]
    corpus = compute_chrf(hypotheses, references)
    tokens = zip(lm.count_tokens(sources), lm.count_tokens(references), strict=True)
    rows = []
    for place, (sample, (source_tokens, reference_tokens)) in enumerate(
        zip(samples, tokens, strict=True)
    ):
        done = lm.continuations[sample["arguments"][0][0]]
        language, in_language = detect_language(hypotheses[place], wanted)
        rows.append(
            Translation(
                **_take_prompt_columns(sample, lm),
                source=sources[place],
                hypothesis=hypotheses[place],
                reference=references[place],
                chrf=round(corpus.sentences[place], 4),
                chrf_statistics=tuple(corpus.statistics[place]),
                source_tokens=source_tokens,
                hypothesis_tokens=done.tokens,
                reference_tokens=reference_tokens,
                finished=done.finished,
                language=language,
                in_language=in_language,
                copied_source=is_copied(hypotheses[place], sources[place]),
            )
        )
    return rows, _Numbers(
        score=corpus.score,
        stderr=corpus.stderr,
        interval=_make_interval(corpus.interval, "bootstrap percentile"),
        signature=corpus.signature,
    )


def _take_prompt_columns(sample: AskedSample, lm: ScoringLM) -> dict[str, Any]:
    """Returns the columns that every task has."""
    prompt = sample["arguments"][0][0]
    doc = sample["doc"]
    return {
        "doc": sample["doc_id"],
        "doc_id": str(doc["id"]),
        "doc_sha256": hash_document(doc),
        "cluster": str(doc["cluster"]),
        "prompt": prompt,
        "prompt_sha256": hash_text(prompt),
        "prompt_tokens": lm.prompts[prompt].tokens,
        "truncated": lm.prompts[prompt].truncated,
    }


def _make_interval(bounds: tuple[float, float] | None, method: str) -> ScoreInterval | None:
    return None if bounds is None else ScoreInterval(*bounds, LEVEL, method)


_CUT = "prompts were longer than the model's context and lost their beginning"


def _warn_of_choices(rows: Sequence[Choice]) -> list[str]:
    """Tells what happened to the prompts and answers that a reader of the score should know."""
    return _write_counts(
        {
            _CUT: [row.truncated for row in rows],
            "items lack log-probabilities that the endpoint did not give": [
                None in row.logprobs for row in rows
            ],
        }
    )


def _warn_of_translations(rows: Sequence[Translation]) -> list[str]:
    """Tells what happened to the prompts and answers that a reader of the score should know."""
    return _write_counts(
        {
            _CUT: [row.truncated for row in rows],
            "translations are empty": [row.hypothesis == "" for row in rows],
            "translations did not end by themselves": [not row.finished for row in rows],
            "translations repeat their source": [row.copied_source for row in rows],
        }
    )


def _write_counts(found: Mapping[str, Sequence[bool]]) -> list[str]:
    return [f"{sum(rows)} of {len(rows)} {what}" for what, rows in found.items() if any(rows)]


def _warn_of_joins(lm: ScoringLM) -> list[str]:
    if not lm.joins:
        return []
    return [f"{lm.joins} answers begin within a token of the prompt, and were tokenised apart"]


def _check_against_lm_eval(
    score: float, measures: Mapping[str, float | None], metrics: Mapping[str, Any]
) -> None:
    """Raises an error where our score and lm-eval's own aggregate of the same samples differ."""
    theirs = metrics.get("acc,none")
    first = 100 * theirs if theirs is not None else metrics["chrf++,none"]
    pairs: list[tuple[float | None, float]] = [(score, first)]
    if "acc_bytes,none" in metrics:
        pairs.append((measures["accuracy_per_byte"], 100 * metrics["acc_bytes,none"]))
    for ours, other in pairs:
        if ours is None or abs(ours - other) > 1e-6:
            raise ScoringError(
                f"the score {ours} differs from lm-eval's {other}, which is a fault of kakugo and "
                "not yours. Remedy: report it, with the versions in the score's manifest.json."
            )
