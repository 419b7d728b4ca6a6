"""The data of a distillation: packed rows as fine-tuning has them, and the teacher's texts beside.

    off_policy_*    each document as the teacher reads it, to score the corpus's responses
    on_policy_*     the same, of which the beginning is what it reads before the student's response

A teacher's text ends in the very tokens that the student is trained on, so that positions are
aligned by their order alone; where a template or tokenizer makes other tokens of them, the row is
left out and counted.
"""

import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from core.checkpoints.opening import open_config, open_tokenizer
from core.checkpoints.tokens import read_stated_length
from core.contract.facts import GuidedFacts
from core.lines import read_json_lines
from training.dataset import IGNORED, Example
from training.distillation.settings import View
from training.distillation.verbalizer import show_conversation
from training.distillation.vocabulary import check_same_vocabulary
from training.errors import DistillationError, RowsError
from training.prepare import prepare
from training.settings import DataSettings
from training.tokenised import Tokeniser

OFF_POLICY, ON_POLICY = "off_policy", "on_policy"
_BATCH = 256  # rows at once


@dataclass(frozen=True)
class Guidance:
    """The views that the teacher has, by the name of the signal that is asked of it."""

    views: Mapping[str, View]
    wording: Mapping[str, str]
    language: str


def prepare_guided(
    *,
    base: Path,
    teacher: Path,
    rows: Path,
    english: Mapping[str, Sequence[str]],
    out: Path,
    data: DataSettings,
    guidance: Guidance,
    seed: int,
    kept: Path | None = None,
    progress: Callable[[int, int, str], None] = lambda done, total, note: None,
) -> GuidedFacts:
    """Write the packed data of the JSONL file `rows`, with the texts of the checkpoint directory
    `teacher` beside them.

    `english` has the English turns of rows by their ids. Raises DistillationError where the two
    checkpoints have different vocabularies or nothing is left, and what `prepare` raises.
    """
    check_same_vocabulary(base, teacher)
    texts = _TeachersTexts(base, teacher, rows, english, data, guidance, kept)
    try:
        packed = prepare(
            base=base,
            rows=rows,
            out=out,
            data=data,
            seed=seed,
            kept=kept,
            progress=progress,
            beside=texts.find,
        )
    except RowsError:
        if not texts.given and (texts.unaligned or texts.too_long):
            raise texts.explain() from None
        raise
    return GuidedFacts(
        packed=packed,
        unaligned=texts.unaligned,
        too_long=texts.too_long,
        views={name: dict(counts) for name, counts in texts.views.items()},
    )


class _TeachersTexts:
    """The teacher's texts of each row, made for some rows at once as they are asked for."""

    def __init__(
        self,
        base: Path,
        teacher: Path,
        rows: Path,
        english: Mapping[str, Sequence[str]],
        data: DataSettings,
        guidance: Guidance,
        kept: Path | None,
    ) -> None:
        self.given = self.unaligned = self.too_long = 0
        self.views: dict[str, Counter[str]] = {name: Counter() for name in guidance.views}
        self._base, self._teacher = base, teacher
        self._rows = enumerate(row for _, row in read_json_lines(rows))
        self._english, self._guidance = english, guidance
        self._tokeniser = Tokeniser(teacher, train_newline=data.train_newline, kept=kept)
        longest = read_stated_length(open_config(teacher), open_tokenizer(teacher))
        self._longest = longest or sys.maxsize
        self._made: dict[int, dict[str, tuple[View, list[Example]]]] = {}

    def find(self, number: int, taught: Sequence[Example]) -> list[dict[str, Example]] | None:
        """The texts beside the examples of a row, by signal; None where they cannot be aligned or
        the teacher cannot take them."""
        while number not in self._made:
            self._made = dict(self._make_some())
        texts: list[dict[str, Example]] = [{} for _ in taught]
        for name, (_, examples) in self._made[number].items():
            found = match_answers(taught, examples)
            if found is None:
                self.unaligned += 1
                return None
            if max(len(one.input_ids) for one in found) > self._longest:
                self.too_long += 1
                return None
            for text, one in zip(texts, found, strict=True):
                text[name] = one
        for name, (view, _) in self._made[number].items():
            self.views[name][view] += 1
        self.given += 1
        return texts

    def explain(self) -> DistillationError:
        """The error for rows of which none is left."""
        return DistillationError(
            f"no row can be distilled from {self._teacher}: {self.unaligned} rows have other "
            f"answer tokens in its chat template than in that of {self._base}, and "
            f"{self.too_long} are longer there than the {self._longest:,} tokens that it takes. "
            "Remedy: a teacher with the student's chat template, distillation.verbalizer="
            "{off_policy: plain, on_policy: plain}, or a smaller train.max_length."
        )

    def _make_some(self) -> Iterator[tuple[int, dict[str, tuple[View, list[Example]]]]]:
        some = list(islice(self._rows, _BATCH))
        made: dict[str, list[tuple[View, list[Example]]]] = {}
        for name, view in self._guidance.views.items():
            shown = [
                show_conversation(
                    row["messages"],
                    view,
                    self._guidance.wording,
                    language=self._guidance.language,
                    english=self._english.get(str(row.get("id"))),
                )
                for _, row in some
            ]
            examples = self._tokeniser.make_examples([one.messages for one in shown])
            views = [one.view for one in shown]
            made[name] = list(zip(views, examples, strict=True))
        for place, (number, _) in enumerate(some):
            yield number, {name: found[place] for name, found in made.items()}


def match_answers(taught: Sequence[Example], texts: Sequence[Example]) -> list[Example] | None:
    """The text, of some in the same order, that ends in the trained tokens of each example, cut
    behind them; None where one has none."""
    found: list[Example] = []
    left = iter(texts)
    for example in taught:
        wanted = [label for label in example.labels[1:] if label != IGNORED]
        match = next((text for text in map(_cut_behind(wanted), left) if text), None)
        if match is None:
            return None
        found.append(match)
    return found


def _cut_behind(wanted: Sequence[int]) -> Callable[[Example], Example | None]:
    def cut(text: Example) -> Example | None:
        places = [n for n, label in enumerate(text.labels) if n and label != IGNORED]
        if [text.labels[n] for n in places[: len(wanted)]] != list(wanted):
            return None
        end = places[len(wanted) - 1] + 1
        return Example(text.input_ids[:end], text.labels[:end])

    return cut
