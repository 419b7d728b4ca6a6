"""The keys of the shipped experiments, pinned: whoever changes one loses every finished result of
it. Where that is meant, say so in CHANGELOG.md and write the file anew:

    RENEW_KEYS=1 pytest -n 0 tests/harness/test_golden_keys.py
"""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sweep_points import list_points

from harness.experiment import plan_experiment
from harness.overrides import CONF
from harness.stage import Stage

GOLDEN = Path(__file__).parent / "golden" / "keys.json"
PAPER = ["experiment=paper", "teacher.base_url=http://127.0.0.1:1/v1"]


def experiments() -> dict[str, list[str]]:
    """The overrides of each shipped experiment and of each point of a sweep, by their words."""
    points = {"quickstart": [], "experiment=paper": PAPER}
    for path in sorted((CONF / "sweep").glob("*.yaml")):
        points |= {" ".join(point): point for point in list_points(path)}
    return points


def keys_of(stages: list[Stage]) -> dict[str, str]:
    """The key of every stage and of its inputs, by name and label."""
    found: dict[str, str] = {}
    for stage in stages:
        found |= {f"{stage.name}: {stage.label}": stage.key}
        found |= keys_of(list(stage.inputs.values()))
    return found


def test_the_keys_of_shipped_experiments_are_as_they_were(
    composed: Callable[..., Any], fixed: Path
) -> None:
    now = {
        name: keys_of(list(plan_experiment(composed(*overrides), fixed).stages))
        for name, overrides in experiments().items()
    }
    if os.environ.get("RENEW_KEYS"):
        GOLDEN.write_text(json.dumps(now, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    golden = json.loads(GOLDEN.read_text(encoding="utf-8"))
    moved = [
        f"{experiment}: {stage}"
        for experiment in sorted(now.keys() | golden.keys())
        for stage in sorted(now.get(experiment, {}).keys() | golden.get(experiment, {}).keys())
        if now.get(experiment, {}).get(stage) != golden.get(experiment, {}).get(stage)
    ]
    if moved:
        pytest.fail("These keys have changed:\n  " + "\n  ".join(moved) + f"\n{__doc__}")
