"""Scores one checkpoint on one task, through lm-eval, and keeps every sample."""

import json
import logging
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from harness.errors import ScoringError
from harness.scoring.chrf import chrf_plus_plus
from harness.scoring.engine import SharedPrefixLM
from tasks.loading import Loaded
from tasks.protocol import SHOTS

# Finished batches, for a run that goes on from them.
JOURNAL = "journal.jsonl"


@dataclass(frozen=True)
class ScoreRequest:
    """What to score: a checkpoint directory on a task in a language."""

    checkpoint: Path
    task: Loaded
    limit: int | None
    max_new_tokens: int
    batch_tokens: int
    precision: str


def score_task(
    request: ScoreRequest, out: Path, progress: Callable[[int, int, str], None]
) -> dict[str, Any]:
    """Writes ``scores.json`` and ``samples.jsonl`` into `out` and returns the former's content.

    What an interrupted run left in `out`, in the file `JOURNAL`, is not computed again.
    """
    from lm_eval import evaluate

    _quiet()
    loaded = request.task
    name, task = loaded.name, loaded.task
    lm_eval_tasks = loaded.lm_eval_tasks(request.max_new_tokens)
    lm = SharedPrefixLM(
        request.checkpoint,
        precision=request.precision,
        batch_tokens=request.batch_tokens,
        journal=out / JOURNAL,
        on_progress=lambda done, total: progress(done, total, ""),
    )
    result = evaluate(
        lm, lm_eval_tasks, limit=request.limit, bootstrap_iters=0, **loaded.evaluate_options
    )
    samples = sorted(result["samples"][name], key=lambda sample: sample["doc_id"])
    warnings = loaded.warnings(request.limit) + lm.notes
    if task.metric == "accuracy":
        rows, numbers = _accuracy(samples)
    else:
        rows, numbers = _chrf(samples)
        empty = sum(row["hypothesis"] == "" for row in rows)
        if empty:
            warnings.append(f"{empty} of {len(rows)} translations are empty")
    _check_against_lm_eval(numbers["score"], result["results"][name])
    scores = {
        "task": task.name,
        "lm_eval_task": name,
        "metric": task.metric,
        **numbers,
        "n": len(rows),
        "chance": task.chance,
        "shots": SHOTS,
        "protocol": loaded.in_words,
        "protocol_fields": loaded.protocol.fields(),
        "data": loaded.data_facts,
        "warnings": warnings,
    }
    _write(out / "samples.jsonl", "".join(_line(row) for row in rows))
    _write(out / "scores.json", json.dumps(scores, indent=1, ensure_ascii=False) + "\n")
    return scores


def _accuracy(
    samples: Sequence[Mapping[str, Any]],
) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Rows and numbers of a multiple-choice task, accuracy in percent.

    The standard error is that of a mean of 0s and 1s with the sample variance, as lm-eval's.
    """
    rows = []
    for sample in samples:
        choices = sample["doc"]["choices"]
        logprobs = [response[0] for response in sample["filtered_resps"]]
        prediction = max(range(len(logprobs)), key=logprobs.__getitem__)
        rows.append(
            {
                "doc": sample["doc_id"],
                "prompt_sha256": _hash(sample["arguments"][0][0]),
                "choices": list(choices),
                "logprobs": [round(value, 6) for value in logprobs],
                "prediction": choices[prediction],
                "answer": choices[sample["target"]],
                "correct": prediction == sample["target"],
            }
        )
    n = len(rows)
    mean = sum(row["correct"] for row in rows) / n
    stderr = math.sqrt(mean * (1 - mean) / (n - 1)) if n > 1 else None
    return rows, {
        "score": 100 * mean,
        "stderr": None if stderr is None else 100 * stderr,
        "signature": None,
    }


def _chrf(samples: Sequence[Mapping[str, Any]]) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Rows and numbers of a translation task, chrF++ from 0 to 100.

    Outer white space is removed from hypotheses: the space between the prompt's colon and the
    translation belongs to the prompt. chrF++ does not count white space.
    """
    hypotheses = [sample["filtered_resps"][0].strip() for sample in samples]
    references = [str(sample["target"]) for sample in samples]
    corpus = chrf_plus_plus(hypotheses, references)
    rows = [
        {
            "doc": sample["doc_id"],
            "prompt_sha256": _hash(sample["arguments"][0][0]),
            "source": sample["doc"]["source"],
            "hypothesis": hypothesis,
            "reference": reference,
            "chrf": round(sentence, 4),
        }
        for sample, hypothesis, reference, sentence in zip(
            samples, hypotheses, references, corpus.sentences, strict=True
        )
    ]
    return rows, {"score": corpus.score, "stderr": corpus.stderr, "signature": corpus.signature}


def _check_against_lm_eval(score: float, metrics: Mapping[str, Any]) -> None:
    """Our score and lm-eval's own aggregate of the same samples must be one number."""
    theirs = metrics.get("acc,none")
    theirs = 100 * theirs if theirs is not None else metrics["chrf++,none"]
    if abs(score - theirs) > 1e-6:
        raise ScoringError(f"the score {score} differs from lm-eval's {theirs}; this is a bug")


def _hash(text: str) -> str:
    return sha256(text.encode()).hexdigest()


def _line(row: Mapping[str, Any]) -> str:
    return json.dumps(row, ensure_ascii=False) + "\n"


def _write(path: Path, text: str) -> None:
    temporary = path.with_name(f"{path.name}.tmp")
    temporary.write_text(text, encoding="utf-8")
    temporary.replace(path)


def _quiet() -> None:
    """lm-eval, datasets and transformers report progress and hints that are not the user's."""
    import datasets
    from transformers.utils import logging as transformers_logging

    logging.getLogger("lm_eval").setLevel(logging.ERROR)
    datasets.disable_progress_bars()
    transformers_logging.disable_progress_bar()
    transformers_logging.set_verbosity_error()
