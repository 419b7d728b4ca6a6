"""Repositories are sent to a real server in one commit each, and nothing twice, whatever ends it.

Each run is a process of its own, as a person's would be: the client reads its settings once.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from published_store import write_language
from writable_hub import CUT, CUT_AFTER, READER, TOKEN, Hub, serving

from core.languages import list_papers_languages

pytestmark = pytest.mark.slow
SWAHILI = list_papers_languages()["swahili"]
MODEL, DATA = "model org/kakugo-granite-4-0-micro-swh", "dataset org/kakugo-swh"


@pytest.fixture
def hub() -> Iterator[Hub]:
    with serving() as hub:
        yield hub


@pytest.fixture
def store(tmp_path: Path) -> Path:
    write_language(tmp_path / "store", SWAHILI)
    return tmp_path / "store"


def start(hub: Hub, store: Path, *arguments: str, token: str = TOKEN) -> "subprocess.Popen[str]":
    """Starts the command, with nothing of this machine's own account."""
    environment = {n: v for n, v in os.environ.items() if not n.startswith("HF_")}
    environment |= {"HF_ENDPOINT": hub.url, "HF_HOME": str(store.parent / "home")}
    if token:
        environment["HF_TOKEN"] = token
    command = "import sys; from publishing.cli import main; sys.exit(main())"
    return subprocess.Popen(
        [sys.executable, "-c", command, str(store), "--to", "org", *arguments],
        env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip


def run(hub: Hub, store: Path, *arguments: str, token: str = TOKEN) -> tuple[int, str]:
    """The status and what was said."""
    process = start(hub, store, *arguments, token=token)
    said, _ = process.communicate(timeout=120)
    assert token == "" or token not in said
    assert "Traceback" not in said, said
    return process.returncode, said


def test_a_score_goes_to_the_leaderboard_that_a_benchmark_has(hub: Hub, tmp_path: Path) -> None:
    write_language(tmp_path / "store", SWAHILI, hub_data=True)
    task = {"id": "topics", "config": "swh_Latn", "split": "test"}
    hub.registered["Davlan/sib200"] = {"name": "SIB-200", "tasks": [task]}
    status, said = run(hub, tmp_path / "store")
    assert status == 0, said
    assert b"task_id: topics" in hub.read(MODEL, ".eval_results/sib200.yaml")
    # Where it is none any more, the file goes with the next commit.
    hub.registered.clear()
    assert run(hub, tmp_path / "store")[0] == 0
    assert ".eval_results/sib200.yaml" not in hub.repos[MODEL].files
    assert b"Davlan/sib200" in hub.read(MODEL, "README.md")


def test_one_commit_each_private_then_nothing_twice_then_public(hub: Hub, store: Path) -> None:
    status, said = run(hub, store)
    assert status == 0, said
    assert {name: repo.commits for name, repo in hub.repos.items()} == {MODEL: 2, DATA: 2}
    assert all(repo.private for repo in hub.repos.values())
    assert hub.count("xet-write-token") > 0  # asked for, not there, and done without
    (weights,) = store.glob("train/*/checkpoint/model.safetensors")
    assert hub.read(MODEL, "model.safetensors") == weights.read_bytes()
    assert b"/home/me" not in hub.read(MODEL, "config.json")
    # As older programs know it, though this checkpoint was written before that was seen to.
    sent_tokenizer = json.loads(hub.read(MODEL, "tokenizer_config.json"))
    assert sent_tokenizer == {"tokenizer_class": "PreTrainedTokenizerFast"}
    parquet = store.parent / "read.parquet"
    parquet.write_bytes(hub.read(DATA, "topic/train.parquet"))
    rows = pq.read_table(parquet).to_pylist()
    assert [row["id"] for row in rows] == ["topic-0", "topic-1", "topic-2"]
    assert rows[0]["messages"][1] == {"role": "assistant", "content": "Jibu.", "weight": None}
    assert '"topic": "mito"' in rows[0]["provenance"]
    items = {title: len(made["items"]) for title, made in hub.collections.items()}
    assert items == {"org/kakugo-models-1": 1, "org/kakugo-data-1": 1}

    sent = hub.count("PUT /blob"), hub.count("/commit/")
    status, said = run(hub, store)
    assert status == 0
    assert said.count("unchanged") == 2
    assert (hub.count("PUT /blob"), hub.count("/commit/")) == sent

    status, said = run(hub, store, "--public")
    assert status == 0, said
    assert not any(repo.private for repo in hub.repos.values())
    assert not any(made["private"] for made in hub.collections.values())
    assert (hub.count("PUT /blob"), hub.count("/commit/")) == sent


@pytest.mark.parametrize(
    ("part", "statuses"),
    [
        ("/commit/", [429, 429]),
        ("/commit/", [503]),
        ("/commit/", [CUT]),
        ("/commit/", [CUT_AFTER]),
        ("repos/create", [500]),
        ("PUT /blob", [503]),
        ("/tree/", [CUT]),
        ("/items", [502]),
    ],
)
def test_what_passes_by_itself_is_tried_again(
    hub: Hub, store: Path, part: str, statuses: list[int]
) -> None:
    hub.troubles[part] = list(statuses)
    status, said = run(hub, store)
    assert status == 0, said
    assert hub.troubles[part] == []
    # A commit whose answer was lost is found there, and not made a second time.
    assert {name: repo.commits for name, repo in hub.repos.items()} == {MODEL: 2, DATA: 2}


def test_killed_in_the_middle_and_repeated(hub: Hub, store: Path) -> None:
    hub.troubles[f"{DATA.split()[1]}/commit/"] = [503] * 7  # it waits between tries
    process = start(hub, store)
    until = time.monotonic() + 60
    while hub.count(f"{DATA.split()[1]}/commit/") < 1 and time.monotonic() < until:
        time.sleep(0.05)
    process.kill()
    process.communicate()
    hub.troubles.clear()
    assert hub.repos[MODEL].commits == 2
    assert hub.repos[DATA].commits == 1
    blobs = hub.count("PUT /blob")
    status, said = run(hub, store)
    assert status == 0, said
    assert hub.count("PUT /blob") == blobs
    assert {name: repo.commits for name, repo in hub.repos.items()} == {MODEL: 2, DATA: 2}


def test_a_repository_with_other_content_is_left_alone(hub: Hub, store: Path) -> None:
    run(hub, store)
    hub.repos[MODEL].files.pop("kakugo.json")
    before = hub.count("/commit/")
    status, said = run(hub, store)
    assert status == 2
    assert "exist on the Hub with other content" in said
    assert hub.count("/commit/") == before
    status, said = run(hub, store, "--public")
    assert status == 2
    assert all(repo.private for repo in hub.repos.values())


def test_another_checkpoint_of_ours_is_replaced_only_when_asked(hub: Hub, store: Path) -> None:
    run(hub, store)
    write_language(store, SWAHILI, mix="topic")
    status, said = run(hub, store, "--producer", "trained:topic")
    assert status == 2
    assert "--replace" in said
    status, said = run(hub, store, "--producer", "trained:topic", "--replace")
    assert status == 0, said
    assert hub.repos[MODEL].commits == 3


def test_a_token_is_needed_that_may_write_there(hub: Hub, store: Path) -> None:
    status, said = run(hub, store, token="")
    assert status == 2
    assert "hf auth login" in said
    status, said = run(hub, store, token=READER)
    assert status == 2
    assert "may read only" in said
    status, said = run(hub, store, token="hf_" + "x" * 34)
    assert status == 2
    assert "Remedy" in said
    status, said = run(hub, store, "--to", "others")
    assert status == 2
    assert "does not belong to others" in said
    assert hub.repos == {}


def test_nothing_is_sent_where_something_is_refused(hub: Hub, store: Path) -> None:
    write_language(store, list_papers_languages()["yoruba"], contaminated=1)
    status, said = run(hub, store)
    assert status == 2
    assert "nothing was sent" in said
    assert hub.repos == {}
    assert run(hub, store, "--language", "swahili")[0] == 0
