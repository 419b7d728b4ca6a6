"""What a run will cost: the paper's calls, and figures that a pilot makes true."""

from dataclasses import replace
from pathlib import Path

import pytest
from running import SMALL, run
from scripted import Scripted

from generation.estimate import plan_steps
from generation.settings import Price, Sources, Teacher
from generation.source import Source
from generation.teacher.ledger import Ledger

ALL = {"topic": 1.0, "scenario": 1.0, "context": 1.0, "translated": 1.0}


def test_the_papers_counts_are_the_papers_calls() -> None:
    steps = plan_steps(
        Sources(),
        ALL,
        texts=None,
        conversations=None,
        fertility=2.0,
        price=Price(0.15, 0.6),
        discount=0.0,
        samples={},
    )
    calls = {step.step: step.calls for step in steps}
    assert sum(n for name, n in calls.items() if name.startswith("topic.") and name[6:] in
               ("macro_topics", "topics", "prompts")) == 3872  # fmt: skip
    assert (
        calls["scenario.scenarios"] + calls["scenario.details"] + calls["scenario.prompts"] == 1922
    )
    assert calls["context.prompts"] == 10_000
    assert calls["translated.conversations"] == 15_000
    assert sum(calls[f"{s}.revised"] for s in ("topic", "scenario", "context")) == 14_954
    assert sum(calls[f"{s}.responses"] for s in ("topic", "scenario", "context")) == 29_908
    assert sum(calls.values()) == 75_656
    # The paper: 10 to 50 million tokens written, under 50 dollars.
    assert 10e6 < sum(step.tokens_output for step in steps) < 50e6
    assert 5 < sum(step.usd or 0 for step in steps) < 50


@pytest.mark.parametrize("source", ["topic", "scenario", "context", "translated"])
def test_a_pilot_asks_few_calls_that_the_run_does_not_repeat(
    server: Scripted, teacher: Teacher, tmp_path: Path, source: Source
) -> None:
    run(source, tmp_path, teacher, pilot=2)
    asked = len(server.bodies)
    assert not (tmp_path / source / "rows.jsonl").exists()
    with Ledger(tmp_path / "ledger.sqlite") as ledger:
        samples = ledger.count_samples("scripted")
        assert not ledger.count_samples("another")
    assert samples
    assert all(0 < sample.calls <= 2 for sample in samples.values())
    assert sum(sample.calls for sample in samples.values()) == asked
    run(source, tmp_path, teacher, pilot=2)
    assert len(server.bodies) == asked  # the same few, which are there
    facts = run(source, tmp_path, teacher)
    assert len(server.bodies) == facts.calls
    run(source, tmp_path / "calm", teacher)
    name = Path(source) / "rows.jsonl"
    assert (tmp_path / name).read_bytes() == (tmp_path / "calm" / name).read_bytes()


def test_calls_at_most_and_measured_tokens(
    server: Scripted, teacher: Teacher, tmp_path: Path
) -> None:
    priced = replace(teacher, usd_per_million_input=1.0, usd_per_million_output=2.0)
    facts = run("topic", tmp_path, priced)
    with Ledger(tmp_path / "ledger.sqlite") as ledger:
        samples = ledger.count_samples("scripted")
    steps = plan_steps(
        SMALL,
        {"topic": 1.0},
        texts=None,
        conversations=None,
        fertility=2.0,
        price=priced.price,
        discount=0.0,
        samples=samples,
    )
    made = {step.step: step for step in facts.steps}
    for step in steps:
        answered = made[step.step].answered
        if step.step != "topic.revised":  # a random share of the prompts
            assert step.calls >= answered == step.answered
        if step.measured:
            assert (step.tokens_input, step.tokens_output) == (7 * step.calls, 5 * step.calls)
            assert step.usd == pytest.approx(step.calls * 17e-6)
