"""Text made fit to be shown: untrusted text made safe, and numbers with a real minus sign."""

from core.text import make_safe


def clean(text: str) -> str:
    """Make untrusted text safe and put it on one line."""
    return make_safe(" ".join(text.split()))


def set_minus(text: str) -> str:
    """Give the numbers of a text a real minus sign instead of a hyphen."""
    return text.replace("-", "−")
