"""Run a source in processes that are killed with -9, many of them at little cost.

They are forked from a process that has everything imported, which takes longer than the run itself.
"""

import multiprocessing
import os
from multiprocessing.context import ForkServerProcess
from pathlib import Path

import running

import generation.teacher.endpoint
from generation.settings import Sources, Teacher

_CONTEXT = multiprocessing.get_context("forkserver")
# The last three are imported late, by a client's first call and a row's first check.
_CONTEXT.set_forkserver_preload(
    ["__main__", "generation.source", "httpcore2", "truststore", "pycld2"]
)


def start(
    folder: Path, teacher: Teacher, settings: Sources = running.SMALL, **environment: str
) -> ForkServerProcess:
    """A process that makes the source `topic` in the folder."""
    process = _CONTEXT.Process(target=_run, args=(folder, teacher, settings, environment))
    process.start()
    return process


def _run(folder: Path, teacher: Teacher, settings: Sources, environment: dict[str, str]) -> None:
    os.environ.update(environment)
    generation.teacher.endpoint._FIRST_WAIT_S = 0.01  # as in the fixture `teacher`
    running.run("topic", folder, teacher, settings)
