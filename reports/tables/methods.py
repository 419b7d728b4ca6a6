"""The methods of a store in sentences for a paper, and its limitations: each from a record.

A sentence whose fact is not recorded is left out, or says that it is not. Not covered: why anything
was done, which only its authors know.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from core.contract.facts import ContaminationFacts, F, Facts, MixtureFacts, SourceFacts, TuningFacts
from core.tasks import show_task
from reports.report import Report
from reports.store.model import Score, StoredArtifact, StoreView
from reports.store.scored import find_protocol
from reports.tables.panels import DATA_WORDS

CITED = {
    "belebele": "belebele",
    "global_mmlu": "global-mmlu",
    "sib200": "sib-200",
    "flores_xx_en": "flores",
    "flores_en_xx": "flores",
}
"""The entry of references.bib for the benchmark of a task."""
MODELS = {"smollm2": "smollm2", "granite-4": "granite-4"}
"""Beginnings of names of students, and their entries."""


_TRAINING = ("learning_rate", "schedule", "warmup", "batch_size", "max_length")
_MOST = 6


@dataclass(frozen=True)
class Sentence:
    """A sentence as plain text without its full stop, and the entries that it cites."""

    text: str
    cites: tuple[str, ...] = ()


@dataclass(frozen=True)
class Passage:
    """A paragraph under its title; `listed` where its sentences are points of a list."""

    title: str
    sentences: tuple[Sentence, ...]
    listed: bool = False


def describe_methods(report: Report, view: StoreView) -> tuple[Passage, ...]:
    """Describes what a report's store holds: models, data, scoring, tests, cost, and limitations.
    A passage of which nothing is known is left out."""
    scores = [c.score for p in report.panels for r in p.rows for c in r.cells if c.score]
    names = {panel.language.name for panel in report.panels}
    found = (
        Passage("Models", tuple(_tell_models(report, view, names))),
        Passage("Data", tuple(_tell_data(report, view, names))),
        Passage("Training", tuple(_tell_training(view, names))),
        Passage("Evaluation", (*_tell_scoring(scores), *_tell_studies(report))),
        Passage("Tests", tuple(_tell_tests(report))),
        Passage("Cost", tuple(_tell_cost(view, names))),
        Passage("Limitations", tuple(_tell_limits(report, view, scores)), listed=True),
    )
    return tuple(passage for passage in found if passage.sentences)


def _tell_models(report: Report, view: StoreView, names: Collection[str]) -> Iterator[Sentence]:
    trained = _keep(view.trained, names)
    done = "Models were fine-tuned and scored" if trained else "Models were scored"
    commits = {a.manifest.git.commit for s in view.stages for a in view.list_stage(s)}
    at = [commit[:12] for commit in sorted(filter(None, commits))]
    code = f" (commit {_join(at)})" if at else ""
    yield Sentence(f"{done} with the Kakugo harness{code}", ("kakugo",))
    languages = {p.language.name: p.language.flores_code for p in report.panels}
    named = [f"{name} ({code})" if code else name for name, code in sorted(languages.items())]
    if named:
        yield Sentence(f"{_count(len(named), 'language')}: {_join(named)}")
    students = sorted({panel.student for panel in report.panels})
    known = [name for name in students if name]
    if known:
        cites = {
            entry
            for name in known
            for start, entry in MODELS.items()
            if name.rpartition("/")[2].lower().startswith(start)
        }
        what = "student is" if len(known) == 1 else "students are"
        yield Sentence(f"The {what} {_join(known)}", tuple(sorted(cites)))
    if "" in students:
        yield Sentence("The student of some scores is not recorded")
    others = {
        cell.producer
        for panel in report.panels
        for row in panel.rows
        for cell in row.cells
        if cell.role == "published" and cell.score
    }
    if others:
        yield Sentence(f"Made elsewhere and scored as they are: {_join(sorted(others))}")
    for base in view.list_stage("base"):
        repository, commit = (base.manifest.config.get(n) for n in ("repository", "commit"))
        if isinstance(repository, str) and isinstance(commit, str):
            yield Sentence(f"Weights: {repository} at commit {commit[:12]}")


def _tell_data(report: Report, view: StoreView, names: Collection[str]) -> Iterator[Sentence]:
    teachers = sorted({teacher for panel in report.panels for teacher in panel.teachers})
    if teachers:
        what = "teacher is" if len(teachers) == 1 else "teachers are"
        yield Sentence(f"The {what} {_join(teachers)}")
    sources: dict[str, list[int]] = defaultdict(list)
    heats: set[str] = set()
    for made in _keep(view.list_with_facts(SourceFacts), names):
        asked = made.manifest.config.get("teacher")
        if isinstance(asked, Mapping) and isinstance(asked.get("temperature"), int | float):
            heats.add(f"{asked['temperature']:g}")
        sources[made.about.source or made.label].append(made.facts.rows)
    if heats:
        yield Sentence(f"Answers were sampled at temperature {' or '.join(sorted(heats))}")
    if sources:
        told = [f"{name} ({_write_range(rows)} rows)" for name, rows in sources.items()]
        each = " a language" if any(len(rows) > 1 for rows in sources.values()) else ""
        yield Sentence(f"Sources of training data, with their rows{each}: {_join(told)}")
    mixtures: dict[str, list[MixtureFacts]] = defaultdict(list)
    for mixed in _keep(view.list_with_facts(MixtureFacts), names):
        mixtures[mixed.about.mix or mixed.label].append(mixed.facts)
    for name, found in mixtures.items():
        tokens = [facts.tokens for facts in found if facts.tokens is not None]
        counted = f" and {_write_range(tokens)} tokens" if len(tokens) == len(found) else ""
        rows = _write_range([facts.rows for facts in found])
        used = {line.source for facts in found for line in facts.table if line.rows}
        drawn = f", drawn from {_join(sorted(used))}" if used else ""
        each = " in each language" if len(found) > 1 else ""
        yield Sentence(f"The mixture {name} holds {rows} rows{counted}{each}{drawn}")
    seeds = _list_settings(_keep(view.list_stage("mixture"), names), "seed")
    if seeds:
        yield Sentence(f"Seed of the data: {' or '.join(seeds)}")
    yield from _tell_contamination(view, names)


def _tell_contamination(view: StoreView, names: Collection[str]) -> Iterator[Sentence]:
    checks = _keep(view.list_with_facts(ContaminationFacts), names)
    mixtures = {made.key for made in _keep(view.list_with_facts(MixtureFacts), names)}
    unchecked = mixtures - {check.manifest.find_key("mixture") for check in checks}
    if checks:
        rows, found = (
            sum(getattr(check.facts, name) for check in checks)
            for name in ("rows", "contaminated_rows")
        )
        items = _write_range([check.facts.items for check in checks])
        yield Sentence(
            f"The texts of {items} benchmark items were looked for in {_count(rows, 'row')} of the "
            f"mixtures, and {_count(found, 'row')} held one"
        )
        if any(check.facts.too_short for check in checks):
            short = _write_range([check.facts.too_short for check in checks])
            yield Sentence(f"Too short to be told from other text were {short} of these items")
        for name in sorted({name for check in checks for name in check.facts.unchecked}):
            yield Sentence(f"Texts of {name} were not looked for in every mixture")
    if unchecked:
        many = f"{len(unchecked)} of {_count(len(mixtures), 'mixture')}"
        yield Sentence(f"No search for benchmark texts is recorded of {many}")


def _tell_training(view: StoreView, names: Collection[str]) -> Iterator[Sentence]:
    trained = _keep(view.list_with_facts(TuningFacts), names)
    if not trained:
        return
    steps, tokens = (
        _write_range([getattr(one.facts, name) for one in trained]) for name in ("steps", "tokens")
    )
    were = "was" if len(trained) == 1 else "were"
    each = "" if len(trained) == 1 else " each"
    many = _count(len(trained), "checkpoint")
    yield Sentence(f"{many} {were} trained, in {steps} steps over {tokens} tokens{each}")
    found: dict[str, set[str]] = defaultdict(set)
    for one in trained:
        settings = one.manifest.config.get("train")
        if not isinstance(settings, Mapping):
            settings = {}
        for name in _TRAINING:
            if name in settings:
                found[name.replace("_", " ")].add(str(settings[name]))
        lora = settings.get("lora")
        if isinstance(lora, Mapping) and isinstance(lora.get("rank"), int):
            kind = f"LoRA of rank {lora['rank']}" if lora["rank"] else "all"
            found["trained weights"].add(kind)
        found["precision"].add(one.facts.precision)
    if seeds := _list_settings(trained, "seed"):
        found["seed"].update(seeds)
    told = [f"{name} {' or '.join(sorted(values))}" for name, values in found.items()]
    yield Sentence(f"Settings: {_join(told)}")


def _tell_scoring(scores: Sequence[Score]) -> Iterator[Sentence]:
    if not scores:
        return
    versions = {
        version
        for score in scores
        if isinstance(version := score.artifact.manifest.config.get("lm_eval"), str)
    }
    if versions:
        told = _join(sorted(versions))
        said = f"Prompts and metrics are computed by lm-evaluation-harness {told}"
        yield Sentence(said, ("eval-harness",))
    by_task: dict[str, list[Score]] = defaultdict(list)
    for score in scores:
        by_task[score.task].append(score)
    alike: dict[str, list[str]] = defaultdict(list)
    for task, found in by_task.items():
        alike[_describe_way(found)].append(task)
    for way, tasks in alike.items():
        # The harness's own sets are no benchmark, and cite none.
        theirs = [t for t in tasks if any(s.data.name != "embedded" for s in by_task[t])]
        cites = dict.fromkeys(CITED[task] for task in theirs if task in CITED)
        each = " each" if len(tasks) > 1 else ""
        shown = _join(map(show_task, tasks))
        yield Sentence(f"{shown}: {way.replace(' items', f' items{each}', 1)}", tuple(cites))
    for where, commit in sorted({(s.data.repository or "", s.data.revision or "") for s in scores}):
        if where and commit:
            yield Sentence(f"Data: {where} at commit {commit[:12]}")
    translated = [score for score in scores if score.metric == "chrf++"]
    if translated:
        signatures = sorted({s.signature for s in translated if s.signature})
        signed = f" ({_join(signatures)})" if signatures else ""
        yield Sentence(f"Translations are scored by corpus chrF++{signed}", ("chrf-pp",))
        lengths = _list_settings((score.artifact for score in translated), "max_new_tokens")
        if lengths:
            yield Sentence(f"They are decoded greedily, up to {' or '.join(lengths)} new tokens")
    engines = sorted({(s.engine.name, s.engine.precision) for s in scores if s.engine})
    if engines:
        told = _join(f"{name} in {precision}" for name, precision in engines)
        yield Sentence(f"Scores were computed by the engine {told}")
    if any(score.engine is None for score in scores):
        yield Sentence("The engine and precision of some scores are not recorded")


def _tell_studies(report: Report) -> Iterator[Sentence]:
    judged = sorted({study.language for study in report.studies})
    if judged:
        yield Sentence(f"Native speakers compared answers blindly in {_join(judged)}")


def _describe_way(scores: Sequence[Score]) -> str:
    """Says on what, and in which ways, a task was scored."""
    ways = {(s.shots, s.protocol, s.data.name, s.data.split) for s in scores}
    told = [
        f"{shots}-shot, {form or 'form not recorded'}; data: {DATA_WORDS.get(data, data)}"
        + (f" ({split})" if split else "")
        for shots, form, data, split in sorted(ways)
    ]
    return f"{_write_range([score.n for score in scores])} items, {'; or '.join(told)}"


def _tell_tests(report: Report) -> Iterator[Sentence]:
    tests: dict[str, set[str]] = defaultdict(set)
    for row in report.results.rows:
        if row.gain and row.gain.test:
            tests[row.gain.test].add(show_task(row.task))
    if not tests:
        return
    yield Sentence("A gain is a checkpoint's score minus its base's on the same items")
    for test, tasks in sorted(tests.items()):
        yield Sentence(f"Gains on {_join(sorted(tasks))} are tested by: {test}")
    yield Sentence("Intervals of a gain are at 95%, over the choice of items")
    if len(report.results.languages) > 1:
        yield Sentence("Wins and losses are counted by test, and after Holm's correction too")


def _tell_cost(view: StoreView, names: Collection[str]) -> Iterator[Sentence]:
    sources = [made.facts for made in _keep(view.list_with_facts(SourceFacts), names)]
    asked, written = (
        sum(getattr(s, f"tokens_{way}") for s in sources) for way in ("input", "output")
    )
    if asked + written:
        prices = [facts.cost_usd for facts in sources]
        known = [price for price in prices if price is not None]
        cost = f"cost {sum(known):,.2f} US dollars"
        if len(known) < len(prices):
            cost = "cost an amount that is not recorded"
        yield Sentence(
            f"For the answers in use, the teacher read {asked:,} tokens and wrote {written:,}, "
            f"which {cost}"
        )
    trained = _keep(view.list_with_facts(TuningFacts), names)
    if trained:
        hours = sum(one.manifest.seconds for one in trained) / 3600
        least = "at least " if any(one.manifest.resumed for one in trained) else ""
        devices = {one.facts.device for one in trained}
        on = _join(sorted(device or "an unrecorded device" for device in devices))
        yield Sentence(f"Training took {least}{hours:,.2f} hours in all, on {on}")


def _tell_limits(report: Report, view: StoreView, scores: Sequence[Score]) -> Iterator[Sentence]:
    if report.results.trained and not report.replicates:
        yield Sentence(
            "No two checkpoints differ in their training seed alone, so the intervals leave out "
            "how much a gain depends on it"
        )
    several_seeds = sum(len(one.scores) for one in report.replicates)
    if several_seeds and several_seeds < sum(s.artifact.role == "trained" for s in scores):
        yield Sentence("Not every checkpoint was trained from several seeds")
    limits = {
        limit
        for score in scores
        if isinstance(limit := score.artifact.manifest.config.get("limit"), int)
        and score.n >= limit
    }
    if limits:
        told = " or ".join(f"{limit:,}" for limit in sorted(limits))
        yield Sentence(f"Some scores are of the first {told} items of a task only")
    embedded = sorted({show_task(s.task) for s in scores if s.data.name == "embedded"})
    if embedded:
        yield Sentence(
            f"The items of {_join(embedded)} are the harness's own small sets, so these scores "
            "compare with no published number"
        )
    several: dict[str, set[str]] = defaultdict(set)
    for score in scores:
        several[score.task].add(str(find_protocol(score)))
    if mixed := [show_task(task) for task, ways in several.items() if len(ways) > 1]:
        yield Sentence(f"Not all scores of {_join(mixed)} were made by one protocol")
    yield from _tell_missing(report)
    cut = sum(bool(score.measures.items_truncated) for score in scores)
    if cut:
        yield Sentence(f"In {_count(cut, 'score')} some prompts were too long and cut")
    if left := sum(bool(score.left_out) for score in scores):
        yield Sentence(f"In {_count(left, 'score')} rows of the data without a text were left out")
    if scores and not report.studies:
        yield Sentence("No judgement by native speakers is recorded")
    if view.problems:
        yield Sentence(f"{_count(len(view.problems), 'file')} of the store could not be used")
    dirty = [a for stage in view.stages for a in view.list_stage(stage) if a.manifest.git.dirty]
    if dirty:
        yield Sentence(f"{_count(len(dirty), 'artifact')} made by code with uncommitted changes")


def _tell_missing(report: Report) -> Iterator[Sentence]:
    gaps: dict[tuple[str, str], list[str]] = defaultdict(list)
    for panel in report.panels:
        for row, cell in panel.gaps:
            gaps[cell.state, cell.reason].append(f"{row.name} in {panel.language.name}")
    for (state, reason), found in gaps.items():
        named = list(dict.fromkeys(found))
        more = [f"{len(named) - _MOST} more"] if len(named) > _MOST else []
        why = f"{state}: {reason.rstrip('.')}" if reason else state
        there = "There is 1 score" if len(found) == 1 else f"There are {len(found):,} scores"
        yield Sentence(f"{there} less than planned ({why}): {_join([*named[:_MOST], *more])}")


def _list_settings(made: Iterable[StoredArtifact[Facts]], name: str) -> list[str]:
    """Lists the whole numbers that a setting has in the manifests."""
    values = {one.manifest.config.get(name) for one in made}
    return [str(value) for value in sorted(v for v in values if isinstance(v, int))]


def _keep(made: Iterable[StoredArtifact[F]], names: Collection[str]) -> list[StoredArtifact[F]]:
    """Keeps what is of these languages, or of none."""
    return [one for one in made if not one.language or one.language in names]


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}{'s' * (number != 1)}"


def _write_range(numbers: Sequence[int]) -> str:
    low, high = min(numbers), max(numbers)
    return f"{low:,}" if low == high else f"{low:,} to {high:,}"


def _join(names: Iterable[str]) -> str:
    *most, last = names
    return f"{', '.join(most)} and {last}" if most else last
