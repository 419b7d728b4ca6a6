"""One process of a launched run: `python -m training.worker REQUEST.json`, under torchrun.

The first process tells its progress as lines on standard output. A process ends when its standard
input does: a killed parent leaves nothing at work. (So a launcher must hand its input on.)
"""

import json
import os
import sys
import time
import traceback
from dataclasses import asdict
from pathlib import Path

from core.checkpoints.errors import CheckpointError
from core.files import write_whole
from core.processes import end_with_parent
from training.distillation.settings import Lesson
from training.errors import LaunchError, StudentError, TrainingError
from training.settings import Lora, Train

MARK = "@progress "
FACTS, ERROR = "facts.json", "error.json"
_PARENTS_END = 1.0  # seconds; the watcher of standard input needs far less


def main(request: Path) -> None:
    """Run one process of what the request says."""
    end_with_parent()
    values = json.loads(request.read_text(encoding="utf-8"))
    first = os.environ.get("RANK", "0") == "0"
    lora = Lora(**values["settings"].pop("lora"))
    launcher = tuple(values["settings"].pop("launcher"))
    settings = Train(**values["settings"], lora=lora, launcher=launcher)
    out = Path(values["out"])

    def progress(done: int, total: int, note: str) -> None:
        if first:
            print(MARK + json.dumps([done, total, note]), flush=True)

    import torch

    from training.finetune import finetune
    from training.zero import start_deepspeed

    try:
        if settings.deepspeed:
            start_deepspeed()
        facts = finetune(
            base=Path(values["base"]),
            packed=Path(values["packed"]),
            out=out,
            settings=settings,
            precision=values["precision"],
            seed=values["seed"],
            progress=progress,
            lesson=Lesson.from_json(values["lesson"]) if values["lesson"] else None,
        )
    except Exception as error:
        # Where the parent was killed, this ends here: its continuation's files are not ours.
        time.sleep(_PARENTS_END)
        if not (out / ERROR).exists():  # what the first one met, not what that did to the others
            _write(out / ERROR, _describe_error(error))
        raise
    if first:
        _write(out / FACTS, asdict(facts))
    if torch.distributed.is_initialized():
        torch.distributed.destroy_process_group()


def _describe_error(error: Exception) -> dict[str, str]:
    if isinstance(error, CheckpointError):
        return {"kind": StudentError.__name__, "message": str(error)}
    if isinstance(error, TrainingError):
        return {"kind": type(error).__name__, "message": str(error)}
    return {
        "kind": LaunchError.__name__,
        "message": f"process {os.environ.get('RANK', '0')} of the training run failed:\n"
        f"{''.join(traceback.format_exception(error))}"
        "Remedy: mend what it says; the same command then goes on from the last state.",
    }


def _write(path: Path, value: object) -> None:
    write_whole(path, json.dumps(value, ensure_ascii=False), shared=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
