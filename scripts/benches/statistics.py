"""Statistics by simulation: the level of each test and the coverage of each interval."""

import json
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "tests" / "reports"))

import simulations as sim

from core.output import guard_output

TIMES = int(sys.argv[1]) if len(sys.argv) > 1 else 4000
LEVELS = {
    "mcnemar_exact_201_items": lambda: sim.mcnemar_level(TIMES),
    "sign_flip_by_passage": lambda: sim.passage_level(TIMES),
    "mcnemar_ignoring_passages": lambda: sim.unclustered_level(TIMES),
    "chrf_bootstrap_200_sentences": lambda: sim.chrf_level(TIMES // 2),
    "chrf_bootstrap_sacrebleus_p": lambda: sim.sacrebleu_level(TIMES // 2),
    "base_gain_pearson_coupled": lambda: sim.naive_level(TIMES // 8),
    "base_gain_split_half": lambda: sim.split_half_level(TIMES // 8),
}
COVERAGES = {
    "gain_201_items": lambda: sim.items_coverage(TIMES),
    "gain_27_items": lambda: sim.items_coverage(TIMES, n=27),
    "gain_by_passage": lambda: sim.passage_coverage(TIMES),
    "gain_chrf_200_sentences": lambda: sim.chrf_coverage(TIMES // 2),
    "gain_chrf_27_sentences": lambda: sim.chrf_coverage(TIMES // 2, n=27),
    "wilson_201_items": lambda: sim.wilson_coverage(TIMES),
    "score_by_passage": lambda: sim.clustered_score_coverage(TIMES),
    "score_ignoring_passages": lambda: sim.clustered_score_coverage(TIMES, clustered=False),
    "mean_over_54_languages": lambda: sim.mean_coverage(TIMES),
    "mean_over_14_languages": lambda: sim.mean_coverage(TIMES, n=14),
    "pearson_54_languages": lambda: sim.correlation_coverage(TIMES, "pearson"),
    "spearman_54_languages": lambda: sim.correlation_coverage(TIMES, "spearman"),
}


def main() -> None:
    start = time.perf_counter()
    found: dict[str, dict[str, float]] = {"levels": {}, "coverages": {}}
    for kind, simulations in (("levels", LEVELS), ("coverages", COVERAGES)):
        print(f"{kind}, in percent ({'5' if kind == 'levels' else '95'} is nominal)")
        for name, run in simulations.items():
            found[kind][name] = round(100 * run(), 2)
            print(f"  {name:32s} {found[kind][name]:6.2f}", flush=True)
    power = round(100 * sim.detected(TIMES), 2)
    print(f"power at the minimum detectable effect {power:.2f} (80 is nominal)")
    seconds = round(time.perf_counter() - start, 1)
    print(json.dumps({"times": TIMES, "seconds": seconds, **found, "power": power}))


if __name__ == "__main__":
    guard_output("scripts/bench")
    main()
