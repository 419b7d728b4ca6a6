"""How often a report says that gains go with a kind of language where they do not.

The languages are the paper's, with their own scripts, families and documents, so that groups are
as unequal in size as they are; the gains are drawn.
"""

from typing import Any

import numpy as np

from core.languages import list_papers_languages
from reports.store.languages import describe_language
from reports.tables.gain import Gain
from reports.tables.kinds import KindGains, find_kind_gains
from reports.tables.results import Result, Results

TASKS = ("sib200", "belebele", "flores_xx_en", "flores_en_xx")
PAPERS = [entry for entry in list_papers_languages().values() if entry.id != "english"]


def claims(
    times: int, world: str = "alike", languages: int = 54, rise: float = 0.0, seed: int = 1
) -> dict[str, float]:
    """The share of data sets with any sentence, and with one on documents.

    `alike`: gains are drawn alike. `tight` and `wild`: those of Bantu languages spread a
    tenth as much, and five times as much. `skewed`: a few gain very much.
    `families`: languages of a family resemble each other (a third of the variance). `rise` is the
    points that ten times the documents add.
    """
    draw = np.random.default_rng(seed)
    some, of_documents = 0, 0
    for _ in range(times):
        chosen = [PAPERS[n] for n in draw.permutation(len(PAPERS))[:languages]]
        told = [one for one in find_kind_gains(_draw(draw, chosen, world, rise)) if one.is_told]
        some += bool(told)
        of_documents += any(one.kind.name == "documents" for one in told)
    return {"any": some / times, "documents": of_documents / times}


def _draw(draw: np.random.Generator, chosen: Any, world: str, rise: float) -> Results:
    rows = []
    own = {one.id: draw.normal() for one in chosen}
    family = {one.family: draw.normal() for one in chosen}
    for task in TASKS:
        for one in chosen:
            # A language that gains much on one task gains much on others.
            luck = (own[one.id] + draw.normal()) / 2**0.5
            if world == "skewed":
                luck = np.exp(1.2 * luck)
            elif world == "families":
                luck = (2 / 3) ** 0.5 * luck + (1 / 3) ** 0.5 * family[one.family]
            elif one.branch == "Bantu":
                luck *= {"tight": 0.1, "wild": 5.0}.get(world, 1.0)
            points = 9 + 8 * luck + rise * np.log10(one.fineweb2_documents)
            language = describe_language(one.name)
            rows.append(
                Result(language, task, "trained", "result", score=50.0, gain=Gain(points=points))
            )
    return Results(tuple(rows), "made up")


def find_one(gains: Any, languages: Any) -> tuple[KindGains, ...]:
    """The relations of given gains of given languages on one task."""
    rows = [
        Result(describe_language(one.name), "sib200", "trained", "result", gain=Gain(points=points))
        for one, points in zip(languages, gains, strict=True)
    ]
    return find_kind_gains(Results(tuple(rows), "given"))
