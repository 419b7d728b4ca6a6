"""The language of answers: line and word pass rate, with the share that cannot be told."""

from collections.abc import Iterator
from dataclasses import dataclass

from core.contract.names import SAMPLES
from core.contract.record import Unreadable
from core.identify.scripts import find_script_code
from core.identify.text import is_in_language
from core.languages import find_language
from core.statistics import compute_wilson
from core.tasks import TASKS
from reports.stats.pass_rates import PassCounts, count_passes
from reports.store.model import Score, ShownLanguage
from reports.store.samples import is_translation, read_columns
from reports.tables.results import Result, Results
from reports.tables.sheet import LANGUAGE, PRODUCER, TASK, Column, Sheet, Value

FREE = ("rouge_l", "pass_rate")
"""The metrics of answers that are texts of the model's own, beside translations."""
NOTE = (
    "Line pass rate: the share of answers without a line in another language, of those that can be "
    "told. Word pass rate: the share of these without a word of four small Latin letters or more, "
    "where the language has another script. Lines of fewer than five words tell nothing."
)
HONEST = (
    "Undetermined: the identifier does not know the language, or cannot tell it from a neighbour; "
    "such answers are neither right nor wrong, and a rate of few others says little."
)


@dataclass(frozen=True)
class WantedLanguage:
    """A language that answers should be in. `script` is an ISO 15924 code, "" where not known."""

    name: str
    flores_code: str
    script: str

    @classmethod
    def from_shown(cls, language: ShownLanguage) -> "WantedLanguage":
        known = find_language(language.flores_code or language.name)
        code = language.flores_code or (known.flores_code if known else "")
        script = code.split("_")[1] if "_" in code else ""
        return cls(language.name, code, find_script_code(script) or script)

    def is_right(self, line: str) -> bool | None:
        """Say whether a line is in it; None where that cannot be told."""
        return is_in_language(
            line, flores_code=self.flores_code or None, name=self.name, script=self.script or None
        )


def tabulate_output_language(results: Results) -> Sheet | None:
    """Tabulate the pass rates of every score whose answers are free texts; None without any."""
    rows, unread = [], []
    for row in results.rows:
        if row.record is None or not _is_free(row.record):
            continue
        wanted = _find_wanted(row)
        try:
            found = _count(row.record, wanted)
        except Unreadable as error:
            unread.append(f"{row.language.name}, {row.task}, {row.producer}: {error}.")
            continue
        rows.append((row.language.name, row.task, row.producer, *_list_values(wanted, found)))
    if not rows and not unread:
        return None
    columns = (
        LANGUAGE,
        TASK,
        PRODUCER,
        Column("wanted", "Should be in"),
        Column("answers", "Answers", numeric=True),
        Column("short", "Too short", numeric=True, spare=True),
        Column("undetermined_share", "Undetermined", ".0%", numeric=True),
        Column("line_pass_rate", "Line pass rate", ".1%", numeric=True),
        Column("line_low", "95% from", ".1%", numeric=True, spare=True),
        Column("line_high", "95% to", ".1%", numeric=True, spare=True),
        Column("word_pass_rate", "Word pass rate", ".1%", numeric=True),
    )
    return Sheet(columns, tuple(rows), notes=(NOTE, HONEST, *unread))


def _list_values(wanted: WantedLanguage, found: PassCounts) -> Iterator[Value]:
    interval = compute_wilson(found.passed, found.told) if found.told else None
    yield from (wanted.name, found.answers, found.short, found.undetermined_share)
    yield from (found.line_rate, interval and interval.low, interval and interval.high)
    yield found.word_rate


def _is_free(score: Score) -> bool:
    return is_translation(score) or score.metric in FREE


def _find_wanted(row: Result) -> WantedLanguage:
    """Find the language of the answers: the task's other side in translations out of a language."""
    facts = TASKS.get(row.task)
    if facts is None or facts.from_english or not (row.record and is_translation(row.record)):
        return WantedLanguage.from_shown(row.language)
    other = find_language(facts.other)
    assert other, "the registry has the other side of every benchmark"
    return WantedLanguage.from_shown(ShownLanguage(other.name, flores_code=other.flores_code))


def _count(score: Score, wanted: WantedLanguage) -> PassCounts:
    """Count the answers of a score. Raises Unreadable."""
    name = "hypothesis" if is_translation(score) else "said"
    judged = ("in_language",) if is_translation(score) else ()
    table = read_columns(score.artifact.folder, (name, *judged))
    lacking = [one for one in (name, *judged) if one not in table.column_names]
    if lacking:
        raise Unreadable(f"{SAMPLES} has no column {', '.join(lacking)}")
    answers = [text or "" for text in table.column(name).to_pylist()]
    # What scoring has told of whole translations, most of which are one line, is not told again.
    known: dict[str, bool | None] = {}
    if judged:
        known = dict(zip(answers, table.column("in_language").to_pylist(), strict=True))
    return count_passes(
        answers, wanted.script, lambda line: known[line] if line in known else wanted.is_right(line)
    )
