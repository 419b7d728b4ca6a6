import json
import re
from pathlib import Path
from typing import Any

import pytest

from core.contract.facts import MixtureFacts
from generation.errors import InputError, MixtureError
from generation.mixture.make import ChatTokens, make_mixture
from generation.mixture.settings import Budget, Mix


@pytest.fixture
def sources(tmp_path: Path) -> dict[str, Path]:
    """Sources of 40, 20, 10 and no rows; only topics have reasoning."""
    paths = {}
    for name, count in {"topic": 40, "scenario": 20, "translated": 10, "context": 0}.items():
        folder = tmp_path / name
        folder.mkdir()
        lines = [
            {
                "id": f"{name}-{number}",
                "source": name,
                "messages": [
                    {"role": "user", "content": "Habari?"},
                    {"role": "assistant", "content": "Nzuri."},
                ],
                "reasoning": "hm" if name == "topic" else None,
            }
            for number in range(count)
        ]
        text = "".join(json.dumps(line) + "\n" for line in lines)
        (folder / "rows.jsonl").write_text(text, encoding="utf-8")
        paths[name] = folder
    return paths


def words(limit: int | None = None) -> ChatTokens:
    """They stand in for tokens: what is counted, and left out, is the student's affair."""

    def trained(chat: list[dict[str, Any]]) -> int:
        count = sum(len(turn["content"].split()) for turn in chat)
        return count if limit is None or count <= limit else 0

    return ChatTokens(
        of_chats=lambda chats: list(map(trained, chats)),
        of_texts=lambda texts: [len(text.split()) for text in texts],
    )


def mix(
    sources: dict[str, Path],
    out: Path,
    weights: dict[str, float],
    seed: int = 1,
    longest: int | None = None,
    **settings: Any,
) -> tuple[MixtureFacts, list[dict[str, Any]]]:
    mixed = Mix("m", weights, **settings)
    facts = make_mixture(
        sources, mixed, language="Swahili", seed=seed, out=out, tokens=words(longest)
    )
    text = (out / "rows.jsonl").read_text(encoding="utf-8")
    return facts, [json.loads(line) for line in text.splitlines()]


def written(
    folder: Path, name: str, sizes: list[int], reasoning: int = 0, asked: int = 1
) -> dict[str, Path]:
    """A source whose rows have so many words, `asked` of them the user's; every other row has so
    many more of reasoning."""
    path = folder / f"{name}.jsonl"
    with path.open("w", encoding="utf-8") as file:
        for number, size in enumerate(sizes):
            row = {
                "id": f"{name}-{number}",
                "source": name,
                "messages": [
                    {"role": "user", "content": " ".join(["Je?"] * asked)},
                    {"role": "assistant", "content": " ".join(["neno"] * (size - asked))},
                ],
                "reasoning": " ".join(["hm"] * reasoning) if number % 2 else None,
            }
            file.write(json.dumps(row) + "\n")
    return {name: path}


BARE: dict[str, Any] = {"plain_system_prompt": "", "thinking_system_prompt": ""}


def counts(facts: MixtureFacts) -> dict[str, int]:
    return {line.source: line.rows for line in facts.table}


def test_weights_are_shares_until_a_source_runs_out(
    sources: dict[str, Path], tmp_path: Path
) -> None:
    facts, found = mix(sources, tmp_path, {"topic": 1, "scenario": 1})
    assert counts(facts) == {"topic": 20, "scenario": 20}
    facts, found = mix(sources, tmp_path, {"topic": 6, "scenario": 3, "translated": 3})
    assert counts(facts) == {"topic": 20, "scenario": 10, "translated": 10}
    assert len({row["id"] for row in found}) == facts.rows == 40
    assert sum(line.share for line in facts.table) == pytest.approx(1)


def test_row_shares_with_equal_weights_take_everything(
    sources: dict[str, Path], tmp_path: Path
) -> None:
    weights = dict.fromkeys(sources, 1.0)
    facts, _ = mix(sources, tmp_path, weights, shares="rows")
    assert counts(facts) == {"topic": 40, "scenario": 20, "translated": 10, "context": 0}


def test_a_larger_budget_contains_the_smaller(sources: dict[str, Path], tmp_path: Path) -> None:
    weights = {"topic": 3, "scenario": 2, "translated": 1.5}
    before: list[str] = []
    for budget in range(1, 30):
        _, found = mix(sources, tmp_path, weights, budget=Budget("examples", budget))
        ids = [row["id"] for row in found]
        assert len(ids) == budget
        # The order is nested too.
        assert [one for one in ids if one in set(before)] == before
        before = ids


def test_seed_decides(sources: dict[str, Path], tmp_path: Path) -> None:
    weights = {"topic": 1.0, "scenario": 1.0}
    runs = [mix(sources, tmp_path / str(n), weights, seed=s)[1] for n, s in enumerate((1, 1, 2))]
    assert runs[0] == runs[1] != runs[2]


def test_system_messages_follow_the_reasoning(sources: dict[str, Path], tmp_path: Path) -> None:
    words: dict[str, Any] = {"thinking_system_prompt": "Think.", "plain_system_prompt": "Plain."}
    weights = {"topic": 1.0, "translated": 1.0}
    for reasoning in (True, False):
        _, found = mix(sources, tmp_path, weights, reasoning=reasoning, **words)
        for row in found:
            thinks = reasoning and row["source"] == "topic"
            system, _, answer = (turn["content"] for turn in row["messages"])
            assert system == ("Think." if thinks else "Plain.")
            assert answer == ("<think>hm</think>Nzuri." if thinks else "Nzuri.")
    _, found = mix(sources, tmp_path, {"translated": 1}, plain_system_prompt="")
    assert found[0]["messages"][0]["role"] == "user"


def test_a_source_without_rows_is_a_line_of_zeros(sources: dict[str, Path], tmp_path: Path) -> None:
    facts, _ = mix(sources, tmp_path, {"topic": 1, "context": 3})
    assert counts(facts) == {"topic": 40, "context": 0}
    assert facts.table[1].available == 0


def test_a_source_with_weight_zero_need_not_be_there(
    sources: dict[str, Path], tmp_path: Path
) -> None:
    weights = {"topic": 1.0, "scenario": 0.0, "translated": 0.0}
    kept = {"topic": sources["topic"], "translated": tmp_path / "nowhere"}
    facts, _ = mix(kept, tmp_path, weights)
    assert counts(facts) == {"topic": 40}


def test_nothing_to_mix(sources: dict[str, Path], tmp_path: Path) -> None:
    with pytest.raises(MixtureError, match="context has 0 rows"):
        mix(sources, tmp_path, {"context": 1.0})
    del sources["topic"]
    with pytest.raises(MixtureError, match=r"not there: topic\. Remedy.*only these: context"):
        mix(sources, tmp_path, {"topic": 1.0, "scenario": 1.0})


def test_a_budget_in_tokens_is_nested_and_met_to_half_a_row(
    sources: dict[str, Path], tmp_path: Path
) -> None:
    """A row with the system prompt has 7 words, one with reasoning 22 (and no row has none)."""
    words: dict[str, Any] = {"thinking_system_prompt": " ".join("t" * 19)}
    weights = {"topic": 1.0, "translated": 1.0}
    before: set[str] = set()
    for budget in range(22, 150, 13):
        facts, found = mix(sources, tmp_path, weights, budget=Budget("tokens", budget), **words)
        assert abs(facts.tokens - budget) <= 11
        assert facts.tokens == sum(line.tokens for line in facts.table)
        ids = {row["id"] for row in found}
        assert before <= ids
        before = ids


def test_the_smallest_source_makes_subsets_of_one_size(
    sources: dict[str, Path], tmp_path: Path
) -> None:
    budget = Budget("tokens", smallest_of=("topic", "scenario", "translated"))
    every = dict.fromkeys(("topic", "scenario", "translated"), 1.0)
    for weights in ({"topic": 1.0}, {"scenario": 1.0}, {"translated": 1.0}, every):
        facts, _ = mix(sources, tmp_path, weights, shares="rows", budget=budget, reasoning=False)
        assert facts.budget == facts.tokens == 70
    # With reasoning: fewer rows in as many tokens, or the very same rows in more tokens.
    plain = mix(sources, tmp_path, every, shares="rows", budget=budget, reasoning=False)[1]
    limited, _ = mix(sources, tmp_path, every, shares="rows", budget=budget)
    assert limited.rows < 10
    assert limited.tokens == pytest.approx(70, abs=11)
    uncounted = Budget("tokens", smallest_of=budget.smallest_of, reasoning=False)
    same, rows = mix(sources, tmp_path, every, shares="rows", budget=uncounted)
    assert [row["id"] for row in rows] == [row["id"] for row in plain]
    assert same.tokens > 70


def test_a_budget_that_the_data_cannot_fill(sources: dict[str, Path], tmp_path: Path) -> None:
    with pytest.raises(MixtureError, match=r"cannot have 41 examples: .* has 40 .*Remedy"):
        mix(sources, tmp_path, {"topic": 1, "scenario": 1}, budget=Budget("examples", 41))
    with pytest.raises(MixtureError, match=r"cannot have 1,000 tokens.*Remedy"):
        mix(sources, tmp_path, {"translated": 1}, budget=Budget("tokens", 1000))
    empty = Budget("examples", smallest_of=("topic", "context"))
    with pytest.raises(MixtureError, match=r"smallest of topic, context, and context has no rows"):
        mix(sources, tmp_path, {"topic": 1}, budget=empty)
    with pytest.raises(ValueError, match=r"amount or smallest_of.*Remedy: smallest_of=\[\]"):
        Budget("tokens", 3, ("topic",))


def test_a_long_row_never_ends_a_budget_in_silence(tmp_path: Path) -> None:
    sources = written(tmp_path, "topic", [100] * 399 + [30_000])
    met, missed = [], []
    for seed in range(1, 9):
        budget: dict[str, Any] = {"budget": Budget("tokens", 30_000), **BARE}
        try:
            met.append(mix(sources, tmp_path, {"topic": 1}, seed, **budget)[0].tokens)
        except MixtureError as error:
            missed.append(str(error))
    assert set(met) == {30_000}
    assert missed
    assert all(re.search(r"not its budget of 30,000.*topic-399.*Remedy", m) for m in missed)
    # Of a budget of fewer than a hundred rows, half a row may be missing, or too much.
    for wanted, nearest in ((540, 500), (560, 600)):
        budget = {"budget": Budget("tokens", wanted), **BARE}
        assert mix(sources, tmp_path, {"topic": 1}, **budget)[0].tokens == nearest
    with pytest.raises(MixtureError, match=r"can have 0 tokens or 100, not its budget of 49"):
        mix(sources, tmp_path, {"topic": 1}, budget=Budget("tokens", 49), **BARE)


def test_what_the_trainer_leaves_out_is_left_out_before_drawing(tmp_path: Path) -> None:
    sources = written(tmp_path, "topic", [50] * 40 + [900] * 10)
    sources |= written(tmp_path, "context", [10] * 300)
    limit = 500
    smallest = Budget("tokens", smallest_of=("topic", "context"))
    settings: dict[str, Any] = {"budget": smallest, "longest": limit, **BARE}
    for name in sources:
        facts, _ = mix(sources, tmp_path, {name: 1}, **settings)
        assert facts.budget == facts.tokens == 2000
    facts, found = mix(sources, tmp_path, {"topic": 1}, longest=limit, **BARE)
    (line,) = facts.table
    assert (line.available, line.untrainable, line.rows) == (50, 10, 40)
    assert all(len(row["messages"][1]["content"].split()) < 500 for row in found)
    budget = Budget("tokens", 2001)
    with pytest.raises(MixtureError, match=r"has 2,000 \(topic has 40 rows and 10 untrainable\)"):
        mix(sources, tmp_path, {"topic": 1}, longest=limit, budget=budget, **BARE)
    with pytest.raises(MixtureError, match=r"0 rows and 50 untrainable.*raise train\.max_length"):
        mix(sources, tmp_path, {"topic": 1}, longest=5, **BARE)


def test_as_many_rows_as_without_reasoning(tmp_path: Path) -> None:
    """Also where their reasoning makes half of the rows too long."""
    sources = written(tmp_path, "topic", [10] * 400, reasoning=100)
    budget = Budget("tokens", 1000, reasoning=False)
    for limit in (50, 500):
        settings: dict[str, Any] = {"longest": limit, "budget": budget, **BARE}
        facts, found = mix(sources, tmp_path, {"topic": 1}, **settings)
        assert (facts.rows, facts.budget, facts.unit) == (100, 1000, "tokens without reasoning")
        assert facts.reasoning == sum("<think>" in row["messages"][-1]["content"] for row in found)
        assert (facts.reasoning > 0) == (limit == 500)
        plain, _ = mix(sources, tmp_path, {"topic": 1}, reasoning=False, **settings)
        assert (plain.rows, plain.tokens, plain.reasoning) == (100, 1000, 0)


@pytest.mark.parametrize("weight", [-1.0, 1e-320, float("inf"), float("nan")])
def test_weights_that_no_share_can_be_computed_of(weight: float) -> None:
    with pytest.raises(ValueError, match=r"Mix\.weights\.topic: 0, or a number from"):
        Mix("m", {"topic": weight, "scenario": 1.0})


def test_the_table_counts_tokens_and_fertility(sources: dict[str, Path], tmp_path: Path) -> None:
    facts, _ = mix(sources, tmp_path, {"scenario": 1, "translated": 1}, reasoning=False)
    line = facts.table[0]
    assert (line.tokens, line.token_share, line.fertility) == (70, 0.5, 1.0)
    assert json.loads((tmp_path / "table.json").read_text())["table"][0]["tokens"] == 70


def test_named_rows_are_left_out(sources: dict[str, Path], tmp_path: Path) -> None:
    named = tmp_path / "named.jsonl"
    named.write_text('{"id": "translated-3"}\n{"id": "elsewhere"}\n', encoding="utf-8")
    facts, found = mix(sources, tmp_path, {"translated": 1}, exclude=str(named))
    assert (facts.table[0].available, facts.table[0].excluded, facts.rows) == (10, 1, 9)
    assert "translated-3" not in {row["id"] for row in found}
    named.write_text("translated-3\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"mix\.exclude.*Remedy"):
        mix(sources, tmp_path, {"translated": 1}, exclude=str(named))
