"""`kakugo submit`: a whole sweep as jobs of SLURM, each stage with the resources that it needs.

SLURM decides when and where a stage is made, and the store's manifests decide what is done: what is
there is not submitted, and what is queued already is waited for, whoever submitted it. So the same
command may be given again at any time.
"""

import getpass
import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from pathlib import Path

from core.contract.names import JOBS, LOGS, RUNS
from core.errors import MendableError
from harness.beforehand import check_students
from harness.cluster import slurm
from harness.cluster.jobs import StageJob, lay_out_jobs, list_all
from harness.cluster.points import PlannedPoint, plan_points
from harness.cluster.requests import JobRequest, JobWriter
from harness.cluster.settings import Cluster, read_cluster
from harness.cluster.status import show_status
from harness.cluster.teacher import is_asked, name_job, submit_server
from harness.config import MakingConfig
from harness.errors import ClusterError
from harness.lookover.over import look_before_paying
from harness.progress import Display
from harness.runs import write_plan
from harness.stage import Stage
from harness.stages.base import NAME as BASE
from harness.stages.contamination import NAME as CONTAMINATION
from harness.stages.corpus import NAME as CORPUS
from harness.store import Store
from harness.teacher import SERVED_BY_JOB

HELP = """kakugo submit [-m] [OVERRIDES] [cluster=NAME|FILE.yaml]

Submits what is missing of an experiment, or with -m of a sweep, to SLURM, a stage a job, and
returns. The same command again submits only what is neither done nor queued.

  kakugo submit -m language=swahili,yoruba mix=topic,gen cluster=slurm
  kakugo submit -m ... --dry-run      what would be submitted
  kakugo submit --status store=DIR    where everything stands, and why what failed did

conf/cluster/*.yaml says what each stage needs: time, memory, GPUs, partitions. The store must be on
a file system that all nodes see under the same path; the teacher is a server that is a job of its
own (`teacher` in the cluster's file), an endpoint that nodes can reach (teacher.base_url=URL), or
the embedded one, in each job that asks it.
"""
_DEFAULT, _DRY = "slurm", "--dry-run"
_FETCHED = (BASE, CORPUS)
LEDGERS = "ledger"


def main(arguments: Sequence[str]) -> None:
    """Runs the command `kakugo submit`."""
    from rich.console import Console

    if {"-h", "--help"} & set(arguments):
        print(HELP)
        return
    console = Console()
    try:
        if "--status" in arguments:
            show_status([one for one in arguments if one != "--status"], console)
            return
        rest, name = take_cluster(arguments)
        overrides = [one for one in rest if one != _DRY]
        if submit_sweep(overrides, read_cluster(name), Display(console), dry=_DRY in rest):
            sys.exit(1)
    except MendableError as error:
        sys.exit(f"kakugo: {error}")


def take_cluster(arguments: Sequence[str]) -> tuple[list[str], str]:
    """Takes the cluster's name out of the arguments: (the others, the name)."""
    named = [one.partition("=")[2] for one in arguments if one.startswith("cluster=")]
    rest = [one for one in arguments if not one.startswith("cluster=")]
    return rest, named[-1] if named else _DEFAULT


def place_teacher(arguments: Sequence[str], cluster: Cluster) -> list[str]:
    """Returns the override that lets sources ask the cluster's own server of the teacher, where it
    has one and no endpoint is given."""
    given = {one.lstrip("+").partition("=")[0] for one in arguments}
    if cluster.teacher is None or given & {"teacher.base_url", "teacher.endpoints"}:
        return []
    return [f"++teacher.base_url={SERVED_BY_JOB}"]


def submit_sweep(
    arguments: Sequence[str], cluster: Cluster, display: Display, dry: bool = False
) -> int:
    """Submits what is missing of all points; returns how many points could not be planned."""
    slurm.find_commands("sbatch", "squeue")
    points: list[PlannedPoint] = []
    with display.showing_work("planning") as progress:
        points += plan_points([*arguments, *place_teacher(arguments, cluster)], LEDGERS, progress)
    planned = [point for point in points if point.plan]
    for point in points:
        if point.problem:
            display.say(f"{point.label}: left out, since {point.problem}")
    if not planned:
        raise ClusterError(
            "no experiment can be planned, as said above; nothing was submitted. Remedy: mend what "
            "is said of each"
        )
    root, cache = _find_places(planned)
    store = Store(root, cache, display)
    if not dry:
        prepare_here(planned, store, display)
    jobs = _lay_out(planned, store)
    queue = slurm.list_queue(root)
    todo = [job for job in jobs if not all(key in queue for key in job.keys)]
    display.say(
        f"{len(planned):,} experiments: {sum(len(job.stages) for job in jobs):,} stages missing, "
        f"{len(jobs) - len(todo):,} jobs queued already, {len(todo):,} to submit"
    )
    if others := sorted({queued.user for queued in queue.values()} - {getpass.getuser()}):
        display.say(f"jobs of {', '.join(others)} work on this store, too, and are waited for")
    if dry:
        for job in todo:
            display.say(f"  {job.kind}: {job.label}")
        return len(points) - len(planned)
    if todo:
        _check_options(todo, cluster, root)
        _write_plans(planned, root)
        submit_jobs(todo, cluster, store, queue)
    # Also one that an earlier call has submitted and could not let go.
    for server in slurm.release(name_job(root)):
        display.say(f"job {server} serves the teacher until its last source is made")
    if todo:
        display.say(
            f"{len(todo):,} jobs submitted. kakugo submit --status store={root} tells of them"
        )
    return len(points) - len(planned)


def submit_jobs(
    todo: Sequence[StageJob], cluster: Cluster, store: Store, queue: Mapping[str, slurm.Queued]
) -> None:
    """Submits jobs, each behind those it needs, and the server that those of sources ask."""
    root = store.root
    writer = JobWriter(root)
    logs = root / JOBS / LOGS
    logs.mkdir(parents=True, exist_ok=True)
    server = submit_server(root, todo, cluster, logs)
    numbers = {key: queued.number for key, queued in queue.items()}
    for job in todo:
        own = tuple(stage for stage in job.stages if stage.key not in queue)
        job = StageJob(own, job.needs, job.alone, job.clean)
        request = JobRequest(job.stages, root.resolve(), store.cache.resolve(), job.clean)
        after = sorted({numbers[key] for key in job.needs}, key=int)
        options = cluster.list_options(job.kind)
        begun = server if any(map(is_asked, own)) else None
        place = writer.write(request)
        number = slurm.submit(job, place, options, cluster.setup, after, root, begun=begun)
        numbers |= dict.fromkeys(job.keys, number)
        _note_submitted(root, number, job, after)


def prepare_here(planned: Sequence[PlannedPoint], store: Store, display: Display) -> None:
    """Makes what needs the network, and takes the looks that a run takes before it spends time or
    money: nodes often have no network, and an error is best told before anything is queued.

    Raises the error of what is missing.
    """
    seen: set[str] = set()
    for point in planned:
        assert point.plan
        assert point.config
        config, plan = point.config, point.plan
        for stage in list_all(plan.targets):
            if stage.name in _FETCHED and stage.key not in seen:
                seen.add(stage.key)
                store.build(stage)
        about = f"{config.student} {config.evaluate.protocol} {getattr(config, 'train', None)}"
        if about not in seen:
            seen.add(about)
            check_students(config, plan, store, display.show_warnings)
        asks = isinstance(config, MakingConfig) and config.teacher.kind != "embedded"
        if asks and config.language.name not in seen and not all(map(store.find, plan.taught)):
            seen.add(config.language.name)
            look_before_paying(config, store.root / LEDGERS, store, display)
        for reason in plan.amiss:
            if reason not in seen:
                seen.add(reason)
                display.show_lacking(reason)


def _find_places(planned: Sequence[PlannedPoint]) -> tuple[Path, Path]:
    """Finds the store and the cache of all points; `ClusterError` where they differ."""
    places = {(p.config.store, p.config.cache) for p in planned if p.config}
    if len(places) > 1:
        raise ClusterError(
            "the points of the sweep have several stores. Remedy: submit those of one store"
        )
    (store, cache) = places.pop()
    return Path(store), Path(cache)


def _lay_out(planned: Sequence[PlannedPoint], store: Store) -> list[StageJob]:
    """Lays out the jobs of all points, each stage once."""
    targets: dict[str, Stage] = {}
    after: dict[str, frozenset[str]] = {}
    clean: set[str] = set()
    for point in planned:
        assert point.plan
        assert point.config
        targets |= {stage.key: stage for stage in point.plan.targets}
        looks = point.plan.list_named(CONTAMINATION) if not point.config.stop_after else []
        targets |= {stage.key: stage for stage in looks}
        if isinstance(point.config, MakingConfig) and point.config.fail_on_contamination:
            keys = frozenset(stage.key for stage in looks)
            clean |= keys
            after |= {s.key: keys for s in point.plan.stages if s.name == "packed"}
    done = {stage.key: store.find(stage) is not None for stage in list_all(targets.values())}
    return lay_out_jobs(targets.values(), done, after, frozenset(clean))


def _check_options(jobs: Iterable[StageJob], cluster: Cluster, root: Path) -> None:
    """Asks SLURM whether it would take a job of each kind, before any is queued."""
    kinds: Mapping[str, StageJob] = {job.kind: job for job in jobs}
    for kind, job in kinds.items():
        try:
            slurm.submit(
                *(job, root / "request", cluster.list_options(kind), cluster.setup, (), root),
                test_only=True,
            )
        except ClusterError as error:
            raise ClusterError(
                f"a job for the stage {kind}: {error}. Remedy: mend its options in conf/cluster, "
                "or give a file of your own (cluster=FILE.yaml); nothing was submitted"
            ) from None


def _write_plans(planned: Sequence[PlannedPoint], root: Path) -> None:
    """Writes the plan of each point as a job of a sweep writes it, from which reports know what is
    missing."""
    folder = root / RUNS / f"{datetime.now():%Y-%m-%d_%H-%M-%S-%f}"
    for number, point in enumerate(planned):
        assert point.plan
        assert point.config
        write_plan(folder / str(number), point.config, point.plan, point.resolved)


def _note_submitted(root: Path, number: str, job: StageJob, after: Sequence[str]) -> None:
    """Notes a job's number, what it makes and which jobs it waits for, a line for each stage: SLURM
    forgets them."""
    with (root / JOBS / "submitted.tsv").open("a", encoding="utf-8") as file:
        for stage in job.stages:
            cells = (number, ",".join(after), stage.name, stage.key, stage.label)
            file.write("\t".join(cells) + "\n")
        file.flush()
        os.fsync(file.fileno())
