"""Write down what a run does while it runs: two files, the progress display, and the trackers.

log.jsonl      step, loss, learning_rate, tokens, supervised_tokens; or step, eval_loss. Of a
               distillation, also the loss of each signal, and counts of the drawn responses.
               A continued run ends with the log of an undisturbed one.
speed.jsonl    step, seconds, tokens_per_second, supervised_tokens_per_second, mfu, memory_gb.
               Differs from run to run; steps that were lost to a kill stand in it twice.
"""

import json
import math
import resource
import time
from collections.abc import Callable, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

import torch
from transformers import TrainerCallback

from core.contract.journal import LogLine, SpeedLine
from core.contract.names import LOG, SPEED
from core.contract.record import as_json, read_record
from training.checkpoints import mark_whole
from training.errors import DivergedError
from training.flops import find_peak_flops
from training.settings import Precision

_NAMES = {field.name for field in fields(LogLine)}
# The other sums of a step are losses.
_COUNTS = ("tokens", "supervised_tokens", "rollouts", "rollouts_ended", "rollout_tokens")
_SIGNALS = ("supervised", "off_policy", "on_policy", "sequence")
Progress = Callable[[int, int, str], None]


class TrainingJournal(TrainerCallback):  # type: ignore[misc]
    """One line per step, in the Trainer's state, in log.jsonl, and to `progress`.

    The state's copy is saved with each interrupted state, so that a continued run rewrites
    log.jsonl up to where it takes over.
    """

    def __init__(
        self,
        out: Path,
        states: Path,
        progress: Progress,
        *,
        precision: Precision,
        flops_per_token: float | None,
    ) -> None:
        self.lines: list[dict[str, Any]] = []
        self.seconds = 0.0  # of this process's steps with their data, without saving and evaluating
        self.tokens = 0  # computed in these, by all processes
        self.peak_gb = 0.0
        self._sums: dict[str, torch.Tensor] = {}  # by the log's names; of a step and this process
        self._spent: dict[str, float] = {}  # seconds of a step, by the speed's names
        self._out, self._states, self._progress = out, states, progress
        self._precision, self._flops = precision, flops_per_token
        self.speed: dict[str, Any] = {}  # of the last step
        self._began = 0.0
        self._rate = 0.0

    @property
    def mfu(self) -> float | None:
        """Share of the devices' peak that training used, 0-1; None where the peak is not known."""
        return self._compute_mfu(self.tokens / self.seconds) if self.seconds else None

    def add(self, sums: Mapping[str, torch.Tensor]) -> None:
        """Add one micro-batch: its shares of the step's losses, its counts of tokens, by their
        names in the log, the same ones in each process. They stay on their device until the step
        ends: to read them is to wait for it."""
        for name, value in sums.items():
            self._sums[name] = value.detach().float() + self._sums.get(name, 0.0)

    def spend(self, name: str, seconds: float) -> None:
        """Add to the seconds that this process spends on something in the step under way."""
        self._spent[name] = self._spent.get(name, 0.0) + seconds

    def on_train_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        self.lines = [entry for entry in state.log_history if entry.keys() <= _NAMES]
        if state.is_world_process_zero:
            text = "".join(map(_write_line, self.lines))
            (self._out / LOG).write_text(text, encoding="utf-8")
            self._progress(state.global_step, state.max_steps, "")

    def on_epoch_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        self._began = time.perf_counter()  # and anew after each step, evaluation and saved state

    def on_pre_optimizer_step(
        self, args: Any, state: Any, control: Any, lr_scheduler: Any = None, **_: Any
    ) -> None:
        self._rate = lr_scheduler.get_last_lr()[0]

    def on_step_end(
        self, args: Any, state: Any, control: Any, lr_scheduler: Any = None, **_: Any
    ) -> None:
        names = sorted(self._sums)
        sums = _sum_over_processes(torch.stack([self._sums[name] for name in names])).tolist()
        found = dict(zip(names, sums, strict=True))
        self._sums = {}
        loss, tokens, supervised = found["loss"], found["tokens"], found["supervised_tokens"]
        seconds = time.perf_counter() - self._began
        self.seconds += seconds
        self.tokens += int(tokens)
        counts = {name: round(found.pop(name)) for name in _COUNTS if name in found}
        step = LogLine(step=state.global_step, learning_rate=self._rate, **found, **counts)
        if not math.isfinite(loss):
            raise DivergedError(
                f"the loss became {loss} at step {state.global_step}. "
                "Remedy: lower train.learning_rate, or set train.precision to fp32."
            )
        self._add(step, state)
        self.speed = {
            "seconds": round(seconds, 4),
            "tokens_per_second": round(tokens / seconds, 1),
            "supervised_tokens_per_second": round(supervised / seconds, 1),
            "mfu": self._compute_mfu(tokens / seconds),
            "memory_gb": round(self._measure_memory(), 3),
            **{name: round(spent, 4) for name, spent in self._spent.items()},
        }
        self._spent = {}
        if state.is_world_process_zero:
            with (self._out / SPEED).open("a", encoding="utf-8") as file:
                line = SpeedLine(state.global_step, **self.speed)
                file.write(json.dumps(as_json(line)) + "\n")
            parts = [f"{name} {found[name]:.2f}" for name in _SIGNALS if name in found]
            signals = f" ({', '.join(parts)})" if parts else ""
            note = f"loss {loss:.2f}{signals}, {tokens / seconds:,.0f} tokens/s"
            self._progress(state.global_step, state.max_steps, note)
        if state.global_step == state.max_steps:
            control.should_save = False  # the checkpoint itself is about to be written
        self._began = time.perf_counter()

    def add_evaluation(self, loss: float, state: Any) -> None:
        """Note the loss on the validation rows, in nats per trained token."""
        self._add(LogLine(step=state.global_step, eval_loss=loss), state)
        self._began = time.perf_counter()

    def start_clock(self) -> None:
        """Count what was done since the last step, such as keeping weights, to no step."""
        self._began = time.perf_counter()

    def on_save(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        if torch.distributed.is_initialized():
            torch.distributed.barrier()  # every process has written its part
        if state.is_world_process_zero:
            mark_whole(self._states, state.global_step)
        self._began = time.perf_counter()

    def _add(self, line: LogLine, state: Any) -> None:
        entry = as_json(line)
        state.log_history.append(entry)
        self.lines.append(entry)
        if state.is_world_process_zero:
            with (self._out / LOG).open("a", encoding="utf-8") as file:
                file.write(_write_line(entry))

    def _measure_memory(self) -> float:
        """The most memory that this process has used so far, in GB: of the GPU if there is one."""
        if torch.cuda.is_available():
            used = torch.cuda.max_memory_allocated() / 1e9
        else:
            used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e9
        self.peak_gb = max(self.peak_gb, used)
        return self.peak_gb

    def _compute_mfu(self, tokens_per_second: float) -> float | None:
        if self._flops is None or not torch.cuda.is_available():
            return None
        peak = find_peak_flops(torch.cuda.get_device_name(), self._precision)
        if peak is None:
            return None
        devices = torch.distributed.get_world_size() if torch.distributed.is_initialized() else 1
        return round(self._flops * tokens_per_second / (peak * devices), 4)


def _sum_over_processes(sums: torch.Tensor) -> torch.Tensor:
    if not torch.distributed.is_initialized():
        return sums
    whole = sums.to("cuda" if torch.distributed.get_backend() == "nccl" else "cpu")
    torch.distributed.all_reduce(whole)
    return whole.cpu()


def _write_line(entry: dict[str, Any]) -> str:
    # In one order, whichever one the Trainer's saved state gave the entry.
    return json.dumps(as_json(read_record(LogLine, entry)), ensure_ascii=False) + "\n"
