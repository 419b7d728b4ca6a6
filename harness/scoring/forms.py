"""Measures the effect on chrF++ of the form of the characters: one letter may be written in two
ways.

chrF++ compares code points. `é` as one of them and `e` with an accent as two look alike and share
nothing, so that a translation in the other form than its reference scores far too low; and a
character without width (U+200B, a joiner, a soft hyphen) is a fault that nobody sees. The score
stays what the paper's metric gives; this tells what it would be without that difference.
"""

import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from core.text import remove_invisible
from harness.scoring.chrf import score_corpus

LEAST = 0.05
"""A difference that shows in a score with one decimal; smaller ones need no warning."""


@dataclass(frozen=True)
class Form:
    """The effect of one change of both sides. Shares are from 0 to 1; `score` is chrF++ of the
    changed texts, 0 to 100."""

    hypotheses: float
    references: float
    score: float


@dataclass(frozen=True)
class Forms:
    """chrF++ of both sides in NFC, and of those without invisible characters too.

    In `visible`, the shares are of texts that hold any such character.
    """

    score: float
    nfc: Form
    visible: Form

    def list_measures(self) -> dict[str, float]:
        """Returns the measures for the score's record and for the report's table of measures."""
        return {
            "nfc_changed_share": self.nfc.hypotheses,
            "reference_nfc_changed_share": self.nfc.references,
            "chrf_nfc": self.nfc.score,
            "chrf_visible": self.visible.score,
        }

    def list_warnings(self) -> list[str]:
        """Writes one sentence for each change that would show in the score."""
        found = []
        if abs(self.nfc.score - self.score) >= LEAST:
            found.append(
                f"NFC changes {_write_percent(self.nfc.hypotheses)} of the translations and "
                f"{_write_percent(self.nfc.references)} of the references: the same letters in two "
                f"forms of Unicode count as different. With both in NFC, chrF++ is "
                f"{self.nfc.score:.1f}, not {self.score:.1f}"
            )
        if abs(self.visible.score - self.nfc.score) >= LEAST:
            found.append(
                f"{_write_percent(self.visible.hypotheses)} of the translations and "
                f"{_write_percent(self.visible.references)} of the references hold invisible "
                f"characters (joiners, zero-width spaces). Without them, and in NFC, chrF++ is "
                f"{self.visible.score:.1f}, not {self.score:.1f}"
            )
        return found


def compare_forms(score: float, hypotheses: Sequence[str], references: Sequence[str]) -> Forms:
    """Compares chrF++ of the texts as they are, `score`, with that of both changed forms."""
    nfc = [[_compose_nfc(text) for text in side] for side in (hypotheses, references)]
    visible = [[remove_invisible(text) for text in side] for side in nfc]
    given = [list(hypotheses), list(references)]
    in_nfc = score if nfc == given else score_corpus(*nfc)
    # What is taken away may have stood between a letter and its mark.
    seen = [[_compose_nfc(text) for text in side] for side in visible]
    as_seen = in_nfc if seen == nfc else score_corpus(*seen)
    return Forms(
        score,
        Form(
            _measure_changed(_compose_nfc, hypotheses),
            _measure_changed(_compose_nfc, references),
            in_nfc,
        ),
        Form(
            _measure_changed(remove_invisible, hypotheses),
            _measure_changed(remove_invisible, references),
            as_seen,
        ),
    )


def _compose_nfc(text: str) -> str:
    return unicodedata.normalize("NFC", text)


def _measure_changed(change: Callable[[str], str], texts: Sequence[str]) -> float:
    return sum(change(text) != text for text in texts) / len(texts)


def _write_percent(share: float) -> str:
    """Writes a share as "0%", "100%", or else whole percents between 1 and 99."""
    if share in (0, 1):
        return f"{share:.0%}"
    return f"{min(99, max(1, round(100 * share)))}%"
