"""Scores in the forms that the Hub reads: `model-index`, and the files of `.eval_results`.

Only scores on a data set of the Hub at a recorded commit, of all of its items, are given there. A
score on the embedded sets, or under a limit, stands in the card's own table, where its protocol is.
"""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import yaml

from core.tasks import show_task
from publishing.registered import Registered, find_task
from reports.store.model import Score, StoreView

if TYPE_CHECKING:
    from huggingface_hub import EvalResult

_METRICS = {"accuracy": "accuracy", "chrf++": "chrf", "exact": "exact_match"}


def list_hub_scores(view: StoreView, checkpoint: str) -> list[Score]:
    """Lists the scores of a checkpoint that the Hub's forms may hold, by task."""
    found = [
        score
        for score in view.scores.values()
        if score.artifact.manifest.checkpoint == checkpoint and is_of_hub(score)
    ]
    return sorted(found, key=lambda score: score.task)


def is_of_hub(score: Score) -> bool:
    """Says whether a score is of a data set of the Hub, at a commit, and of all items."""
    data, config = score.data, score.artifact.manifest.config
    return bool(
        data.repository
        and "/" in data.repository
        and data.revision
        and "limit" in config
        and config["limit"] is None
    )


def build_eval_results(scores: Sequence[Score]) -> "list[EvalResult]":
    """Builds the entries of `model-index`."""
    from huggingface_hub import EvalResult

    return [
        EvalResult(
            task_type="translation" if score.metric == "chrf++" else "text-generation",
            dataset_type=str(score.data.repository),
            dataset_name=show_task(score.task),
            dataset_config=_find_subset(score),
            dataset_split=score.data.split or None,
            dataset_revision=score.data.revision,
            metric_type=_METRICS.get(score.metric, score.metric),
            metric_name=score.metric,
            metric_value=round(score.score, 4),
        )
        for score in scores
    ]


def write_eval_files(scores: Sequence[Score], registered: Registered) -> Iterator[tuple[str, str]]:
    """Writes the files of `.eval_results`, one for each task that a registered benchmark has: their
    paths and texts."""
    from huggingface_hub import EvalResultEntry, eval_result_entries_to_yaml

    for score in scores:
        name = str(score.data.repository)
        task = find_task(registered.get(name, ()), _find_subset(score), score.data.split)
        if task is None:
            continue
        entry = EvalResultEntry(
            dataset_id=name,
            task_id=task,
            value=round(score.score, 4),
            dataset_revision=score.data.revision,
            date=(score.artifact.manifest.created or "")[:10] or None,
            notes=f"{score.metric}, {score.full_protocol}, n={score.n}",
        )
        listed = eval_result_entries_to_yaml([entry])
        text = yaml.safe_dump(listed, sort_keys=False, allow_unicode=True)
        yield f".eval_results/{score.task}.yaml", text


def _find_subset(score: Score) -> str | None:
    code = score.artifact.manifest.config.get("code")
    return str(code) if code else None
