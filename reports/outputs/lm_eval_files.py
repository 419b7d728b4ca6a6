"""Scores as lm-evaluation-harness writes them, for people's own scripts that read its results.

A file holds the tasks of one checkpoint in one language, as a run of lm-eval does. Accuracy is a
share from 0 to 1 (`acc,none`), chrF++ runs from 0 to 100 (`chrf++,none`: lm-eval's own `chrf` is
another measure), and so does what is made of answers that are read (`score,none`). These are the
names that stock lm-eval gives the same tasks.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from core.tasks import show_task
from core.versions import ABSENT
from reports.errors import StoreNeededError
from reports.report import Report
from reports.signs import clean
from reports.store.files import write_whole
from reports.store.model import Score, ShownLanguage
from reports.tables.panels import Panel

_FORBIDDEN = re.compile(r"[\"<>:/|\\?*\[\]]+")
"""Signs for which lm-eval puts two underscores into the name of a folder."""
_METRICS = {"accuracy": ("acc", 100), "chrf++": ("chrf++", 1)}


@dataclass(frozen=True)
class Evaluated:
    """The scores of a checkpoint in a language, asked in one way, by lm-eval's name of the task."""

    model: str
    language: ShownLanguage
    scores: dict[str, Score] = field(default_factory=dict)

    @property
    def created(self) -> datetime | None:
        """The time of the newest score; None where none is known."""
        times = [_read_time(score.artifact.manifest.created) for score in self.scores.values()]
        return max((time for time in times if time), default=None)


def write_lm_eval(report: Report, out: Path) -> list[Path]:
    """Writes lm-eval/MODEL/results_LANGUAGE_TIME.json below a folder; returns the paths.

    What has no score is in no file. Raises StoreNeededError for an imported table.
    """
    if report.view is None:
        raise StoreNeededError(
            "--format lm-eval needs a store: an imported table tells neither items nor shots.\n"
            "Remedy: --store DIR, or --format csv."
        )
    written: list[Path] = []
    for one in list_evaluated(report.panels):
        language = _name_file(one.language.flores_code or one.language.name)
        # lm-eval's readers find the time behind the last underscore.
        time = f"{one.created:%Y-%m-%dT%H-%M-%S}" if one.created else "undated"
        path = out / "lm-eval" / _name_file(one.model) / f"results_{language}_{time}.json"
        number = 1
        while path in written:
            number += 1
            path = path.with_name(f"results_{language}_{number}_{time}.json")
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, json.dumps(make_results(one), indent=2, ensure_ascii=False) + "\n")
        written.append(path)
    return written


def list_evaluated(panels: Sequence[Panel]) -> Iterator[Evaluated]:
    """Groups the scores as runs of lm-eval: by checkpoint, language, and way of asking."""
    for panel in panels:
        found: dict[tuple[str, ...], Evaluated] = {}
        for row in panel.rows:
            for cell in row.cells:
                if not cell.score:
                    continue
                score, checkpoint = cell.score, cell.score.artifact.manifest.checkpoint
                model = clean(f"{panel.student or 'unknown student'} {cell.producer}")
                which = (cell.producer, checkpoint, row.setting)
                one = found.setdefault(which, Evaluated(model, panel.language))
                one.scores[clean(score.lm_eval_task or score.task)] = score
        yield from found.values()


def make_results(one: Evaluated) -> dict[str, Any]:
    """Makes the content of a results file: a record of lm-eval, with what it has no word for below
    `kakugo`. What is not known is null or absent."""
    scores = one.scores
    first = next(iter(scores.values()))
    manifest = first.artifact.manifest
    results = {
        "results": {name: _list_metrics(name, score) for name, score in scores.items()},
        "group_subtasks": {name: [] for name in scores},
        "configs": {name: _describe_task(name, score) for name, score in scores.items()},
        "versions": {name: _find_version(score) for name, score in scores.items()},
        "n-shot": {name: score.shots for name, score in scores.items()},
        "higher_is_better": {name: {_name_metric(s)[0]: True} for name, s in scores.items()},
        "n-samples": {name: _count_items(score) for name, score in scores.items()},
        "config": {
            "model": "kakugo",
            "model_args": {"pretrained": one.model, "checkpoint": manifest.checkpoint},
            "model_dtype": first.engine.precision if first.engine else None,
            "limit": manifest.config.get("limit"),
        },
        "git_hash": manifest.git.commit,
        "transformers_version": _find_package(first, "transformers"),
        "lm_eval_version": _find_package(first, "lm-eval"),
        "model_source": "kakugo",
        "model_name": one.model,
        "model_name_sanitized": _name_file(one.model),
        "system_instruction": first.protocol_fields and first.protocol_fields.system_prompt,
        "kakugo": {
            "language": clean(one.language.name),
            "flores_code": one.language.flores_code or None,
            "role": first.artifact.role,
            "keys": {name: score.artifact.key for name, score in scores.items()},
            "protocols": {name: score.full_protocol for name, score in scores.items()},
            "signatures": {name: s.signature for name, s in scores.items() if s.signature},
        },
    }
    return {**results, "date": one.created.timestamp()} if one.created else results


def _name_metric(score: Score) -> tuple[str, int]:
    return _METRICS.get(score.metric, ("score", 1))


def _list_metrics(name: str, score: Score) -> Mapping[str, Any]:
    metric, scale = _name_metric(score)
    return {
        "name": name,
        "alias": name,
        "sample_len": score.n,
        f"{metric},none": score.score / scale,
        # So lm-eval says that there is none.
        f"{metric}_stderr,none": "N/A" if score.stderr is None else score.stderr / scale,
    }


def _describe_task(name: str, score: Score) -> Mapping[str, Any]:
    return {
        "task": name,
        "task_alias": show_task(score.task),
        "dataset_path": score.data.repository,
        "test_split": score.data.split,
        "num_fewshot": score.shots,
        "metadata": {
            "version": _find_version(score),
            "data": score.data.name,
            "revision": score.data.revision,
            "sha256": score.data.sha256,
        },
    }


def _count_items(score: Score) -> Mapping[str, int | None]:
    limit = score.artifact.manifest.config.get("limit")
    is_cut = isinstance(limit, int) and score.n >= limit
    whole = None if is_cut else score.n + sum(score.left_out.values())
    return {"original": whole, "effective": score.n}


def _find_version(score: Score) -> Any:
    return score.artifact.manifest.config.get("tasks_version")


def _find_package(score: Score, name: str) -> str | None:
    version = score.artifact.manifest.packages.get(name)
    return None if version == ABSENT else version


def _read_time(created: str | None) -> datetime | None:
    try:
        time = datetime.fromisoformat(created or "")
    except ValueError:
        return None
    return time.replace(tzinfo=time.tzinfo or UTC).astimezone(UTC)


def _name_file(text: str) -> str:
    """Makes a name that no file system refuses and that leaves no folder."""
    return _FORBIDDEN.sub("__", clean(text)).replace(" ", "-").strip(".")[:120] or "unnamed"
