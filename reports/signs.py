"""Text made fit to be shown: untrusted text made safe, and numbers with a real minus sign."""

import re

# Controls, direction overrides and lone surrogates. The joiners that scripts need stay.
_UNSAFE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


def make_safe(text: str) -> str:
    """Make the control characters of untrusted text visible; line breaks and tabs stay."""
    return _UNSAFE.sub("\N{REPLACEMENT CHARACTER}", text)


def clean(text: str) -> str:
    """Make untrusted text safe and put it on one line."""
    return make_safe(" ".join(text.split()))


def set_minus(text: str) -> str:
    """Give the numbers of a text a real minus sign instead of a hyphen."""
    return text.replace("-", "−")
