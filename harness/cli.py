"""`kakugo`: runs one experiment, or with `-m` a sweep of them."""

import errno
import os
import shlex
import sys
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import hydra
from hydra.errors import HydraException
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import InterpolationResolutionError, OmegaConfBaseException

from core.errors import MendableError
from core.output import guard_output
from core.versions import VERSION
from harness.errors import ConfigError
from harness.help import write_help
from harness.overrides import COMMAND_VARIABLE, CONF, prepare_arguments
from harness.resolvers import register_resolvers
from harness.sweep import end_sweep

_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_NO_ENTRY = (errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR)
COMMANDS = ("submit", "stage", "send", "fetch", "export", "chat")
# An attribute of an error whose message a job has printed.
_SAID = "kakugo_said"


def main() -> None:
    """Runs the console script `kakugo`."""
    guard_output("kakugo")
    if "--version" in sys.argv[1:]:
        print(f"kakugo {VERSION}")
        return
    if {"-h", "--help"} & set(sys.argv[1:]) and sys.argv[1:2] not in ([one] for one in COMMANDS):
        print(write_help())
        return
    if sys.argv[1:2] == ["stage"]:
        from harness.cluster.job import main as run_stage

        return run_stage(sys.argv[2:])
    if sys.argv[1:2] == ["chat"]:
        from harness.chat.command import main as chat

        return chat(sys.argv[2:])
    if sys.argv[1:2] in (["send"], ["fetch"]):
        from harness.exchange import main as exchange

        return exchange(sys.argv[1], sys.argv[2:])
    register_resolvers()
    # The bars of libraries would be drawn over the run's own.
    os.environ.setdefault("TQDM_DISABLE", "1")
    # How long torch's threads spin before they sleep while they wait for each other. Their default
    # of 300,000 rounds made scoring six times slower beside any other load, also the other jobs of
    # a sweep; with none, decoding on an idle machine takes half as long again (docs/log.md).
    if "OMP_WAIT_POLICY" not in os.environ:
        os.environ.setdefault("GOMP_SPINCOUNT", "5000")
    # Hydra then hands errors on, instead of printing a traceback of its own.
    os.environ["HYDRA_FULL_ERROR"] = "1"
    os.environ[COMMAND_VARIABLE] = shlex.join(["kakugo", *sys.argv[1:]])
    if sys.argv[1:2] == ["submit"]:
        from harness.cluster.submit import main as submit

        return submit(sys.argv[2:])
    if sys.argv[1:2] == ["export"]:
        from harness.export.command import main as export

        return export(sys.argv[2:])
    try:
        sys.argv[1:] = prepare_arguments(sys.argv[1:])
    except ConfigError as error:
        sys.exit(f"kakugo: {error}")
    failed = True
    try:
        try:
            _run_job()
            failed = False
        finally:
            # What it cannot do must not take the place of what a job has failed of.
            if not _tell_sweep() and not failed:
                sys.exit(1)
    except (HydraException, OmegaConfBaseException) as error:
        sys.exit(f"kakugo: {_say_composition(error)}")
    except Exception as error:
        said = _explain_mendable(error)
        if said is None:
            raise
        # What fails between jobs, such as a disk that is full before the first, no job has said.
        if not vars(error).get(_SAID):
            print(f"kakugo: {said}", file=sys.stderr)
        sys.exit(1)
    except KeyboardInterrupt:
        print(
            "\nStopped. What is finished is kept, and each answer of the teacher: the same command "
            "goes on from there.",
            file=sys.stderr,
        )
        sys.exit(130)


@hydra.main(  # type: ignore[untyped-decorator]
    version_base="1.3", config_path=str(CONF), config_name="run"
)
def _run_job(values: DictConfig) -> None:
    """Runs one job. Its folder receives the plan, the resolved configuration and, on failure,
    why."""
    from hydra.core.hydra_config import HydraConfig
    from hydra.types import RunMode

    settings = HydraConfig.get()
    sweeps = settings.mode == RunMode.MULTIRUN
    folder = Path(settings.runtime.output_dir)
    name = f"[job {settings.job.num}]" if sweeps else ""
    try:
        run_experiment(_make_plain(values), folder, name)
    except Exception as error:
        from harness.runs import write_error

        # On a full disk the reason itself must still be said.
        with suppress(OSError):
            write_error(folder, error)
        if said := _explain_mendable(error):
            print(f"kakugo: {name and name + ' '}{said}", file=sys.stderr)
            vars(error)[_SAID] = True  # goes with it, also out of another process
            # In a sweep Hydra must see the failure; a single run has nothing to go on with.
            if not sweeps:
                sys.exit(1)
        raise


def _tell_sweep() -> bool:
    """Prints the end of a sweep, or why that cannot be done; returns whether it was done."""
    try:
        end_sweep()
    except Exception as error:
        said = _explain_mendable(error) or f"{type(error).__name__}: {error}"
        print(f"kakugo: the sweep's table and page: {said}", file=sys.stderr)
        return False
    return True


def _explain_mendable(error: Exception) -> str | None:
    """Returns the message for an error that a person can mend; None for any other."""
    if isinstance(error, MendableError):
        return str(error)
    if isinstance(error, OSError) and error.errno in _NO_ROOM:
        return f"{error}. Remedy: make room on the disk; the same command continues from here."
    if isinstance(error, OSError) and error.errno in _NO_ENTRY and error.filename:
        return (
            f"{error.filename}: {error.strerror}. Remedy: let this user read and write there, or "
            "name another folder with store=DIR, cache=DIR or data_dir=DIR."
        )
    return None


def run_experiment(resolved: Any, folder: Path, name: str = "") -> None:
    """Builds what is missing of one experiment and prints its report."""
    from rich.console import Console

    from harness.beforehand import check_students
    from harness.config import MakingConfig
    from harness.forecast import announce, show_forecast
    from harness.lookover.over import check_run, look_before_paying, plan_or_look
    from harness.progress import Display
    from harness.reporting import begin_job, end_job, report_run
    from harness.runs import write_plan
    from harness.stages.contamination import NAME as CONTAMINATION
    from harness.stages.contamination import refuse_contaminated
    from harness.store import Store
    from harness.validate import build_config

    config = build_config(resolved)
    root, cache = Path(config.store), Path(config.cache)
    ledgers = root / "ledger"
    ledgers.mkdir(parents=True, exist_ok=True)
    console = Console()

    may_ask = not isinstance(config, MakingConfig) or config.on_missing.generate == "run"

    def may_make(stage: Any) -> str | None:
        if stage.about.teacher and not may_ask:
            return (
                "on_missing.generate=fail forbids calling the teacher. Remedy: run the same "
                "command with stop_after=sources on_missing.generate=run first."
            )
        return None

    display = Display(console, name)
    store = Store(root, cache, display, may_make)
    if config.check:
        check_run(config, ledgers, store, display, console)
        return
    if config.plan:
        show_forecast(config, ledgers, store, console)
        return
    with display.showing_work("reading and hashing what the experiment is made from"):
        planned = plan_or_look(config, ledgers, store)
    write_plan(folder, config, planned, resolved)
    if name:
        begin_job(planned, store, display)
    # All that can be said before the teacher is paid is said here.
    for reason in planned.amiss:
        display.show_lacking(reason)
    planned.refuse_without_scores()
    check_students(config, planned, store, display.show_warnings)
    for stage in planned.stages:
        if stage.check and not store.find(stage):
            stage.check(stage.settings)
    if isinstance(config, MakingConfig):
        if config.teacher.kind != "embedded" and not all(map(store.find, planned.taught)):
            look_before_paying(config, ledgers, store, display)
            announce(config, ledgers, console)
        for stage in planned.list_named(CONTAMINATION):
            looked = store.build(stage)
            if config.fail_on_contamination:
                refuse_contaminated(looked, partial(display.show_warnings, stage))
    store.build_all(planned.targets)
    if config.stop_after:
        console.print(f"Stopped after {config.stop_after}, as asked. Results: {root}")
        return
    if name:
        end_job(root, folder, display)
    else:
        report_run(root, folder, console)


def _make_plain(values: DictConfig) -> Any:
    """Turns the configuration into plain values, with every `${...}` put in."""
    try:
        return OmegaConf.to_container(values, resolve=True)
    except OmegaConfBaseException as error:
        raise ConfigError(_say_composition(error)) from None


def _say_composition(error: Exception) -> str:
    """Says in one line why Hydra cannot put a configuration together."""
    causes = [error, *([error.__cause__] if error.__cause__ else [])]
    said = "; ".join(" ".join(str(c).partition("object_type=")[0].split()) for c in causes)
    if not isinstance(causes[-1], InterpolationResolutionError):
        return said
    return (
        f"a value cannot be put in: {said}. Remedy: ${{...}} stands for another value, such as "
        "${store}, of which `kakugo --cfg job` shows all; as text it is written \\${...}"
    )


if __name__ == "__main__":
    main()
