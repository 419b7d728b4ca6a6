"""Decoding with transformers: many prompts behind one beginning, greedy or drawn by chance."""

from core.versions import VERSION

__version__ = VERSION
