"""Runs experiments: producers, stages, their store, and the command `kakugo`."""

from core.versions import VERSION

__version__ = VERSION
