"""Finds the accuracy of people in a task, where it was published."""

from collections.abc import Iterable

from core.tasks import TASKS


def find_peoples_score(task: str) -> float | None:
    """Find the published accuracy of people in percent; None where none is known."""
    return TASKS[task].people if task in TASKS else None


def note_people(tasks: Iterable[str]) -> list[str]:
    """Say of those tasks where people's accuracy was published; nothing where of none."""
    found = [TASKS[task] for task in tasks if find_peoples_score(task) is not None]
    if not found:
        return []
    sources = "; ".join(f"{facts.title}: {facts.people_source}" for facts in found)
    return [f"People: their published accuracy, on average ({sources})."]
