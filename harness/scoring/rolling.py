"""Bits per byte: how well a checkpoint foresees whole documents, whatever its tokenizer.

The bits are those of all tokens of a document, each given what is before it, and the bytes those of
its UTF-8 (Gao et al. 2020, arXiv 2101.00027, section 3.1). Documents are read as lm-eval's
`loglikelihood_rolling` reads them: behind the token that begins a text, and in windows of
`harness.scoring.windows.WINDOW` tokens where they are longer.
"""

import json
import math
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from lm_eval.api.instance import Instance

from core.contract.facts import TextFacts
from core.contract.names import DOCUMENTS
from core.contract.record import read_record
from core.contract.score import Engine
from core.files import write_whole
from harness.scoring.choice import EngineChoice
from harness.scoring.engines import open_engine
from harness.scoring.lm import WHOLE, ScoringLM, Share
from harness.scoring.quiet import quiet_lm_eval
from harness.scoring.workers import run_workers
from tasks.texts import Text

# Finished batches, for a run that goes on from them.
JOURNAL = "journal"


@dataclass(frozen=True)
class TextRequest:
    """The order of a measure: a checkpoint directory on a text. `processes` share the documents,
    one per GPU."""

    checkpoint: Path
    text: Text
    engine: EngineChoice
    processes: int = 1


def measure_text(
    request: TextRequest, out: Path, progress: Callable[[int, int, str], None]
) -> TextFacts:
    """Writes ``documents.jsonl`` into `out`, a line for each document: its id, bytes of UTF-8,
    tokens, and `nats`, the negative log-probability of all of it. Returns the sums.

    What an interrupted run left in `out`, in the folder `JOURNAL`, is not computed again.
    """
    if request.processes > 1:
        run_workers(compute_share, request, out / JOURNAL, request.processes, progress)
    documents = request.text.documents
    texts = [document.text for document in documents]
    with closing(
        _open(request, out / JOURNAL, lambda done, total: progress(done, total, "windows"))
    ) as lm:
        nats = [-logprob for logprob in _ask(lm, texts)]
        tokens = lm.count_tokens(texts)
        engine = read_record(Engine, lm.describe_engine())
        window, notes = lm.window, tuple(lm.notes)
    sizes = [len(text.encode()) for text in texts]
    rows = [
        {"id": one.id, "bytes": size, "tokens": count, "nats": value}
        for one, size, count, value in zip(documents, sizes, tokens, nats, strict=True)
    ]
    lines = [json.dumps(row, ensure_ascii=False) + "\n" for row in rows]
    write_whole(out / DOCUMENTS, "".join(lines))
    return TextFacts(
        **request.text.facts,
        documents=len(documents),
        bytes=sum(sizes),
        tokens=sum(tokens),
        bits_per_byte=math.fsum(nats) / math.log(2) / sum(sizes),
        window=window,
        engine=engine,
        warnings=notes,
    )


def compute_share(
    request: TextRequest, journal: Path, share: Share, progress: Callable[[int, int], None]
) -> None:
    """Computes one process's share of the batches into the journal, and no measure."""
    with closing(_open(request, journal, progress, share)) as lm:
        _ask(lm, [document.text for document in request.text.documents])


def _open(
    request: TextRequest,
    journal: Path,
    on_progress: Callable[[int, int], None],
    share: Share = WHOLE,
) -> ScoringLM:
    quiet_lm_eval()
    return open_engine(
        request.engine, request.checkpoint, journal=journal, share=share, on_progress=on_progress
    )


def _ask(lm: ScoringLM, texts: list[str]) -> list[float]:
    """Returns the log-probability of each text whole."""
    return lm.loglikelihood_rolling(
        [
            Instance(request_type="loglikelihood_rolling", doc={}, arguments=(text,), idx=0)
            for text in texts
        ]
    )
