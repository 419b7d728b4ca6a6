"""Bits per byte of each checkpoint on whole texts, and what training changed."""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from core.contract.facts import DocumentNats, TextFacts
from core.contract.names import DOCUMENTS
from core.contract.plan import Checkpoint, PlannedCell
from core.contract.record import Unreadable
from reports.stats.bits import compare_bits
from reports.stats.paired import Difference
from reports.store.cells import Entry
from reports.store.files import read_lines, verify
from reports.store.languages import describe_language
from reports.store.model import StoredArtifact, StoreView
from reports.store.naming import name_producers
from reports.tables.sheet import LANGUAGE, PRODUCER, Column, Sheet, Value

NOTE = (
    "Bits per byte: how well a text is foreseen, the fewer the better; comparable over tokenizers, "
    "and not over languages or texts. Change: over base on the same documents, with its 95% "
    "interval and p; documents are taken for independent."
)
ENGLISH = "A text in English tells what was forgotten: there more bits are a loss."


@dataclass(frozen=True)
class TextBits:
    """Bits per byte of a checkpoint on a text. `change` is over base on the same documents; None
    for base, and where `why` says so."""

    language: str
    producer: str
    artifact: StoredArtifact[TextFacts]
    base: StoredArtifact[TextFacts] | None
    change: Difference | None
    why: str = ""

    @property
    def facts(self) -> TextFacts:
        return self.artifact.facts

    @property
    def text(self) -> str:
        """Give the text's name, with what tells it from the same one in the language."""
        return f"{self.facts.name} (English)" if self.facts.english else self.facts.name


def find_texts(view: StoreView) -> list[TextBits]:
    """Find what was measured of each language, base first, with the changes over base."""
    artifacts = view.list_with_facts(TextFacts)
    names = _name_producers(view, artifacts)
    groups: dict[tuple[str, str, str], list[StoredArtifact[TextFacts]]] = defaultdict(list)
    for one in artifacts:
        facts = one.facts
        how = f"{facts.window} {facts.engine.precision}"
        groups[one.language, facts.sha256, how].append(one)
    found = []
    for (language, _, _), members in groups.items():
        bases = [one for one in members if one.role == "base"]
        for one in sorted(members, key=lambda one: (one.role != "base", names[one.key])):
            base, why = (None, "") if one.role == "base" else _find_base(view, one, bases)
            change, why = _compare(base, one) if base else (None, why)
            found.append(TextBits(language, names[one.key], one, base, change, why))
    return sorted(found, key=lambda one: (one.language, one.facts.english, one.text))


def tabulate_texts(
    view: StoreView, found: Sequence[TextBits], languages: Collection[str]
) -> Sheet | None:
    """Tabulate what was measured, and say why of what was planned of these `languages` and is not
    there; None where nothing was planned."""
    lacking = dict(_find_lacking(view, languages))
    if not found and not lacking:
        return None
    columns = (
        LANGUAGE,
        Column("text", "Text"),
        PRODUCER,
        Column("documents", "Documents", numeric=True),
        Column("bytes", "Bytes", numeric=True, spare=True),
        Column("tokens_per_byte", "Tokens a byte", ".3f", numeric=True, spare=True),
        Column("bits_per_byte", "Bits per byte", ".3f", numeric=True),
        Column("change", "Change", "+.3f", numeric=True),
        Column("low", "From", "+.3f", numeric=True),
        Column("high", "To", "+.3f", numeric=True),
        Column("percent", "Change %", "+.1f", numeric=True),
        Column("p", "p", "p", numeric=True),
        Column("sha256", "Text's SHA-256", code=True, spare=True),
    )
    rows = [_list_values(one) for one in found]
    reasons: dict[str, list[str]] = defaultdict(list)
    for one in found:
        if one.why:
            reasons[one.why].append(f"{one.language}, {one.text}, {one.producer}")
    notes = [NOTE, *([ENGLISH] if any(one.facts.english for one in found) else [])]
    notes += [f"{'; '.join(which)}: {why}" for why, which in reasons.items()]
    notes += [f"{which}: {why}" for which, why in lacking.items()]
    return Sheet(columns, tuple(rows), notes=tuple(notes))


def _list_values(one: TextBits) -> tuple[Value, ...]:
    facts, change, base = one.facts, one.change, one.base
    interval = change.interval if change else None
    return (
        one.language,
        one.text,
        one.producer,
        facts.documents,
        facts.bytes,
        facts.tokens / facts.bytes,
        facts.bits_per_byte,
        change.points if change else None,
        interval.low if interval else None,
        interval.high if interval else None,
        100 * change.points / base.facts.bits_per_byte if change and base else None,
        change.p if change else None,
        facts.sha256[:12],
    )


def _name_producers(
    view: StoreView, artifacts: Sequence[StoredArtifact[TextFacts]]
) -> Mapping[str, str]:
    """Name the producer of each measure by its key, as the tables of scores name it."""
    entries = [
        Entry(
            cell=PlannedCell(
                language=one.language,
                producer=one.about.producer or "unknown producer",
                checkpoint=_find_checkpoint(one),
                task=one.facts.name,
                key=one.key,
                gap=None,
                role=one.about.role,
            ),
            language=describe_language(one.language),
            student="",
            teacher="",
            order=-1,
            base_key=None,
            state="result",
            reason="",
            score=None,
        )
        for one in artifacts
    ]
    return {str(entry.cell.key): entry.cell.producer for entry in name_producers(view, entries)}


def _find_checkpoint(one: StoredArtifact[TextFacts]) -> Checkpoint:
    """Find the checkpoint that was measured."""
    return next(
        (Checkpoint(i.stage, i.key) for i in one.manifest.inputs if i.name == "checkpoint"),
        Checkpoint(),
    )


def _find_base(
    view: StoreView,
    one: StoredArtifact[TextFacts],
    bases: Sequence[StoredArtifact[TextFacts]],
) -> tuple[StoredArtifact[TextFacts] | None, str]:
    """Find the measure of the base that a checkpoint came from, or why there is none."""
    origins = _find_origins(view, _find_checkpoint(one).key)
    own = [base for base in bases if _find_checkpoint(base).key in origins] or list(bases)
    # One base may have been measured in batches of several sizes.
    alike = [base for base in own if base.manifest.config == one.manifest.config] or own
    if len(alike) == 1:
        return alike[0], ""
    return None, "several bases" if bases else "base was not measured on it the same way"


def _find_origins(view: StoreView, key: str) -> set[str]:
    """Find the keys of all that went into an artifact."""
    seen: set[str] = set()
    waiting = [key]
    while waiting:
        at = waiting.pop()
        if at in seen:
            continue
        seen.add(at)
        for made in view.artifacts.values():
            if at in made:
                waiting += [one.key for one in made[at].manifest.inputs]
    return seen


def _compare(
    base: StoredArtifact[TextFacts], one: StoredArtifact[TextFacts]
) -> tuple[Difference | None, str]:
    """Compute the change over base, or why there is none."""
    import numpy as np

    try:
        before, after = _read(base), _read(one)
    except Unreadable as error:
        return None, str(error)
    if [(d.id, d.bytes) for d in before] != [(d.id, d.bytes) for d in after]:
        return None, f"{DOCUMENTS} has other documents than that of base"
    change = compare_bits(
        np.array([d.nats for d in before]),
        np.array([d.nats for d in after]),
        np.array([d.bytes for d in after]),
    )
    return change, change.why if change.interval is None else ""


def _read(artifact: StoredArtifact[TextFacts]) -> list[DocumentNats]:
    """Read the documents of a measure; Unreadable where they are not those of its manifest."""
    verify(artifact.folder, DOCUMENTS, artifact.manifest.files)
    return read_lines(DocumentNats, artifact.folder / DOCUMENTS)


def _find_lacking(view: StoreView, languages: Collection[str]) -> Iterator[tuple[str, str]]:
    """Give what was planned and is not there, with why: each once, the newest run's word."""
    made = view.artifacts.get("text", {})
    for run in view.runs:
        for cell in run.plan.texts:
            if (cell.key or "") in made or cell.language not in languages:
                continue
            why = (
                cell.gap
                or run.error
                or view.ends.get(cell.key or "")
                or "not measured yet; the same command does it"
            )
            yield f"{cell.language}, {cell.task}, {cell.producer}", why
