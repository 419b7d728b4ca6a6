"""Gains by what is known of their languages: script, family, documents and fertility."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from core.languages import Language, find_language
from core.statistics import adjust_holm
from core.tasks import show_task
from reports.stats.kinds import LEAST_OF_GROUP, Relation, compare_groups, relate_measure
from reports.stats.languages import Mean, average_over_languages
from reports.tables.results import Result, Results
from reports.tables.sheet import PRODUCER, TASK, Column, Sheet, Value
from reports.tables.wins import ALPHA

UNSPACED = ("Lao", "Tibetan")
"""Scripts that put no space between words, of which tokens per word say nothing."""
CAUSE = (
    "Languages differ in much at once: a relation is no cause, and none is looked for among "
    "languages of equal base score. p takes each language for a case of its own, which languages "
    "of one family are not. Holm: corrected over every question of both tables."
)
GROUP_NOTE = (
    "Mean gain of each group of languages, with the bootstrap interval over its languages where "
    f"there are seven. p: whether the groups of {LEAST_OF_GROUP} languages or more differ at all, "
    "by permutation. Families are those of FineWeb2's list, in which creoles are none of a family; "
    "branches are ours."
)
MEASURE_NOTE = (
    "Spearman's rho of the gain with a measure of the language: positive where languages with more "
    "of it gain more. 95% interval: a bootstrap over languages; p: by permutation. Documents: of "
    "the language's training split in FineWeb2. Fertility: the base's tokens per word of the "
    "task's own texts; languages written without spaces are left out."
)


@dataclass(frozen=True)
class Kind:
    """Something that is known of a language: its group, or a measure of it; None where it is not
    known."""

    name: str
    title: str
    find: Callable[[Result], Value]
    is_measure: bool = False


def find_facts(result: Result) -> Language | None:
    """Find a result's language in the registry: by its code, else by its name."""
    code = result.language.flores_code
    return find_language(code) if code else find_language(result.language.name)


def _make_finder(take: Callable[[Language], Value]) -> Callable[[Result], Value]:
    def find(result: Result) -> Value:
        facts = find_facts(result)
        return None if facts is None else take(facts)

    return find


def _find_fertility(result: Result) -> float | None:
    facts = find_facts(result)
    if result.base_record is None or (facts and facts.script in UNSPACED):
        return None
    return result.base_record.measures.fertility


KINDS = (
    Kind("script", "Script", _make_finder(lambda facts: facts.script)),
    Kind("family", "Family", _make_finder(lambda facts: facts.family)),
    Kind("branch", "Branch", _make_finder(lambda facts: facts.branch or facts.family)),
    Kind(
        "documents",
        "FineWeb2 documents",
        _make_finder(lambda facts: facts.fineweb2_documents),
        True,
    ),
    Kind("fertility", "Fertility", _find_fertility, True),
)


@dataclass(frozen=True)
class KindGains:
    """The gains of one task and producer by one kind. `values` has a value a language that is
    known, `unknown` the languages of which it is not."""

    task: str
    producer: str
    kind: Kind
    rows: tuple[Result, ...]
    values: tuple[str | float, ...]
    unknown: tuple[str, ...]
    relation: Relation
    p_holm: float | None = None

    @property
    def groups(self) -> Mapping[str, Mean]:
        """The mean gain of each group, the largest group first."""
        found: dict[str, list[float]] = defaultdict(list)
        for row, value in zip(self.rows, self.values, strict=True):
            if row.gain:
                found[str(value)].append(row.gain.points)
        ordered = sorted(found, key=lambda name: (-len(found[name]), name))
        return {name: average_over_languages(found[name]) for name in ordered}

    @property
    def is_told(self) -> bool:
        """Tell whether a relation can be told, corrected for every question that was asked."""
        return self.p_holm is not None and self.p_holm < ALPHA

    @property
    def sentence(self) -> str:
        """Say what can be told; "" for nothing."""
        if not self.is_told:
            return ""
        if not self.kind.is_measure:
            return f"mean gains differ between {_write_plural(self.kind.title.lower())}"
        rising = (self.relation.rho or 0) > 0
        return f"languages with {_compare(self.kind, rising)} gain more"


def _compare(kind: Kind, rising: bool) -> str:
    if kind.name == "fertility":
        return f"a {'higher' if rising else 'lower'} fertility"
    return f"{'more' if rising else 'fewer'} {kind.title}"


def _write_plural(title: str) -> str:
    return {"family": "families", "branch": "branches"}.get(title, f"{title}s")


def find_kind_gains(results: Results) -> tuple[KindGains, ...]:
    """Relate the gains of each task and producer to each kind, with p corrected over all of
    them."""
    found = [
        _relate(task, producer, kind, results.find_gained(task, producer))
        for producer in results.trained
        for task in results.tasks
        for kind in KINDS
        if results.find_gained(task, producer)
    ]
    adjusted = iter(adjust_holm([one.relation.p for one in found if one.relation.p is not None]))
    return tuple(
        one if one.relation.p is None else replace(one, p_holm=next(adjusted)) for one in found
    )


def _relate(task: str, producer: str, kind: Kind, rows: Sequence[Result]) -> KindGains:
    read = [(row, kind.find(row)) for row in rows]
    known = [(row, value) for row, value in read if value is not None]
    gains = [row.gain.points for row, _ in known if row.gain]
    if kind.is_measure:
        relation = relate_measure(gains, [float(value) for _, value in known])
    else:
        relation = compare_groups(gains, [str(value) for _, value in known])
    return KindGains(
        task=task,
        producer=producer,
        kind=kind,
        rows=tuple(row for row, _ in known),
        values=tuple(value for _, value in known),
        unknown=tuple(row.language.name for row, value in read if value is None),
        relation=relation,
    )


def tabulate_kinds(found: Sequence[KindGains]) -> Sheet:
    """Give the mean gain of each group of languages, and whether groups differ."""
    columns = (
        TASK,
        PRODUCER,
        Column("kind", "By"),
        Column("group", "Languages"),
        Column("languages", "n", numeric=True),
        Column("gain", "Mean gain", "+.1f", numeric=True),
        Column("low", "95% from", "+.1f", numeric=True),
        Column("high", "95% to", "+.1f", numeric=True),
        Column("p", "p, groups differ", "p", numeric=True),
        Column("p_holm", "p, Holm", "p", numeric=True),
    )
    rows: list[tuple[Value, ...]] = []
    for one in found:
        if one.kind.is_measure:
            continue
        for group, mean in one.groups.items():
            numbers = (mean.n, mean.value, *(mean.interval or (None, None)))
            head = (one.task, one.producer, one.kind.title, group)
            rows.append((*head, *numbers, one.relation.p, one.p_holm))
    return Sheet(columns, tuple(rows), notes=_write_notes(GROUP_NOTE, found, measures=False))


def describe_measures(found: Sequence[KindGains]) -> Sheet:
    """Give the same for people, who need no line of a measure that is known of no language."""
    sheet = tabulate_measures(found)
    count = [column.name for column in sheet.columns].index("languages")
    return replace(sheet, rows=tuple(row for row in sheet.rows if row[count]))


def tabulate_measures(found: Sequence[KindGains]) -> Sheet:
    """Give the correlation of gains with each measure of their languages."""
    columns = (
        TASK,
        PRODUCER,
        Column("measure", "Measure"),
        Column("languages", "Languages", numeric=True),
        Column("rho", "Spearman rho", "+.2f", numeric=True),
        Column("low", "95% from", "+.2f", numeric=True),
        Column("high", "95% to", "+.2f", numeric=True),
        Column("p", "p", "p", numeric=True),
        Column("p_holm", "p, Holm", "p", numeric=True),
        Column("why", "Without it"),
    )
    rows: list[tuple[Value, ...]] = []
    for one in found:
        if one.kind.is_measure:
            relation = one.relation
            head = (one.task, one.producer, one.kind.title, relation.n, relation.rho)
            tail = (relation.p, one.p_holm, relation.why)
            rows.append((*head, *(relation.interval or (None, None)), *tail))
    return Sheet(columns, tuple(rows), notes=_write_notes(MEASURE_NOTE, found, measures=True))


def _write_notes(first: str, found: Sequence[KindGains], measures: bool) -> tuple[str, ...]:
    own = [one for one in found if one.kind.is_measure == measures]
    producers = {one.producer for one in found}
    whose = [f"The gains are those of {producers.pop()}."] if len(producers) == 1 else []
    return (first, CAUSE, *whose, *_say(own), *_name_unknown(own))


def _say(found: Sequence[KindGains]) -> Iterator[str]:
    """Each relation that can be told as a sentence, and what is not told."""
    told = [one for one in found if one.is_told]
    for one in told:
        words = f"{show_task(one.task)}, {one.producer}: {one.sentence}"
        yield f"{words} (p {_show_p(one.p_holm)} after Holm; no cause)."
    asked = [one for one in found if one.p_holm is not None]
    if len(told) < len(asked):
        kinds = " or ".join(dict.fromkeys(one.kind.title for one in asked if not one.is_told))
        rest = "Beyond that, no" if told else "No"
        yield f"{rest} relation of gains with {kinds} can be told from these languages."


def _name_unknown(found: Sequence[KindGains]) -> Iterator[str]:
    lacking: dict[str, set[str]] = defaultdict(set)
    known: set[str] = set()
    for one in found:
        lacking[one.kind.title] |= set(one.unknown)
        known |= {one.kind.title} if one.rows else set()
    for title, names in lacking.items():
        if names and title not in known:
            yield f"{title}: not known of any of these languages."
        elif names:
            some = ", ".join(sorted(names)[:6]) + (" and others" if len(names) > 6 else "")
            yield f"{title}: not known of {some}; left out where it is asked for."


def _show_p(p: float | None) -> str:
    return "< 0.001" if p is not None and p < 0.001 else f"= {p:.3f}"
