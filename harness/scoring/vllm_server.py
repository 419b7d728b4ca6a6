"""Scores a checkpoint with vLLM: starts its server on the checkpoint, asks it, stops it.

vLLM pins versions of torch and transformers that are not this project's, so that it lives in an
environment of its own and is reached by its completions protocol. Every answer's token is read as
a log-probability of the next token after the prompt, which keeps vLLM's prefix cache at work; the
log-probabilities of a prompt's own tokens, as lm-eval's `VLLM` asks for them, switch it off.
"""

import re
import shutil
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Sequence
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from typing import Any

from core.processes import Child, describe_exit, end, guard_command, read_last_lines, start
from harness.errors import ScoringError
from harness.scoring.completions import MOST_PROBABLE, OwnServerLM

NAME = "checkpoint"
DTYPES = {"fp32": "float32", "bf16": "bfloat16"}
LOG = "vllm.log"
# The guard gives the server ten seconds of its own before it kills it.
_GRACE_SECONDS = 30.0
_DYING_SECONDS = 10.0
# A Python traceback of vLLM's names the cause some twenty lines before its end.
_LAST_LINES = 40
_READ_LINES = 400
# What triton's bindings print at every end of a server, behind its last words.
_NOISE = re.compile(r"nanobind|^ - (leaked|\.\.\. skipped)")
_ENGINE_DIED = re.compile(r"Failed core proc\(s\): \{[^}]*: -(\d+)")


class VllmLM(OwnServerLM):
    """A checkpoint on a vLLM server of our own, which is started when a batch is first asked."""

    name = "vllm"
    _running: Child | None = None

    @cached_property
    def model(self) -> str:
        """The name under which the checkpoint is served."""
        return NAME

    @cached_property
    def endpoint(self) -> str:
        """The address of the server, which is up."""
        command = shutil.which(self.choice.command)
        if command is None:
            raise ScoringError(
                f"evaluate.vllm.command: there is no {self.choice.command}. Remedy: install vLLM "
                "in an environment of its own and give the path of its `vllm`."
            )
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        log = self.journal.path.with_name(LOG)
        with log.open("wb") as output:
            served = guard_command(
                [
                    *(command, "serve", str(self.checkpoint)),
                    *("--host", "127.0.0.1", "--port", str(port)),
                    *("--served-model-name", NAME),
                    *("--dtype", DTYPES[self.choice.precision]),
                    *("--max-logprobs", str(MOST_PROBABLE[-1])),
                    *("--generation-config", "vllm", "--seed", "0"),
                    # The longest text for whose keys and values there is room; the checkpoint's
                    # own 131,072 tokens would not fit beside Granite on many GPUs.
                    *(() if _has_length(self.choice.arguments) else ("--max-model-len", "auto")),
                    *self.choice.arguments,
                ]
            )
            # Apart: what ends this process's whole group must not end the guard before the server.
            self._running = start(served, output=output, errors=output, apart=True)
        address = f"http://127.0.0.1:{port}"
        while not _is_up(address):
            if self._running.poll() is not None:
                raise _describe_death("vLLM did not start", self._running.returncode, log)
            time.sleep(0.5)
        return f"{address}/v1"

    @cached_property
    def _makers(self) -> frozenset[str]:
        return frozenset({"vllm"})

    def describe_failure(self, said: str) -> ScoringError:
        """Builds the error for a request that failed for good: with the server's last words where
        it has ended."""
        if self._running is not None:
            with suppress(subprocess.TimeoutExpired):  # one that ends says so to its clients first
                self._running.wait(_DYING_SECONDS)
            if self._running.poll() is not None:
                log = self.journal.path.with_name(LOG)
                return _describe_death("vLLM ended", self._running.returncode, log)
        return super().describe_failure(said)

    def make_penalty(self, penalty: float) -> dict[str, Any]:
        """Returns the fields of a request with a repetition penalty, which vLLM defines as we
        do."""
        return {"extra_body": {"repetition_penalty": penalty}}

    def close(self) -> None:
        """Stops the server."""
        if self._running is not None:
            end(self._running, _GRACE_SECONDS)


def _has_length(arguments: Sequence[str]) -> bool:
    return any(one.partition("=")[0] in ("--max-model-len", "--max_model_len") for one in arguments)


def _describe_death(what: str, status: int, log: Path) -> ScoringError:
    """Builds the error for a server that ended by itself.

    vLLM computes in processes of its own: where one of those is ended by a signal, the server ends
    with status 1 and a line of its log has the signal's number, which is said by name here.
    """
    lines = read_last_lines(log, _READ_LINES).splitlines()
    said = [line for line in lines if not _NOISE.search(line)]
    last = "\n".join(said[-_LAST_LINES:])
    how = describe_exit(status)
    if found := _ENGINE_DIED.findall(last):
        how += f"; its engine {describe_exit(-int(found[-1]))}"
    lacking = (
        "vLLM's CPU build needs a processor with AVX-512: score on another machine or on a GPU, "
        "or with evaluate.engine=transformers"
        if signal.SIGILL.name in how
        else "mend what its last words name; evaluate.vllm.arguments holds its options, such as "
        "[--max-model-len,4096]"
    )
    return ScoringError(f"{what} ({how}):\n{last}\nRemedy: {lacking}. All that it said: {log}.")


def _is_up(address: str) -> bool:
    try:
        with urllib.request.urlopen(f"{address}/health", timeout=5) as answer:
            return int(answer.status) == 200
    except (urllib.error.URLError, OSError):
        return False
