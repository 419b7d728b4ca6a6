"""Reads the versions of installed packages, this project among them, importing none of them."""

from importlib import metadata

PROJECT = "kakugo-harness"
ABSENT = "absent"


def read_package_version(name: str) -> str:
    """Returns the installed version of a package, or "absent"."""
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return ABSENT


VERSION = read_package_version(PROJECT)
"""The version of this project, which pyproject.toml alone gives, or "absent"."""
