"""Items that a teacher lists, and the prompts that come out of them, with where they come from."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from generation.ask import Asker
from generation.ids import keep_distinct
from generation.teacher.reply import Reply

# Rows about media that a text model cannot see.
_MEDIA = ("<image>", "<video>", "<audio>")


@dataclass(frozen=True)
class ListEntry:
    """One entry of a list: what it was made from, and the request and place it stood at."""

    text: str
    parent: str
    request: str
    index: int


@dataclass(frozen=True)
class DraftPrompt:
    """A user message in the making; `text` is the text it is about, or None."""

    id: str
    words: str
    origin: dict[str, str]
    requests: tuple[str, ...]
    text: str | None = None
    task: str | None = None
    revised: bool = False
    media: bool = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "media", names_media(self.message))

    @property
    def message(self) -> str:
        """Put together what the user says: the text, a blank line and the words."""
        return self.words if self.text is None else f"{self.text}\n\n{self.words}"


@dataclass(frozen=True)
class Made:
    """A finished row as it is written, and what in it the teacher was asked to answer."""

    row: dict[str, Any]
    instruction: str


def record_provenance(
    asker: Asker, reply: Reply, revised: bool, requests: Sequence[str], **origin: str
) -> dict[str, Any]:
    """Record where a row comes from: its origin, the seed, the ledger's keys, the teacher's
    tokens.
    """
    return {
        **origin,
        "revised": revised,
        "seed": asker.seed,
        "requests": list(requests),
        "teacher_tokens": {"input": reply.tokens_input, "output": reply.tokens_output},
    }


def names_media(text: str) -> bool:
    """Tell whether the text holds the mark of an image, a video or a sound."""
    return any(mark in text for mark in _MEDIA)


async def expand(
    asker: Asker, step_name: str, prompt: str, parents: Sequence[str], name: str, count: int
) -> list[ListEntry]:
    """Ask for `count` items of each parent, which fills the placeholder `name`.

    The items come in the parents' order, without repeats.
    """
    step = asker.add_step(step_name)
    requests = [
        asker.list_request(step_name, prompt, parent, count=count, **{name: parent})
        for parent in parents
    ]
    items: list[ListEntry] = []
    lists = await asker.ask_lists(requests, step, count)
    for parent, request, texts in zip(parents, requests, lists, strict=True):
        for index, text in enumerate(texts or ()):
            items.append(ListEntry(text, parent, request.key, index))
    kept = keep_distinct(items, lambda item: item.text)
    step.lose("duplicate", len(items) - len(kept))
    step.kept = len(kept)
    return kept


def as_prompts(source: str, origin: str, items: Sequence[ListEntry]) -> list[DraftPrompt]:
    """Items that are prompts; `origin` names what their parents are."""
    return [
        DraftPrompt(
            id=f"{source}-{item.request[:16]}-{item.index}",
            words=item.text,
            origin={origin: item.parent},
            requests=(item.request,),
        )
        for item in items
    ]
