"""Find the interrupted state from which a run may be continued.

The Trainer writes its state (weights, optimizer, schedule, random numbers) to
`checkpoint-<step>/`, file by file. A process can die in the middle of that, so a state counts only
once the file `whole` stands in it, which is written last; and the state before it is deleted only
after that. `run.json` says which run the states belong to; the one process that starts the others
writes it.
"""

import hashlib
import json
import shutil
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

from core.files import write_whole
from training.errors import ResumeError
from training.settings import Precision, Train

_WHOLE = "whole"
_RUN = "run.json"


STOP = "stop"
"""The file among a run's states that tells it to save one more behind its next step, and to end."""


def claim(folder: Path, run: dict[str, Any]) -> None:
    """Make `folder` the place of `run`'s states, and delete those that were not written to their
    end. Raises ResumeError if another run's state is there."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / STOP).unlink(missing_ok=True)  # an earlier process was told, not this one
    file = folder / _RUN
    whole = find_last_whole(folder)
    for state in _list_states(folder):
        if state != whole:
            _delete(state)
    text = json.dumps(run, ensure_ascii=False, sort_keys=True)
    if whole is None:  # no work is there that could be another's
        write_whole(file, text)
    there = json.loads(file.read_text(encoding="utf-8"))
    if there["processes"] != run["processes"]:
        raise ResumeError(
            f"{folder} holds the interrupted state of a run on {there['processes']} processes; "
            f"now there are {run['processes']}. Remedy: go on with as many as before "
            "(train.processes, train.launcher), or delete that folder to start "
            "anew."
        )
    if there != json.loads(text):
        raise ResumeError(
            f"{folder} holds the interrupted state of a run with other settings, seed or rows. "
            "Remedy: delete that folder to start anew, or choose another output folder."
        )


def identify_run(settings: Train, precision: Precision, seed: int, rows: Path) -> dict[str, Any]:
    """Give what identifies a run, as plain JSON. The base is not part of it.

    The form of a state depends on the number of processes and on DeepSpeed.
    """
    values = asdict(settings)
    keyed = {
        f.name: values[f.name]
        for f in fields(settings)
        # A state of before there was a setting is that of a run that leaves it alone.
        if f.metadata.get("keyed", True) and values[f.name] != f.metadata.get("before", object())
    }
    keyed["deepspeed"] = settings.deepspeed
    digest = hashlib.sha256(rows.read_bytes()).hexdigest()
    return {
        "settings": keyed,
        "precision": precision,
        "seed": seed,
        "rows_sha256": digest,
        "processes": settings.processes,
    }


def find_last_whole(folder: Path) -> Path | None:
    """The furthest state that was written to its end."""
    whole = [state for state in _list_states(folder) if (state / _WHOLE).exists()]
    return max(whole, key=_read_step, default=None)


def mark_whole(folder: Path, step: int) -> None:
    """Declare the state of `step` written to its end, and delete the ones before it."""
    newest = folder / f"checkpoint-{step}"
    (newest / _WHOLE).touch()
    for state in _list_states(folder):
        if state != newest:
            _delete(state)


def _list_states(folder: Path) -> list[Path]:
    return [path for path in folder.glob("checkpoint-*") if path.name[11:].isdigit()]


def _read_step(state: Path) -> int:
    return int(state.name[11:])


def _delete(state: Path) -> None:
    (state / _WHOLE).unlink(missing_ok=True)
    shutil.rmtree(state)
