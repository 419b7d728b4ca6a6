"""Every package and command has the one version of pyproject.toml; packages ship their types."""

import importlib
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from core.versions import ABSENT, read_package_version

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
VERSION = PROJECT["project"]["version"]
PACKAGES = [
    name for name in PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
    if name != "conf"
]  # fmt: skip


@pytest.mark.parametrize("name", PACKAGES)
def test_a_package_has_the_version_and_ships_its_types(name: str) -> None:
    assert importlib.import_module(name).__version__ == VERSION
    assert (ROOT / name / "py.typed").is_file()


@pytest.mark.parametrize(
    ("module", "command"),
    [
        ("harness.cli", "kakugo"),
        ("reports.cli", "kakugo-report"),
        ("preference.cli", "kakugo-preference"),
    ],
)
def test_a_command_says_its_version(module: str, command: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", module, "--version"], capture_output=True, text=True, check=True
    )
    assert done.stdout == f"{command} {VERSION}\n"


def test_a_package_that_is_not_installed_is_absent() -> None:
    assert read_package_version("kakugo-is-no-such-package") == ABSENT
