"""SEA-HELM's sets: their rows, the words in which they are asked, and what is wrong with a file."""

import json
from pathlib import Path

import pytest
import yaml
from seahelm_data import SENTIMENTS, write_seahelm

from tasks.benchmark import Benchmark
from tasks.benchmarks._seahelm import CODES, SUITE
from tasks.catalogue import BENCHMARKS, TASKS
from tasks.data import open_data
from tasks.errors import DataMalformed, DataMissing
from tasks.loading import Loaded, load_task
from tasks.protocol import Protocol

SETS = [one for one in BENCHMARKS.values() if one.suite and one.suite.suite == SUITE]
CHAT = Protocol(prompt="chat-turns")


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_seahelm(tmp_path_factory.mktemp("seahelm"))


def load(root: Path, name: str, protocol: Protocol | None = None, code: str = "jv") -> Loaded:
    return load_task(TASKS[name], code, "Javanese", open_data(str(root)), protocol)


@pytest.mark.parametrize("content", SETS, ids=lambda one: one.name)
def test_each_set_has_a_wording_for_each_of_its_languages(content: Benchmark) -> None:
    assert content.reading
    assert set(content.codes.values()) == content.reading.wordings.keys()
    assert content.codes.items() <= CODES.items()
    for wording in content.reading.wordings.values():
        labels = [label.casefold() for label in wording.labels or ()]
        names = [name for others in (wording.labels or {}).values() for name in others]
        assert len(set(labels)) == len(labels)
        assert len(set(names)) == len(names)
        # Else it would depend on their order which of them is read.
        assert not any(a != b and a.startswith(b) for a in labels for b in labels)


def test_a_chat_is_asked_one_item_and_a_base_model_sees_five_examples_first(root: Path) -> None:
    chat, plain = load(root, "seahelm_sentiment", CHAT), load(root, "seahelm_sentiment")
    preamble = "Apa rasane ukara iki? Positif, Negatif, utawa Netral.\n\nJawaban: $OPTION"
    item = f"Ukara:\n```{SENTIMENTS[0][0]}```"
    assert chat.items[0].query == f"{preamble}\n\n{item}"
    assert (chat.shots_shown, plain.shots_shown) == (0, 5)
    shown = "".join(
        f"Ukara:\n```{text}```\n\nJawaban: {word}\n\n"
        for (text, _), word in zip(
            SENTIMENTS[:-6:-1], ("positif", "positif", "negatif", "negatif", "positif"), strict=True
        )
    )
    assert plain.items[0].query == f"{preamble}\n\n{shown}{item}\n\n"
    assert chat.evaluate_options["fewshot_as_multiturn"] is False
    assert chat.in_words == (
        "written answer, SEA-HELM's extraction, chat template with one message, no added system "
        "prompt, wording of SEA-HELM 1.0"
    )
    assert plain.prompts_sha256 != chat.prompts_sha256


def test_all_rows_are_scored_and_labels_are_the_languages_own(root: Path) -> None:
    loaded = load(root, "seahelm_sentiment", CHAT)
    assert len(loaded.items) == len(SENTIMENTS)
    assert [item.choices[item.answer] for item in loaded.items[:3]] == [
        "Positif", "Negatif", "Netral",
    ]  # fmt: skip
    assert loaded.guessing == pytest.approx(1 / 3)
    assert loaded.wording
    assert loaded.wording.max_tokens == 32


def test_questions_that_share_a_passage_are_told_and_the_key_is_what_it_was(root: Path) -> None:
    loaded = load(root, "seahelm_belebele", CHAT)
    passages = [item.passage for item in loaded.items]
    by_text = {
        row["text"]: passage for row, passage in zip(loaded.data.rows, passages, strict=True)
    }
    assert len(by_text) == len(set(passages)) < len(passages)
    assert not any("passage" in item.asked for item in loaded.items)
    assert {item.passage for item in load(root, "seahelm_sentiment", CHAT).items} == {None}


def test_variants_that_do_not_apply_share_a_protocol() -> None:
    task = TASKS["seahelm_sentiment"]
    asked = [
        Protocol(answers="labels", shots="balanced", instructions="language"),
        Protocol(),
    ]
    assert task.select_protocol(asked[0]) == task.select_protocol(asked[1])
    chats = [Protocol(prompt="chat-turns"), Protocol(prompt="chat-message")]
    assert task.select_protocol(chats[0]) == task.select_protocol(chats[1])
    strict = Protocol(extraction="strict")
    assert task.select_protocol(strict).extraction == "strict"
    assert TASKS["sib200"].select_protocol(strict) == Protocol()


def rewrite(root: Path, tmp_path: Path, change: dict[str, object]) -> Path:
    """Copies the set of sentiments with a change of its first row."""
    write_seahelm(tmp_path)
    path = tmp_path / "seahelm/nlu/sentiment_analysis/data/jv_nusax.jsonl"
    first, *rest = path.read_text(encoding="utf-8").splitlines()
    row = {**json.loads(first), **change}
    row = {name: value for name, value in row.items() if value != "gone"}
    path.write_text("\n".join([json.dumps(row), *rest]) + "\n", encoding="utf-8")
    return tmp_path


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"label": "glad"}, "line 1: the label is 'glad', allowed are positif, positive"),
        ({"prompts": []}, "line 1: no prompts"),
        ({"prompt_templates": "gone"}, "the row 500 has no prompt_templates, the words in which"),
        ({"prompts": [{"said": "x"}]}, ""),
    ],
)
def test_a_row_that_makes_no_sense_is_named(
    root: Path, tmp_path: Path, change: dict[str, object], said: str
) -> None:
    changed = rewrite(root, tmp_path, change)
    if not said:  # nothing to ask
        assert load(changed, "seahelm_sentiment").left_out == {"text": 1}
        return
    with pytest.raises(DataMalformed) as caught:
        load(changed, "seahelm_sentiment")
    assert said in str(caught.value)
    assert "Remedy" in str(caught.value)


def test_rows_without_ids_are_told_apart_by_their_position(root: Path, tmp_path: Path) -> None:
    changed = rewrite(root, tmp_path, {"id": "gone"})
    assert load(changed, "seahelm_sentiment").items[0].id == "1"


def test_what_is_not_there_is_said(root: Path, tmp_path: Path) -> None:
    write_seahelm(tmp_path)
    folder = tmp_path / "seahelm/nlu/sentiment_analysis/data"
    (folder / "jv_nusax_examples.jsonl").unlink()
    with pytest.raises(DataMissing, match=r"jv_NAME_examples\.jsonl"):
        load(tmp_path, "seahelm_sentiment")
    # A chat is shown no examples.
    assert load(tmp_path, "seahelm_sentiment", CHAT).items
    (folder / "jv_other.jsonl").write_text("", encoding="utf-8")
    with pytest.raises(DataMalformed, match="leave one file of jv there"):
        load(tmp_path, "seahelm_sentiment", CHAT)
    with pytest.raises(DataMissing, match=r"su_NAME\.jsonl"):
        load(tmp_path, "seahelm_sentiment", CHAT, code="su")


def test_the_shipped_choice_asks_for_every_task_of_the_suite() -> None:
    shipped = Path(__file__).parents[2] / "conf" / "evaluate" / "seahelm.yaml"
    asked = yaml.safe_load(shipped.read_text(encoding="utf-8"))["tasks"]
    assert sorted(asked) == sorted(
        name for name, task in TASKS.items() if task.content.suite and not task.retention
    )
