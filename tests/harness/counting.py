"""A stage that leaves a trace of every time it is made, for tests with several processes.

python counting.py STORE TRACE SECONDS
"""

import os
import sys
import time
from pathlib import Path

from harness.stage import Artifact, Outcome, Progress, Stage, Work
from harness.store import Store


class Silent:
    """A watcher that says nothing."""

    def show_reused(self, stage: Stage, artifact: Artifact) -> None: ...
    def show_waiting(self, stage: Stage) -> None: ...
    def show_started(self, stage: Stage, resumed: bool, again: bool = False) -> Progress:
        return lambda done, total, note: None

    def show_finished(self, stage: Stage, artifact: Artifact) -> None: ...
    def show_stopped(self, stage: Stage, as_asked: bool = False) -> None: ...


def counting_stage(
    trace: Path, seconds: float = 0.0, name: str = "slow", resumes: bool = True
) -> Stage:
    """Writes ten numbers, one file each, keeping those that an interrupted process left."""

    def make(_: object, work: Work) -> Outcome:
        with trace.open("a") as file:
            file.write(f"{os.getpid()}\n")
        for number in range(10):
            path = work.out / f"{number}.txt"
            if not path.exists():
                time.sleep(seconds / 10)
                path.write_text(str(number * number))
        return Outcome({"sum": sum(int(p.read_text()) for p in work.out.glob("*.txt"))})

    return Stage(name, 1, "a slow stage", {"numbers": 10}, make, resumes=lambda _: resumes)


if __name__ == "__main__":
    store = Store(Path(sys.argv[1]), Path(sys.argv[1]) / "cache", Silent())
    print(store.build(counting_stage(Path(sys.argv[2]), float(sys.argv[3]))).manifest.facts["sum"])
