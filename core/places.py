"""A path as a person types it, in which `~` stands for a home folder."""

import os
from typing import Annotated

TypedPath = Annotated[str, "a path as it was typed"]
"""Marks a setting that is a path, or may be one, so that `~` is put in where the settings are read.
The code behind then meets whole paths only."""
HUB_MARK = "hub:"
"""Begins the name of a data set of the Hub, or the path of a folder in its layout."""


def expand(path: str) -> str:
    """Returns the path with the home folder in place of `~`; any other text as it is."""
    mark = HUB_MARK if path.startswith(HUB_MARK) else ""
    rest = path.removeprefix(mark)
    # Unlike pathlib's, it leaves the name of a user that there is not.
    return mark + os.path.expanduser(rest) if rest.startswith("~") else path  # noqa: PTH111
