"""chrF++ by sacrebleu, with the sentence statistics from which a resample costs nothing."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from sacrebleu.metrics import CHRF

RESAMPLES = 1000


@dataclass(frozen=True)
class CorpusScore:
    """A corpus score from 0 to 100, with sacrebleu's signature.

    `stderr` and `interval` (95%) are those of `RESAMPLES` bootstrap resamples of sentences, None
    for a single sentence. `sentences` are the sentence scores, `statistics` the counts behind them:
    for each n-gram order those of hypothesis, reference and both.
    """

    score: float
    stderr: float | None
    interval: tuple[float, float] | None
    signature: str
    sentences: list[float]
    statistics: list[list[int]]


def score_corpus(hypotheses: Sequence[str], references: Sequence[str]) -> float:
    """Computes chrF++ of a corpus alone, from 0 to 100."""
    metric = CHRF(word_order=2)
    return float(metric.corpus_score(list(hypotheses), [list(references)]).score)


def compute_chrf(
    hypotheses: Sequence[str], references: Sequence[str], seed: int = 0
) -> CorpusScore:
    """Computes chrF++ (character order 6, word order 2, beta 2; Popović 2017) of a corpus,
    resampled by sentences (Koehn 2004)."""
    metric = CHRF(word_order=2)
    score = metric.corpus_score(list(hypotheses), [list(references)])
    sentences = [
        float(metric.sentence_score(hypothesis, [reference]).score)
        for hypothesis, reference in zip(hypotheses, references, strict=True)
    ]
    statistics = np.array(metric._extract_corpus_statistics(list(hypotheses), [list(references)]))
    stderr, interval = None, None
    if len(hypotheses) > 1:
        draws = np.random.default_rng(seed).integers(
            0, len(statistics), (RESAMPLES, len(statistics))
        )
        resampled = [
            metric._compute_f_score(statistics[draw].sum(axis=0).tolist()) for draw in draws
        ]
        stderr = float(np.std(resampled, ddof=1))
        low, high = np.percentile(resampled, [2.5, 97.5])
        interval = (float(low), float(high))
    return CorpusScore(
        float(score.score),
        stderr,
        interval,
        str(metric.get_signature()),
        sentences,
        statistics.astype(int).tolist(),
    )
