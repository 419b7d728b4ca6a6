"""The parts of a report, each with its sections in reading order; `sections.py` lists them."""
