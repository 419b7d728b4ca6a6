"""Prints what a publication would do, as a table, with what is refused below it."""

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from core.text import make_safe
from publishing.licences import find_models_licence, list_licences
from publishing.looking import measure_files
from publishing.plan import Publication
from publishing.results import list_hub_scores
from reports.store.model import StoreView

_WIDTH = 150
"""Characters: a name that is cut cannot be checked."""


def print_plan(view: StoreView, plan: Publication) -> None:
    """Prints a line for each repository (files, megabytes of 10^6 bytes, licences, scores that the
    Hub's forms may hold), and each refusal with its remedy."""
    console = Console()
    console.width = max(console.width, _WIDTH)
    table = Table("repository", "is a", "language", "files", "MB", "licence", "of", "Hub scores")
    for one in plan.repositories:
        sizes = measure_files(one)
        is_model = one.kind == "model"
        licences = find_models_licence(one.origins) if is_model else list_licences(one.origins)
        labels = [a.about.producer if is_model else a.about.source for a in one.artifacts]
        labels += [f"votes on {one.study.about.trained}"] if one.study else []
        shown = (
            *(one.name, one.kind, f"{one.tongue.name} ({one.tongue.tag})", str(len(sizes))),
            *(f"{sum(sizes) / 1e6:,.1f}", ", ".join(licences), ", ".join(map(str, labels))),
            str(len(list_hub_scores(view, one.artifacts[0].key))) if is_model else "–",
        )
        table.add_row(*(escape(make_safe(cell)) for cell in shown))
    console.print(table)
    for refusal in plan.refusals:
        console.print(escape(make_safe(f"refused: {refusal.what}: {refusal.why}.")))
        console.print(escape(make_safe(f"  Remedy: {refusal.remedy}.")))
