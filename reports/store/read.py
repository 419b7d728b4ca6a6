"""Reads a store: manifests, run plans and score files, each checked before it is believed."""

import re
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from core.contract.facts import Facts, extract_any_facts
from core.contract.manifest import Manifest, Name
from core.contract.names import ENDS, JOBS, LOG, MANIFEST, PARTIAL, RUNS
from core.contract.record import Unreadable, read_object, read_record
from reports.errors import EmptyStoreError, RunNotFoundError, StoreNotFoundError
from reports.store.files import verify
from reports.store.model import STAGES, Problem, Run, Score, StoredArtifact, StoreView, order_stages
from reports.store.plans import find_runs, read_runs
from reports.store.scores import read_score
from reports.store.studies import read_studies

_KEY = re.compile("[0-9a-f]{24}")
_REDO = "delete that folder and run the same command again; only this stage is redone"


def read_store(store: Path, run: Path | None = None) -> StoreView:
    """Everything that a report needs from a store, or from one run of it.

    Score files and training logs are compared with the sizes and SHA-256 in their manifests; a
    manifest, plan or file that cannot be trusted becomes a `Problem`, and the rest is still read.
    Not covered: the rows of sources and mixtures and the weights, which no report opens.

    `run` is a run's folder, or its path below the store's `runs` folder; a sweep's folder stands
    for all of its jobs. Nothing else of the store is read then, so that it takes as long in a large
    store as in a small one. Blind studies are of no run.

    Raises StoreNotFoundError when the folder does not exist, EmptyStoreError when it holds
    neither a run nor an artifact, RunNotFoundError, which lists the newest runs, when no run lies
    in `run`.
    """
    if not store.is_dir():
        raise StoreNotFoundError(
            f"There is no store at {store}.\n"
            "Remedy: run an experiment first (`kakugo`), or name its store with --store DIR."
        )
    problems: list[Problem] = []
    names = find_runs(store) if run is None else _find_run(store, run)
    runs = tuple(read_runs(store, names, problems))
    keys = None if run is None else _find_keys(runs)
    stages = _find_stages(store) if keys is None else _list_planned_stages(runs)
    artifacts = {stage: _read_stage(store, stage, keys, problems) for stage in stages}
    studies = tuple(read_studies(store, problems)) if run is None else ()
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
    partial = _list_keys(store / "score", PARTIAL, keys)
    return StoreView(
        root=store,
        runs=runs,
        artifacts=artifacts,
        scores=scores,
        damaged=damaged,
        unfinished=frozenset(partial) - set(artifacts["score"]),
        ends=_read_ends(store),
        problems=tuple(problems),
        studies=studies,
    )


def _read_ends(store: Path) -> dict[str, str]:
    """The reason why a cluster's job did not make a stage, by the stage's key."""
    found = {}
    for path in sorted((store / JOBS / ENDS).glob("*.txt")):
        try:
            first = path.read_text(encoding="utf-8", errors="replace").partition("\n")[0]
        except OSError as error:
            first = f"{path.name} cannot be read ({error.strerror})"
        found[path.stem.rpartition("-")[2]] = first
    return found


def _find_run(store: Path, run: Path) -> list[str]:
    """The runs that lie in a folder; RunNotFoundError where there is none."""
    root = store / RUNS
    wanted = run.resolve() if run.exists() else (root / run).resolve()
    below = root.resolve()
    if wanted.is_relative_to(below) and wanted != below:
        names = find_runs(store, root / wanted.relative_to(below))
        if names:
            return names
    newest = ", ".join(find_runs(store)[-5:]) or "none"
    raise RunNotFoundError(
        f"The store at {store} has no run in {run}.\nRemedy: name one of them: {newest}."
    )


def _find_keys(runs: Iterable[Run]) -> set[str]:
    """The keys of all that these runs planned."""
    runs = list(runs)
    keys = {stage.key for run in runs for stage in run.plan.stages}
    keys |= {cell.key for run in runs for cell in run.cells if cell.key}
    return keys | {cell.checkpoint.key for run in runs for cell in run.cells}


def _list_keys(folder: Path, ending: str, keys: set[str] | None) -> list[str]:
    """The keys in a stage's folder, of `keys` alone where they are given, in order."""
    if keys is None:
        return sorted(path.name.removesuffix(ending) for path in folder.glob(f"*{ending}"))
    return sorted(key for key in keys if key and (folder / f"{key}{ending}").exists())


def _read_scores(
    artifacts: Mapping[str, StoredArtifact[Facts]],
) -> Iterator[tuple[str, Score | Unreadable]]:
    """Each key with its score, or with why there is none. Hashing runs beside reading."""

    def read(artifact: StoredArtifact[Facts]) -> Score | Unreadable:
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


def _list_planned_stages(runs: Iterable[Run]) -> list[str]:
    """The stages that reports know, and any other that these runs planned."""
    return order_stages({*STAGES, *(one.stage for run in runs for one in run.plan.stages)})


def _read_stage(
    store: Path, stage: str, keys: set[str] | None, problems: list[Problem]
) -> dict[str, StoredArtifact[Facts]]:
    found: dict[str, StoredArtifact[Facts]] = {}
    for key in _list_keys(store / stage, "", keys):
        folder = store / stage / key
        if key.endswith(PARTIAL) or not (folder / MANIFEST).exists():
            continue
        try:
            found[key] = _read_manifest(folder, stage)
        except Unreadable as error:
            remedy = error.remedy or _REDO
            problems.append(Problem(f"{stage}/{key}", f"{MANIFEST} {error}", remedy))
    return found


def _read_manifest(folder: Path, stage: str) -> StoredArtifact[Facts]:
    row = read_object(folder / MANIFEST)
    name = read_record(Name, row)
    if (name.stage, name.key) != (stage, folder.name):
        raise Unreadable("names another stage or key than its folder")
    manifest = read_record(Manifest, row)
    return StoredArtifact(folder, manifest, extract_any_facts(manifest))
