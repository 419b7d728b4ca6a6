"""A store and a bucket: what is whole goes over once, whatever ends the copying meanwhile."""

import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import fsspec
import pytest
from counting import Silent

from harness.errors import ArtifactCorrupt, ExchangeError
from harness.exchange import Bucket, Exchanged, fetch_store, list_finished, main, send_store
from harness.stage import Outcome, Stage, Work
from harness.store import Store


def write(settings: Any, work: Work) -> Outcome:
    (work.out / "deep" / "er").mkdir(parents=True)
    (work.out / "deep" / "er" / "data.bin").write_bytes(bytes(range(256)) * settings["size"])
    (work.out / "words.txt").write_text("ማንበብ\n", encoding="utf-8")
    return Outcome({"rows": 1})


def make_store(root: Path, names: str = "ab", size: int = 10) -> Store:
    store = Store(root, root / "cache", Silent())
    for name in names:
        store.build(Stage("mixture", 1, name, {"name": name, "size": size}, write))
    (root / "runs" / "2026" / "0").mkdir(parents=True, exist_ok=True)
    (root / "runs" / "2026" / "0" / "plan.json").write_text("{}")
    return store


def read_all(root: Path) -> dict[str, bytes]:
    return {
        path.relative_to(root).as_posix(): path.read_bytes()
        for path in root.rglob("*")
        if path.is_file() and ".locks" not in path.parts
    }


@pytest.fixture(params=["a folder", "file://", "memory://"])
def address(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    place = tmp_path / "bucket" / "kakugo"
    return {
        "a folder": str(place),
        "file://": place.as_uri(),
        "memory://": f"memory://{tmp_path.name}/kakugo",
    }[str(request.param)]


def test_a_store_comes_back_as_it_was_and_nothing_goes_twice(tmp_path: Path, address: str) -> None:
    make_store(tmp_path / "one")
    sent = send_store(tmp_path / "one", Bucket(address))
    assert (sent.artifacts, sent.present, sent.records) == (2, 0, 1)
    assert sent.bytes == 2 * (2560 + 13)
    assert send_store(tmp_path / "one", Bucket(address)) == Exchanged(0, 0, 2, 0)
    got = fetch_store(tmp_path / "two", Bucket(address))
    assert (got.artifacts, got.present, got.records) == (2, 0, 1)
    assert read_all(tmp_path / "two") == read_all(tmp_path / "one")
    assert fetch_store(tmp_path / "two", Bucket(address)) == Exchanged(0, 0, 2, 0)
    # And it is a store: nothing is made anew of it.
    again = make_store(tmp_path / "two")
    assert len(list_finished(again.root)) == 2


def test_two_stores_meet_in_one_place(tmp_path: Path, address: str) -> None:
    make_store(tmp_path / "one", "ab")
    make_store(tmp_path / "two", "bc")
    assert send_store(tmp_path / "one", Bucket(address)).artifacts == 2
    assert send_store(tmp_path / "two", Bucket(address)).artifacts == 1
    assert fetch_store(tmp_path / "one", Bucket(address)).artifacts == 1
    assert len(list_finished(tmp_path / "one")) == 3


def test_what_is_not_whole_is_not_there(tmp_path: Path, address: str) -> None:
    make_store(tmp_path / "one", "a")
    place = Bucket(address)
    send_store(tmp_path / "one", place)
    (name,) = place.list_finished()
    (tmp_path / "one" / "mixture" / f"{'0' * 24}.partial").mkdir()
    place.files.rm(str(place.root / name / "manifest.json"))
    assert fetch_store(tmp_path / "two", place).artifacts == 0
    assert send_store(tmp_path / "one", place).artifacts == 1
    assert place.list_finished() == {name}


def test_damage_goes_neither_way(tmp_path: Path, address: str) -> None:
    make_store(tmp_path / "one", "a")
    place = Bucket(address)
    send_store(tmp_path / "one", place)
    (name,) = place.list_finished()
    place.files.pipe_file(str(place.root / name / "words.txt"), b"other words.\n")
    with pytest.raises(ArtifactCorrupt, match=r"words\.txt was changed"):
        fetch_store(tmp_path / "two", place)
    assert not list((tmp_path / "two" / "mixture").iterdir())
    (tmp_path / "one" / name / "words.txt").write_text("others")
    place.files.rm(str(place.root / name), recursive=True)
    with pytest.raises(ArtifactCorrupt, match=r"words\.txt has 6 bytes"):
        send_store(tmp_path / "one", place)
    assert not place.list_finished()


def test_killed_it_goes_on(tmp_path: Path) -> None:
    store = make_store(tmp_path / "one", "abcdefgh", size=40_000)
    bucket = tmp_path / "bucket"
    command = [sys.executable, "-m", "harness.cli", "send", str(bucket), f"store={store.root}"]
    for _ in range(3):
        child = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        while child.poll() is None and not any(bucket.rglob("data.bin")):
            time.sleep(0.001)
        child.send_signal(signal.SIGKILL)
        child.wait()
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert fetch_store(tmp_path / "two", Bucket(str(bucket))).artifacts == 8
    assert read_all(tmp_path / "two") == read_all(tmp_path / "one")


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("s3://key:secret@bucket/x", "an address holds no user name or key"),
        ("nowhere://bucket", "cannot be reached: Protocol not known: nowhere"),
        ("abfs://bucket/x", "install the package that reaches it"),
    ],
)
def test_an_address_that_cannot_be_reached_is_told(address: str, said: str) -> None:
    with pytest.raises(ExchangeError, match=said) as caught:
        Bucket(address)
    assert "secret" not in str(caught.value)


def test_the_commands_say_what_they_did(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    store = make_store(tmp_path / "one").root
    main("send", [f"memory://{tmp_path.name}-said", f"store={store}"])
    assert "2 artifacts copied" in capsys.readouterr().out
    main("fetch", [f"memory://{tmp_path.name}-said", f"store={tmp_path / 'new'}"])
    assert "2 artifacts copied" in capsys.readouterr().out
    with pytest.raises(SystemExit, match="there is no store"):
        main("send", ["memory://x", f"store={tmp_path / 'none'}"])
    with pytest.raises(SystemExit, match="kakugo send ADDRESS"):
        main("send", [])
    assert fsspec.filesystem("memory").exists(f"/{tmp_path.name}-said")
