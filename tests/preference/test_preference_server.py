"""A real server process: killed under load, it keeps every vote that it acknowledged, once."""

import errno
import fcntl
import http.client
import os
import re
import shutil
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from small_study import field, prepared
from study_server import PATIENCE, Server, begin, free_port, get, request

from preference import cli
from preference.closing import open_ballots
from preference.errors import StudyStateError
from preference.pack import read_pack
from preference.serving import served_alone

KILLS = int(os.environ.get("KAKUGO_KILLS", "3"))


class Rater(threading.Thread):
    """Votes and takes back, without end; notes what was acknowledged, and sends again what was not,
    as the page's script does."""

    def __init__(self, port: int, cookie: str) -> None:
        super().__init__(daemon=True)
        self.port, self.cookie = port, cookie
        self.acknowledged: list[str] = []
        self.pending: dict[str, str] | None = None
        self.stop = threading.Event()
        self.times: list[float] = []

    def run(self) -> None:
        while not self.stop.is_set():
            try:
                self.turn()
            except (OSError, http.client.HTTPException):
                time.sleep(0.02)

    def turn(self) -> None:
        if self.pending is None:
            page = get(self.port, "/rate", self.cookie)
            if 'action="/vote"' not in page:
                undo = {"form": field(page, "form"), "last": field(page, "last")}
                request(self.port, "POST", "/undo", undo, self.cookie)
                return
            names = ("form", "item", "idempotency")
            self.pending = {name: field(page, name) for name in names} | {"choice": "a"}
        start = time.perf_counter()
        status, _, _ = request(self.port, "POST", "/vote", self.pending, self.cookie)
        self.times.append(time.perf_counter() - start)
        if status == 303:
            self.acknowledged.append(self.pending["idempotency"])
            self.pending = None
        elif status == 429:
            self.stop.wait(1)


def wait_for_votes(raters: list[Rater], more: int = 3) -> None:
    """Waits until each rater has had so many more votes acknowledged."""
    wanted = [len(rater.acknowledged) + more for rater in raters]
    deadline = time.monotonic() + PATIENCE
    while any(len(r.acknowledged) < n for r, n in zip(raters, wanted, strict=True)):
        assert time.monotonic() < deadline, [len(rater.acknowledged) for rater in raters]
        time.sleep(0.02)


def test_kill_9_under_load_loses_no_acknowledged_vote_and_doubles_none(tmp_path: Path) -> None:
    pack, key = prepared(tmp_path, raters=4)
    ballots = open_ballots(pack, read_pack(pack))
    tokens = [ballots.invite(slot) for slot in range(4)]
    port, admin = free_port(), free_port()
    server = Server(pack, port=port, admin=admin)
    raters = [Rater(port, begin(port, token)) for token in tokens]
    for rater in raters:
        rater.start()
    for _ in range(KILLS):
        wait_for_votes(raters)
        server.kill()
        server = Server(pack, port=port, admin=admin)
    wait_for_votes(raters)
    for rater in raters:
        rater.stop.set()
    for rater in raters:
        rater.join(PATIENCE)
    assert "/i/" not in server.kill()
    for slot, rater in enumerate(raters):
        kept = [e.idempotency for e in ballots.list_events() if e.slot == slot and e.kind == "vote"]
        assert len(rater.acknowledged) > 5
        assert len(kept) == len(set(kept))
        assert {f"vote:{k}:1" for k in rater.acknowledged} <= set(kept)
        # What is kept beyond that is at most the one vote whose answer was cut off.
        assert len(set(kept)) - len(rater.acknowledged) <= 1
    votes = list(ballots.fold_sitting(0).votes.values())
    assert ballots.undo(0, votes[-1].idempotency), "whether or not this rater had just finished"
    ballots.close_file()
    assert cli.main(["close", str(pack)]) == 2, "raters have begun and not finished"
    assert cli.main(["close", str(pack), "--unfinished"]) == 0
    assert cli.main(["close", str(pack)]) == 0, "it is closed"
    assert cli.main(["verify", str(pack), "--key", str(key)]) == cli.UNHELD


def test_a_folder_without_locks_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.ENOSYS, "Function not implemented")

    monkeypatch.setattr(fcntl, "flock", refuse)
    with (
        pytest.raises(StudyStateError, match=r"no locks, which votes need\. Remedy: a folder"),
        served_alone(tmp_path, "this study"),
    ):
        pass


def test_two_servers_of_one_study_are_refused(tmp_path: Path) -> None:
    pack, _ = prepared(tmp_path)
    server = Server(pack)
    try:
        with (
            pytest.raises(StudyStateError, match="served by another program"),
            served_alone(pack, "this study"),
        ):
            pass
        command = [
            sys.executable,
            "-m",
            "preference.cli",
            "serve",
            str(pack),
            "--port",
            "0",
        ]
        done = subprocess.run(
            command, capture_output=True, text=True, check=False, timeout=PATIENCE
        )
        assert done.returncode == 2
        assert "served by another program already" in done.stderr
        assert "Traceback" not in done.stderr
        shutil.copytree(pack, tmp_path / "copy", ignore=shutil.ignore_patterns("*.lock"))
        command[4] = str(tmp_path / "copy")
        done = subprocess.run(
            command, capture_output=True, text=True, check=False, timeout=PATIENCE
        )
        assert done.returncode == 2
        assert "a copy of this pack is served by another program already" in done.stderr
    finally:
        log = server.kill()
    assert re.search(r"raters: http://127.0.0.1:\d+/", log)
    with served_alone(pack, "this study"):
        pass


def test_ports_that_cannot_be_listened_on_are_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pack, _ = prepared(tmp_path)
    port = str(free_port())
    assert cli.main(["serve", str(pack), "--port", port, "--admin-port", port]) == 2
    assert f"cannot listen on 127.0.0.1:{port}" in capsys.readouterr().err
    for wrong in ("99999", "-1", "http"):
        with pytest.raises(SystemExit):
            cli.main(["serve", str(pack), "--port", wrong])
        assert f"'{wrong}' is no port" in capsys.readouterr().err
