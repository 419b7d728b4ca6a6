"""The rating server runs where no model does: it loads no torch and nothing of the harness."""

import subprocess
import sys
from pathlib import Path

import pytest
from small_study import prepared

HEAVY = ("torch", "transformers", "lm_eval", "harness", "generation", "tasks", "training")

# The real command. Once it has said its two addresses it is visited on both, and then interrupted.
_SERVE = """
import contextlib, io, os, signal, sys, threading, urllib.request
from preference.cli import main

class Said(io.StringIO):
    def write(self, text):
        super().write(text)
        if self.getvalue().count("://127.0.0.1") == 2 and not readers:
            readers.append(threading.Thread(target=visit))
            readers[0].start()
        return len(text)

def visit():
    try:
        for word in said.getvalue().split():
            if "://127.0.0.1" in word:
                with urllib.request.urlopen(word, timeout=30) as answer:
                    visited.append(answer.status)
    finally:
        os.kill(os.getpid(), signal.SIGINT)

said, readers, visited = Said(), [], []
with contextlib.redirect_stdout(said), contextlib.suppress(KeyboardInterrupt):
    main(["serve", sys.argv[1], "--port", "0", "--admin-port", "0"])
readers[0].join()
assert visited == [200, 200], said.getvalue()
"""


def loaded(script: str, *arguments: str) -> set[str]:
    """The packages that a process has loaded when the script ends."""
    told = (
        "\nimport sys\nprint('LOADED', *sorted({name.partition('.')[0] for name in sys.modules}))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script + told, *arguments],
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    return set(done.stdout.rpartition("LOADED")[2].split())


@pytest.mark.parametrize(
    "module", ["preference.serving", "preference.rater_app", "preference.cli", "preference.verify"]
)
def test_importing_the_study_loads_no_model(module: str) -> None:
    found = loaded(f"import {module}")
    assert "preference" in found
    assert not found & set(HEAVY)


def test_a_running_rating_server_loads_no_model(tmp_path: Path) -> None:
    """The real command, asked for a page of the raters' and of the admin's."""
    pack, _ = prepared(tmp_path)
    found = loaded(_SERVE, str(pack))
    assert {"preference", "uvicorn", "starlette"} <= found
    assert not found & set(HEAVY)
