"""Tells in which language and script a text is."""
