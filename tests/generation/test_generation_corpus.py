"""Texts and chats of data sets of the Hub: from a folder, and from a server that speaks its API."""

import json
import os
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from random import Random

import pytest
from scipy import stats

from generation.context import read_texts
from generation.corpus import fetch, is_hub, resolve
from generation.errors import InputError

COMMIT = "0123456789abcdef0123456789abcdef01234567"
TEXTS = ["Habari za asubuhi.\n\nSehemu ya pili.", "Pili \u2028 yake.", "Tatu."]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A repository in the Hub's layout, with one subset."""
    place = tmp_path / "repository"
    (place / "data").mkdir(parents=True)
    (place / "README.md").write_text(
        "---\nconfigs:\n- config_name: swh_Latn\n  data_files: data/swh.jsonl\n---\n"
    )
    rows = [{"id": str(n), "text": text, "url": "x"} for n, text in enumerate(TEXTS)]
    lines = "".join(json.dumps(row) + "\n" for row in rows)
    (place / "data" / "swh.jsonl").write_text(lines, encoding="utf-8")
    return place


def test_a_folder_is_read_as_the_hub_would_be(folder: Path, tmp_path: Path) -> None:
    assert is_hub(f"hub:{folder}")
    assert not is_hub(str(folder))
    place = resolve(f"hub:{folder}", "swh_Latn", tmp_path / "pins.json")
    out = tmp_path / "rows.jsonl"
    assert fetch(place, 2, out, lambda done, total, note: None) == 2
    assert [json.loads(line) for line in out.read_text(encoding="utf-8").split("\n") if line] == [
        {"id": "0", "text": TEXTS[0]},
        {"id": "1", "text": TEXTS[1]},
    ]
    # A text with blank lines stays one text.
    assert read_texts(str(out), language="Swahili", flores_code=None) == TEXTS[:2]
    (folder / "data" / "swh.jsonl").write_text('{"text": "Nyingine."}\n')
    assert resolve(f"hub:{folder}", "swh_Latn", tmp_path / "pins.json").commit != place.commit


def test_a_spread_sample_is_of_all_rows_and_follows_from_the_commit(
    folder: Path, tmp_path: Path
) -> None:
    lines = [json.dumps({"text": f"Sentensi {n} \u2028 ሀ"}) for n in range(40)]
    (folder / "data" / "swh.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    place = resolve(f"hub:{folder}", "swh_Latn", tmp_path / "pins.json")

    def draw(commit: str, size: int) -> list[int]:
        out = tmp_path / "rows.jsonl"
        asked = replace(place, commit=commit)
        count = fetch(asked, size, out, lambda done, total, note: None, spread=True)
        rows = [json.loads(line) for line in out.read_bytes().split(b"\n") if line]
        assert len(rows) == count
        return [int(row["text"].split()[1]) for row in rows]

    for commit in ("a", "b", "c"):
        # The same from the definition: the rows with the smallest of the numbers, in their order.
        numbers = Random(f"{commit} swh_Latn")
        ranked = sorted(range(40), key=dict(enumerate(numbers.random() for _ in range(40))).get)  # type: ignore[arg-type]
        assert draw(commit, 10) == sorted(ranked[:10]) == draw(commit, 10)
    assert draw("a", 10) != draw("b", 10)
    assert draw("a", 99) == list(range(40)), "all rows where there are no more"
    # Each row is drawn as often as any other: 200 samples of 10 of 40.
    counts = Counter(n for i in range(200) for n in draw(f"commit {i}", 10))
    assert stats.chisquare([counts[n] for n in range(40)]).pvalue > 0.001


def test_a_subset_that_is_not_there_is_named(folder: Path, tmp_path: Path) -> None:
    place = resolve(f"hub:{folder}", "xyz_Latn", tmp_path / "pins.json")
    with pytest.raises(InputError, match=r"subset xyz_Latn, cannot be read.*swh_Latn.*Remedy"):
        fetch(place, 2, tmp_path / "rows.jsonl", lambda done, total, note: None)
    assert not (tmp_path / "rows.jsonl").exists()


def test_a_name_that_is_none(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"neither a folder nor a repository's name"):
        resolve("hub:fineweb-2", None, tmp_path / "pins.json")


def test_a_commit_that_is_given_needs_no_hub(tmp_path: Path) -> None:
    place = resolve(f"hub:owner/name@{COMMIT}", "x", tmp_path / "pins.json")
    assert place.commit == COMMIT
    assert not (tmp_path / "pins.json").exists()


@contextmanager
def hub(commits: list[str]) -> Iterator[str]:
    """The part of the Hub's API that gives a data set's commit; a new one each time."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            known = self.path.startswith("/api/datasets/owner/name")
            body = {"id": "owner/name", "sha": commits.pop(0)} if known else {"error": "no"}
            data = json.dumps(body).encode()
            self.send_response(200 if known else 404)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_the_first_commit_of_a_place_is_kept(tmp_path: Path) -> None:
    """A data set that changes upstream must not make paid work anew."""
    program = (
        "import sys; from pathlib import Path; from generation.corpus import resolve\n"
        "for name in sys.argv[2:]:\n"
        "    try: print(resolve(f'hub:{name}', 'x', Path(sys.argv[1])).commit)\n"
        "    except Exception as error: print(type(error).__name__, error)\n"
    )
    pins = tmp_path / "pins.json"

    def ask(address: str, *names: str) -> list[str]:
        found = subprocess.run(
            [sys.executable, "-c", program, str(pins), *names],
            env={**os.environ, "HF_ENDPOINT": address, "HF_HUB_OFFLINE": "0"},
            capture_output=True,
            text=True,
            check=True,
        )
        return found.stdout.splitlines()

    with hub([COMMIT, "f" * 40]) as address:
        assert ask(address, "owner/name", "owner/name") == [COMMIT, COMMIT]
        assert ask(address, "owner/name") == [COMMIT]
        (refused,) = ask(address, "owner/other")
    assert refused.startswith("InputError The Hub does not give the commit of owner/other")
    assert "Remedy" in refused
    assert json.loads(pins.read_text()) == {"owner/name@main": COMMIT}
