"""A run looks over all that it needs before it pays: all problems at once, each with its remedy."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import hub_repositories
import hub_server
import pytest
import scripted
from small_checkpoints import save_model

pytestmark = pytest.mark.slow

KAKUGO = [sys.executable, "-m", "harness.cli", "experiment=paper", "language=swahili"]
CODE = "swh_Latn"


def write_corpus(root: Path, subset: str, row: dict[str, object]) -> None:
    root.mkdir()
    (root / "rows.jsonl").write_text(json.dumps(row) + "\n", encoding="utf-8")
    hub_repositories.readme(root, {subset: {"train": "rows.jsonl"}})


@pytest.fixture(scope="module")
def repositories(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """All that the paper's run wants of the Hub, under names of our own."""
    root = tmp_path_factory.mktemp("hub")
    for name, write in hub_repositories.WRITERS.items():
        (root / name).mkdir()
        write(root / name)
    write_corpus(root / "web", CODE, {"text": "Habari ya leo."})
    chat = [{"from": "human", "value": "Hi"}, {"from": "gpt", "value": "Hello"}]
    write_corpus(root / "chats", "7M_core", {"conversations": chat, "langdetect": "en"})
    write_corpus(root / "images", "7M_core", {"picture": "x"})
    save_model(root / "student")
    found = {f"me/{path.name}": path for path in root.iterdir()}
    for path in found.values():
        hub_repositories.commit(path)
    return found


@pytest.fixture
def teacher() -> Iterator[scripted.Scripted]:
    with scripted.serving() as served:
        yield served


def look(
    where: Path, hub: str, teacher: str, *more: str, check: bool = True, **environment: str
) -> "subprocess.CompletedProcess[str]":
    names = {name: f"me/{name}" for name in hub_repositories.WRITERS}
    given = [
        *KAKUGO,
        f"check={str(check).lower()}",
        f"store={where}/store",
        f"cache={where}/cache",
        f"teacher.base_url={teacher}",
        "teacher.api_key_env=null",
        "sources.context.texts=hub:me/web",
        "sources.translated.conversations=hub:me/chats",
        "student.name=small",
        "student.repository=me/student",
        "train.max_length=64",
        "train.batch_size=1",
        *(f"evaluate.hub.{name}={repository}" for name, repository in names.items()),
        *more,
    ]
    offline = {"HF_ENDPOINT": hub, "HF_HOME": f"{where}/hf", "HF_HUB_OFFLINE": "0"}
    clean = {name: value for name, value in os.environ.items() if not name.startswith("HF_")}
    return subprocess.run(given, capture_output=True, text=True, env=clean | offline | environment)


def test_all_that_is_there_is_said_and_costs_one_token(
    repositories: dict[str, Path], teacher: scripted.Scripted, tmp_path: Path
) -> None:
    with hub_server.serving(repositories, gated=()) as (hub, asked):
        done = look(tmp_path, hub, teacher.url)
    assert done.returncode == 0, done.stderr
    assert "missing" not in done.stdout
    for thing in (
        "source context",
        "source translated",
        "checkpoint small",
        "memory",
        "attention",
        "disk",
    ):
        assert f"there    {thing}" in done.stdout
    assert done.stdout.count("benchmark ") == 5
    assert [body["max_tokens"] for body in teacher.bodies] == [1]
    assert not any(path.endswith(".safetensors") for path in asked), "weights were fetched"
    assert not list(tmp_path.glob("store/*/*/manifest.json")), "something was made"


def test_every_problem_is_told_at_once_and_nothing_is_paid(
    repositories: dict[str, Path], teacher: scripted.Scripted, tmp_path: Path
) -> None:
    """Gated data, a column that lacks, a missing configuration, a key that was not given, a
    training that does not fit: also where the run was not asked to look only."""
    gated = ("me/chats", "me/flores", "me/student")
    wrong = (
        "sources.context.subset=gug_Latn",
        "teacher.api_key_env=NO_SUCH_KEY",
        "evaluate.hub.sib200=me/nothing",
        "train.deepspeed=zero3",
        "train.processes=8",
        "train.batch_size=8",
    )
    with hub_server.serving(repositories, gated=gated) as (hub, _):
        for check in (True, False):
            done = look(tmp_path, hub, teacher.url, *wrong, check=check)
            told = done.stderr
            assert done.returncode == 1
            assert "Traceback" not in told
            assert "nothing was paid" in told
            lines = [line for line in told.splitlines() if line.startswith("- ")]
            assert all("Remedy: " in line for line in lines)
            by_thing = {line[2:].partition(":")[0]: line for line in lines}
            assert "gug_Latn" in by_thing["source context"]
            assert "me/chats" in by_thing["source translated"]
            assert "accept its conditions" in by_thing["source translated"]
            assert "NO_SUCH_KEY" in by_thing["teacher openai/gpt-oss-120b"]
            (student,) = [thing for thing in by_thing if thing.startswith("checkpoint small")]
            assert "huggingface.co/me/student" in by_thing[student]
            assert "not on the Hub" in by_thing["benchmark sib200"]
            assert "is gated" in by_thing["benchmark flores_xx_en, benchmark flores_en_xx"]
    assert not teacher.bodies


def test_what_lacks_a_column_a_server_or_a_gpu_is_told(
    repositories: dict[str, Path], teacher: scripted.Scripted, tmp_path: Path
) -> None:
    teacher.behave = lambda body, nth: scripted.Fault(404, '{"error": {"message": "no such"}}')
    more = ("sources.translated.conversations=hub:me/images", "train.attention=flash_attention_2")
    with hub_server.serving(repositories, gated=()) as (hub, _):
        done = look(tmp_path, hub, teacher.url, *more)
    assert "its first row has no messages or conversations, but picture" in done.stderr
    assert "does not know the model 'openai/gpt-oss-120b'" in done.stderr
    assert "- attention for training: train.attention=flash_attention_2 needs" in done.stderr
    assert len([line for line in done.stderr.splitlines() if line.startswith("- ")]) == 3
