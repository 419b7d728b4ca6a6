"""Scores of translations beside chrF++: spBLEU-200, and COMET where it may be believed."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from core.contract.record import Unreadable
from core.tasks import TASKS
from reports.stats.bleu import compare_bleu, compute_bleu
from reports.stats.paired import Difference
from reports.stats.sentences import compare_sentences
from reports.store.model import Score
from reports.store.samples import is_translation
from reports.tables.results import Result, Results
from reports.tables.sheet import LANGUAGE, PRODUCER, TASK, Column, Sheet, Value
from reports.translated.comet import CometScore, read_comet
from reports.translated.encoder import refuse_unseen
from reports.translated.pieces import NAME, REMEDY, PiecesModel
from reports.translated.texts import TranslatedTexts, read_translated

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

NOTE = (
    "chrF++ is the score of these tasks; these stand beside it. Change: over base on the same "
    "sentences, by the paired bootstrap that chrF++'s gain has."
)
NO_MODEL = f"{NAME} was not taken, since its SentencePiece model is not here. Remedy: {REMEDY}."
COMET = (
    "COMET: the mean over sentences, of no meaning between languages. Of languages that its "
    "encoder never saw it is not shown."
)


@dataclass(frozen=True)
class OtherScores:
    """The other scores of one score's translations. What was not taken is None, and `why` tells
    of the reasons that are its own."""

    row: Result
    n: int
    bleu: float | None = None
    change: Difference | None = None
    comet: CometScore | None = None
    comet_change: Difference | None = None
    why: tuple[str, ...] = ()


def find_other_scores(
    results: Results, store: Path, model: PiecesModel | None
) -> tuple[OtherScores, ...]:
    """Find the other scores of every score of translations, in the order of `results`."""
    reader = _TextReader(store, model)
    return tuple(
        _take_scores(reader, row)
        for row in results.rows
        if row.record is not None and is_translation(row.record)
    )


class _TextReader:
    """Reads and counts each score's texts once: base stands beside several producers."""

    def __init__(self, store: Path, model: PiecesModel | None) -> None:
        self.store = store
        self._model = model
        self._counted: dict[str, tuple[TranslatedTexts, NDArray[np.float64]] | str] = {}

    def count(self, score: Score) -> "tuple[TranslatedTexts, NDArray[np.float64]] | str | None":
        """Count a score's texts; None without a model, the reason where they cannot be read."""
        if self._model is None:
            return None
        key = score.artifact.key
        if key not in self._counted:
            try:
                texts = read_translated(score)
                counts = self._model.count(texts.hypotheses, texts.references)
                self._counted[key] = (texts, counts)
            except Unreadable as error:
                self._counted[key] = str(error)
        return self._counted[key]


def _take_scores(reader: _TextReader, row: Result) -> OtherScores:
    score, base = row.record, row.base_record
    assert score
    why: list[str] = []
    bleu, change = None, None
    counted = reader.count(score)
    if isinstance(counted, str):
        why.append(counted)
    elif counted:
        texts, counts = counted
        bleu = float(compute_bleu(counts.sum(axis=0)))
        before = reader.count(base) if base and not row.is_base else None
        if isinstance(before, tuple):
            if (before[0].ids, before[0].references) == (texts.ids, texts.references):
                change = compare_bleu(before[1], counts)
            else:
                why.append("base translated other sentences")
    other = TASKS[row.task].other if row.task in TASKS else "eng_Latn"
    refused = refuse_unseen(row.language.flores_code, other)
    rated: list[CometScore | None] = [None, None]
    if refused:
        why.append(refused)
    else:
        rated, unread = _read_rated(reader.store, score, None if row.is_base else base)
        why += unread
    return OtherScores(row, score.n, bleu, change, rated[0], _compare_rated(*rated), tuple(why))


def _compare_rated(comet: CometScore | None, base: CometScore | None) -> Difference | None:
    """Compare what one model gave a score and its base; None where it did not rate both."""
    import numpy as np

    if comet is None or base is None or comet.model != base.model:
        return None
    if len(comet.sentences) != len(base.sentences):
        return None
    return compare_sentences(np.array(base.sentences), np.array(comet.sentences))


def _read_rated(
    store: Path, score: Score, base: Score | None
) -> tuple[list[CometScore | None], list[str]]:
    """Read what COMET gave a score and its base, and why what is there cannot be taken."""
    found: list[CometScore | None] = []
    why = []
    for one in (score, base):
        try:
            found.append(read_comet(store, one) if one else None)
        except Unreadable as error:
            found.append(None)
            why.append(str(error))
    return found, why


def tabulate_other_scores(
    found: tuple[OtherScores, ...], model: PiecesModel | None
) -> Sheet | None:
    """Tabulate them, with the reasons of what was not taken; None without translations."""
    if not found:
        return None
    columns = (
        LANGUAGE,
        TASK,
        PRODUCER,
        Column("n", "n", numeric=True),
        Column("chrf", "chrF++", ".1f", numeric=True),
        Column("spbleu", NAME, ".1f", numeric=True),
        Column("change", "Change", "+.1f", numeric=True),
        Column("low", "From", "+.1f", numeric=True),
        Column("high", "To", "+.1f", numeric=True),
        Column("p", "p", "p", numeric=True),
        Column("comet", "COMET", ".3f", numeric=True),
        Column("comet_change", "COMET, change", "+.3f", numeric=True),
        Column("comet_low", "COMET, from", "+.3f", numeric=True),
        Column("comet_high", "to", "+.3f", numeric=True),
        Column("comet_p", "COMET, p", "p", numeric=True),
    )
    rows = tuple(_list_values(one) for one in found)
    notes = [NOTE, f"{NAME}: {model.describe()}." if model else NO_MODEL]
    models = dict.fromkeys(one.comet.model for one in found if one.comet)
    if models:
        notes.append(f"{COMET} Here by {', '.join(models)}.")
    notes += _list_reasons(found)
    return Sheet(columns, rows, notes=tuple(notes))


def _list_values(one: OtherScores) -> tuple[Value, ...]:
    change, rated = one.change, one.comet_change
    interval, around = (each.interval if each else None for each in (change, rated))
    return (
        one.row.language.name,
        one.row.task,
        one.row.producer,
        one.n,
        one.row.score,
        one.bleu,
        change.points if change else None,
        interval.low if interval else None,
        interval.high if interval else None,
        change.p if change else None,
        one.comet.mean if one.comet else None,
        rated.points if rated else None,
        around.low if around else None,
        around.high if around else None,
        rated.p if rated else None,
    )


def _list_reasons(found: tuple[OtherScores, ...]) -> Iterator[str]:
    """Tell each reason once, with the languages of which it is true."""
    said: Mapping[str, dict[str, None]] = defaultdict(dict)
    for one in found:
        for why in one.why:
            said[why][one.row.language.name] = None
    for why, languages in said.items():
        yield f"{', '.join(languages)}: {why}."
