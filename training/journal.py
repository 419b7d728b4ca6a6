"""What a run says of itself while it runs: two files, the progress display, and the trackers.

log.jsonl      step, loss, learning_rate, tokens, supervised_tokens; or step, eval_loss.
               A continued run ends with the log of an undisturbed one.
speed.jsonl    step, seconds, tokens_per_second, supervised_tokens_per_second, mfu, memory_gb.
               Differs from run to run; steps that were lost to a kill stand in it twice.
"""

import json
import math
import resource
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from transformers import TrainerCallback

from training.checkpoints import mark_whole
from training.errors import DivergedError

STEP = ("step", "loss", "learning_rate", "tokens", "supervised_tokens")
EVALUATION = ("step", "eval_loss")
LOG, SPEED = "log.jsonl", "speed.jsonl"
Progress = Callable[[int, int, str], None]

# Dense bf16 operations per second, from the makers' data sheets.
_PEAKS = {"H200": 989e12, "H100": 989e12, "A100": 312e12, "L40S": 362e12, "A10G": 70e12}


class Journal(TrainerCallback):  # type: ignore[misc]
    """One line per step, in the Trainer's state, in log.jsonl, and to `progress`.

    The state's copy is saved with each interrupted state, so that a continued run rewrites
    log.jsonl up to where it takes over.
    """

    def __init__(
        self, out: Path, states: Path, progress: Progress, *, flops_per_token: float
    ) -> None:
        self.lines: list[dict[str, Any]] = []
        self.seconds = 0.0  # inside steps of this process, without saving and evaluating
        self.tokens = 0  # computed in these, by all processes
        self.peak_gb = 0.0
        self.sums = torch.zeros(3, dtype=torch.float64)  # loss, tokens, supervised; of this process
        self._out, self._states, self._progress = out, states, progress
        self._flops = flops_per_token
        self.speed: dict[str, Any] = {}  # of the last step
        self._began = 0.0
        self._rate = 0.0

    @property
    def mfu(self) -> float | None:
        """Share of the devices' peak that training used, 0-1; None where the peak is not known."""
        return self._mfu(self.tokens / self.seconds) if self.seconds else None

    def on_train_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        self.lines = [entry for entry in state.log_history if set(entry) <= {*STEP, *EVALUATION}]
        if state.is_world_process_zero:
            text = "".join(map(_line, self.lines))
            (self._out / LOG).write_text(text, encoding="utf-8")
            self._progress(state.global_step, state.max_steps, "")

    def on_step_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        self._began = time.perf_counter()
        self.sums.zero_()

    def on_pre_optimizer_step(
        self, args: Any, state: Any, control: Any, lr_scheduler: Any = None, **_: Any
    ) -> None:
        self._rate = lr_scheduler.get_last_lr()[0]

    def on_step_end(
        self, args: Any, state: Any, control: Any, lr_scheduler: Any = None, **_: Any
    ) -> None:
        loss, tokens, supervised = _over_all_processes(self.sums).tolist()
        seconds = time.perf_counter() - self._began
        self.seconds += seconds
        self.tokens += int(tokens)
        step = {
            "step": state.global_step,
            "loss": loss,
            "learning_rate": self._rate,
            "tokens": int(tokens),
            "supervised_tokens": int(supervised),
        }
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
            "mfu": self._mfu(tokens / seconds),
            "memory_gb": round(self._memory(), 3),
        }
        if state.is_world_process_zero:
            with (self._out / SPEED).open("a", encoding="utf-8") as file:
                line = {"step": state.global_step, **self.speed}
                file.write(json.dumps(line) + "\n")
            note = f"loss {loss:.2f}, {tokens / seconds:,.0f} tokens/s"
            self._progress(state.global_step, state.max_steps, note)
        if state.global_step == state.max_steps:
            control.should_save = False  # the checkpoint itself is about to be written

    def add_evaluation(self, loss: float, state: Any) -> None:
        """Note the loss on the validation rows, in nats per trained token."""
        self._add({"step": state.global_step, "eval_loss": loss}, state)

    def on_save(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        if torch.distributed.is_initialized():
            torch.distributed.barrier()  # every process has written its part
        if state.is_world_process_zero:
            mark_whole(self._states, state.global_step)

    def _add(self, entry: dict[str, Any], state: Any) -> None:
        state.log_history.append(entry)
        self.lines.append(entry)
        if state.is_world_process_zero:
            with (self._out / LOG).open("a", encoding="utf-8") as file:
                file.write(_line(entry))

    def _memory(self) -> float:
        """The most memory that this process has used so far, in GB: of the GPU if there is one."""
        if torch.cuda.is_available():
            used = torch.cuda.max_memory_allocated() / 1e9
        else:
            used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e9
        self.peak_gb = max(self.peak_gb, used)
        return self.peak_gb

    def _mfu(self, tokens_per_second: float) -> float | None:
        if not torch.cuda.is_available():
            return None
        name = torch.cuda.get_device_name()
        peak = next((peak for part, peak in _PEAKS.items() if part in name), None)
        if peak is None:
            return None
        devices = torch.distributed.get_world_size() if torch.distributed.is_initialized() else 1
        return round(self._flops * tokens_per_second / (peak * devices), 4)


def flops_per_token(model: Any, mean_length: float) -> float:
    """Operations of a forward and backward pass: 6 a weight, and 12 x layers x width x length / 2
    of causal attention (Chowdhery et al. 2022, arXiv 2204.02311, appendix B)."""
    config = model.config.get_text_config()
    embeddings = model.get_input_embeddings().weight
    weights = sum(_size(p) for p in model.parameters())
    if model.get_output_embeddings().weight is not embeddings:
        weights -= _size(embeddings)  # only looked up
    width = config.num_attention_heads * getattr(
        config, "head_dim", config.hidden_size // config.num_attention_heads
    )
    return float(6.0 * weights + 6.0 * config.num_hidden_layers * width * mean_length)


def _size(parameter: Any) -> int:
    return int(getattr(parameter, "ds_numel", parameter.numel()))  # whole, where ZeRO-3 spreads it


def _over_all_processes(sums: torch.Tensor) -> torch.Tensor:
    if not torch.distributed.is_initialized():
        return sums
    whole = sums.to("cuda" if torch.distributed.get_backend() == "nccl" else "cpu")
    torch.distributed.all_reduce(whole)
    return whole.cpu()


def _line(entry: dict[str, Any]) -> str:
    # In this order, whichever one the Trainer's saved state gave the entry.
    names = EVALUATION if "eval_loss" in entry else STEP
    return json.dumps({name: entry[name] for name in names}, ensure_ascii=False) + "\n"
