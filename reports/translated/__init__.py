"""Scores of translations beside chrF++, taken from the texts that a score has kept."""
