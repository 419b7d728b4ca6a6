"""Makes the rows, numbers and measures of a score from lm-eval's samples, by kind of task."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from core.contract.samples import AnySample, Choice, Translation, WrittenAnswer
from core.contract.score import ScoreInterval
from core.statistics import LEVEL, compute_wilson, score_strata
from harness.scoring.chrf import compute_chrf, score_corpus
from harness.scoring.forms import compare_forms
from harness.scoring.lm import ScoringLM
from harness.scoring.measures import (
    compute_accuracy_per_byte,
    detect_language,
    is_copied,
    measure_readings,
    measure_translations,
    warn_of_neighbours,
)
from harness.scoring.samples import hash_document, hash_text
from harness.scoring.strata import score_resampled
from tasks.loading import Loaded
from tasks.written import ReadAnswer, read_answer

AskedSample = Mapping[str, Any]
"""A sample as lm-eval gives it."""


@dataclass(frozen=True)
class TaskScore:
    """The rows of a score, the score with what says how sure it is, and what is told beside it."""

    rows: Sequence[AnySample]
    score: float
    stderr: float | None
    interval: ScoreInterval | None
    signature: str | None = None
    measures: dict[str, float | None] = field(default_factory=dict)
    warnings: Sequence[str] = ()


def score_samples(
    samples: Sequence[AskedSample], lm: ScoringLM, loaded: Loaded, wanted: Mapping[str, Any]
) -> TaskScore:
    """Scores the samples of a task; `wanted` is the language that its translations should be in."""
    if loaded.task.kind == "choice":
        return score_choices(samples, lm, loaded)
    if loaded.task.metric == "chrf++":
        return score_translations(samples, lm, loaded, wanted)
    return score_answers(samples, lm, loaded)


def score_choices(samples: Sequence[AskedSample], lm: ScoringLM, loaded: Loaded) -> TaskScore:
    """Scores a multiple-choice task, accuracy in percent.

    The standard error is that of a mean of 0s and 1s with the sample variance, as lm-eval's; the
    interval is Wilson's (1927). Both take items for independent.
    """
    rows = []
    asked = {item.id: item for item in loaded.items}
    for sample in samples:
        item = asked[sample["doc"]["id"]]
        choices = list(sample["doc"]["choices"])
        logprobs = [response[0] for response in sample["filtered_resps"]]
        prediction = max(range(len(logprobs)), key=logprobs.__getitem__)
        rows.append(
            Choice(
                **_take_prompt_columns(sample, lm),
                choices=tuple(choices),
                logprobs=tuple(
                    round(value, 6) if math.isfinite(value) else None for value in logprobs
                ),
                prediction=choices[prediction],
                answer=choices[sample["target"]],
                correct=prediction == sample["target"],
                category=item.category,
                cultural_sensitivity=item.cultural_sensitivity,
            )
        )
    n, correct = len(rows), sum(row.correct for row in rows)
    mean = correct / n
    interval = compute_wilson(correct, n, LEVEL)
    assert interval is not None
    cloze = loaded.task.content.cloze
    return TaskScore(
        rows=rows,
        score=100 * mean,
        stderr=100 * math.sqrt(mean * (1 - mean) / (n - 1)) if n > 1 else None,
        interval=_make_interval((100 * interval.low, 100 * interval.high), "wilson"),
        measures={"accuracy_per_byte": compute_accuracy_per_byte(rows)} if cloze else {},
        warnings=_write_counts(
            {
                _CUT: [row.truncated for row in rows],
                "items lack log-probabilities that the endpoint did not give": [
                    None in row.logprobs for row in rows
                ],
            }
        ),
    )


def score_translations(
    samples: Sequence[AskedSample], lm: ScoringLM, loaded: Loaded, wanted: Mapping[str, Any]
) -> TaskScore:
    """Scores a translation task, chrF++ from 0 to 100.

    Outer white space is removed from hypotheses: the space between the prompt's colon and the
    translation belongs to the prompt. chrF++ does not count white space. Where translations are
    read out of answers, the measures tell what the strict reading gives.
    """
    reads = _read_all(samples) if loaded.task.kind == "reading" else None
    said = [sample["filtered_resps"][0] for sample in samples]
    hypotheses = [read.scored.text for read in reads] if reads else [one.strip() for one in said]
    references = [str(sample["doc"]["target"]) for sample in samples]
    sources = [str(sample["doc"]["source"]) for sample in samples]
    corpus = compute_chrf(hypotheses, references)
    tokens = zip(lm.count_tokens(sources), lm.count_tokens(references), strict=True)
    rows = []
    for place, (sample, (source_tokens, reference_tokens)) in enumerate(
        zip(samples, tokens, strict=True)
    ):
        done = lm.continuations[sample["arguments"][0][0]]
        language, in_language = detect_language(hypotheses[place], wanted)
        rows.append(
            Translation(
                **_take_prompt_columns(sample, lm),
                source=sources[place],
                hypothesis=hypotheses[place],
                reference=references[place],
                chrf=round(corpus.sentences[place], 4),
                chrf_statistics=tuple(corpus.statistics[place]),
                source_tokens=source_tokens,
                hypothesis_tokens=done.tokens,
                reference_tokens=reference_tokens,
                finished=done.finished,
                language=language,
                in_language=in_language,
                copied_source=is_copied(hypotheses[place], sources[place]),
                said=reads[place].said if reads else None,
            )
        )
    forms = compare_forms(corpus.score, hypotheses, references)
    measures = measure_translations(rows) | forms.list_measures()
    if reads:
        strict = score_corpus([read.strict.text for read in reads], references)
        measures |= measure_readings(reads, strict)
    return TaskScore(
        rows=rows,
        score=corpus.score,
        stderr=corpus.stderr,
        interval=_make_interval(corpus.interval, "bootstrap percentile"),
        signature=corpus.signature,
        measures=measures,
        warnings=[
            *_write_counts(
                {
                    _CUT: [row.truncated for row in rows],
                    "translations are empty": [row.hypothesis == "" for row in rows],
                    "translations did not end by themselves": [not row.finished for row in rows],
                    "translations repeat their source": [row.copied_source for row in rows],
                }
            ),
            *warn_of_neighbours(rows, wanted),
            *forms.list_warnings(),
        ],
    )


def score_answers(samples: Sequence[AskedSample], lm: ScoringLM, loaded: Loaded) -> TaskScore:
    """Scores answers that were written and read: 0 to 100, above guessing, balanced by stratum.

    Standard error and interval are of a bootstrap that keeps the items of each stratum, or takes
    passages whole where items share one.
    """
    passages = {item.id: item.passage for item in loaded.items if item.passage}
    reads, rows = _read_all(samples), []
    for sample, read in zip(samples, reads, strict=True):
        doc, done = sample["doc"], lm.continuations[sample["arguments"][0][0]]
        columns = _take_prompt_columns(sample, lm)
        columns["cluster"] = passages.get(doc["id"], columns["cluster"])
        rows.append(
            WrittenAnswer(
                **columns,
                said=read.said,
                said_tokens=done.tokens,
                finished=done.finished,
                prediction=read.scored.text,
                strict=read.strict.text,
                answer=doc["references"][0],
                references=tuple(doc["references"]),
                quality=read.scored.quality,
                strict_quality=read.strict.quality,
                correct=read.scored.quality == 1,
                stratum=doc["stratum"],
                category=doc["category"],
            )
        )
    strata, guessing = [row.stratum for row in rows], samples[0]["doc"]["guessing"]
    found = score_resampled(
        [row.quality for row in rows], strata, guessing, clusters=[row.cluster for row in rows]
    )
    strict = score_strata([row.strict_quality for row in rows], strata, guessing)
    return TaskScore(
        rows=rows,
        score=found.score,
        stderr=found.stderr,
        interval=_make_interval(found.interval, found.method),
        measures=measure_readings(reads, strict),
        warnings=_write_counts(
            {
                _CUT: [row.truncated for row in rows],
                "answers could not be read": [row.prediction == "" for row in rows],
                "answers did not end by themselves": [not row.finished for row in rows],
            }
        ),
    )


def _read_all(samples: Sequence[AskedSample]) -> list[ReadAnswer]:
    return [read_answer(sample["doc"], sample["filtered_resps"][0]) for sample in samples]


def _take_prompt_columns(sample: AskedSample, lm: ScoringLM) -> dict[str, Any]:
    """Returns the columns that every task has."""
    prompt = sample["arguments"][0][0]
    doc = sample["doc"]
    return {
        "doc": sample["doc_id"],
        "doc_id": str(doc["id"]),
        "doc_sha256": hash_document(doc),
        "cluster": str(doc["cluster"]),
        "prompt": prompt,
        "prompt_sha256": hash_text(prompt),
        "prompt_tokens": lm.prompts[prompt].tokens,
        "truncated": lm.prompts[prompt].truncated,
    }


def _make_interval(bounds: tuple[float, float] | None, method: str) -> ScoreInterval | None:
    return None if bounds is None else ScoreInterval(*bounds, LEVEL, method)


_CUT = "prompts were longer than the model's context and lost their beginning"


def _write_counts(found: Mapping[str, Sequence[bool]]) -> list[str]:
    """Tells what happened to the prompts and answers that a reader of the score should know."""
    return [f"{sum(rows)} of {len(rows)} {what}" for what, rows in found.items() if any(rows)]
