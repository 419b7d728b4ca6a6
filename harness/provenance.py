"""Records the tools of a result: package versions and the state of the repository."""

import platform
import subprocess
from functools import cache
from pathlib import Path

from core.contract.manifest import Git
from core.versions import read_package_version

# What can move a number; all others are in constraints.txt.
PACKAGES = (
    "accelerate",
    "datasets",
    "lm-eval",
    "openai",
    "sacrebleu",
    "tokenizers",
    "torch",
    "transformers",
    "xllamacpp",
)


@cache
def read_package_versions() -> dict[str, str]:
    """Reads the versions of Python and of `PACKAGES`, as installed. Imports none of them."""
    return {"python": platform.python_version()} | {
        name: read_package_version(name) for name in PACKAGES
    }


@cache
def read_git_state() -> Git:
    """Reads the commit of the harness's checkout and whether it has uncommitted changes; None
    outside git."""

    def git(*arguments: str) -> str | None:
        try:
            done = subprocess.run(
                ["git", *arguments],
                cwd=Path(__file__).parent,
                capture_output=True,
                text=True,
                check=True,
            )
        except (OSError, subprocess.CalledProcessError):
            return None
        return done.stdout.strip()

    status = git("status", "--porcelain", "--untracked-files=no")
    return Git(git("rev-parse", "HEAD"), None if status is None else bool(status))
