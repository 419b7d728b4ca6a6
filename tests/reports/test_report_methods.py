"""Methods for a paper: true of the store, silent where it is, and safe to print."""

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from store_maker import key_of, task_samples, write_score

from core.contract.score import ScoredData
from reports import read_store
from reports.errors import StoreNeededError
from reports.outputs.methods import read_references, write_methods
from reports.report import Report
from reports.tables.importing import import_table
from reports.tables.methods import CITED, MODELS


def write(store: Path, out: Path) -> tuple[str, str, str]:
    """The Markdown, the LaTeX and the bibliography of a store."""
    paths = write_methods(Report.from_store(read_store(store)), out)
    assert [path.name for path in paths] == ["methods.md", "methods.tex", "references.bib"]
    markdown, latex, bibliography = (path.read_text(encoding="utf-8") for path in paths)
    return markdown, latex, bibliography


def change(store: Path, pattern: str, edit: Callable[[dict[str, Any]], None]) -> None:
    """Edits every JSON file that a pattern finds."""
    for path in store.glob(pattern):
        content = json.loads(path.read_text())
        edit(content)
        path.write_text(json.dumps(content))


@pytest.fixture
def copy(store: Path, tmp_path: Path) -> Path:
    return shutil.copytree(store, tmp_path / "artifacts")


def test_it_tells_what_the_store_holds(store: Path, tmp_path: Path) -> None:
    text, _, _ = write(store, tmp_path)
    for said in (
        "2 languages: Swahili (swh\\_Latn) and Uyghur (uig\\_Arab).",
        "The student is SmolLM2-135M-Instruct [@smollm2].",
        "The mixture gen holds",
        "No search for benchmark texts is recorded",
        "SIB-200: 48 items, 3-shot, letters, plain, English instructions",
        "Gains on Belebele, Global-MMLU and SIB-200 are tested by: McNemar, exact.",
        "Wins and losses are counted by test, and after Holm's correction too.",
        "the engine shared-prefix in fp32.",
        "- No two checkpoints differ in their training seed alone",
        "the harness's own small sets",
        "- There are 3 scores less than planned (gap: Belebele does not cover Uyghur): Belebele in "
        "Uyghur.",
        "- 1 file of the store could not be used.",
    ):
        assert said in text
    assert "None" not in text


def test_what_is_not_recorded_is_not_said(copy: Path, tmp_path: Path) -> None:
    text, _, bibliography = write(copy, tmp_path)
    for word in ("learning rate", "lm-evaluation-harness", "seed of", "temperature", "first 8"):
        assert word not in text
    assert "eval-harness" not in bibliography

    def configure(manifest: dict[str, Any]) -> None:
        manifest["config"] = {"lm_eval": "0.4.13", "limit": 8, "seed": 1234, "max_new_tokens": 64}
        manifest["config"]["train"] = {"learning_rate": 1e-5, "lora": {"rank": 0}}

    change(copy, "*/*/manifest.json", configure)
    text, _, bibliography = write(copy, tmp_path)
    for said in ("learning rate 1e-05", "trained weights all", "seed 1234", "up to 64 new tokens"):
        assert said in text
    assert "- Some scores are of the first 8 items of a task only." in text
    assert "lm-evaluation-harness 0.4.13 [@eval-harness]" in text
    assert "@misc{eval-harness," in bibliography


def test_a_price_that_is_not_known_is_no_sum(copy: Path, tmp_path: Path) -> None:
    def forget(manifest: dict[str, Any]) -> None:
        manifest["facts"]["cost_usd"] = None

    assert "US dollars" in write(copy, tmp_path)[0]
    change(copy, "source/*/manifest.json", forget)
    text = write(copy, tmp_path)[0]
    assert "US dollars" not in text
    assert "which cost an amount that is not recorded" in text


def test_it_cites_what_was_used_and_no_more(copy: Path, tmp_path: Path) -> None:
    text, latex, bibliography = write(copy, tmp_path)
    cited = set(re.findall(r"@([\w-]+)", " ".join(re.findall(r"\[(@[^]]+)\]", text))))
    listed = set(re.findall(r"^@\w+\{([^,]+),", bibliography, re.MULTILINE))
    assert cited == listed == {"kakugo", "smollm2", "chrf-pp"}, "embedded sets are no benchmarks"
    assert set(",".join(re.findall(r"\\cite\{([^}]+)\}", latex)).split(",")) == cited

    samples = task_samples("Swahili", "sib200", 0.3, 1)
    data = ScoredData("0123456789abcdef", "Davlan/sib200", "hub", "ab" * 32, "test")
    base = ("base", key_of("base"))
    write_score(copy, key_of("hub"), "Swahili", "base", base, "sib200", samples, data=data)
    text, _, bibliography = write(copy, tmp_path)
    assert "@inproceedings{sib-200," in bibliography
    assert "@misc{belebele," not in bibliography
    assert "Data: Davlan/sib200 at commit 0123456789ab." in text
    assert "- Not all scores of SIB-200 were made by one protocol." in text


def test_each_entry_is_whole_and_can_be_cited() -> None:
    entries = read_references()
    used = {*CITED.values(), *MODELS.values(), "kakugo", "eval-harness", "chrf-pp"}
    assert used == set(entries)
    for name, entry in entries.items():
        assert re.fullmatch(r"[\w-]*\w", name), "Pandoc takes a sign at the end for punctuation"
        assert entry.count("{") == entry.count("}")
        assert "author = " in entry
        assert "title = " in entry


def test_names_of_users_are_printed_as_they_are(copy: Path, tmp_path: Path) -> None:
    def rename(plan: dict[str, Any]) -> None:
        plan["student"] = r"my_model & \input{x} [@evil] <b>"

    change(copy, "runs/*/plan.json", rename)
    text, latex, _ = write(copy, tmp_path)
    assert r"my\_model \& \\input\{x\} \[@evil\] \<b\>" in text
    assert r"my\_model \& \textbackslash{}input\{x\}" in latex
    assert "\\input{x}" not in latex


def test_an_imported_table_is_refused_with_a_remedy(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("language,task,base,mine\nZulu,sib200,50.0,70.0\n")
    with pytest.raises(StoreNeededError, match="Remedy: --store"):
        write_methods(Report.from_table(import_table(path)), tmp_path)
