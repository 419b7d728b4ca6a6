"""Every table of a report, in the order in which a reader wants them."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from reports.errors import LanguageNotFoundError
from reports.store.model import StoreView, Study
from reports.tables import (
    correlations,
    coverage,
    precision,
    preference,
    protocols,
    score_sheets,
    stage_sheets,
    subsets,
    summary,
    wins,
)
from reports.tables.panels import Panel, build_panels
from reports.tables.results import Results, from_panels
from reports.tables.sheet import Sheet


@dataclass(frozen=True)
class Report:
    """What every writer takes: the results over languages, and a store's own tables if it is one.

    `view` is None for an imported table. Nothing is computed twice, whatever is written from it.
    """

    view: StoreView | None
    panels: tuple[Panel, ...]
    results: Results

    @classmethod
    def of_store(cls, view: StoreView) -> "Report":
        panels = build_panels(view)
        return cls(view, panels, from_panels(view, panels))

    @classmethod
    def of_table(cls, results: Results) -> "Report":
        return cls(None, (), results)

    def of_languages(self, names: Sequence[str]) -> "Report":
        """The part about these languages; the stages' tables stay whole.

        Raises LanguageNotFoundError for a name that no result has.
        """
        names_known = [language.name for language in self.results.languages]
        names_known += [study.language for study in self.studies]
        known = {name.casefold(): name for name in names_known}
        lacking = [name for name in names if name.casefold() not in known]
        if lacking:
            raise LanguageNotFoundError(
                f"There is no result of {lacking[0]!r}.\n"
                f"Remedy: one of: {', '.join(known.values())}."
            )
        wanted = {known[name.casefold()] for name in names}
        panels = tuple(panel for panel in self.panels if panel.language.name in wanted)
        view = self.view and replace(
            self.view, studies=tuple(s for s in self.studies if s.language in wanted)
        )
        return Report(view, panels, self.results.only(lambda r: r.language.name in wanted))

    @cached_property
    def verdicts(self) -> list[wins.Verdict]:
        return wins.verdicts(self.results)

    @cached_property
    def correlations(self) -> list[correlations.TaskCorrelation]:
        return correlations.correlations(self.results)

    @cached_property
    def summary_file(self) -> Sheet:
        return summary.summary(self.results, self.verdicts)

    @property
    def summary(self) -> Sheet:
        """With its intervals in words, for people."""
        return summary.summary_table(self.summary_file)

    @cached_property
    def subsets(self) -> Sheet:
        return subsets.subsets(self.results)

    @cached_property
    def by_language(self) -> Sheet:
        return subsets.by_language(self.results)

    @cached_property
    def wins(self) -> Sheet:
        return wins.wins(self.verdicts)

    @cached_property
    def wins_by_language(self) -> Sheet:
        return wins.wins_by_language(self.verdicts)

    @cached_property
    def coverage(self) -> Sheet:
        return coverage.coverage(self.results)

    @cached_property
    def precision(self) -> Sheet:
        return precision.precision(self.panels)

    @cached_property
    def measures(self) -> Sheet:
        return coverage.measures(self.results)

    @cached_property
    def scores(self) -> Sheet:
        return score_sheets.scores(self.panels) if self.view else score_sheets.plain(self.results)

    @property
    def correlation(self) -> Sheet:
        """With its numbers in words, for people."""
        return correlations.correlation_table(self.correlations)

    @property
    def gaps(self) -> Sheet:
        return (
            score_sheets.gaps(self.panels) if self.view else score_sheets.plain_gaps(self.results)
        )

    @property
    def over_languages(self) -> list[Sheet]:
        """The tables whose rows are tasks, producers or languages."""
        return [
            self.summary,
            self.correlation,
            self.subsets,
            self.by_language,
            self.wins_by_language,
            self.coverage,
            self.measures,
        ]

    @property
    def stages(self) -> list[Sheet]:
        """The tables of what a store's stages did; none for an imported table."""
        if self.view is None:
            return []
        return [
            stage_sheets.yields(self.view),
            stage_sheets.mixture(self.view),
            stage_sheets.data_quality(self.view),
            stage_sheets.training(self.view),
            stage_sheets.cost_by_language(self.view),
            stage_sheets.cost_by_stage(self.view),
        ]

    @property
    def studies(self) -> tuple[Study, ...]:
        """The blind preference studies that a store holds."""
        return self.view.studies if self.view else ()

    @property
    def preference(self) -> list[Sheet]:
        """What native speakers said; empty tables without a study."""
        return preference.sheets(self.studies)

    @property
    def protocols(self) -> Sheet | None:
        return protocols.protocols(self.view) if self.view else None


def all_sheets(report: Report) -> list[Sheet]:
    """Every table as a program wants it: one CSV file each."""
    found = [
        report.scores,
        report.wins,
        correlations.correlation_file(report.correlations),
        report.summary_file,
        report.subsets,
        report.by_language,
        report.wins_by_language,
        report.coverage,
        report.gaps,
    ]
    if report.view is None:
        return found
    view = report.view
    return [
        *found,
        score_sheets.gains(report.panels),
        report.precision,
        report.measures,
        score_sheets.warnings(report.panels),
        *(
            sheet
            for sheet in (preference.preference_file(report.studies), *report.preference[1:])
            if sheet.rows
        ),
        *report.stages,
        stage_sheets.cost(view),
        protocols.protocols(view),
        stage_sheets.provenance(view),
        score_sheets.failed_runs(view),
        score_sheets.problems(view),
    ]
