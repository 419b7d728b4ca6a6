"""The benchmarks' own files, where they are given: all are read, and as many items are scored as
in the paper."""

import csv
from pathlib import Path

import pytest

from tasks.catalogue import PAPERS_TASKS, TASKS
from tasks.data import BenchmarkData
from tasks.loading import COMMON, load_task
from tasks.protocol import Protocol

SCORED = {
    "sib200": 201,
    "belebele": 897,
    "global_mmlu": 14_039,
    "flores_xx_en": 1_009,
    "flores_en_xx": 1_009,
}


@pytest.mark.parametrize("shots", ["first", "balanced"])
def test_every_file_is_read_and_the_paper_s_items_are_scored(real_data: Path, shots: str) -> None:
    data = BenchmarkData("local", real_data)
    codes = {
        "sib200": [path.name for path in real_data.glob("sib200/*_*")],
        "belebele": [path.stem for path in real_data.glob("belebele/*.jsonl")],
        "global_mmlu": ["en"],
        "flores": [path.stem for path in real_data.glob("flores/devtest/*.txt")],
    }
    codes["flores"].remove("eng_Latn")
    for name, task in ((name, TASKS[name]) for name in PAPERS_TASKS):
        assert codes[task.benchmark]
        for code in codes[task.benchmark]:
            protocol = Protocol(shots=shots)  # type: ignore[arg-type]
            loaded = load_task(task, code, code, data, protocol)
            assert len(loaded.items) == SCORED[name]
            assert not [w for w in loaded.list_warnings() if "the same label" not in w]


def test_items_of_a_benchmark_are_the_same_in_every_language(real_data: Path) -> None:
    data = BenchmarkData("local", real_data)
    for name, codes in (
        ("belebele", ("eng_Latn", "amh_Ethi", "ibo_Latn", "lao_Laoo", "zul_Latn")),
        ("sib200", ("eng_Latn", "amh_Ethi", "lao_Laoo", "zul_Latn")),
    ):
        ids = [{item.id for item in load_task(TASKS[name], c, c, data).items} for c in codes]
        assert all(other == ids[0] for other in ids)


def test_every_task_of_the_paper_is_there(real_data: Path) -> None:
    table = real_data.parent / "paper" / "languages.csv"
    if not table.is_file():
        pytest.skip("the paper's table of languages does not lie beside the data")
    with table.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert rows
    for row in rows:
        for name, task in ((name, TASKS[name]) for name in PAPERS_TASKS):
            covered = row[f"has_{name}"] == "1"
            code = row["global_mmlu_code" if name == "global_mmlu" else "flores_code"]
            # SIB-200 has Occitan without the variety; see conf/language/aranese.yaml.
            code = "oci_Latn" if (name, code) == ("sib200", "oci_Latn_aran1260") else code
            path = COMMON / f"{task.make_lm_eval_name(code)}.yaml"
            assert path.is_file() == covered, f"{row['language']}: {name}"


def test_the_published_topics_are_sorted_and_warned_of(real_data: Path) -> None:
    data = BenchmarkData("local", real_data)
    loaded = load_task(TASKS["sib200"], "swh_Latn", "Swahili", data)
    warnings = loaded.list_warnings(limit=20)
    assert "all 3 shots have the same label" in warnings[0]
    assert "only 1 of the 7 labels" in warnings[1]
    balanced = load_task(TASKS["sib200"], "swh_Latn", "Swahili", data, Protocol(shots="balanced"))
    assert not balanced.list_warnings()


def test_javanese_of_seahelm_is_read_whole(real_data: Path) -> None:
    data = BenchmarkData("local", real_data)
    items = {"sentiment": 394, "metaphor": 282, "belebele": 280, "nusax_xx_id": 394,
             "nusax_id_xx": 394, "ifeval": 105}  # fmt: skip
    for name, number in items.items():
        for prompt in ("chat-message", *["plain"] * (name != "ifeval")):
            protocol = Protocol(prompt=prompt)  # type: ignore[arg-type]
            loaded = load_task(TASKS[f"seahelm_{name}"], "jv", "Javanese", data, protocol)
            assert len(loaded.items) == number, name
            assert loaded.left_out == {}
            assert {item.wording for item in loaded.items} == {
                "SEA-HELM" if name == "ifeval" else "SEA-HELM 1.0"
            }
