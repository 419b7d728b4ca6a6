"""Text made fit to be shown: untrusted text made safe, and numbers with a real minus sign."""

import re
from functools import lru_cache

from core.text import make_safe

_NOTHING = re.compile(r"(?<!\w)-(0(?:\.0+)?)(?![\d.])")


@lru_cache(maxsize=2**14)
def clean(text: str) -> str:
    """Make untrusted text safe and put it on one line.

    A report shows the same few names hundreds of thousands of times.
    """
    return make_safe(" ".join(text.split()))


def set_minus(text: str) -> str:
    """Give the numbers of a text a real minus sign instead of a hyphen; none to one that is rounded
    to nothing, where "-0.0" would tell of a loss that nobody can see."""
    return _NOTHING.sub(r"\1", text).replace("-", "−") if "-" in text else text
