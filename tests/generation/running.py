"""Run one source with small counts."""

from pathlib import Path
from typing import Any

from core.contract.facts import SourceFacts
from generation.prompts import DEFAULT_FILE
from generation.settings import Context, Scenario, Sources, Teacher, Topic, Translated
from generation.source import Source, make_source

EMBEDDED = Path(DEFAULT_FILE).parent / "embedded"
SMALL = Sources(
    topic=Topic(general_seeds=1, language_seeds=1, macro_topics=2, topics=2, prompts=2),
    scenario=Scenario(general=2, language=1, detailed=2, prompts=2),
    context=Context(texts=str(EMBEDDED / "contexts"), max_texts=8, first_tokens=20, prompts=2),
    translated=Translated(conversations=str(EMBEDDED / "conversations.jsonl"), max_conversations=6),
)


def count_tokens(text: str) -> int:
    """Words stand for tokens."""
    return len(text.split())


def cut_tokens(text: str, count: int) -> str:
    """The first words."""
    return " ".join(text.split()[:count])


def run(
    source: Source,
    folder: Path,
    teacher: Teacher,
    settings: Sources = SMALL,
    **changes: Any,
) -> SourceFacts:
    """Make the source in `folder`, with the ledger beside it; `changes` go to `make_source`."""
    usual = {
        "language": "Swahili",
        "flores_code": "swh_Latn",
        "prompts_file": DEFAULT_FILE,
        "seed": 1,
        "ledger": folder / "ledger.sqlite",
        "out": folder / source,
        "count_tokens": count_tokens,
        "cut_tokens": cut_tokens,
        "progress": lambda done, total, note: None,
    }
    return make_source(source, settings=settings, teacher=teacher, **(usual | changes))
