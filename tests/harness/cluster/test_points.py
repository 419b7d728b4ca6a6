"""A sweep's points are the same, whichever processes compose them."""

import os

import pytest

from harness.cluster import points
from harness.cluster.points import PlannedPoint, plan_points

# The second language has no file, and the third mixture is of another language's texts.
SWEEP = ("-m", "language=swahili,frisian", "mix=topic,gen", "train.steps=5,-1,6")


def plan(told: list[int]) -> list[PlannedPoint]:
    return list(plan_points(SWEEP, "ledger", lambda done, total, note: told.append(done)))


@pytest.mark.slow
def test_further_processes_compose_the_same_points_in_the_same_order(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    one_by_one = plan([])
    monkeypatch.setattr(points, "_SEVERAL", 1)
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    told: list[int] = []
    together = plan(told)
    assert told == list(range(1, 13))
    for point, same in zip(together, one_by_one, strict=True):
        assert point.overrides == same.overrides
        assert point.config == same.config
        assert point.resolved == same.resolved
        assert point.problem == same.problem
    languages = [point.config.language.name for point in together if point.config]
    assert set(languages) == {"Swahili", "West Frisian"}
    refused = [point for point in together if point.problem]
    assert {point.overrides[2] for point in refused} >= {"++train.steps=-1"}
    keys = [[s.key for s in point.plan.targets] for point in together if point.plan]
    assert keys == [[s.key for s in point.plan.targets] for point in one_by_one if point.plan]
    assert len({key for own in keys for key in own}) > len(keys)
