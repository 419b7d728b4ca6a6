"""Shares the batches of a score among processes, through torchrun: one per GPU, or per CPU socket.

Every process plans the same batches, computes its share of them into a file of its own in the
journal, and exits. The caller then scores as if alone, and finds all results in the journal. So the
result does not depend on the number of processes, and what a crash leaves is continued by any
number.

`python -m harness.scoring.workers REQUEST JOURNAL` is one such process; torchrun tells it its rank.
Over several machines with a common file system, it can be started by hand with
``torchrun --nnodes``.
"""

import json
import os
import pickle
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from core.errors import MendableError
from core.processes import describe_exit, end_with_parent, read_last_lines, running
from harness.errors import ScoringError
from harness.scoring.lm import Share

R = TypeVar("R")
Compute = Callable[[R, Path, Share, Callable[[int, int], None]], None]
"""A module's function that computes a process's share of what is asked for into the journal, and
tells of each (done, total)."""

REQUEST, SAID = "request.pickle", "said-{}.txt"


def count_processes(engine: str, asked: int | None) -> int:
    """Counts the processes that share a score: as many as asked for, else one for each GPU that is
    there; a server shares by itself."""
    import torch

    return asked or (max(1, torch.cuda.device_count()) if engine == "transformers" else 1)


def run_workers(
    compute: Compute[R],
    request: R,
    journal: Path,
    processes: int,
    progress: Callable[[int, int, str], None],
) -> None:
    """Runs `processes` processes until all batches are in the journal; raises `ScoringError` with
    the last of what they wrote when one fails. They end with this process, however it ends."""
    journal.mkdir(parents=True, exist_ok=True)
    for stale in journal.glob(SAID.format("*")):
        stale.unlink()
    described = journal / REQUEST
    described.write_bytes(pickle.dumps((compute, request)))
    command = [
        *(sys.executable, "-m", "torch.distributed.run", "--standalone"),
        f"--nproc-per-node={processes}",
        *("-m", "harness.scoring.workers", str(described), str(journal)),
    ]
    environment = {**os.environ, "OMP_NUM_THREADS": str(_share_threads(processes))}
    errors = journal / "workers.log"
    with (
        errors.open("w") as log,
        running(command, output=subprocess.PIPE, errors=log, environment=environment) as launcher,
    ):
        assert launcher.stdout is not None
        done = dict.fromkeys(range(processes), (0, 0))
        for line in launcher.stdout:
            if line.startswith('{"rank"'):
                said = json.loads(line)
                done[said["rank"]] = (said["done"], said["total"])
                finished, total = (sum(values) for values in zip(*done.values(), strict=True))
                progress(finished, total, f"{processes} processes")
        status = launcher.wait()
    if status:
        # What a person can mend was said in a sentence by the process that met it first.
        for told in sorted(journal.glob(SAID.format("*"))):
            raise ScoringError(told.read_text(encoding="utf-8"))
        raise ScoringError(
            f"a scoring process failed ({describe_exit(status)}):\n{read_last_lines(errors)}\n"
            "Remedy: mend what its last words name, or evaluate.processes=1; the same command goes "
            "on from what has been scored."
        )


def _share_threads(processes: int) -> int:
    return max(1, (os.cpu_count() or 1) // processes)


def main(described: str, journal: str) -> None:
    """Computes one process's share."""
    end_with_parent()
    compute, request = pickle.loads(Path(described).read_bytes())
    share = Share(int(os.environ["RANK"]), int(os.environ["WORLD_SIZE"]))

    def tell(done: int, total: int) -> None:
        said = {"rank": share.rank, "done": done, "total": total}
        sys.stdout.write(json.dumps(said) + "\n")
        sys.stdout.flush()

    try:
        compute(request, Path(journal), share, tell)
    except MendableError as error:
        (Path(journal) / SAID.format(share.rank)).write_text(str(error), encoding="utf-8")
        raise


if __name__ == "__main__":
    main(*sys.argv[1:])
