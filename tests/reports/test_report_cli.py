import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest
from store_maker import key_of

from reports.cli import main


def test_importing_the_command_is_light() -> None:
    code = (
        "import reports.cli, sys\n"
        "heavy = {'torch', 'lm_eval', 'transformers', 'numpy', 'sacrebleu', 'rich', 'jinja2'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    start = time.perf_counter()
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
    assert time.perf_counter() - start < 3, "0.1 s on an idle machine"


def test_the_default_is_the_terminal(store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--store", str(store)]) == 1, "the store has a damaged file"
    assert "SIB-200" in capsys.readouterr().out


def test_files_go_into_the_store_or_where_asked(
    tmp_path: Path, store: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    copy = shutil.copytree(store, tmp_path / "copy")
    shutil.rmtree(copy / "score" / key_of("score", "Swahili", "trained:topic", "belebele"))
    assert main(["--store", str(copy), "--format", "html", "--format", "markdown"]) == 0
    assert (copy / "report" / "report.html").is_file()
    assert (copy / "report" / "report.md").is_file()
    assert main(["--store", str(copy), "--format", "csv", "--out", str(tmp_path / "out")]) == 0
    assert (tmp_path / "out" / "scores.csv").is_file()
    assert str(tmp_path / "out" / "scores.csv") in capsys.readouterr().out


def test_damage_is_named_whatever_the_format(
    tmp_path: Path, store: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--store", str(store), "--format", "csv", "--out", str(tmp_path)]) == 1
    assert "scores.json has 15 bytes" in capsys.readouterr().err


@pytest.mark.parametrize("folder", ["", "nowhere"])
def test_without_results_it_says_what_to_do(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], folder: str
) -> None:
    assert main(["--store", str(tmp_path / folder)]) == 2
    said = capsys.readouterr().err
    assert "Remedy: run an experiment first" in said
    assert "Traceback" not in said


def test_an_unknown_run_is_refused(store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--store", str(store), "--run", "nothing"]) == 2
    assert "20260102-100000" in capsys.readouterr().err


def test_help_tells_formats_and_exit_statuses(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        main(["--help"])
    assert stop.value.code == 0
    said = capsys.readouterr().out
    for words in ("scores.csv", "report.html", "exit status", "same items"):
        assert words in said


def test_the_card_of_a_checkpoint_has_its_scores_and_cost(
    tmp_path: Path, store: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    key = key_of("train", "Swahili", "gen")
    assert main(["card", key[:12], "--store", str(store)]) == 0
    card = capsys.readouterr().out
    assert card.startswith("---\nlanguage: sw\n---\n\n# SmolLM2 for Swahili\n\n## Scores\n")
    assert "See the report." not in card
    rows = [line for line in card.splitlines() if line.startswith(("| SIB-200", "| FLORES"))]
    assert len(rows) == 3
    assert all("| trained:gen |" in row for row in rows)
    cost = [line for line in card.splitlines() if line.startswith(("| mixture", "| train |"))]
    assert cost == ["| mixture | 0 | unknown |", "| train | 93 | unknown |"]
    assert main(["card", key, "--store", str(store), "--out", str(tmp_path / "README.md")]) == 0
    assert (tmp_path / "README.md").read_text() == card


def test_a_checkpoint_that_is_not_told_apart_is_listed(
    store: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["card", "trained:gen", "--store", str(store)]) == 2
    said = capsys.readouterr().err
    assert "2 checkpoints" in said
    assert key_of("train", "Swahili", "gen")[:12] in said
    assert main(["card", "trained:none", "--store", str(store)]) == 2
    assert "trained:topic" in capsys.readouterr().err


def test_a_store_without_a_trained_checkpoint_has_no_card(
    store: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(store, tmp_path / "store", ignore=shutil.ignore_patterns("train"))
    assert main(["card", "--store", str(tmp_path / "store")]) == 2
    assert "the store holds no trained checkpoint" in capsys.readouterr().err
