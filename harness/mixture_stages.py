"""The stages around a mixture: the user's own sources, the mixture, and its contamination."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from generation.errors import InputError
from generation.mixture.contamination import FOUND, Item, look_for_items
from generation.mixture.make import Tokens, make_mixture
from generation.mixture.settings import Mix
from generation.own import make_own
from generation.own_files import own_files
from harness.config import Benchmarks, Config, MakingConfig
from harness.errors import Contaminated
from harness.keys import keyed
from harness.stage import Artifact, Outcome, Stage, Work
from harness.store import clear, file_sha256
from harness.students import StudentTokens, checkpoint_path
from harness.values import show_override
from tasks import belebele, flores, global_mmlu, sib200
from tasks.catalogue import Task
from tasks.data import Data
from tasks.errors import DataMalformed, DataMissing, HubUnavailable
from tasks.loading import load_task
from training.prepare import trained_tokens

ROWS = "rows.jsonl"
# FLORES's two sides are read apart: its English is Belebele's and SIB-200's too, and is there also
# where the language has no FLORES.
TEXTS = (sib200.BENCHMARK, belebele.BENCHMARK, global_mmlu.BENCHMARK, flores.ALONE)
ENGLISH = Benchmarks("eng_Latn", "eng_Latn", "en", flores.ENGLISH)


def own_stage(config: MakingConfig, name: str) -> Stage:
    """A source of the user's own; no teacher is asked."""
    own, language = config.sources.own[name], config.language
    hashes = {role: file_sha256(path) for role, path in own_files(name, own).items()}

    def make(work: Work) -> Outcome:
        facts = make_own(
            name,
            own,
            language=language.name,
            flores_code=language.flores_code,
            script=language.script,
            quality=config.sources.quality,
            hashes=hashes,
            seed=config.seed,
            out=work.out,
            progress=work.progress,
        )
        return Outcome(asdict(facts), records=("README.md",))

    return Stage(
        name="source",
        version=3,
        label=f"{language.name}: {name} (own)",
        fields={
            "own": name,
            "language": language.name,
            "flores_code": language.flores_code,
            "script": language.script,
            "seed": config.seed,
            "settings": keyed(own),
            "quality": keyed(config.sources.quality),
            "files": hashes,
        },
        make=make,
        about={"language": language.name, "source": name},
    )


def mixture_stage(config: MakingConfig, base: Stage, sources: Mapping[str, Stage]) -> Stage:
    """The rows that the student is trained on, drawn from the sources, counted in its tokens.

    Rows that cannot be trained on are left out before, so that budgets hold in training.
    """
    data = config.train.data
    excluded = config.mix.exclude and Path(config.mix.exclude).expanduser()
    if excluded and not excluded.is_file():
        raise InputError(f"mix.exclude: there is no file {excluded}. Remedy: check the path.")

    def make(work: Work) -> Outcome:
        clear(work.out)
        tokens = StudentTokens(work.inputs["base"])
        trained = trained_tokens(checkpoint_path(work.inputs["base"]), data)
        facts = make_mixture(
            {source: work.inputs[source].path / ROWS for source in sources},
            replace(config.mix, exclude=str(excluded)) if excluded else config.mix,
            language=config.language.name,
            seed=config.seed,
            out=work.out,
            tokens=Tokens(trained, tokens.of_texts),
            progress=work.progress,
        )
        return Outcome(asdict(facts))

    return Stage(
        name="mixture",
        version=4,
        label=f"{config.language.name}: mixture {config.mix.name}",
        fields={
            "mix": _mix_fields(config.mix),
            "max_length": data.max_length,
            "overlong": data.overlong,
            "seed": config.seed,
            "exclude": file_sha256(excluded) if excluded else None,
        },
        # What is wrong with the user's files is said before a student is loaded.
        inputs={**sources, "base": base},
        make=make,
        about={"language": config.language.name, "mix": config.mix.name},
    )


def _mix_fields(mix: Mix) -> dict[str, Any]:
    """The settings of the mixture, less those that cannot change this one."""
    fields = {**keyed(mix), "weights": mix.weighted}
    if len(mix.weighted) == 1:
        fields["weights"] = list(mix.weighted)
        del fields["shares"]
    if not mix.reasoning:
        del fields["thinking_system_prompt"]
    if mix.budget.unit == "examples" or not mix.reasoning:
        del fields["budget"]["reasoning"]
    if mix.budget.amount is None and not mix.budget.smallest_of:
        del fields["budget"]
    return fields


def contamination_stage(config: MakingConfig, mixture: Stage, data: Data) -> Stage:
    """What the mixture holds of every benchmark's items, in the language and in English."""
    items, unchecked = benchmark_items(config, data)
    known = Path(config.mix.exclude).expanduser() if config.mix.exclude else None
    digest = hashlib.sha256()
    for item in items:
        digest.update(json.dumps(asdict(item), sort_keys=True).encode() + b"\n")

    def make(work: Work) -> Outcome:
        clear(work.out)
        rows = work.inputs["mixture"].path / ROWS
        facts = look_for_items(
            rows, items, config.contamination, work.out, work.progress, known=known
        )
        return Outcome({**asdict(facts), "unchecked": unchecked})

    return Stage(
        name="contamination",
        version=2,
        label=f"{config.language.name}: benchmark texts in {config.mix.name}",
        fields={
            "settings": keyed(config.contamination),
            "items_sha256": digest.hexdigest(),
            "unchecked": sorted(unchecked),
            "data": data.name,
        },
        inputs={"mixture": mixture},
        make=make,
        about={"language": config.language.name, "mix": config.mix.name},
    )


def benchmark_items(config: Config, data: Data) -> tuple[Sequence[Item], Mapping[str, str]]:
    """Every text of the benchmarks, shots included, and why any benchmark is not among them.

    A benchmark that is known to lack the language has no text to look for.
    """
    found: dict[tuple[str, str, str], Item] = {}
    unchecked: dict[str, str] = {}
    language = config.language
    for name, codes in ((language.name, language.benchmarks), ("English", ENGLISH)):
        for content in TEXTS:
            code = getattr(codes, content.name)
            if code is None:
                if content.name not in language.gaps:
                    unchecked[f"{content.name} in {name}"] = language.gap(content.name)
                continue
            try:
                loaded = load_task(Task(content.name, content), code, name, data)
            except (DataMissing, DataMalformed, HubUnavailable) as error:
                unchecked[f"{content.name} in {name}"] = str(error)
                continue
            for item in (*loaded.shots, *loaded.items):
                found[content.name, name, item.id] = Item(
                    content.name, name, item.id, item.cluster, item.text
                )
    return list(found.values()), unchecked


def refuse_contamination(config: MakingConfig, artifact: Artifact) -> None:
    """Raises `Contaminated` where that was asked for and anything was found."""
    facts = artifact.facts
    if not (config.fail_on_contamination and facts["contaminated_rows"]):
        return
    found = "".join(f"  - {name}: {count} rows\n" for name, count in facts["contamination"].items())
    exclude = show_override("mix.exclude", artifact.path / FOUND)
    raise Contaminated(
        f"{facts['contaminated_rows']:,} of {facts['rows']:,} training rows hold a benchmark's "
        f"text, and fail_on_contamination is set:\n{found}"
        f"Remedy: leave these rows out with {exclude}, or clean the "
        "sources."
    )
