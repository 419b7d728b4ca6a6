"""Links that were sent stay good, and name an address that a phone can open."""

import ipaddress
import re
import socket
import stat
import urllib.request
from pathlib import Path

import pytest
from small_study import enrolled, prepared
from study_server import Server

from preference import cli
from preference.addresses import list_reachable
from preference.ballots import NAME
from preference.closing import close, open_ballots
from preference.invitations import SECRET
from preference.pack import read_pack


def links(pack: Path, capsys: pytest.CaptureFixture[str], *more: str) -> dict[int, str]:
    """Rater -> the line that `invite` prints, without its name."""
    assert cli.main(["invite", str(pack), *more]) == 0
    lines = re.findall(r"^rater (\d+): (.*)$", capsys.readouterr().out, re.MULTILINE)
    return {int(rater): line for rater, line in lines}


def token(line: str) -> str:
    return re.findall(r"/i/([\w-]+)", line)[0]


def test_inviting_again_shows_the_same_links(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pack, _ = prepared(tmp_path, raters=4)
    first = links(pack, capsys, "--url", "https://study.example/")
    assert len(set(first.values())) == 4
    assert all(line.startswith("https://study.example/i/") for line in first.values())
    ballots = open_ballots(pack, read_pack(pack))
    session = ballots.begin(token(first[1]))
    enrolled(read_pack(pack), ballots, 0)
    again = links(pack, capsys, "--url", "https://study.example")
    assert {n: token(line) for n, line in again.items()} == {
        n: token(line) for n, line in first.items()
    }
    assert again[1].endswith("(rating)")
    assert again[2].endswith("(not started)")
    assert ballots.find_slot(session) == 0, "the open page of who has started stays"
    one = links(pack, capsys, "--rater", "3")
    assert token(one.pop(3)) == token(first[3])
    assert one == {}
    assert all(ballots.find_invited(token(line)) == (n - 1, False) for n, line in first.items())

    new = links(pack, capsys, "--renew", "1")
    assert new.keys() == {1}
    assert token(new[1]) != token(first[1])
    assert ballots.find_invited(token(first[1])) == (0, True)
    assert ballots.find_slot(session) is None
    assert token(links(pack, capsys)[1]) == token(new[1]), "the new one is shown from now on"
    ballots.revoke(1)
    ballots.withdraw(2)
    ballots.enrol(3, "packet")
    ballots.end_links(3)
    shown = links(pack, capsys)
    assert shown[2] == "the link was revoked  (not started)", "and nothing makes another unasked"
    assert shown[3] == "no link  (withdrawn)"
    assert shown[4] == "on a packet, without a link  (rating offline)"
    assert token(links(pack, capsys, "--renew", "2")[2])
    assert cli.main(["invite", str(pack), "--renew", "3"]) == 2
    assert cli.main(["invite", str(pack), "--renew", "5"]) == 2
    ballots.close_file()
    (pack / SECRET).unlink()
    assert links(pack, capsys)[1].startswith("the link that was made cannot be shown again")
    close(pack)
    assert cli.main(["invite", str(pack)]) == 2


def test_a_copy_of_the_votes_opens_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pack, _ = prepared(tmp_path)
    tokens = [token(line) for line in links(pack, capsys).values()]
    assert not any(one.encode() in (pack / NAME).read_bytes() for one in tokens)
    assert stat.S_IMODE((pack / SECRET).stat().st_mode) == 0o600


def test_a_served_study_names_addresses_that_others_can_open(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pack, _ = prepared(tmp_path)
    assert "http://127.0.0.1:8770/i/" in links(pack, capsys)[1]
    server = Server(pack, "--host", "0.0.0.0")
    port = server.port
    try:
        shown = links(pack, capsys)
        for address in list_reachable("0.0.0.0", port):
            with urllib.request.urlopen(address, timeout=10) as answer:
                assert answer.status == 200
        assert shown[1].startswith(f"{list_reachable('0.0.0.0', port)[0]}/i/")
    finally:
        log = server.kill()
    said = re.findall(r"raters: (http://\S+)/", log)
    assert said == list_reachable("0.0.0.0", port)
    assert "0.0.0.0" not in log


def test_reachable_addresses() -> None:
    everywhere = list_reachable("0.0.0.0", 1)
    assert everywhere
    for address in [*everywhere, *list_reachable("::", 1)]:
        host = re.fullmatch(r"http://(?:\[(.*)\]|([\d.]+)):1", address)
        assert host, address
        ip = ipaddress.ip_address(host.group(1) or host.group(2))
        assert not ip.is_unspecified
        assert not ip.is_link_local
        assert (ip.version == 6) == (host.group(1) is not None), "IPv6 in brackets"
        assert not ip.is_loopback or everywhere == ["http://127.0.0.1:1"]
        with socket.socket(socket.AF_INET6 if ip.version == 6 else socket.AF_INET) as own:
            own.bind((str(ip), 0))
    assert list_reachable("::1", 8770) == ["http://[::1]:8770"]
    assert list_reachable("192.0.2.7", 8770) == ["http://192.0.2.7:8770"]
    assert list_reachable("study.example", 80) == ["http://study.example:80"]


def test_correction_pages_of_two_studies_keep_apart_and_name_an_address(tmp_path: Path) -> None:
    import subprocess
    import sys

    from small_study import questions, write_lines
    from starlette.testclient import TestClient

    from preference.correct_app import CorrectApp
    from preference.questions import make_draft, read_prompts

    rows = read_prompts(write_lines(tmp_path / "q.jsonl", questions(2)))
    cookies = []
    for name in ("one", "two"):
        make_draft(tmp_path / name, "swahili", rows)
        app = CorrectApp(tmp_path / name)
        client = TestClient(app.make_app(), base_url="http://study.test")
        client.post("/start", data={"token": app.links["speaker"]})
        assert client.get("/").status_code == 200
        cookies += [cookie.name for cookie in client.cookies.jar]
    assert len(set(cookies)) == 2
    command = [sys.executable, "-m", "preference.cli", "correct", str(tmp_path / "one")]
    process = subprocess.Popen(
        [*command, "--host", "0.0.0.0", "--port", "0"], stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        said = process.stdout.readline()
    finally:
        process.kill()
        process.communicate()
    address = re.fullmatch(r"to correct: (http://\S+):(\d+)/c/\S+\n", said)
    assert address, said
    assert f"{address[1]}:{address[2]}" in list_reachable("0.0.0.0", int(address[2]))
    assert int(address[2]) > 0
