"""Planning a sweep, as `kakugo submit` does before it asks SLURM for anything: composed by this
process alone, and by one for each processor.

The sweep is every language of the paper, two mixtures and as many lengths of training as asked for,
on the embedded sets; nothing is submitted.
"""

import argparse
import json
import os
import resource
import tempfile
import time

from core.languages import list_papers_languages
from core.output import guard_output
from harness.cluster import points


def main() -> None:
    parser = argparse.ArgumentParser(prog="scripts/bench planning", description=__doc__)
    parser.add_argument("--languages", type=int, default=54)
    parser.add_argument("--trainings", type=int, default=5, help="lengths of training")
    given = parser.parse_args()
    languages = [name for name in list_papers_languages() if name != "english"]
    axes = [
        f"language={','.join(languages[: given.languages])}",
        "mix=topic,scenario",
        f"train.steps={','.join(str(11 + number) for number in range(given.trainings))}",
    ]
    found: dict[str, object] = {"processors": os.cpu_count()}
    with tempfile.TemporaryDirectory() as store:
        together = plan([*axes, f"store={store}"])
        points._SEVERAL = 10**9
        alone = plan([*axes, f"store={store}"])
    found |= {"together": together, "alone": alone}
    found["ratio"] = round(alone["seconds"] / together["seconds"], 2)
    found["peak_gb"] = round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6, 2)
    print(json.dumps(found))


def plan(axes: list[str]) -> dict[str, float]:
    """Plans a sweep: how many points it has, and how many seconds that took."""
    begun = time.perf_counter()
    count = sum(point.plan is not None for point in points.plan_points(["-m", *axes], "ledger"))
    found = {"points": count, "seconds": round(time.perf_counter() - begun, 1)}
    print(found, flush=True)
    return found


if __name__ == "__main__":
    guard_output("scripts/bench planning")
    main()
