"""The steps of each source: counts as in the paper, choices by seed, filters."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from running import SMALL, run
from scripted import Scripted, answer, completion

from generation.errors import InputError, PromptsError
from generation.prompts import DEFAULT_FILE, load_prompts
from generation.settings import Context, Sources, Teacher, Translated
from generation.source import Order, Source, hash_inputs


def rows(folder: Path, source: str) -> list[dict[str, Any]]:
    text = (folder / source / "rows.jsonl").read_text(encoding="utf-8")
    return [json.loads(line) for line in text.splitlines()]


def test_a_real_small_teacher(llama: Teacher, tmp_path: Path) -> None:
    """Lists, revisions, answers and translations; tests/harness runs all four sources with it."""
    chats = tmp_path / "chats.jsonl"
    turns = [("user", "How are you today?"), ("assistant", "I am well, thank you.")]
    chat = {"messages": [{"role": role, "content": content} for role, content in turns]}
    chats.write_text(json.dumps(chat) + "\n", encoding="utf-8")
    few = replace(
        SMALL,
        context=replace(SMALL.context, max_texts=1, prompts=1),
        translated=Translated(str(chats), min_ratio=0.0),
        revised_share=1.0,
    )
    kept = 0
    sources: tuple[Source, ...] = ("context", "translated")
    for source in sources:
        facts = run(source, tmp_path, llama, few)
        found = rows(tmp_path, source)
        kept += len(found)
        assert facts.rows == len(found)
        assert facts.cost_usd == 0
        assert facts.calls == facts.calls_new == sum(step.asked for step in facts.steps) > 0
        assert facts.tokens_output == facts.tokens_output_new > 0
        for row in found:
            roles = [turn["role"] for turn in row["messages"]]
            assert roles == ["user", "assistant"] * (len(roles) // 2)
            assert all(turn["content"] for turn in row["messages"])
            assert row["source"] == source
    # Its texts differ between processors, so that no source alone is certain to have one.
    assert kept


def test_counts_of_topics(teacher: Teacher, tmp_path: Path) -> None:
    facts = run("topic", tmp_path, teacher)
    asked = {step.step: (step.asked, step.kept) for step in facts.steps}
    # 2 seeds, 2 macro-topics each, 2 topics each: 2 + 4 + 8 = 14 things to write 2 prompts about.
    assert asked["topic.macro_topics"] == (2, 4)
    assert asked["topic.topics"] == (4, 8)
    assert asked["topic.prompts"] == (14, 28)
    assert asked["topic.responses"] == (28, 28)
    revised = sum(row["provenance"]["revised"] for row in rows(tmp_path, "topic"))
    assert asked["topic.revised"] == (revised, revised)
    assert 7 < revised < 21


def test_counts_of_scenarios(teacher: Teacher, tmp_path: Path) -> None:
    facts = run("scenario", tmp_path, teacher)
    asked = {step.step: (step.asked, step.kept) for step in facts.steps}
    assert asked["scenario.scenarios"] == (2, 3)
    assert asked["scenario.details"] == (3, 6)
    assert asked["scenario.prompts"] == (9, 18)
    assert asked["scenario.responses"] == (18, 18)


@pytest.mark.parametrize(("share", "revised"), [(0.0, {False}), (1.0, {True})])
def test_revised_share(share: float, revised: set[bool], teacher: Teacher, tmp_path: Path) -> None:
    run("topic", tmp_path, teacher, replace(SMALL, revised_share=share))
    assert {row["provenance"]["revised"] for row in rows(tmp_path, "topic")} == revised


def test_a_lost_list_loses_only_itself(server: Scripted, teacher: Teacher, tmp_path: Path) -> None:
    def behave(body: dict[str, Any], nth: int) -> dict[str, Any] | None:
        lost = "everyday life." in body["messages"][1]["content"]
        return completion("I would rather not.") if lost else None

    server.behave = behave
    facts = run("topic", tmp_path, teacher)
    assert facts.steps[0].reasons == {"unreadable": 1}
    assert facts.steps[0].kept == 2
    assert facts.rows == 2 * (2 + 2 + 4)


def test_contexts_take_tasks_in_turn_and_carry_the_text(
    server: Scripted, teacher: Teacher, tmp_path: Path
) -> None:
    run("context", tmp_path, teacher, replace(SMALL, context=replace(SMALL.context, prompts=1)))
    found = rows(tmp_path, "context")
    assert len(found) == 8
    assert len({row["provenance"]["task"] for row in found}) == 8
    for row in found:
        text, _, words = row["messages"][0]["content"].partition("\n\n")
        assert len(text.split()) == 20
        assert words.startswith("entry ")


def test_more_texts_than_wanted_give_one_prompt_each_and_a_nested_sample(
    teacher: Teacher, tmp_path: Path
) -> None:
    ids = {}
    for count in (2, 4):
        settings = replace(SMALL, context=replace(SMALL.context, max_texts=count))
        run("context", tmp_path / str(count), teacher, settings)
        found = rows(tmp_path / str(count), "context")
        ids[count] = {row["provenance"]["context"] for row in found}
        assert len(found) == len(ids[count]) == count
    assert ids[2] < ids[4]


@pytest.mark.parametrize(
    ("content", "texts"),
    [("one\ntwo\n", 2), ("one\nstill one\n\ntwo\n \nthree\n", 3), ("\n\none\n", 1)],
)
def test_how_a_text_file_is_read(
    content: str, texts: int, teacher: Teacher, tmp_path: Path
) -> None:
    file = tmp_path / "texts.txt"
    file.write_text(content, encoding="utf-8")
    settings = Sources(context=Context(texts=str(file), prompts=1), revised_share=0)
    assert run("context", tmp_path, teacher, settings).rows == texts


@pytest.mark.parametrize(
    ("source", "settings", "words"),
    [
        ("context", Sources(), "none are given.*sources.context.texts"),
        (
            "context",
            Sources(context=Context(texts="/nowhere")),
            "swh_Latn.txt, swh_Latn.jsonl, Swahili.txt",
        ),
        ("translated", Sources(), "none is given.*sources.translated.conversations"),
        ("translated", Sources(translated=Translated("/nowhere")), "not a file"),
    ],
)
def test_missing_inputs_are_named(
    source: Source, settings: Sources, words: str, teacher: Teacher, tmp_path: Path
) -> None:
    with pytest.raises(InputError, match=words):
        run(source, tmp_path, teacher, settings)


def test_translations_are_filtered(server: Scripted, teacher: Teacher, tmp_path: Path) -> None:
    file = tmp_path / "chats.jsonl"
    chats = [
        [("human", f"Question number {n}, with several words?"), ("gpt", "One two three four.")]
        for n in range(5)
    ]
    lines: list[dict[str, Any]] = [
        {"conversations": [{"from": who, "value": text} for who, text in chat]} for chat in chats
    ]
    lines += [lines[0], {"langdetect": "fr", **lines[0]}, {"messages": []}]
    lines.append({"messages": [{"role": "user", "content": "<image> What?"}] * 1})
    lines.append({"messages": [{"role": "system", "content": "x"}]})
    file.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")

    def behave(body: dict[str, Any], nth: int) -> dict[str, Any] | None:
        user = body["messages"][1]["content"]
        chat = json.loads(user[user.index("[") :])
        number = int(chat[0]["content"].split()[2].rstrip(","))
        if number == 1:
            chat = chat[:1]
        if number == 2:
            chat[1]["content"] = "One."
        if number == 3:
            chat[1]["content"] = "word " * 101
        return completion("Sorry, no." if number == 4 else json.dumps(chat))

    server.behave = behave
    settings = Sources(translated=Translated(str(file)))
    facts = run("translated", tmp_path, teacher, settings)
    assert facts.steps[0].reasons == {
        "duplicate": 1,
        "not English": 1,
        "not an alternating chat": 2,
        "no messages": 1,
    }
    assert facts.steps[1].reasons == {
        "other number of turns": 1,
        "turn too short": 1,
        "turn too long": 1,
        "unreadable": 1,
    }
    (row,) = rows(tmp_path, "translated")
    assert row["messages"][0]["content"].startswith("Question number 0")


def test_translations_have_a_limit_of_their_own(
    server: Scripted, teacher: Teacher, tmp_path: Path
) -> None:
    run("translated", tmp_path, replace(teacher, translation_max_tokens=3000))
    assert {body["max_tokens"] for body in server.bodies} == {3000}


def test_images_are_dropped(server: Scripted, teacher: Teacher, tmp_path: Path) -> None:
    def behave(body: dict[str, Any], nth: int) -> dict[str, Any] | None:
        final = "JSON" not in body["messages"][0]["content"]
        return completion("See <image>.") if final and body["seed"] % 2 else None

    server.behave = behave
    facts = run("topic", tmp_path, teacher)
    last = facts.steps[-1]
    assert last.kept + last.reasons["image, video or audio"] == 28
    assert facts.rows == last.kept > 0


def test_input_hashes_follow_the_content(tmp_path: Path) -> None:
    file = tmp_path / "texts.txt"
    settings = Sources(context=Context(texts=str(file)))

    def hashes() -> dict[str, str]:
        return hash_inputs(
            Order("context", "Swahili", "swh_Latn", settings, Path(DEFAULT_FILE), seed=0)
        )

    file.write_text("one", encoding="utf-8")
    before = hashes()
    file.write_text("two", encoding="utf-8")
    after = hashes()
    assert before.keys() == after.keys() == {"prompts", "texts"}
    assert before["prompts"] == after["prompts"]
    assert before["texts"] != after["texts"]


ORIGINAL = """\
do_batch: True
prompt_gen_system_prompt_template: |
    Speak {lang_name}, cost: $5. One JSON object with a key "prompts".
prompt_improvement_system_prompt_template: |
    Improve this {lang_name} prompt. A key "improved_prompt".
response_gen_system_prompt_template: |
    Answer in {lang_name}.
translation_number_rows: 15000
"""


def test_the_original_repositorys_prompts_are_used_as_they_stand(
    server: Scripted, teacher: Teacher, tmp_path: Path
) -> None:
    """A file of its keys: they replace the system messages, and its own JSON form is read."""
    path = tmp_path / "config.yaml"
    path.write_text(ORIGINAL, encoding="utf-8")

    def behave(body: dict[str, Any], nth: int) -> dict[str, Any] | None:
        system = body["messages"][0]["content"]
        if '"prompts"' in system:
            return completion(json.dumps({"prompts": [f"swali {body['seed']}", "swali b"]}))
        if "improved_prompt" in system:
            return completion(json.dumps({"improved_prompt": f"swali refu {body['seed']}"}))
        return None

    server.behave = behave
    facts = run("topic", tmp_path, teacher, prompts_file=path)
    systems = {body["messages"][0]["content"] for body in server.bodies}
    assert 'Speak Swahili, cost: $5. One JSON object with a key "prompts".' in systems
    assert "Answer in Swahili." in systems
    assert facts.rows == facts.steps[-1].asked > 0
    assert sum(row["provenance"]["revised"] for row in rows(tmp_path, "topic")) > 0
    with pytest.raises(PromptsError, match=r"teacher\.lists=fenced"):
        load_prompts(path, language="Swahili", lists="schema")


def test_lost_marks_and_a_comma_at_the_end_cost_no_answer(
    server: Scripted, teacher: Teacher, tmp_path: Path
) -> None:
    """Where the prompt opens the reasoning, and lists are of objects with one comma more."""

    def behave(body: dict[str, Any], nth: int) -> dict[str, Any]:
        usual = answer(body)["choices"][0]["message"]["content"]
        if "```" not in usual:
            return completion(f"I answer in Swahili.\n</think>\n\n{usual}")
        items = json.loads(usual[usual.index("[") : usual.rindex("]") + 1])
        lines = "".join(f"  {json.dumps({'prompt': item})},\n" for item in items)
        return completion(f"[\n{lines}]")

    server.behave = behave
    facts = run("topic", tmp_path, replace(teacher, reasoning="required"))
    assert [step.reasons for step in facts.steps] == [{}] * len(facts.steps)
    assert all(step.parsed == step.asked for step in facts.steps)
    made = rows(tmp_path, "topic")
    # 2 seeds, 4 macro-topics and 8 topics, 2 prompts each.
    assert len(made) == facts.rows == 28
    assert {row["reasoning"] for row in made} == {"I answer in Swahili."}
    assert all(row["messages"][1]["content"].startswith("Jibu ") for row in made)
