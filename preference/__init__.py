"""Runs a blind study of two checkpoints' answers by native speakers."""

from core.versions import VERSION

__version__ = VERSION
