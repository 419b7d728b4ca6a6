"""Looks over everything that a run will need, before money or hours go into it.

Each look takes seconds and pays at most for one token. All problems are found, not only the first.
"""
