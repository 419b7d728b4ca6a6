"""Words that a person may paste into a shell."""

import shlex


def quote_for_shell(value: object) -> str:
    """Returns a path or name as one word of a shell's command, in quotes where it needs them."""
    return shlex.quote(str(value))
