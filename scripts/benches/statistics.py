"""Statistics by simulation: the level of each test and the coverage of each interval."""

import json
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "tests" / "reports"))

import base_gain_simulations as gains
import kind_simulations as kinds
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

EIGHTH = max(40, TIMES // 8)
NO_RELATION = {
    "like_the_paper": gains.World(),
    "10_languages": gains.World(10),
    "equal_gains": gains.World(gain_sd=1),
    "noise_5": gains.World(gain_sd=10, noise=5, paired=0),
    "noise_5_equal_gains": gains.World(gain_sd=1, noise=5, paired=0),
    "noise_5_10_languages": gains.World(10, gain_sd=10, noise=5, paired=0),
    "noise_5_shared_items": gains.World(gain_sd=10, noise=5, shared=0.5),
    "uniform": gains.World(noise=3, shape="uniform"),
    "skewed": gains.World(noise=3, shape="skewed"),
}
RELATIONS = {
    "like_the_paper": gains.World(r=-0.55),
    "noise_3.4": gains.World(r=-0.55, gain_sd=10, noise=3.4),
    "noise_5": gains.World(r=-0.55, gain_sd=10, noise=5),
    "noise_5_shared_items": gains.World(r=-0.55, gain_sd=10, noise=5, shared=0.5),
    "r_-0.38": gains.World(r=-0.38),
    "10_languages": gains.World(10, r=-0.55),
}


def tell_kinds() -> dict[str, float]:
    """Data sets of which a report says that gains go with a kind of language, in percent: false
    but for `rise`, and where languages of a family are alike."""
    found: dict[str, float] = {}
    print("gains by kind of language: data sets with a claim, in percent")
    for world in ("alike", "tight", "wild", "skewed", "families"):
        for n in (54, 14):
            _tell(found, f"{world}_{n}_languages", kinds.claims(EIGHTH, world, n)["any"])
    _tell(found, "rise_8_documents", kinds.claims(EIGHTH, rise=8.0)["documents"])
    return found


def tell_gains() -> dict[str, dict[str, float]]:
    """False and right sentences on base and gain, and what their intervals cover, in percent."""
    found: dict[str, dict[str, float]] = {"false": {}, "right": {}, "covers": {}}
    kinds = (
        ("false", NO_RELATION, gains.false_sentences),
        ("right", RELATIONS, gains.right_sentences),
    )
    for kind, worlds, count in kinds:
        print(f"base and gain: {kind} sentences, in percent")
        for name, world in worlds.items():
            for source in gains.SOURCES:
                _tell(found[kind], f"{name}_{source}", count(EIGHTH, world, source))
    print("base and gain: intervals, in percent (95 is nominal; more where pairing is unknown)")
    for name, world in (NO_RELATION | {f"r_{n}": w for n, w in RELATIONS.items()}).items():
        for source in ("samples", "stderr"):
            for which, share in gains.cover(EIGHTH, world, source).items():
                _tell(found["covers"], f"{name}_{source}_{which}", share)
    _tell(
        found["false"], "noise_said_too_large", gains.bound_misses(EIGHTH, NO_RELATION["noise_5"])
    )
    for n in (10, 54):
        _tell(found["false"], f"closer_{n}_languages", gains.false_spreads(EIGHTH, n, 9.6, 3))
    return found


def _tell(found: dict[str, float], name: str, share: float) -> None:
    found[name] = round(100 * share, 2)
    print(f"  {name:40s} {found[name]:6.2f}", flush=True)


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
    told, of_kinds = tell_gains(), tell_kinds()
    seconds = round(time.perf_counter() - start, 1)
    print(
        json.dumps(
            {
                "times": TIMES,
                "seconds": seconds,
                **found,
                "power": power,
                "base_and_gain": told,
                "kinds": of_kinds,
            }
        )
    )


if __name__ == "__main__":
    guard_output("scripts/bench")
    main()
