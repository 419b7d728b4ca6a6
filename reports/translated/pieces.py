"""Counts spBLEU-200: BLEU over the pieces of FLORES-200's SentencePiece model (NLLB Team 2022,
arXiv 2207.04672, section 2.3), as sacrebleu's tokenizer `flores200` cuts texts.

The model is a file of 5 MB that comes with no package. It is looked for where sacrebleu keeps it,
or given by the user; nothing is downloaded here.
"""

import hashlib
import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reports.errors import PiecesModelError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

NAME = "spBLEU-200"
# Without https://, since a page that opens offline holds no address that could be loaded.
ADDRESS = (
    "dl.fbaipublicfiles.com/large_objects/nllb/models/spm_200/"
    "flores200_sacrebleu_tokenizer_spm.model"
)
REMEDY = (
    f"download {ADDRESS} and give it as `kakugo-report --spbleu FILE`, with sentencepiece installed"
    " (pip install 'kakugo-harness[spbleu]')"
)


@dataclass(frozen=True)
class PiecesModel:
    """A SentencePiece model that was opened. `sha256` is of its file, since the numbers are those
    of this very file."""

    path: Path
    sha256: str
    processor: Any

    def describe(self) -> str:
        """Say with what a score was taken, as sacrebleu's signature does."""
        from sacrebleu import __version__

        return (
            f"nrefs:1|case:mixed|eff:no|tok:flores200|smooth:exp|version:{__version__}, with "
            f"{self.path.name} of {self.processor.get_piece_size():,} pieces, SHA-256 "
            f"{self.sha256[:12]}"
        )

    def count(self, hypotheses: Sequence[str], references: Sequence[str]) -> "NDArray[np.float64]":
        """Count each sentence for BLEU: (n, `reports.stats.bleu.COUNTS`)."""
        import numpy as np

        cut = [[self._cut(text) for text in side] for side in (hypotheses, references)]
        counts = self._metric._extract_corpus_statistics(cut[0], [cut[1]])
        return np.array(counts, np.float64)

    def _cut(self, text: str) -> str:
        # White space at the end is cut off first, and pieces are parted by spaces, as in sacrebleu.
        return " ".join(self.processor.encode(text.rstrip(), out_type=str))

    @cached_property
    def _metric(self) -> Any:
        from sacrebleu.metrics import BLEU

        return BLEU(tokenize="none", force=True)


def open_pieces_model(given: Path | None) -> PiecesModel | None:
    """Open the model that was given, or the one that sacrebleu has fetched; None without either.

    Raises PiecesModelError where the file that was given is none, or sentencepiece is missing.
    """
    path = given or _find_model()
    if path is None:
        return None
    try:
        from sentencepiece import SentencePieceProcessor
    except ImportError:
        if given is None:
            return None
        raise PiecesModelError(
            f"{NAME} needs the package sentencepiece.\n"
            "Remedy: pip install 'kakugo-harness[spbleu]'."
        ) from None
    try:
        content = path.read_bytes()
        # An empty text would be opened as a model without any piece.
        processor = SentencePieceProcessor(model_proto=content or b"empty")
    except OSError as error:
        why = error.strerror or str(error)
    except RuntimeError:
        why = "it is no SentencePiece model"
    else:
        return PiecesModel(path, hashlib.sha256(content).hexdigest(), processor)
    raise PiecesModelError(f"{path} cannot be used for {NAME}: {why}.\nRemedy: {REMEDY}.")


def _find_model() -> Path | None:
    """Find the file where sacrebleu keeps it, under the name of the address it fetches it from."""
    home = os.environ.get("SACREBLEU")
    folder = Path(home) if home else Path.home() / ".sacrebleu"
    path = folder / "models" / "flores200sacrebleuspm"
    return path if path.is_file() else None
