"""The ground: what every package may use, and what knows none of them."""

from core.versions import VERSION

__version__ = VERSION
