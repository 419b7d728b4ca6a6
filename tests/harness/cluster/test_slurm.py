"""A whole sweep as jobs of a real SLURM: the same results, whatever happens to its jobs."""

import json
import os
import re
import shlex
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import slurm_here
from small import KAKUGO, manifests, results, run, small

from harness.cluster import ends, owner
from harness.cluster.teacher import name_job, wait_for_address
from harness.errors import ClusterError

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not slurm_here.is_possible(), reason="no SLURM can be started here"),
]
SERVER = Path(__file__).with_name("serve_llama.py")
ASKED = ("teacher.kind=openai", "teacher.name=served", "evaluate.tasks=[sib200]", "train.steps=1")
TAUGHT = ("-m", "mix=topic,scenario", *ASKED)
REPORT = [sys.executable, "-m", "reports.cli"]
OPTIONS = "options: [--time=30, --cpus-per-task=1]\n"


@pytest.fixture(scope="module", autouse=True)
def slurm() -> Iterator[None]:
    slurm_here.start()
    yield
    subprocess.run(["scancel", "--user=root"])


@pytest.fixture
def cluster(tmp_path: Path) -> Path:
    file = tmp_path / "cluster.yaml"
    file.write_text(OPTIONS)
    return file


def submit(
    store: Path, tiny: Path, cluster: Path, *more: str
) -> "subprocess.CompletedProcess[str]":
    """Submits the small experiment."""
    command = small(store, tiny, *more, f"cluster={cluster}")
    return run([*KAKUGO, "submit", *command[len(KAKUGO) :]])


def list_jobs(form: str = "%i %T") -> list[str]:
    done = subprocess.run(["squeue", "-h", "-o", form], capture_output=True, text=True, check=True)
    return done.stdout.splitlines()


def wait_for(what: Callable[[], object], seconds: float = 300) -> None:
    end = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < end, f"{what} did not come: {list_jobs()}"
        time.sleep(0.5)


def read_logs(store: Path) -> str:
    return "\n".join(path.read_text() for path in sorted((store / "jobs" / "logs").glob("*.log")))


def report(store: Path, table: str) -> str:
    """Writes the report as CSV files, and returns one of them."""
    command = ["-m", "reports.cli", "--store", str(store), "--format", "csv"]
    done = run([sys.executable, *command, "--out", f"{store}-csv"])
    assert done.returncode == 0, done.stderr
    return Path(f"{store}-csv", f"{table}.csv").read_text(encoding="utf-8")


def show_status(store: Path) -> str:
    done = run([*KAKUGO, "submit", "--status", f"store={store}"])
    assert done.returncode == 0, done.stderr
    return done.stdout


SWEEP = ("-m", "mix=topic,scenario", "evaluate.tasks=[sib200,flores_en_xx]")


def test_a_sweep_of_jobs_gives_what_a_local_one_gives(
    tiny: Path, tmp_path: Path, cluster: Path
) -> None:
    local, store = tmp_path / "local", tmp_path / "store"
    done = submit(store, tiny, cluster, *SWEEP)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "16 stages missing, 0 jobs queued already, 13 to submit" in done.stdout
    # What is queued is waited for, whoever submitted it, and nothing is submitted twice.
    numbers = list_jobs("%i")
    again = submit(store, tiny, cluster, *SWEEP)
    assert "0 to submit" in again.stdout
    assert len(set(list_jobs("%i")) - set(numbers)) == 0
    # The queue works while the same is made here.
    here = run(small(local, tiny, *SWEEP))
    assert here.returncode == 0, here.stdout + here.stderr
    wait_for(lambda: not list_jobs())
    assert results(store) == results(local), read_logs(store)
    assert len(manifests(store, "score")) == 6
    assert "failed" not in show_status(store)
    plans = [json.loads(path.read_text()) for path in store.glob("runs/*/*/plan.json")]
    assert {plan["mix"] for plan in plans} == {"topic", "scenario"}
    report = run(
        [*REPORT, "--store", str(store), "--format", "csv", "--out", str(tmp_path / "csv")]
    )
    assert report.returncode == 0, report.stderr
    assert "trained:scenario" in (tmp_path / "csv" / "scores.csv").read_text()


def call_scontrol(*words: str) -> None:
    subprocess.run(["scontrol", *words], check=True, capture_output=True)


def preempt(job: str) -> None:
    urgent = [
        "sbatch",
        "--partition=urgent",
        "--nodes=2",
        "--exclusive",
        "--time=1",
        "--wrap=sleep 1",
    ]
    subprocess.run(urgent, check=True, capture_output=True, cwd="/tmp")


INTERRUPTIONS: tuple[tuple[str, Callable[[str], object]], ...] = (
    ("it was told to begin again", lambda job: call_scontrol("requeue", job)),
    ("it was preempted", preempt),
)


def test_a_training_that_is_begun_again_goes_on(tiny: Path, tmp_path: Path, cluster: Path) -> None:
    store = tmp_path / "store"
    more = ("mix=topic", "evaluate.tasks=[sib200]", "train.steps=100", "train.save_every=1")
    assert submit(store, tiny, cluster, *more).returncode == 0
    wait_for(lambda: any(store.glob("train/*.partial/trainer/checkpoint-*/whole")))
    (train,) = [line.split()[0] for line in list_jobs("%i %j") if "kakugo-train" in line]
    wait_for(lambda: len(list_jobs("%t R")) == 2)  # its score waits for it, and nothing else runs
    (log,) = (store / "jobs" / "logs").glob("kakugo-train-*.log")
    for times, (why, interrupt) in enumerate(INTERRUPTIONS, 2):
        interrupt(train)
        wait_for(lambda: f"{train} PENDING" in list_jobs())
        assert ends.read_end(log) == why, log.read_text()
        # SLURM lets a job that was requeued wait for two minutes, unless it is told otherwise.
        call_scontrol("update", f"JobId={train}", "StartTime=now")
        wait_for(lambda times=times: log.read_text().count("continued from where") == times - 1)
    wait_for(lambda: not list_jobs(), 400)
    (made,) = manifests(store, "train")
    assert made["resumed"] is True, log.read_text()
    assert ends.read_end(log) is None
    assert len(manifests(store, "score")) == 2


@pytest.mark.long
def test_a_job_that_takes_too_much_memory_is_said_to(tiny: Path, tmp_path: Path) -> None:
    store, cluster = tmp_path / "store", tmp_path / "little.yaml"
    cluster.write_text(f"{OPTIONS}stages: {{train: [--mem=60M]}}\n")
    assert submit(store, tiny, cluster, "mix=topic", "evaluate.tasks=[sib200]").returncode == 0
    wait_for(lambda: not list_jobs())
    said = " ".join(show_status(store).split())
    assert re.search(r"job \d+: it ran out of memory\. Remedy: more --mem for its stage", said), (
        said
    )
    assert "it ran out of memory" in report(store, "gaps")
    assert len(manifests(store, "score")) == 1  # that of the base


@pytest.mark.long
def test_a_training_runs_on_all_nodes_of_its_job(tiny: Path, tmp_path: Path) -> None:
    store, cluster = tmp_path / "store", tmp_path / "two.yaml"
    cluster.write_text(f"{OPTIONS}stages: {{train: [--nodes=2]}}\n")
    more = ("mix=topic", "evaluate.tasks=[sib200]", "train.processes=2", "train.batch_size=2")
    assert submit(store, tiny, cluster, *more).returncode == 0
    wait_for(lambda: not list_jobs())
    (made,) = manifests(store, "train")
    assert made["facts"]["processes"] == 2, read_logs(store)
    lines = (store / "jobs" / "submitted.tsv").read_text().splitlines()
    (train,) = [line.split("\t")[0] for line in lines if "\ttrain\t" in line]
    shown = ["scontrol", "show", "job", train]
    job = subprocess.run(shown, capture_output=True, text=True, check=True).stdout
    assert "NodeList=first,second" in job
    assert len(manifests(store, "score")) == 2, read_logs(store)


def test_what_is_queued_for_one_store_is_not_for_another(tiny: Path, tmp_path: Path) -> None:
    held = tmp_path / "held.yaml"
    held.write_text("options: [--time=30, --cpus-per-task=1, --hold]\n")
    shared = ("mix=topic", "evaluate.tasks=[sib200]", f"cache={tmp_path}/cache")
    said = [submit(tmp_path / name, tiny, held, *shared).stdout for name in ("one", "two", "one")]
    subprocess.run(["scancel", "--user=root"], check=True)
    assert "0 jobs queued already, 7 to submit" in said[0]
    assert "0 jobs queued already, 7 to submit" in said[1]
    assert "7 jobs queued already, 0 to submit" in said[2]


def test_jobs_keep_apart_where_locks_do_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, waited = tmp_path / "stage.owner", []
    monkeypatch.setattr(owner, "_POLL_SECONDS", 0.1)
    monkeypatch.setenv("SLURM_JOB_ID", "7")
    sleeper = ["sbatch", "--parsable", "--output=/dev/null", "--wrap=sleep 100"]
    other = subprocess.run(sleeper, check=True, capture_output=True, text=True).stdout.strip()
    file.write_text(other)

    def wait() -> None:
        waited.append(file.read_text())
        subprocess.run(["scancel", other], check=True)

    with owner.hold(file, wait):
        assert waited == [other]
        assert file.read_text() == "7"
        # Begun again, it goes on with what is its own.
        with owner.hold(file, wait):
            assert file.read_text() == "7"
    assert list(tmp_path.iterdir()) == []
    # A job that SLURM knows nothing of has ended.
    file.write_text("99999999")
    with owner.hold(file, wait):
        assert waited == [other]
    assert list(tmp_path.iterdir()) == []


def test_what_fails_stops_only_what_needs_it(tiny: Path, tmp_path: Path, cluster: Path) -> None:
    store = tmp_path / "store"
    sweep = ("-m", "mix=topic,gen", "evaluate.tasks=[sib200]")
    assert submit(store, tiny, cluster, *sweep).returncode == 0
    lines = (store / "jobs" / "submitted.tsv").read_text().splitlines()
    (context,) = [line.split("\t")[0] for line in lines if line.endswith("Swahili: context")]
    # The sources of one ledger are made one after the other: the last of them waits.
    assert f"{context} PENDING" in list_jobs()
    subprocess.run(["scancel", context], check=True)
    wait_for(lambda: not list_jobs())
    assert len(manifests(store, "score")) == 2, read_logs(store)
    said = " ".join(show_status(store).split())
    assert re.search(r"failed: Swahili: context: job \d+: it was cancelled The same", said), said
    assert "The same kakugo submit as before" in said
    gaps = report(store, "gaps")
    assert re.search(r"waits for Swahili: context, which failed: job", gaps), gaps
    # Given again, it submits what is missing, and that alone.
    again = submit(store, tiny, cluster, *sweep)
    assert "0 jobs queued already, 6 to submit" in again.stdout
    wait_for(lambda: not list_jobs())
    assert len(manifests(store, "score")) == 3, read_logs(store)
    assert "failed" not in show_status(store)


@pytest.mark.long
def test_a_time_limit_is_named_and_the_state_is_kept(tiny: Path, tmp_path: Path) -> None:
    store, cluster = tmp_path / "store", tmp_path / "short.yaml"
    cluster.write_text("options: [--time=30, --cpus-per-task=1]\nstages: {train: [--time=3]}\n")
    more = ("mix=topic", "evaluate.tasks=[sib200]", "train.steps=100000", "train.save_every=50000")
    assert submit(store, tiny, cluster, *more).returncode == 0
    wait_for(lambda: not any("train" in name for name in list_jobs("%j")), 400)
    said = show_status(store)
    assert "time limit is near" in said
    assert "longer --time for the stage train" in said
    # The state is saved behind the step at which it was told, not at the next of save_every.
    assert any(store.glob("train/*.partial/trainer/checkpoint-*/whole"))
    report = run(
        [*REPORT, "--store", str(store), "--format", "csv", "--out", str(tmp_path / "csv")]
    )
    assert "time limit is near" in (tmp_path / "csv" / "gaps.csv").read_text()
    assert report.returncode == 0


@pytest.mark.parametrize(
    ("cluster", "said"),
    [
        ("options: [--partition=nowhere]\n", "a job for the stage .* nothing was submitted"),
        ("options: [--gres=gpu:99]\n", "nothing was submitted"),
        ("options: --time=5\n", "options: a list of texts is needed"),
        ("option: [--time=5]\n", "there is no key option"),
        ("stages: [score]\n", "stages: a list of options for each stage"),
        ("options: [\n", "cluster.yaml: "),
    ],
)
def test_what_slurm_would_refuse_is_refused_before_anything_is_queued(
    tiny: Path, tmp_path: Path, cluster: str, said: str
) -> None:
    file = tmp_path / "cluster.yaml"
    file.write_text(cluster)
    done = submit(tmp_path / "store", tiny, file, "mix=topic")
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert re.search(said, done.stderr), done.stderr
    assert list_jobs() == []


def test_without_slurm_it_says_so(tmp_path: Path) -> None:
    done = subprocess.run(
        [*KAKUGO, "submit", f"store={tmp_path}"],
        capture_output=True, text=True, env={**os.environ, "PATH": "/nowhere"},
    )  # fmt: skip
    assert done.returncode == 1
    assert "there is no sbatch here. Remedy" in done.stderr
    done = run([*KAKUGO, "submit", "--status", f"store={tmp_path}"])
    assert done.returncode == 1
    assert "nothing was submitted from the store" in done.stderr


def test_a_cluster_is_for_submit_alone() -> None:
    done = run([*KAKUGO, "cluster=slurm"])
    assert done.returncode == 1
    assert "Remedy: kakugo submit ... cluster=slurm" in done.stderr


def write_cluster(folder: Path, command: str) -> Path:
    file = folder / "cluster.yaml"
    file.write_text(
        "options: [--time=30, --cpus-per-task=1]\n"
        f"teacher: {{command: '{command}', options: [--gres=gpu:2]}}\n"
    )
    return file


@pytest.mark.long
def test_one_server_is_asked_by_every_source_and_ended(tiny: Path, tmp_path: Path) -> None:
    store = tmp_path / "store"
    served = shlex.join([sys.executable, str(SERVER)])
    cluster = write_cluster(tmp_path, f"{served} {{host}} {{port}}")
    dry = submit(store, tiny, cluster, *TAUGHT, "--dry-run")
    assert dry.returncode == 0, dry.stdout + dry.stderr
    assert not list_jobs()
    done = submit(store, tiny, cluster, *TAUGHT)
    assert done.returncode == 0, done.stdout + done.stderr
    (number,) = re.findall(r"job (\d+) serves the teacher", done.stdout)
    again = submit(store, tiny, cluster, *TAUGHT)
    assert "0 to submit" in again.stdout
    assert "serves the teacher" not in again.stdout
    wait_for(lambda: f"{number} RUNNING" in list_jobs())
    # It goes as soon as no source needs it, and leaves no address behind.
    wait_for(lambda: number not in list_jobs("%i"))
    assert len(manifests(store, "source")) == 2, read_logs(store)
    assert not (store / "jobs" / "teacher" / "address").exists()
    wait_for(lambda: not list_jobs())
    assert len(manifests(store, "score")) == 3, read_logs(store)
    assert "failed" not in show_status(store)
    for made in manifests(store, "source"):
        assert made["about"]["teacher"] == "served"
        assert sum(step["answered"] for step in made["facts"]["steps"]) > 0


def test_a_server_that_does_not_start_ends_its_sources_with_a_remedy(
    tiny: Path, tmp_path: Path
) -> None:
    store = tmp_path / "store"
    cluster = write_cluster(tmp_path, "false {port}")
    assert submit(store, tiny, cluster, "mix=topic", *ASKED).returncode == 0
    wait_for(lambda: not list_jobs())
    said = " ".join(show_status(store).split())
    assert "the job of the teacher's server is not queued any more. Remedy: read why in" in said
    assert "the teacher's server ended with status 1" in " ".join(read_logs(store).split())
    with pytest.raises(ClusterError, match=f"{name_job(store)}-"):
        wait_for_address(store)


def test_a_sweep_of_two_teachers_is_refused(tiny: Path, tmp_path: Path) -> None:
    cluster = write_cluster(tmp_path, "serve {port}")
    two = ("-m", "mix=topic", *ASKED[:1], "teacher.name=one,other", *ASKED[2:])
    done = submit(tmp_path / "store", tiny, cluster, *two)
    assert done.returncode == 1
    assert "the sweep asks several teachers (one, other)" in done.stderr
    assert not list_jobs()


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("teacher: {command: vllm serve x}\n", "teacher.command: {port} is needed"),
        ("teacher: {options: [--gres=gpu:1]}\n", "teacher.command: {port} is needed"),
        ("teacher: vllm\n", "teacher: a command is needed"),
        ("teacher: {command: 'x {port}', option: []}\n", "teacher: a command is needed"),
        ("teacher: {command: 'x {port}', options: x}\n", "teacher.options: a list of texts"),
    ],
)
def test_a_teacher_that_makes_no_sense_is_refused(
    tiny: Path, tmp_path: Path, written: str, said: str
) -> None:
    cluster = tmp_path / "cluster.yaml"
    cluster.write_text(written)
    done = submit(tmp_path / "store", tiny, cluster, "mix=topic")
    assert done.returncode == 1
    assert said in done.stderr
