"""Run one source with small counts."""

from pathlib import Path
from typing import Any

from core.contract.facts import SourceFacts
from generation.prompts import DEFAULT_FILE
from generation.settings import Context, Scenario, Sources, Teacher, Topic, Translated
from generation.source import Order, Source, TokenMeasure, make_source

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
    """Make the source in `folder`, with the ledger beside it; `changes` are of `make_source` and of
    its order."""
    order = {
        "language": "Swahili",
        "flores_code": "swh_Latn",
        "script": None,
        "prompts_file": DEFAULT_FILE,
        "seed": 1,
    }
    usual = {
        "ledger": folder / "ledger.sqlite",
        "out": folder / source,
        "tokens": TokenMeasure(count_tokens, cut_tokens),
        "progress": lambda done, total, note: None,
    }
    asked = order | {name: changes.pop(name) for name in order.keys() & changes.keys()}
    return make_source(Order(source, settings=settings, **asked), teacher, **(usual | changes))
