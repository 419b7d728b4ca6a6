"""The preference study: levels of its tests by simulation, and 50 raters voting at once

Level: share of null studies that each test calls significant at 0.05, with raters who agree prompt
by prompt. Parts: the same number of votes from raters who each get all prompts, or a part of them.
Votes: 50 raters of one study over HTTP, each vote synced to disk; time of a vote.
"""

import json
import os
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "tests" / "preference"))

from core.output import guard_output
from core.statistics import flip_signs_exactly, flip_signs_sampled
from preference.closing import open_ballots
from preference.pack import read_pack
from preference.simulation import simulate_null_study, simulate_parts
from preference.statistics import compute_sign_test

STUDIES = 2000


def measure_levels() -> dict[str, dict[str, float]]:
    """Raters -> share of rejected null studies, of the sign flip and of votes pooled."""
    out = {}
    for raters in (1, 3, 5):
        rng = np.random.default_rng(raters)
        flips = pooled = 0
        for study in range(STUDIES):
            scores = simulate_null_study(rng, prompts=80, raters=raters, spread=1.0)
            p = flip_signs_sampled(scores.mean(axis=0).tolist(), resamples=999, seed=study)
            flips += p is not None and p <= 0.05
            q = compute_sign_test(int((scores > 0).sum()), int((scores < 0).sum()))
            pooled += q is not None and q <= 0.05
        out[str(raters)] = {"sign_flip": flips / STUDIES, "pooled_binomial": pooled / STUDIES}
        print(
            f"{raters} raters: sign flip {flips / STUDIES:.3f}, votes pooled {pooled / STUDIES:.3f}"
        )
    return out


def measure_parts() -> dict[str, dict[str, float]]:
    """Raters and prompts of each -> share of 320 votes' studies that are found significant: of no
    difference (level), and of one (power), with raters who lean to an arm and without."""
    out = {}
    for raters, part in ((4, 80), (8, 40), (16, 20)):
        rng = np.random.default_rng(part)
        out[f"{raters} raters of {part}"] = {
            f"{name}{', leaning' if taste else ''}": float(
                np.mean(
                    [
                        flip_signs_exactly(
                            simulate_parts(
                                rng,
                                prompts=80,
                                raters=raters,
                                part=part,
                                spread=1.0,
                                taste=taste,
                                shift=shift,
                            )
                        )
                        <= 0.05
                        for _ in range(STUDIES)
                    ]
                )
            )
            for taste in (0.0, 0.5)
            for name, shift in (("level", 0.0), ("power", 0.45))
        }
    return out


def measure_votes(raters: int = 50, seconds: float = 20.0) -> dict[str, float]:
    """Milliseconds of a vote, at the 50th and 95th percentile, with a pause of about a second
    between a rater's votes."""
    from small_study import prepared
    from study_server import Server, begin
    from test_preference_server import Rater

    with tempfile.TemporaryDirectory() as folder:
        pack, _ = prepared(Path(folder), count=30, raters=raters)
        ballots = open_ballots(pack, read_pack(pack))
        tokens = [ballots.invite(slot) for slot in range(raters)]
        server = Server(pack)
        port = server.port

        class Reader(Rater):
            def turn(self) -> None:
                super().turn()
                self.stop.wait(float(np.random.default_rng().uniform(0.7, 1.3)))

        # The tries are limited for each address, and here all have the same.
        crowd = []
        for token in tokens:
            while not (cookie := _begin_rating(port, token, begin)):
                time.sleep(0.5)
            crowd.append(Reader(port, cookie))
        for one in crowd:
            one.start()
        began, used = time.perf_counter(), _read_cpu_seconds(server.process.pid)
        time.sleep(seconds)
        used = _read_cpu_seconds(server.process.pid) - used
        share = used / (time.perf_counter() - began)
        for one in crowd:
            one.stop.set()
        for one in crowd:
            one.join(10)
        server.kill()
        kept = sum(event.kind == "vote" for event in ballots.list_events())
        ballots.close_file()
    times = np.concatenate([one.times for one in crowd]) * 1000
    assert kept >= sum(len(one.acknowledged) for one in crowd)
    return {
        "votes": len(times),
        "p50_ms": float(np.percentile(times, 50)),
        "p95_ms": float(np.percentile(times, 95)),
        "server_cpu_ms_a_vote": 1000 * used / len(times),
        "server_cores": share,
    }


def _read_cpu_seconds(pid: int) -> float:
    """User and system time of a process (Linux)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _begin_rating(port: int, token: str, begin: object) -> str:
    try:
        return begin(port, token)  # type: ignore[operator]
    except AssertionError:
        return ""


def main() -> None:
    timed = measure_votes()
    print(
        f"50 raters: {timed['votes']} votes, p50 {timed['p50_ms']:.1f} ms, p95"
        f" {timed['p95_ms']:.1f} ms"
    )
    level, parts = measure_levels(), measure_parts()
    for design, found in parts.items():
        print(f"{design}: " + ", ".join(f"{name} {share:.3f}" for name, share in found.items()))
    ratio = level["5"]["pooled_binomial"] / level["5"]["sign_flip"]
    print(
        json.dumps(
            {
                "bench": "preference",
                "studies": STUDIES,
                "level": level,
                "parts": parts,
                "ratio": ratio,
                "voting": timed,
            }
        )
    )


if __name__ == "__main__":
    guard_output("scripts/bench")
    main()
