"""Stages whose work is a few lines, for jobs that must fail, wait or be killed."""

import os
import signal
import time
from dataclasses import dataclass, field

from core.contract.manifest import About
from core.errors import MendableError
from harness.stage import Outcome, Stage, Work


@dataclass(frozen=True)
class MadeUp:
    """The settings of a stage: `does` is what its work does besides writing its name."""

    name: str
    does: str = "nothing"
    long: tuple[int, ...] = field(default=(), metadata={"keyed": False})
    ledger: str | None = field(default=None, metadata={"keyed": False})


def make(settings: MadeUp, work: Work) -> Outcome:
    if settings.does == "fail":
        raise MendableError("the made-up work fails. Remedy: none")
    if settings.does == "break":
        raise RuntimeError("broken")
    if settings.does == "die":
        os.kill(os.getpid(), signal.SIGKILL)
    if settings.does == "sleep":
        (work.out / "begun").touch()
        time.sleep(60)
    (work.out / "name.txt").write_text(settings.name)
    return Outcome({"name": settings.name})


def stage(
    name: str, does: str = "nothing", kind: str = "mixture", about: About | None = None,
    long: tuple[int, ...] = (), ledger: str | None = None, **inputs: Stage,
) -> Stage:  # fmt: skip
    return Stage(kind, 1, name, MadeUp(name, does, long, ledger), make, inputs, about or About())
