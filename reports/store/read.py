"""Reads a store: manifests, run plans and score files, each checked before it is believed."""

import dataclasses
import re
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from core.contract.facts import Facts, any_facts
from core.contract.manifest import Manifest, Name
from core.contract.names import LOG, MANIFEST, PARTIAL, RUNS
from core.contract.record import Unreadable, read_object, read_record
from reports.errors import EmptyStoreError, RunNotFoundError, StoreNotFoundError
from reports.store.files import verify
from reports.store.model import STAGES, Artifact, Problem, Score, StoreView, order_stages
from reports.store.plans import read_runs
from reports.store.scores import read_score
from reports.store.studies import read_studies

_KEY = re.compile("[0-9a-f]{24}")
_REDO = "delete that folder and run the same command again; only this stage is redone"


def read_store(store: Path) -> StoreView:
    """Everything that a report needs from a store.

    Score files and training logs are compared with the sizes and SHA-256 in their manifests; a
    manifest, plan or file that cannot be trusted becomes a `Problem`, and the rest is still read.
    Not covered: the rows of sources and mixtures and the weights, which no report opens.

    Raises StoreNotFoundError when the folder does not exist, EmptyStoreError when it holds
    neither a run nor an artifact.
    """
    if not store.is_dir():
        raise StoreNotFoundError(
            f"There is no store at {store}.\n"
            "Remedy: run an experiment first (`kakugo`), or name its store with --store DIR."
        )
    problems: list[Problem] = []
    artifacts = {stage: _read_stage(store, stage, problems) for stage in _find_stages(store)}
    runs = tuple(read_runs(store, problems))
    studies = tuple(read_studies(store, problems))
    if not (runs or studies or problems or any(artifacts.values())):
        raise EmptyStoreError(
            f"The store at {store} holds neither a run nor a finished stage.\n"
            "Remedy: run an experiment first (`kakugo`), or name its store with --store DIR."
        )
    scores: dict[str, Score] = {}
    damaged: dict[str, str] = {}
    for key, found in _read_scores(artifacts["score"]):
        if isinstance(found, Score):
            scores[key] = found
        else:
            damaged[key] = str(found)
            problems.append(Problem(f"score/{key}", str(found), found.remedy or _REDO))
    for artifact in [a for made in artifacts.values() for a in made.values()]:
        try:
            if LOG in artifact.manifest.files:
                verify(artifact.folder, LOG, artifact.manifest.files)
        except Unreadable as error:
            problems.append(Problem(f"{artifact.stage}/{artifact.key}", str(error), _REDO))
    for problem in problems:
        stage, _, key = problem.where.partition("/")
        if stage == "score":
            damaged.setdefault(key, problem.what)
    unfinished = {path.name.removesuffix(PARTIAL) for path in store.glob(f"score/*{PARTIAL}")}
    return StoreView(
        root=store,
        runs=runs,
        artifacts=artifacts,
        scores=scores,
        damaged=damaged,
        unfinished=frozenset(unfinished - set(artifacts["score"])),
        problems=tuple(problems),
        studies=studies,
    )


def select_run(view: StoreView, run: Path) -> StoreView:
    """The view of one run's cells and stages; a sweep's folder selects all of its jobs.

    `run` is the run's folder, or its path below the store's `runs` folder. Raises
    RunNotFoundError, which lists the newest runs, when no run lies there.
    """
    folder = (view.root / RUNS).resolve()
    wanted = run.resolve() if run.exists() else (folder / run).resolve()
    runs = [r for r in view.runs if (folder / r.path).resolve().is_relative_to(wanted)]
    if not runs:
        newest = ", ".join(r.path for r in view.runs[-5:]) or "none"
        raise RunNotFoundError(
            f"The store at {view.root} has no run in {run}.\nRemedy: name one of them: {newest}."
        )
    keys = {stage.key for r in runs for stage in r.plan.stages}
    keys |= {cell.key for r in runs for cell in r.cells if cell.key}
    keys |= {cell.checkpoint.key for r in runs for cell in r.cells}
    kept = {
        stage: {key: artifact for key, artifact in found.items() if key in keys}
        for stage, found in view.artifacts.items()
    }
    names = [f"{stage}/{key}" for stage in view.stages for key in keys]
    names += [f"{RUNS}/{r.path}" for r in runs]
    return dataclasses.replace(
        view,
        runs=tuple(runs),
        artifacts=kept,
        scores={key: score for key, score in view.scores.items() if key in keys},
        # A study is of no run.
        studies=(),
        problems=tuple(p for p in view.problems if p.where.startswith(tuple(names))),
    )


def _read_scores(
    artifacts: Mapping[str, Artifact[Facts]],
) -> Iterator[tuple[str, Score | Unreadable]]:
    """Each key with its score, or with why there is none. Hashing runs beside reading."""

    def read(artifact: Artifact[Facts]) -> Score | Unreadable:
        try:
            return read_score(artifact)
        except Unreadable as error:
            return error

    with ThreadPoolExecutor() as pool:
        yield from zip(artifacts, pool.map(read, artifacts.values()), strict=True)


def _find_stages(store: Path) -> list[str]:
    """The stages that reports know, and any other that a kind of producer has made."""
    folders = [path.parent for path in store.glob(f"*/*/{MANIFEST}")]
    found = {folder.parent.name for folder in folders if _KEY.fullmatch(folder.name)}
    return order_stages({*STAGES, *found})


def _read_stage(store: Path, stage: str, problems: list[Problem]) -> dict[str, Artifact[Facts]]:
    found: dict[str, Artifact[Facts]] = {}
    for path in sorted((store / stage).glob(f"*/{MANIFEST}")):
        folder = path.parent
        if folder.name.endswith(PARTIAL):
            continue
        try:
            found[folder.name] = _read_manifest(folder, stage)
        except Unreadable as error:
            remedy = error.remedy or _REDO
            problems.append(Problem(f"{stage}/{folder.name}", f"{MANIFEST} {error}", remedy))
    return found


def _read_manifest(folder: Path, stage: str) -> Artifact[Facts]:
    row = read_object(folder / MANIFEST)
    name = read_record(Name, row)
    if (name.stage, name.key) != (stage, folder.name):
        raise Unreadable("names another stage or key than its folder")
    manifest = read_record(Manifest, row)
    return Artifact(folder, manifest, any_facts(manifest))
