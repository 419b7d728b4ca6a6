"""Every command ends as a good Unix program does when its output has nowhere to go."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from core.output import UNREAD, UNWRITTEN

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
KAKUGO, REPORT = ["-m", "harness.cli"], ["-m", "reports.cli"]
COMMANDS = {
    "kakugo --help": [*KAKUGO, "--help"],
    "kakugo --cfg job": [*KAKUGO, "--cfg", "job"],
    "kakugo -sc": [*KAKUGO, "-sc", "install=bash"],
    "kakugo-report --help": [*REPORT, "--help"],
    "kakugo-report": [*REPORT, "--import", "published"],
    "kakugo-report compare": [*REPORT, "compare", "published", "published"],
    "kakugo-preference": ["-m", "preference.cli", "--help"],
    "tasks.generate": ["-m", "tasks.generate"],
}


def started(command: list[str], stdout: int) -> "subprocess.CompletedProcess[str]":
    program = [] if Path(command[0]).is_file() else [sys.executable]
    return subprocess.run(
        [*program, *command], stdout=stdout, stderr=subprocess.PIPE, text=True, cwd=ROOT
    )


@pytest.mark.parametrize("command", COMMANDS.values(), ids=COMMANDS)
def test_a_reader_that_went_away_is_no_failure(command: list[str]) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    try:
        done = started(command, writer)
    finally:
        os.close(writer)
    assert (done.returncode, done.stderr) == (UNREAD, "")


def test_a_shell_sees_the_first_lines_and_a_closed_pipe() -> None:
    line = '"$0" -m reports.cli --import published | head -3; echo "${PIPESTATUS[0]}"'
    done = subprocess.run(
        ["bash", "-c", line, sys.executable], capture_output=True, text=True, cwd=ROOT
    )
    *shown, status = done.stdout.splitlines()
    assert len(shown) == 3
    # All of it may have been written before head has ended.
    assert status in ("0", str(UNREAD))
    assert done.stderr == ""


@pytest.mark.parametrize("script", [False, True])
@pytest.mark.parametrize("name", ["kakugo --help", "kakugo-report", "kakugo-preference"])
def test_a_full_disk_is_said(name: str, script: bool) -> None:
    """Python itself writes the last words of a script, and there ignores that they are lost."""
    command = COMMANDS[name]
    if script:
        command = [str(Path(sys.executable).with_name(name.split()[0])), *command[2:]]
    with Path("/dev/full").open("w") as full:
        done = started(command, full.fileno())
    assert done.returncode == UNWRITTEN
    assert done.stderr.count("No space left on device") == 1
    assert done.stderr.startswith(f"{name.split()[0]}: ")
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("name", ["kakugo --help", "kakugo-report", "kakugo-preference"])
def test_closed_output_is_none(name: str) -> None:
    done = subprocess.run(
        ["bash", "-c", '"$0" "$@" >&-', sys.executable, *COMMANDS[name]],
        capture_output=True,
        text=True,
        cwd=ROOT,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_no_file_is_opened_where_the_output_was(tmp_path: Path) -> None:
    """Else a child process would print into it."""
    program = (
        "import sys, subprocess; from core.output import guard_output; guard_output('x');"
        "file = open(sys.argv[1], 'w'); subprocess.run(['echo', 'hello']);"
        "print(file.fileno(), file=file)"
    )
    line = '"$0" -c "$1" "$2" <&- >&- 2>&-'
    path = tmp_path / "file"
    subprocess.run(["bash", "-c", line, sys.executable, program, str(path)], cwd=ROOT, check=True)
    assert int(path.read_text()) > 2


def test_a_broken_pipe_elsewhere_is_an_error() -> None:
    """Of a server or a child process, not of the output."""
    program = (
        "import os; from core.output import guard_output; guard_output('x');"
        "r, w = os.pipe(); os.close(r); os.write(w, b'x')"
    )
    done = started(["-c", program], subprocess.PIPE)
    assert done.returncode == 1
    assert "BrokenPipeError" in done.stderr


def test_errors_go_quietly_too_and_the_status_is_kept_where_they_are_read() -> None:
    program = (
        "import sys; from core.output import guard_output; guard_output('x');"
        "sys.exit('x: it failed')"
    )
    done = started(["-c", program], subprocess.PIPE)
    assert (done.returncode, done.stderr) == (1, "x: it failed\n")
    line = '"$0" -c "$1" 2>&1 >/dev/null | true; echo "${PIPESTATUS[0]}"'
    done = subprocess.run(
        ["bash", "-c", line, sys.executable, program], capture_output=True, text=True, cwd=ROOT
    )
    assert done.stdout.strip() in ("1", str(UNREAD))
    assert done.stderr == ""


def test_a_terminal_of_another_encoding_ends_nothing() -> None:
    done = subprocess.run(
        [sys.executable, *COMMANDS["kakugo-report"]],
        capture_output=True,
        cwd=ROOT,
        env={**os.environ, "PYTHONIOENCODING": "ascii"},
    )
    assert (done.returncode, done.stderr) == (0, b"")
    assert b"\\u2192" in done.stdout  # the arrow in FLORES's name
