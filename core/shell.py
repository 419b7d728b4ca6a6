"""Words that a person may paste into a shell."""

import shlex


def pasted(value: object) -> str:
    """Returns a path or name as one word of a shell's command, in quotes where it needs them."""
    return shlex.quote(str(value))
