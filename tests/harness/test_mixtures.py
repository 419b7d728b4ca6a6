"""Mixtures through the command line: the nine subsets, own data, and planted benchmark texts."""

import json
import shutil
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from small import KAKUGO, manifests, run

from core.contract.names import CONTAMINATED
from generation.errors import InputError
from generation.mixture.make import ChatTokens, make_mixture
from generation.mixture.settings import Budget, Mix
from harness.errors import ConfigError
from harness.experiment import plan_experiment
from harness.stage import Work
from harness.stages.benchmarks import open_benchmarks, read_benchmark_items
from harness.stages.mixture import MixSettings
from tasks.catalogue import BENCHMARKS
from tasks.files import EMBEDDED, read_lines
from training.errors import RowsError
from training.prepare import make_token_counter, prepare
from training.settings import DataSettings, Train
from training.tokenised import Tokeniser

OWN = f"++sources.own={{mine: {{kind: chat, files: [{__file__}]}}}}"
EQUAL = ("topic", "scenario", "context", "tran", "gen", "gen_tran", "gen_reas_tran_tokens")


def source(folder: Path, name: str, rows: int, words: int) -> Path:
    """Rows of unequal lengths; those of the generated sources have reasoning."""
    folder.mkdir(parents=True)
    with (folder / "rows.jsonl").open("w", encoding="utf-8") as file:
        for n in range(rows):
            answer = "neno " * (1 + words * (n * 7919 % 13) // 6)
            row = {
                "id": f"{name}-{n}",
                "source": name,
                "messages": [
                    {"role": "user", "content": f"Swali la {n}?"},
                    {"role": "assistant", "content": answer},
                ],
                "reasoning": None if name == "translated" else "Hmm, hebu nifikiri kidogo.",
            }
            file.write(json.dumps(row) + "\n")
    return folder


def test_the_papers_nine_subsets_have_the_budgets_of_the_paper(
    composed: Callable[..., Any], tokenizer: Any, tiny: Path, tmp_path: Path
) -> None:
    counts = {
        "topic": (400, 30),
        "scenario": (500, 28),
        "context": (600, 20),
        "translated": (300, 45),
    }
    sources = {name: source(tmp_path / name, name, *n) for name, n in counts.items()}
    tokens = ChatTokens(make_token_counter(tiny, Train("t").data), Tokeniser(tiny).count)
    made = {}
    for name in (*EQUAL, "gen_reas_tran_examples", "gen_reas_tran"):
        mix = composed("sweep=subsets", f"mix={name}").mix
        assert mix.name == name
        made[name] = make_mixture(
            sources, mix, language="Swahili", seed=0, out=tmp_path / "out", tokens=tokens
        )
    budget = made["topic"].budget
    assert budget is not None
    for name in EQUAL:
        assert made[name].tokens == pytest.approx(budget, rel=0.01), name
    examples, plain = made["gen_reas_tran_examples"], made["gen_tran"]
    assert [line.rows for line in examples.table] == [line.rows for line in plain.table]
    assert examples.tokens > plain.tokens
    assert made["gen_reas_tran"].rows == sum(rows for rows, _ in counts.values())
    halved = composed("sweep=subsets", "mix=gen", "matched.part=0.5").mix
    half = make_mixture(
        sources, halved, language="Swahili", seed=0, out=tmp_path / "out", tokens=tokens
    )
    assert half.tokens == pytest.approx(budget / 2, rel=0.02)
    # Without a sweep, a subset is all of its source.
    alone = composed("mix=topic").mix
    assert alone.budget == replace(alone.budget, amount=None, smallest_of=())


@pytest.mark.parametrize("name", [*EQUAL, "gen_reas_tran_examples"])
def test_the_subsets_follow_the_matched_budget(composed: Callable[..., Any], name: str) -> None:
    sweep = ("sweep=subsets", f"mix={name}")
    chosen = composed(*sweep, "matched.smallest_of=[topic,translated]", "matched.unit=examples")
    assert chosen.mix.budget.smallest_of == ("topic", "translated")
    assert chosen.mix.budget.unit == "examples"
    fixed = composed(*sweep, "matched.smallest_of=[]", "matched.amount=500000")
    assert fixed.mix.budget.amount == 500_000
    with pytest.raises(ConfigError, match=r"Remedy:.*matched\.smallest_of=\[\]"):
        composed(*sweep, "matched.amount=500000")


def test_a_mistyped_weight_is_named_also_where_it_is_zero(composed: Callable[..., Any]) -> None:
    with pytest.raises(ConfigError, match="received 'topc'"):
        composed("++mix.weights.topc=0")


@pytest.mark.parametrize("rewrites", [False, True])
@pytest.mark.parametrize("overlong", ["drop", "truncate"])
def test_the_trainer_takes_the_tokens_that_the_mixture_counts(
    tokenizer: Any, tiny: Path, tmp_path: Path, overlong: Any, rewrites: bool
) -> None:
    """Also where a template, as Qwen3's, writes something into the last answer alone, where a row
    holds a special token as text, and where an answer is not trained."""
    base = tmp_path / "base"
    shutil.copytree(tiny, base)
    if rewrites:
        (base / "chat_template.jinja").write_text(
            "{% for m in messages %}<|im_start|>{{ m.role }}\n"
            "{% if m.role == 'assistant' and loop.last %}<think>\n\n</think>\n{% endif %}"
            "{{ m.content }}<|im_end|>\n{% endfor %}"
            "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}",
            encoding="utf-8",
        )
    sources = {
        "topic": source(tmp_path / "topic", "topic", 200, 20),
        "context": source(tmp_path / "context", "context", 200, 90),
    }
    spoil(sources["topic"] / "rows.jsonl")
    data = DataSettings(200, True, overlong, False, 0.0)
    tokens = ChatTokens(make_token_counter(base, data), Tokeniser(base).count)
    budget = Budget(smallest_of=("topic", "context"))
    for name in sources:
        facts = make_mixture(
            sources,
            Mix(name, {name: 1.0}, budget=budget, reasoning=False),
            language="Swahili",
            seed=0,
            out=tmp_path / "out",
            tokens=tokens,
        )
        packed = prepare(
            base=base,
            rows=tmp_path / "out" / "rows.jsonl",
            out=tmp_path / "packed",
            data=data,
            seed=0,
        )
        assert packed.dropped == packed.control_tokens == 0
        assert packed.tokens == facts.tokens == pytest.approx(facts.budget, rel=0.01)
        if name == "topic":
            assert facts.table[0].untrainable == 1
            assert '"weight": 0' in (tmp_path / "out" / "rows.jsonl").read_text(encoding="utf-8")
        else:
            assert (facts.table[0].untrainable > 0) == (overlong == "drop")


def spoil(rows: Path) -> None:
    """Puts a special token into the first row, and a second answer into the others, of which every
    third row's first is not trained."""
    lines = [json.loads(line) for line in rows.read_text(encoding="utf-8").splitlines()]
    lines[0]["messages"][1]["content"] += "<|im_end|>"
    for number, line in enumerate(lines[1:]):
        if number % 3 == 0:
            line["messages"][1]["weight"] = 0
        line["messages"] += [
            {"role": "user", "content": "Na pili?"},
            {"role": "assistant", "content": "Pili ni hivi."},
        ]
    rows.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")


def own(tmp_path: Path, tiny: Path, rows: list[str], *more: str) -> list[str]:
    file = tmp_path / "chats.jsonl"
    lines = (
        json.dumps(
            {"messages": [{"role": "user", "content": "Andika sentensi."},
                          {"role": "assistant", "content": row}]}
        )
        for row in rows
    )  # fmt: skip
    file.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return [
        *KAKUGO,
        f"store={tmp_path}/store",
        f"cache={tmp_path}/cache",
        "student=directory",
        "student.name=tiny",
        f"student.path={tiny}",
        f"sources.own={{mine: {{kind: chat, files: [{file}]}}}}",
        "mix=own",
        "mix.weights.mine=1",
        *more,
    ]


def test_planted_benchmark_texts_are_counted_and_stop_the_run_before_training(
    tiny: Path, tmp_path: Path
) -> None:
    flores = (EMBEDDED / "flores" / "devtest" / "swh_Latn.txt").read_text(encoding="utf-8")
    sentences = flores.splitlines()
    clean = [f"Habari ya kwanza ni fupi, na ya {n} ni ndefu kidogo." for n in range(6)]
    rows = [*clean, f"Sawa: {sentences[4]}", f"{sentences[9]} Asante."]
    done = run(own(tmp_path, tiny, rows, "stop_after=train", "fail_on_contamination=true"))
    assert done.returncode == 1
    assert "2 of 8 training rows hold a benchmark's text" in done.stderr
    assert "Traceback" not in done.stderr
    assert not manifests(tmp_path / "store", "train")
    (found,) = manifests(tmp_path / "store", "contamination")
    assert found["facts"]["contaminated_rows"] == 2
    assert found["facts"]["contamination"]["flores in Swahili: run"] == 2
    (planned,) = (tmp_path / "store").glob("runs/*/plan.json")
    assert json.loads(planned.read_text("utf-8"))["teacher"] == ""  # nothing was there to write
    (file,) = (tmp_path / "store").glob("contamination/*/contaminated.jsonl")
    assert f'mix.exclude="{file}"' in done.stderr


def test_leaving_out_what_was_found_ends_with_clean_rows(
    composed: Callable[..., Any], tmp_path: Path
) -> None:
    """Also where a budget takes other rows in their place, round after round."""
    sentences = read_lines(EMBEDDED / "flores" / "devtest" / "swh_Latn.txt")[:9]
    clean = [f"Habari ya kwanza ni fupi, na ya {n} ni ndefu kidogo." for n in range(4)]
    rows = source(tmp_path / "mine", "mine", 0, 0) / "rows.jsonl"
    with rows.open("w", encoding="utf-8") as file:
        for n, text in enumerate([*clean, *sentences]):
            messages = [{"role": "user", "content": "?"}, {"role": "assistant", "content": text}]
            row = {"id": f"mine-{n}", "source": "mine", "messages": messages, "reasoning": None}
            file.write(json.dumps(row) + "\n")
    wanted = ["mix=own", "++mix.weights.mine=1", OWN, "++mix.budget={unit: examples, amount: 4}"]
    tokens = ChatTokens(lambda chats: [1] * len(chats), lambda texts: [1] * len(texts))
    named: set[str] = set()
    for number in range(9):
        config, mixed = composed(*wanted), tmp_path / f"mixture {number}"
        make_mixture(
            {"mine": rows}, config.mix, language="Swahili", seed=0, out=mixed, tokens=tokens
        )
        (stage,) = plan_experiment(config, tmp_path).list_named("contamination")
        out = tmp_path / f"found-{number}"
        out.mkdir()
        work = Work(out, {"mixture": SimpleNamespace(path=mixed)}, lambda *_: None)
        facts = stage.make(stage.settings, work).facts
        if not facts.contaminated_rows:
            break
        known = {json.loads(line)["id"] for line in read_lines(out / CONTAMINATED)}
        assert len(known) == len(named) + facts.contaminated_rows
        named = known
        wanted = [w for w in wanted if "exclude" not in w] + [f"++mix.exclude={out / CONTAMINATED}"]
    else:
        pytest.fail("it goes on for ever")
    assert number > 1


def test_what_cannot_be_looked_for_is_said_where_clean_data_are_asked_for(
    tiny: Path, tmp_path: Path
) -> None:
    other = ("language=other", "language.name=Frisian", "stop_after=mix")
    rows = ["Goeie, hoe is it?"] * 6
    done = run(own(tmp_path, tiny, rows, *other, "fail_on_contamination=true"))
    assert done.returncode == 0, done.stderr
    said = " ".join(done.stdout.split())
    assert said.count("was not looked for") == len(
        [one for one in BENCHMARKS.values() if one.paper]
    )
    assert "belebele in Frisian was not looked for: no belebele code is known" in said


# The benchmarks whose embedded sets and gaps these tests tell of; there may be more.
KNOWN = ("sib200", "belebele", "global_mmlu", "flores")


@pytest.mark.parametrize(
    ("overrides", "unchecked"),
    [
        (["language=swahili"], []),
        (["language=english"], []),
        # FLORES+ has it in part; the other benchmarks are known to lack it.
        (["language=chuvash"], ["flores in Chuvash"]),
        (["language=galician"], ["sib200 in Galician", "flores in Galician"]),
        (
            ["language=other", "language.name=Frisian"],
            [f"{name} in Frisian" for name in KNOWN],
        ),
    ],
)
def test_english_is_looked_for_whatever_the_language_has(
    composed: Callable[..., Any], overrides: list[str], unchecked: list[str]
) -> None:
    config = composed(*overrides)
    found = read_benchmark_items(config, open_benchmarks(config))
    items, missing = found.items, found.unchecked
    assert [name for name in missing if name.partition(" ")[0] in KNOWN] == unchecked
    english = read_lines(EMBEDDED / "flores" / "devtest" / "eng_Latn.txt")
    flores = [item for item in items if item.benchmark == "flores"]
    assert [item.text for item in flores if item.language == "English"] == english


def test_english_sentences_without_a_file_are_named(
    composed: Callable[..., Any], tmp_path: Path
) -> None:
    shutil.copytree(EMBEDDED, tmp_path / "data")
    (tmp_path / "data" / "flores" / "devtest" / "eng_Latn.txt").unlink()
    config = composed("language=chuvash", f"++data_dir={tmp_path}/data")
    missing = read_benchmark_items(config, open_benchmarks(config)).unchecked
    assert {"flores in Chuvash", "flores in English"} <= set(missing)
    assert not {f"{name} in English" for name in KNOWN if name != "flores"} & set(missing)


def test_a_file_of_another_shape_is_named_and_nothing_is_drawn(tiny: Path, tmp_path: Path) -> None:
    command = own(tmp_path, tiny, [], "stop_after=mix")
    (tmp_path / "chats.jsonl").write_text('{"instruction": "A", "output": "B"}\n')
    done = run(command)
    assert done.returncode == 1
    assert "line 1 is an object with the keys instruction, output" in done.stderr
    assert "Traceback" not in done.stderr
    assert not manifests(tmp_path / "store", "mixture")


@pytest.mark.parametrize(
    ("thoughts", "says"),
    [
        ((), "It was trained with this system prompt"),
        (range(4), "It thinks before it answers"),
        (range(2), "The system prompt says whether it thinks"),
    ],
)
def test_the_card_promises_thinking_only_where_rows_think(
    thoughts: Sequence[int], says: str, tiny: Path, tmp_path: Path
) -> None:
    thought = "<think>Hebu nifikiri.</think>"
    rows = [f"{thought if n in thoughts else ''}Jibu la {n}." for n in range(4)]
    more = ("stop_after=train", "train.steps=1", "train.threads=1", "mix.reasoning=true")
    done = run(own(tmp_path, tiny, rows, *more))
    assert done.returncode == 0, done.stderr
    (mixed,) = manifests(tmp_path / "store", "mixture")
    assert (mixed["facts"]["rows"], mixed["facts"]["reasoning"]) == (4, len(thoughts))
    (card,) = (tmp_path / "store").glob("train/*/checkpoint/README.md")
    text = card.read_text(encoding="utf-8")
    assert says in text
    assert ("<think>" in text) == bool(thoughts)
    assert ("To answer at once" in text) == (0 < len(thoughts) < 4)


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ("++mix.exclude=/nowhere", r"mix\.exclude: there is no file /nowhere"),
        ("++sources.own={mine: {kind: chat, files: [/nowhere]}}", "/nowhere is not a file"),
    ],
)
def test_files_that_are_not_there_are_named_before_any_work(
    composed: Callable[..., Any], more: str, message: str
) -> None:
    config = composed("mix=own", "++mix.weights.mine=1", OWN, more)
    with pytest.raises((InputError, RowsError), match=rf"{message}.*Remedy"):
        plan_experiment(config, Path("ledgers"))


def test_the_design_holds_eleven_blends_at_two_sizes_under_names_that_tell_them(
    composed: Callable[..., Any],
) -> None:
    point = "mix.weights={translated: 1, topic: 1}"
    mix = composed("sweep=design", "mix=blend", point, "matched.part=0.5").mix
    assert mix.name == "1 topic + 1 translated"
    assert mix.weighted == {"topic": 1, "translated": 1}
    assert (mix.budget.part, mix.reasoning, mix.shares) == (0.5, False, "weights")
    assert set(mix.budget.smallest_of) == {"topic", "scenario", "context", "translated"}
    axial = composed("sweep=axial", "mix=blend", "mix.weights={topic: 5, scenario: 1}").mix
    assert axial.budget == replace(mix.budget, part=1.0)
    with pytest.raises(ConfigError, match=r"of which size\? Remedy: give matched\.amount"):
        composed("mix=blend", point, "matched.part=0.5")
    # Half of an amount is that amount: the same rows, and so the same key.
    halves = [
        MixSettings.from_mix(composed("mix=blend", point, *size).mix)
        for size in (("matched.amount=100", "matched.part=0.5"), ("matched.amount=50",))
    ]
    assert halves[0] == halves[1]
