"""The ground of a report: the results over languages, and the store that they come from."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

from core.languages import identify_name
from reports.errors import LanguageNotFoundError
from reports.store.model import StoreView, Study
from reports.tables import (
    answers,
    correlations,
    item_groups,
    kinds,
    members,
    on_the_way,
    ranking,
    replicates,
    summary,
    surface,
    texts,
    translations,
    wins,
)
from reports.tables.panels import Panel, build_panels
from reports.tables.results import Results, from_panels, split_retention
from reports.tables.sheet import Sheet
from reports.translated.pieces import open_pieces_model


@dataclass(frozen=True)
class Report:
    """Everything that sections are made from. Which those are, `reports/parts/` says.

    `view` is None for an imported table. Nothing is computed twice, whatever is written from it:
    `kept` holds the tables that were made already. `pieces` is the SentencePiece model of
    spBLEU-200, None for the one that sacrebleu keeps.
    """

    view: StoreView | None
    panels: tuple[Panel, ...]
    results: Results
    retained: Results = field(default_factory=lambda: Results((), ""))
    """What was asked in English, to tell what was forgotten; nowhere else in the report but in the
    tables of each language."""
    pieces: Path | None = None
    kept: dict[tuple[str, bool], Sheet | None] = field(
        default_factory=dict, compare=False, repr=False
    )

    @classmethod
    def from_store(cls, view: StoreView, pieces: Path | None = None) -> "Report":
        """Make the report of a store, or of the part of it that a view shows."""
        panels = build_panels(view)
        return cls(view, panels, *split_retention(from_panels(view, panels)), pieces)

    @classmethod
    def from_table(cls, results: Results) -> "Report":
        """Make the report of an imported table of scores."""
        return cls(None, (), *split_retention(results))

    def keep_languages(self, names: Sequence[str]) -> "Report":
        """Keep the part about these languages; the tables of the stages stay whole.

        Raises LanguageNotFoundError for a name that no result has.
        """
        names_known = [language.name for language in self.results.languages]
        names_known += [study.language for study in self.studies]
        asked = {identify_name(name): name for name in names}
        known = {identify_name(name) for name in names_known}
        lacking = [name for key, name in asked.items() if key not in known]
        if lacking:
            raise LanguageNotFoundError(
                f"There is no result of {lacking[0]!r}.\n"
                f"Remedy: one of: {', '.join(dict.fromkeys(names_known))}."
            )
        wanted = {name for name in names_known if identify_name(name) in asked}
        panels = tuple(panel for panel in self.panels if panel.language.name in wanted)
        view = self.view and replace(
            self.view, studies=tuple(s for s in self.studies if s.language in wanted)
        )
        results, retained = (
            found.keep(lambda result: result.language.name in wanted)
            for found in (self.results, self.retained)
        )
        return Report(view, panels, results, retained, self.pieces)

    @cached_property
    def everything(self) -> Results:
        """Every result, those in English too: for tables of single scores, and no mean."""
        return replace(self.results, rows=(*self.results.rows, *self.retained.rows))

    @property
    def compares(self) -> bool:
        """True with several languages or producers, and for every imported table."""
        several = len(self.results.languages) > 1 or len(self.results.trained) > 1
        return several or self.view is None

    @property
    def studies(self) -> tuple[Study, ...]:
        """The blind preference studies that a store holds."""
        return self.view.studies if self.view else ()

    @cached_property
    def verdicts(self) -> list[wins.JudgedGain]:
        """Every gain, judged by its test."""
        return wins.judge_gains(self.results)

    @cached_property
    def correlations(self) -> list[correlations.TaskCorrelation]:
        """Base score against gain, for each task and producer."""
        return correlations.find_correlations(self.results)

    @cached_property
    def ranking(self) -> ranking.Ranking:
        """All producers compared on what every one of them has, seeds of one as one."""
        return ranking.rank_producers(self.members)

    @cached_property
    def members(self) -> Results:
        """The results with one producer for all training seeds of a mixture."""
        return members.merge_seeds(self.view, self.results) if self.view else self.results

    @cached_property
    def replicates(self) -> list[replicates.Replicates]:
        """Checkpoints that differ in their training seed alone, as one."""
        return replicates.find_replicates(self.view, self.results) if self.view else []

    @cached_property
    def runs_on_the_way(self) -> list[on_the_way.RunResults]:
        """Training runs of which more checkpoints than the last one were scored."""
        return on_the_way.find_run_results(self.view, self.results) if self.view else []

    @cached_property
    def surfaces(self) -> surface.Surfaces | None:
        """The surfaces of gain over what mixtures hold; None for fewer than three mixtures."""
        return surface.find_surfaces(self.view, self.results) if self.view else None

    @cached_property
    def answer_shares(self) -> tuple[answers.AnswerShares, ...]:
        """The shares of each answer, right and given, in every multiple-choice score."""
        return answers.find_answer_shares(self.results)

    @cached_property
    def group_gains(self) -> tuple[item_groups.GroupGain, ...]:
        """Gains on the items of a benchmark by what it says of them."""
        return item_groups.find_group_gains(self.results)

    @cached_property
    def kind_gains(self) -> tuple[kinds.KindGains, ...]:
        """Gains by what is known of their languages."""
        return kinds.find_kind_gains(self.results)

    @cached_property
    def bits_per_byte(self) -> Sheet | None:
        """Bits per byte of each checkpoint on whole texts; None where none were asked for."""
        if self.view is None:
            return None
        shown = {panel.language.name for panel in self.panels}
        found = [one for one in texts.find_texts(self.view) if one.language in shown]
        return texts.tabulate_texts(self.view, found, shown)

    @cached_property
    def other_scores(self) -> Sheet | None:
        """Scores of translations beside chrF++; None where nothing was translated.

        Raises PiecesModelError for a file of `pieces` that is no SentencePiece model.
        """
        if self.view is None:
            return None
        model = open_pieces_model(self.pieces)
        found = translations.find_other_scores(self.everything, self.view.root, model)
        return translations.tabulate_other_scores(found, model)

    @cached_property
    def retained_means(self) -> Sheet:
        """Means of what was kept of English over the languages that were trained for."""
        return summary.tabulate_retention(self.retained, wins.judge_gains(self.retained))

    @cached_property
    def means(self) -> Sheet:
        """Means over languages with their intervals, in numbers alone."""
        return summary.tabulate_means(self.results, self.verdicts)
