"""Tells which languages a learned metric's encoder has seen.

COMET's models stand on XLM-R (Conneau et al. 2020, arXiv 1911.02116), which was trained on the
languages of ``xlm_r.tsv``. Its names are those that COMET's own page lists as covered
(Unbabel/COMET at 02d1bd2), with the FLORES code of the variety and script that each name means; its
romanised texts have none. Of a language that is not there such a metric gives high scores to
translations that are copies of their source (Unbabel/COMET issues 18 and 192).
"""

import csv
from functools import cache
from pathlib import Path

from core.languages import find_language

FILE = Path(__file__).parent / "xlm_r.tsv"


@cache
def list_seen() -> frozenset[str]:
    """List the FLORES codes of the languages that XLM-R was trained on."""
    with FILE.open(encoding="utf-8", newline="") as file:
        return frozenset(row["flores_code"] for row in csv.DictReader(file, delimiter="\t"))


def refuse_unseen(*flores_codes: str) -> str:
    """Say why a learned metric is refused for texts in these languages; "" where it is not."""
    unseen = [code for code in flores_codes if code not in list_seen()]
    if not unseen:
        return ""
    found = find_language(unseen[0]) if unseen[0] else None
    name = found.name if found else unseen[0] or "a language without a FLORES code"
    return f"XLM-R, on which COMET stands, was not trained on {name}: its score would mislead"
