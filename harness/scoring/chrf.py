"""chrF++ by sacrebleu, with the sentence statistics from which a resample costs nothing."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from sacrebleu.metrics import CHRF

RESAMPLES = 1000


@dataclass(frozen=True)
class CorpusScore:
    """A corpus score from 0 to 100, its bootstrap standard error and sacrebleu's signature;
    `sentences` are the sentence scores."""

    score: float
    stderr: float | None
    signature: str
    sentences: list[float]


def chrf_plus_plus(
    hypotheses: Sequence[str], references: Sequence[str], seed: int = 0
) -> CorpusScore:
    """chrF++ (character order 6, word order 2, beta 2; Popović 2017) of a corpus.

    The standard error is the standard deviation over `RESAMPLES` bootstrap resamples of sentences
    (Koehn 2004); None for a single sentence.
    """
    metric = CHRF(word_order=2)
    score = metric.corpus_score(list(hypotheses), [list(references)])
    sentences = [
        float(metric.sentence_score(hypothesis, [reference]).score)
        for hypothesis, reference in zip(hypotheses, references, strict=True)
    ]
    stderr = None
    if len(hypotheses) > 1:
        statistics = np.array(
            metric._extract_corpus_statistics(list(hypotheses), [list(references)])
        )
        draws = np.random.default_rng(seed).integers(
            0, len(statistics), (RESAMPLES, len(statistics))
        )
        resampled = [
            metric._compute_f_score(statistics[draw].sum(axis=0).tolist()) for draw in draws
        ]
        stderr = float(np.std(resampled, ddof=1))
    return CorpusScore(float(score.score), stderr, str(metric.get_signature()), sentences)
