"""Looks at the servers that a run asks: the teacher's, and those that serve checkpoints."""

import asyncio
import shutil
from collections.abc import Iterator
from functools import partial

from generation.settings import Endpoint, Teacher
from generation.teacher.look import look_at_endpoint
from harness.config import Config, MakingConfig
from harness.errors import ScoringError
from harness.lookover.look import Look
from harness.teacher import SERVED_BY_JOB


def list_endpoints(config: Config) -> Iterator[Look]:
    """Lists a look at each endpoint that will be asked, and at vLLM's program."""
    if isinstance(config, MakingConfig) and config.teacher.kind != "embedded":
        teacher = config.teacher
        for place in teacher.places:
            if place.base_url == SERVED_BY_JOB:
                continue  # it does not run yet
            yield Look(f"teacher {teacher.name}", partial(_look, teacher, place))
    if config.evaluate.engine == "vllm":
        yield Look("vLLM", partial(_look_for_program, config.evaluate.vllm.command))


def _look(teacher: Teacher, place: Teacher | Endpoint) -> str:
    return asyncio.run(look_at_endpoint(teacher, place))


def _look_for_program(command: str) -> str:
    found = shutil.which(command)
    if found is None:
        raise ScoringError(
            f"evaluate.vllm.command={command}: there is no such program. Remedy: install vLLM in "
            "an environment of its own (docs/scoring.md), and give the path of its `vllm`."
        )
    return found
