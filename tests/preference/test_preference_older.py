"""A study that an earlier version made, of 2026-11-28: it opens, goes on, verifies and reports.

`older/` is what `unblind` wrote of it then. Never make it anew: it is there to be old.
"""

import json
import shutil
from pathlib import Path

import pytest
from small_study import enrolled
from starlette.testclient import TestClient

from preference import cli
from preference.closing import open_ballots
from preference.key import read_key
from preference.pack import pack_of, read_pack
from preference.rater_app import RaterApp
from preference.verify import inspect

OLDER = Path(__file__).with_name("older")


def test_it_verifies_and_its_result_is_the_same(capsys: pytest.CaptureFixture[str]) -> None:
    checks = inspect(OLDER, OLDER / "key.json")
    assert [problem for check in checks for problem in check.problems] == []
    assert {"commitment", "pack", "vote chain"} <= {check.name for check in checks}
    published = json.loads((OLDER / "commitment.json").read_text("utf-8"))
    head = json.loads((OLDER / "closed.json").read_text("utf-8"))["head"]
    given = ["--commitment", published["commitment"], "--head", head]
    # 3 is for the libraries, whose versions go on.
    assert cli.main(["verify", str(OLDER), *given]) in (0, 3)
    capsys.readouterr()


def test_its_pack_is_derived_to_the_byte() -> None:
    kept = json.loads((OLDER / "pack.json").read_text("utf-8"))
    assert pack_of(read_key(OLDER / "key.json")) == kept


def test_raters_of_its_pack_go_on(tmp_path: Path) -> None:
    """A study that was prepared before an update is rated after it."""
    for name in ("pack.json", "commitment.json"):
        shutil.copy(OLDER / name, tmp_path / name)
    pack = read_pack(tmp_path)
    ballots = open_ballots(tmp_path, pack)
    try:
        client = TestClient(RaterApp(pack, ballots).make_app(), follow_redirects=True)
        token = ballots.invite(0)
        landing = client.get(f"/i/{token}")
        assert landing.status_code == 200
        assert "Linganisha" in landing.text
        assert "consent" in str(client.post("/start", data={"token": token}).url)
        screens = enrolled(pack, ballots, 0)
        page = client.get("/rate")
        assert screens[0].item in page.text
        assert "Jibu A" in page.text
    finally:
        ballots.close_file()
