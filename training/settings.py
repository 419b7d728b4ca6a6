"""What a training run is, apart from its student and its rows."""

from dataclasses import dataclass, field
from typing import Literal, get_args

Precision = Literal["bf16", "fp32"]
PrecisionSetting = Literal["auto", "bf16", "fp32"]
Schedule = Literal["cosine", "linear", "constant"]


@dataclass(frozen=True)
class Train:
    """Full fine-tuning with AdamW. The defaults are the paper's where it gives a value.

    Lengths are in tokens of the student, `warmup` is a fraction of the steps, and `batch_size`
    counts sequences. The paper packs 8 sequences of 8,000 tokens into a step, 64,000 tokens;
    without packing, 64 rows come nearest to that.

    `precision` "auto" depends on the machine, so a caller that keys results by these settings
    puts the resolved one in its place first (training.precision).
    """

    name: str = field(metadata={"keyed": False})
    steps: int | None = None  # None: as many as `epochs` asks for
    epochs: float = 1.0  # read only where `steps` is None
    learning_rate: float = 1e-5
    schedule: Schedule = "cosine"
    warmup: float = 0.05
    batch_size: int = 64
    micro_batch: int = 1  # sequences computed at once; memory grows with it
    max_length: int = 8000  # longer rows are dropped and counted, never cut
    weight_decay: float = 0.0
    max_grad_norm: float = 1.0
    precision: PrecisionSetting = "auto"
    # A continued run ends with the same weights wherever it was interrupted.
    save_every: int = field(default=100, metadata={"keyed": False})
    # None: torch's own choice. The order of floating-point sums can differ in the last bit.
    threads: int | None = field(default=None, metadata={"keyed": False})

    def __post_init__(self) -> None:
        _require("steps", "None or at least 1", self.steps, self.steps is None or self.steps >= 1)
        _require("epochs", "above 0", self.epochs, self.epochs > 0)
        _require("learning_rate", "above 0", self.learning_rate, self.learning_rate > 0)
        _require("schedule", get_args(Schedule), self.schedule, self.schedule in get_args(Schedule))
        _require("warmup", "from 0 to below 1", self.warmup, 0 <= self.warmup < 1)
        _require("batch_size", "at least 1", self.batch_size, self.batch_size >= 1)
        _require(
            "micro_batch",
            f"a divisor of batch_size ({self.batch_size})",
            self.micro_batch,
            self.micro_batch >= 1 and self.batch_size % self.micro_batch == 0,
        )
        _require("max_length", "at least 2", self.max_length, self.max_length >= 2)
        _require("weight_decay", "at least 0", self.weight_decay, self.weight_decay >= 0)
        _require("max_grad_norm", "above 0", self.max_grad_norm, self.max_grad_norm > 0)
        allowed = get_args(PrecisionSetting)
        _require("precision", allowed, self.precision, self.precision in allowed)
        _require("save_every", "at least 1", self.save_every, self.save_every >= 1)
        threads_fit = self.threads is None or self.threads >= 1
        _require("threads", "None or at least 1", self.threads, threads_fit)


def _require(name: str, allowed: object, received: object, holds: bool) -> None:
    if not holds:
        raise ValueError(f"train.{name} must be {allowed}; received {received!r}")
