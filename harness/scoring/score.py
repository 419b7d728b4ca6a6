"""Scores one checkpoint on one task, through lm-eval, and keeps every sample."""

from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.contract.names import SAMPLES, SCORES
from core.contract.record import read_record, to_text
from core.contract.score import Engine, Measures, ProtocolFields, ScoredData, ScoreRecord
from core.files import write_whole
from harness.errors import ScoringError
from harness.scoring.choice import EngineChoice
from harness.scoring.engines import open_engine
from harness.scoring.kinds import score_samples
from harness.scoring.lm import ScoringLM, Share
from harness.scoring.measures import measure_prompts, warn_of_language
from harness.scoring.quiet import quiet_lm_eval
from harness.scoring.samples import write_samples
from harness.scoring.workers import run_workers
from tasks.loading import Loaded

# Finished batches, for a run that goes on from them.
JOURNAL = "journal"


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
    found = score_samples(samples, lm, loaded, request.wanted)
    measures = measure_prompts(found.rows, texts, lm.count_tokens(texts)) | found.measures
    _check_against_lm_eval(found.score, measures, result["results"][loaded.name])
    warnings = [*loaded.list_warnings(request.limit), *lm.notes, *found.warnings]
    warnings += _warn_of_joins(lm)
    if request.spoken:
        warnings += warn_of_language(texts, request.spoken)
    scores = ScoreRecord(
        task=loaded.task.name,
        lm_eval_task=loaded.name,
        metric=loaded.task.metric,
        score=found.score,
        stderr=found.stderr,
        interval=found.interval,
        signature=found.signature,
        n=len(found.rows),
        chance=loaded.task.chance,
        guessing=None if loaded.guessing is None else 100 * loaded.guessing,
        shots=loaded.shots_shown,
        protocol=loaded.in_words,
        protocol_fields=ProtocolFields(**loaded.list_protocol_fields()),
        data=ScoredData(**loaded.data_facts),
        engine=read_record(Engine, lm.describe_engine()),
        left_out=loaded.left_out,
        measures=Measures(**measures, items_left_out=len(loaded.data.left_out)),
        warnings=tuple(warnings),
    )
    write_samples(out / SAMPLES, found.rows)
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


def _warn_of_joins(lm: ScoringLM) -> list[str]:
    if not lm.joins:
        return []
    return [f"{lm.joins} answers begin within a token of the prompt, and were tokenised apart"]


_THEIRS = {
    "acc": ("score", 100),
    "chrf++": ("score", 1),
    "score": ("score", 1),
    "acc_bytes": ("accuracy_per_byte", 100),
    "strict": ("strict_score", 1),
    "unread": ("unread_share", 1),
}
"""lm-eval's metrics: what we call each, and the factor that makes its number ours."""


def _check_against_lm_eval(
    score: float, measures: Mapping[str, float | None], metrics: Mapping[str, Any]
) -> None:
    """Raises an error where our numbers and lm-eval's own of the same samples differ."""
    ours = {"score": score, **measures}
    found = [name for name in _THEIRS if f"{name},none" in metrics]
    assert found, "lm-eval gives a metric that is known"
    for name in found:
        own, factor = _THEIRS[name]
        theirs = factor * metrics[f"{name},none"]
        mine = ours[own]
        if mine is None or abs(mine - theirs) > 1e-6:
            raise ScoringError(
                f"{own}: ours, {mine}, differs from lm-eval's, {theirs}, which is a fault of "
                "kakugo and not yours. Remedy: report it, with the versions in the score's "
                "manifest.json."
            )
