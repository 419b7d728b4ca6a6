"""On a domain: Caddy and systemd take the files, a classroom gets in, a loss is mended."""

import http.client
import json
import os
import re
import shutil
import socket
import ssl
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from small_study import enrolled, field, prepared
from starlette.testclient import TestClient
from study_server import PATIENCE, free_port

from preference import cli
from preference.ballots import Ballots, read_deletions
from preference.closing import close, open_ballots
from preference.errors import BallotError, PreferenceError, StudyStateError
from preference.hosting import Host, write_recipe
from preference.pack import read_pack
from preference.rater_app import RaterApp, make_vote_body
from preference.restoring import restore
from preference.standing import HeldChoice


@pytest.fixture
def pack(tmp_path: Path) -> Path:
    return prepared(tmp_path, 4, repeats=0, checks=0, guesses=0)[0]


@contextmanager
def opened(pack: Path) -> Iterator[Ballots]:
    ballots = open_ballots(pack, read_pack(pack))
    try:
        yield ballots
    finally:
        ballots.close_file()


def vote(pack: Path, slot: int, comment: str = "") -> None:
    """One more vote of a rater, with a comment."""
    with opened(pack) as ballots:
        screens = enrolled(read_pack(pack), ballots, slot)
        screen = screens[len(ballots.fold_sitting(slot).votes)]
        body = make_vote_body(screen, "a", {"comment": comment})
        ballots.take(slot, [HeldChoice("vote", f"vote:{screen.item}", 1, "", body)])


def test_the_recipe_names_the_study_and_replaces_nothing(pack: Path, tmp_path: Path) -> None:
    out = tmp_path / "recipe"
    paths = write_recipe(pack, out, Host("study.example.org", "study", keep_days=7))
    text = {path.name: path.read_text("utf-8") for path in paths}
    assert f"serve {pack} --https --trust-proxy 127.0.0.1" in text["kakugo-study.service"]
    assert "-mtime +6 " in text["kakugo-backup.service"]
    assert str(pack) not in text["Caddyfile"]
    key = json.loads((tmp_path / "keys" / "key.json").read_text("utf-8"))
    assert not any(key["secret"] in of or "northern" in of for of in text.values())
    with pytest.raises(PreferenceError, match="exists already and is not replaced"):
        write_recipe(pack, out, Host("study.example.org", "study"))


@pytest.mark.parametrize(
    ("domain", "user", "said"),
    [
        ("https://study.example.org", "study", "without https"),
        ("localhost", "study", "not the name of a machine"),
        ("a..b", "study", "not the name of a machine"),
        ("x.org {\n evil", "study", "not the name of a machine"),
        ("study.example.org", "root", "not root"),
        ("study.example.org", "a b", "not root"),
    ],
)
def test_a_name_that_is_none_is_refused(
    pack: Path, tmp_path: Path, domain: str, user: str, said: str,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    out = tmp_path / "recipe"
    command = ["host", str(pack), "--domain", domain, "--user", user, "--out", str(out)]
    assert cli.main(command) == 2
    assert said in capsys.readouterr().err
    assert not out.exists()


def test_a_folder_that_a_service_cannot_have_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "my study"
    folder.mkdir()
    pack, _ = prepared(folder, 4)
    with pytest.raises(PreferenceError, match=r"may hold no spaces.*Remedy: move it"):
        write_recipe(pack, tmp_path / "out", Host("study.example.org", "study"))


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="no systemd on this machine")
def test_systemd_takes_the_units(pack: Path, tmp_path: Path) -> None:
    out = tmp_path / "recipe"
    write_recipe(pack, out, Host("study.example.org", "daemon"))
    units = sorted(str(path) for path in out.glob("kakugo-*"))
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", *units],
        capture_output=True, text=True, timeout=PATIENCE, check=False,
    )  # fmt: skip
    own = [line for line in done.stderr.splitlines() if "kakugo" in line]
    assert (own, done.returncode) == ([], 0)


@pytest.mark.skipif(not shutil.which("caddy"), reason="no Caddy on this machine")
@pytest.mark.slow
def test_raters_come_by_https_through_a_real_caddy(pack: Path, tmp_path: Path) -> None:
    """The recipe's own Caddyfile, with a certificate of Caddy's own in place of a public one, and
    the very command of the service's unit."""
    inside, outside, http_port = free_port(), free_port(), free_port()
    out = tmp_path / "recipe"
    write_recipe(pack, out, Host("study.example.org", "nobody", inside, free_port()))
    own = (out / "Caddyfile").read_text("utf-8")
    own = own.replace("study.example.org {", "study.example.org {\n\ttls internal", 1)
    options = ["admin off", f"https_port {outside}", f"http_port {http_port}", "skip_install_trust"]
    head = "{\n" + "".join(f"\t{option}\n" for option in options) + "}\n"
    (tmp_path / "Caddyfile").write_text(head + own, "utf-8")
    command = re.search(r"^ExecStart=(.*)$", (out / "kakugo-study.service").read_text(), re.M)
    assert command
    program, *rest = command[1].split()
    assert program.endswith("kakugo-preference")
    environment = {**os.environ, "XDG_DATA_HOME": str(tmp_path), "HOME": str(tmp_path)}
    running = [
        subprocess.Popen([sys.executable, "-m", "preference.cli", *rest]),
        subprocess.Popen(
            ["caddy", "run", "--config", str(tmp_path / "Caddyfile"), "--adapter", "caddyfile"],
            env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        ),
    ]  # fmt: skip
    try:
        with opened(pack) as ballots:
            token = ballots.invite(0)
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                status, headers, _ = ask(outside, "GET", f"/i/{token}")
                if status == 200:
                    break
            except OSError:
                pass
            assert time.monotonic() < deadline, "neither Caddy nor the study answers"
            time.sleep(0.2)
        assert headers["strict-transport-security"] == "max-age=31536000"
        assert "default-src 'none'" in headers["content-security-policy"]
        status, headers, _ = ask(outside, "POST", "/start", f"token={token}")
        assert status == 303
        cookie = headers["set-cookie"]
        assert "Secure" in cookie
        assert "HttpOnly" in cookie
        own_cookies = "; ".join(re.findall(r"(kakugo_rater_\w+=[^;,\" ]+)", cookie))
        _, _, page = ask(outside, "GET", "/consent", cookie=own_cookies)
        ask(outside, "POST", "/enrol", f"form={field(page, 'form')}", cookie=own_cookies)
        _, _, page = ask(outside, "GET", "/pause", cookie=own_cookies)
        assert f"https://study.example.org/i/{token}" in page
    finally:
        for one in running:
            one.terminate()
            one.wait(PATIENCE)


def ask(
    port: int, method: str, path: str, body: str | None = None, cookie: str = ""
) -> tuple[int, dict[str, str], str]:
    """(status, headers, page) of a request over TLS under the study's name; cookies joined."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    plain = socket.create_connection(("127.0.0.1", port), timeout=10)
    connection = http.client.HTTPConnection("study.example.org", timeout=10)
    connection.sock = context.wrap_socket(plain, server_hostname="study.example.org")
    try:
        headers = {"Host": "study.example.org"}
        if cookie:
            headers["Cookie"] = cookie
        if body is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        found = {name.lower(): value for name, value in answer.getheaders()}
        found["set-cookie"] = ", ".join(answer.headers.get_all("set-cookie") or [])
        return answer.status, found, answer.read().decode("utf-8")
    finally:
        connection.close()


def test_a_classroom_behind_one_address_gets_in_and_a_guesser_does_not(tmp_path: Path) -> None:
    pack, _ = prepared(tmp_path, 4, raters=60)
    with opened(pack) as ballots:
        tokens = [ballots.invite(slot) for slot in range(60)]
        client = TestClient(RaterApp(read_pack(pack), ballots).make_app(), follow_redirects=False)
        for token in tokens:  # all from the same address, within a minute
            assert client.get(f"/i/{token}").status_code == 200
            assert client.post("/start", data={"token": token}).status_code == 303
        statuses = [client.get(f"/i/guess{n}").status_code for n in range(40)]
        assert statuses[0] == 404
        assert statuses[-1] == 429
        assert client.post("/start", data={"token": "guess"}).status_code == 429
        assert client.get(f"/i/{tokens[0]}").status_code == 200, "others at the address go on"
        often = [client.get(f"/i/{tokens[1]}").status_code for _ in range(40)]
        assert often[-1] == 429, "one link is not for hammering"


def test_cards_bear_codes_that_a_phone_reads(
    pack: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each code's modules, drawn anew from the SVG, are those of its rater's link."""
    import segno

    out = tmp_path / "cards.html"
    url = "https://study.example.org"
    assert cli.main(["invite", str(pack), "--url", url, "--qr", str(out)]) == 0
    said = capsys.readouterr().out
    links = re.findall(rf"{url}/i/[\w-]+", said)
    assert len(links) == 2
    html = out.read_text("utf-8")
    assert not stat.S_IMODE(out.stat().st_mode) & 0o077
    drawn = re.findall(r"<svg.*?</svg>", html, re.DOTALL)
    expected = [
        segno.make(link, error="m", micro=False).svg_inline(
            scale=4, border=4, dark="#000", light="#fff", title="QR"
        )
        for link in links
    ]
    assert drawn == expected
    assert all(link in html for link in links)
    assert "http" not in re.sub(rf"{url}|http://www.w3.org/2000/svg", "", html), "no request"


def test_a_restored_backup_holds_the_votes_and_nothing_of_who_left(
    pack: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    vote(pack, 0, "siri ya kwanza")
    vote(pack, 1, "siri ya pili")
    backup = tmp_path / "backup.sqlite"
    assert cli.main(["backup", str(pack), "--out", str(backup)]) == 0
    vote(pack, 1, "baadaye")
    with opened(pack) as ballots:
        before = {one.text: one.seq for one in ballots.list_comments()}
    assert cli.main(["withdraw", str(pack), "--rater", "1"]) == 0
    assert cli.main(["forget", str(pack), "--comment", str(before["siri ya pili"])]) == 0
    noted = read_deletions(pack / "votes.sqlite")
    assert noted.withdrawn == (0,)
    assert "siri" not in (pack / "deletions.jsonl").read_text("utf-8")
    (pack / "votes.sqlite").write_bytes(b"a disk that failed")
    capsys.readouterr()
    assert cli.main(["restore", str(pack), "--from", str(backup)]) == 0
    said = capsys.readouterr().out
    assert "Rater 1 had withdrawn since the backup" in said
    assert "Comments deleted since the backup, deleted again: 1" in said
    with opened(pack) as ballots:
        assert ballots.fold_sitting(0).withdrawn
        assert ballots.list_comments() == []
        assert len(ballots.fold_sitting(1).votes) == 1
    assert b"siri" not in (pack / "votes.sqlite").read_bytes()
    # Raters go on, and the chain holds together.
    vote(pack, 1)
    close(pack)
    from preference.verify import verify

    verify(pack, tmp_path / "keys" / "key.json")


def test_what_cannot_be_restored_changes_nothing(pack: Path, tmp_path: Path) -> None:
    vote(pack, 0)
    backup = tmp_path / "backup.sqlite"
    assert cli.main(["backup", str(pack), "--out", str(backup)]) == 0
    there = (pack / "votes.sqlite").read_bytes()
    damaged = tmp_path / "damaged.sqlite"
    damaged.write_bytes(backup.read_bytes()[:5000] + b"x" * 4000)
    for source in (damaged, tmp_path / "nowhere"):
        with pytest.raises(BallotError):
            restore(pack, source)
    (tmp_path / "other").mkdir()
    other, _ = prepared(tmp_path / "other", 4, secret=bytes(32))
    with pytest.raises(StudyStateError, match="holds the votes of another study"):
        restore(other, backup)
    assert (pack / "votes.sqlite").read_bytes() == there
    close(pack)
    with pytest.raises(StudyStateError, match="is closed, and its head published"):
        restore(pack, backup)
