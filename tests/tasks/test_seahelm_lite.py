"""Global-MMLU Lite: rows without words, which stand in the file beside them."""

import json
from pathlib import Path

import pytest
import yaml
from wide_data import write_lines

from tasks.benchmarks import seahelm_global_mmlu_lite as lite
from tasks.catalogue import TASKS
from tasks.data import open_data
from tasks.errors import DataMalformed, DataMissing
from tasks.loading import Loaded, load_task
from tasks.protocol import Protocol
from tasks.written import make_reading_document, read_answer

TASK = "{question}\nA: {option_a}\nB: {option_b}\nC: {option_c}\nD: {option_d}"


def make_rows(labels: str) -> list[dict[str, object]]:
    options = {f"option_{letter}": f"{letter}{{1}}" for letter in "abcd"}
    return [
        {
            "id": n,
            "label": label,
            "prompts": [{"question": f"Pertanyaan {n}?", **options}],
            "metadata": {"subject": "astronomy", "sample_id": f"astronomy/test/{n}"},
        }
        for n, label in enumerate(labels)
    ]


def write_set(root: Path, settings: object) -> Path:
    folder = root / "seahelm" / "knowledge" / "global_mmlu_lite"
    write_lines(folder / "global_mmlu_lite_id_test.jsonl", make_rows("ABCDAB"))
    write_lines(folder / "global_mmlu_lite_id_dev.jsonl", make_rows("AB"))
    write_lines(folder / "global_mmlu_lite_my_test.jsonl", make_rows("ကဂA"))
    (folder / "config.yaml").write_text(yaml.safe_dump(settings, allow_unicode=True))
    return root


def make_settings() -> dict[str, object]:
    asked = 'Jawab begini.\n"{answer_tag} ANSWER"'
    words = {"preamble": asked, "task_template": TASK}
    languages = {code: {"prompt_template": words} for code in ("id", "my")}
    return {"global_mmlu_lite": {"languages": languages}}


def load(root: Path, code: str = "id") -> Loaded:
    task = TASKS["seahelm_global_mmlu_lite"]
    data = open_data(str(root))
    return load_task(task, code, "Indonesian", data, Protocol(prompt="chat-message"))


def test_a_chat_is_asked_in_the_files_own_words(tmp_path: Path) -> None:
    loaded = load(write_set(tmp_path, make_settings()))
    assert len(loaded.items) == 6
    assert loaded.items[1].query == (
        'Jawab begini.\n"Jawaban: ANSWER"\n\nPertanyaan 1?\nA: a{1}\nB: b{1}\nC: c{1}\nD: d{1}'
    )
    assert loaded.in_words.endswith("wording of SEA-HELM 1.1")
    assert (loaded.guessing, loaded.shots_shown) == (0.25, 0)
    reading = lite.BENCHMARK.reading
    assert reading
    document = make_reading_document(loaded.items[1], reading, "id", loaded.protocol)
    assert read_answer(document, "Jawaban: B").scored.quality == 1
    assert read_answer(document, "Jawaban: (B)").scored.text == ""


def test_burmese_is_answered_by_its_own_letters_whichever_the_rows_have(tmp_path: Path) -> None:
    items = load(write_set(tmp_path, make_settings()), "my").items
    assert [item.choices[item.answer] for item in items] == ["က", "ဂ", "က"]


@pytest.mark.parametrize("settings", [{}, [], {"global_mmlu_lite": {"languages": {"vi": {}}}}])
def test_a_file_without_the_words_is_named(tmp_path: Path, settings: object) -> None:
    with pytest.raises(DataMalformed, match=r"config\.yaml has no words to ask id in .*Remedy"):
        load(write_set(tmp_path, settings))


def test_what_is_not_there_is_said(tmp_path: Path) -> None:
    (write_set(tmp_path, {}) / "seahelm/knowledge/global_mmlu_lite/config.yaml").unlink()
    with pytest.raises(DataMissing, match=r"no file .*config\.yaml\. Remedy"):
        load(tmp_path)
    with pytest.raises(DataMissing, match="is on no Hub"):
        lite.SET.read_hub(json.loads, "id")
