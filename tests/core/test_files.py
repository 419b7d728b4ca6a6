"""Files appear whole or not at all, also where the program is killed amid them."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from core.files import making, write_whole

KILLED = """
import os, signal, sys
from pathlib import Path
from core.files import making

with making(Path(sys.argv[1])) as half, half.open("w") as file:
    file.write("half")
    file.flush()
    os.kill(os.getpid(), signal.SIGKILL)
"""


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize("shared", [False, True])
@pytest.mark.parametrize("private", [False, True])
def test_an_error_leaves_what_was_there(tmp_path: Path, shared: bool, private: bool) -> None:
    path = tmp_path / "folder" / "file.txt"
    write_whole(path, "before", shared=shared, private=private)

    def fail() -> None:
        with making(path, shared=shared, private=private) as half:
            half.write_text("half")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert path.read_text() == "before"
    assert names(path.parent) == ["file.txt"]


def test_a_killed_program_leaves_no_half_file_in_the_place(tmp_path: Path) -> None:
    path = tmp_path / "file.txt"
    path.write_text("before")
    done = subprocess.run([sys.executable, "-c", KILLED, str(path)], check=False)
    assert done.returncode == -signal.SIGKILL
    assert path.read_text() == "before"
    write_whole(path, "after")
    assert path.read_text() == "after"
    assert names(tmp_path) == ["file.txt"]


def test_a_private_file_is_its_owners_alone_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        with making(tmp_path / "file", private=True) as half:
            half.write_bytes(b"secret")
            assert half.stat().st_mode & 0o777 == 0o600
    finally:
        os.umask(before)
    assert (tmp_path / "file").stat().st_mode & 0o777 == 0o600


def test_line_ends_and_letters_are_written_as_they_are(tmp_path: Path) -> None:
    write_whole(tmp_path / "file", "a\r\nb\u2028ሀ\n")
    assert (tmp_path / "file").read_bytes() == "a\r\nb\u2028ሀ\n".encode()
