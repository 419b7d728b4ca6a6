"""Child processes end with their parent: real processes, really killed."""

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from core.processes import (
    describe_exit,
    end,
    guard_command,
    read_first_line,
    read_last_lines,
    running,
    start,
)

pytestmark = pytest.mark.slow

PIPE = subprocess.PIPE
# Far longer than anything takes here, also on a busy machine; only a failure waits so long.
PATIENCE = 60.0


def python(script: str, *arguments: str) -> list[str]:
    return [sys.executable, "-c", script, *arguments]


def wait_for(path: Path) -> str:
    deadline = time.monotonic() + PATIENCE
    while not path.exists():
        assert time.monotonic() < deadline, f"no {path}"
        time.sleep(0.02)
    return path.read_text()


def is_running(pid: int) -> bool:
    """False also of a process that has ended and that nobody has asked for its status yet."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def wait_for_end(*pids: int) -> None:
    deadline = time.monotonic() + PATIENCE
    while left := [pid for pid in pids if is_running(pid)]:
        assert time.monotonic() < deadline, f"still running: {left}"
        time.sleep(0.02)


# A child that watches its input, and says its number once it does.
WATCHING = """
import os, sys, time
from pathlib import Path
from core.processes import end_with_parent
end_with_parent()
half = Path(sys.argv[1] + ".half")
half.write_text(str(os.getpid()))
half.rename(sys.argv[1])
time.sleep(600)
"""
# A parent that starts the command of its arguments, and waits.
PARENT = """
import sys, time
from core.processes import start
child = start(sys.argv[1:], output=sys.stdout, errors=sys.stderr, apart=True)
time.sleep(600)
"""


def test_a_child_that_watches_its_input_ends_with_a_killed_parent(tmp_path: Path) -> None:
    told = tmp_path / "pid"
    parent = subprocess.Popen(python(PARENT, *python(WATCHING, str(told))))
    child = int(wait_for(told))
    assert is_running(child)
    parent.kill()
    parent.wait()
    wait_for_end(child)


@pytest.mark.parametrize("stubborn", [False, True])
def test_a_guarded_program_ends_with_a_killed_parent(tmp_path: Path, stubborn: bool) -> None:
    """Also with its own children, when the whole group of the parent is killed, and when it does
    not heed SIGTERM."""
    told = tmp_path / "pids"
    trap = "trap '' TERM; " if stubborn else ""
    script = f"{trap}sleep 600 & echo $! $$ > {told}.new; mv {told}.new {told}; wait"
    parent = subprocess.Popen(
        python(PARENT, *guard_command(["sh", "-c", script])), start_new_session=True
    )
    pids = [int(pid) for pid in wait_for(told).split()]
    assert len(pids) == 2
    assert all(map(is_running, pids))
    os.killpg(parent.pid, signal.SIGKILL)
    parent.wait()
    wait_for_end(*pids)


def test_a_guard_ends_as_its_program_did() -> None:
    for script, said in (
        ("import sys; sys.exit(3)", "ended with status 3"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGTERM)", "ended by SIGTERM"),
    ):
        with running(guard_command(python(script)), output=PIPE, errors=PIPE) as child:
            assert describe_exit(child.wait(PATIENCE)).startswith(said)
    with running(guard_command(["/nowhere/program"]), output=PIPE, errors=PIPE) as child:
        assert child.wait(PATIENCE) == 127
        assert child.stderr is not None
        assert "/nowhere/program cannot be started" in child.stderr.read()


def test_what_leaves_the_block_ends_the_child(tmp_path: Path) -> None:
    told = tmp_path / "pid"
    children = []

    def fail() -> None:
        with running(python(WATCHING, str(told)), output=PIPE, errors=PIPE) as child:
            children.append(child)
            wait_for(told)
            raise RuntimeError("boom")

    with pytest.raises(RuntimeError, match="boom"):
        fail()
    assert children[0].returncode == 1


@pytest.mark.parametrize(
    ("heeds", "ended_by"),
    [("", signal.SIGTERM), ("signal.signal(signal.SIGTERM, signal.SIG_IGN)", signal.SIGKILL)],
)
def test_a_child_that_does_not_end_is_asked_and_then_killed(
    heeds: str, ended_by: signal.Signals
) -> None:
    script = f"import signal, time; {heeds}\nprint('ready', flush=True); time.sleep(600)"
    child = start(python(script), output=PIPE, errors=PIPE)
    assert read_first_line(child, PATIENCE) == "ready"
    assert end(child, grace=0.2) == -ended_by
    assert end(child) == -ended_by, "ending it again does nothing"


def test_the_first_line_is_waited_for_in_vain() -> None:
    with running(
        python("import sys; sys.stdin.read(); print('late')"), output=PIPE, errors=PIPE
    ) as child:
        assert read_first_line(child, 0.2) is None
    with running(python(""), output=PIPE, errors=PIPE) as child:
        assert read_first_line(child, PATIENCE) is None


@pytest.mark.parametrize(
    ("which", "meaning"),
    [
        (signal.SIGILL, "the machine lacks an instruction that the program uses"),
        (signal.SIGKILL, "it was killed, as the system does when memory runs out"),
    ],
)
def test_a_signal_is_named_and_explained(which: signal.Signals, meaning: str) -> None:
    """By the status of a process that it really ended, and by that of the shell around it."""
    script = (
        "import os, resource; resource.setrlimit(resource.RLIMIT_CORE, (0, 0));"
        f"os.kill(os.getpid(), {int(which)})"
    )
    done = subprocess.run(python(script), check=False)
    assert describe_exit(done.returncode) == f"ended by {which.name}: {meaning}"
    in_a_shell = subprocess.run(
        ["sh", "-c", '"$@"; exit $?', "sh", *python(script)], capture_output=True, check=False
    )
    assert describe_exit(in_a_shell.returncode) == f"ended by {which.name}: {meaning}"
    assert describe_exit(2) == "ended with status 2"


def test_the_last_lines_of_a_log_that_is_still_written(tmp_path: Path) -> None:
    log = tmp_path / "log"
    assert read_last_lines(log) == ""
    log.write_bytes(b"".join(b"line %d\n" % n for n in range(20_000)) + b"caf\xff\n")
    assert read_last_lines(log, 3) == "line 19998\nline 19999\ncaf\ufffd"
    with log.open("r+b") as file:
        file.write(b"LINE")
        file.flush()
        assert read_last_lines(file, 1) == "caf\ufffd"
        file.write(b" zero")
    assert re.match(rb"LINE zero", log.read_bytes())
