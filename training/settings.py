"""Settings of a training run, apart from its student and its rows."""

from dataclasses import dataclass, field
from typing import Literal, get_args

from core.arguments import require

Precision = Literal["bf16", "fp32"]
PrecisionSetting = Literal["auto", "bf16", "fp32"]
Schedule = Literal["cosine", "linear", "constant"]
Attention = Literal["auto", "eager", "sdpa", "varlen", "flash_attention_2"]
DeepSpeed = Literal["zero2", "zero3"]
Tracker = Literal["trackio", "wandb"]
_UNKEYED = {"keyed": False}


@dataclass(frozen=True)
class Lora:
    """Low-rank adapters on every linear layer but the output (arXiv 2106.09685); `rank` 0: none.

    They are merged into the weights at the end, so that the checkpoint is as complete as any.
    """

    rank: int = 0
    alpha: int = 32
    dropout: float = 0.0

    def __post_init__(self) -> None:
        require("train.lora.rank", "at least 0", self.rank, self.rank >= 0)
        require("train.lora.alpha", "at least 1", self.alpha, self.alpha >= 1)
        require("train.lora.dropout", "from 0 to below 1", self.dropout, 0 <= self.dropout < 1)


@dataclass(frozen=True)
class DataSettings:
    """The part of `Train` that decides what tokens, labels and packed rows the trainer is given."""

    max_length: int
    packing: bool
    overlong: Literal["drop", "truncate"]
    train_newline: bool
    validation: float


@dataclass(frozen=True)
class Train:
    """Fine-tuning with AdamW. The defaults are the paper's where it gives a value.

    Lengths are in tokens of the student, `warmup` is a fraction of the steps, and `batch_size`
    counts rows of a step over all processes: packed ones of up to `max_length` tokens, or one
    conversation each without `packing`. The paper packs 8 rows of 8,000 tokens into a step.

    `isolation: documents` lets no conversation see another of its packed row; `none` is what
    LLaMA-Factory's `packing: true` does. `precision` "auto" depends on the machine, so a caller
    that keys results by these settings puts the resolved one in its place first
    (training.precision).

    `keep` checkpoints, evenly spaced over the run, are kept; 1 is the last alone. They cost their
    weights in bf16 each, and change nothing of the last one. `average` is over how many of the last
    of them their mean is taken, where it is asked for (harness.producers.averaged).

    `seed` moves the training alone: another `seed` of the experiment draws other data too.

    With `processes` above 1, or `deepspeed`, torchrun starts the run, in a job of SLURM on all of
    its nodes; `launcher` replaces its command, such as ["torchrun", "--nnodes=2", ...].
    """

    name: str = field(metadata=_UNKEYED)
    # Of the order of the rows and of what starts at random; None: that of the experiment. The
    # stage's key holds the one that counts.
    seed: int | None = field(default=None, metadata=_UNKEYED)
    steps: int | None = None  # None: as many as `epochs` asks for
    epochs: float = 1.0  # read only where `steps` is None
    learning_rate: float = 1e-5
    schedule: Schedule = "cosine"
    warmup: float = 0.05
    batch_size: int = 8
    micro_batch: int = field(default=1, metadata=_UNKEYED)  # computed at once; memory grows with it
    max_length: int = 8000
    packing: bool = True
    isolation: Literal["documents", "none"] = "documents"
    overlong: Literal["drop", "truncate"] = "drop"  # longer conversations, counted either way
    train_newline: bool = False  # what a template puts behind the end of an answer
    validation: float = 0.02  # share of the rows
    evaluations: int = 5  # over the run, where there are validation rows
    weight_decay: float = 0.0
    max_grad_norm: float = 1.0
    precision: PrecisionSetting = "auto"
    attention: Attention = "auto"  # auto: the best here for the student (training.attention)
    gradient_checkpointing: bool = field(default=False, metadata=_UNKEYED)
    lora: Lora = field(default_factory=Lora)
    processes: int = field(default=1, metadata=_UNKEYED)  # of all nodes together
    deepspeed: DeepSpeed | None = field(default=None, metadata=_UNKEYED)
    launcher: tuple[str, ...] = field(default=(), metadata=_UNKEYED)
    # A continued run ends with the same weights wherever it was interrupted.
    save_every: int = field(default=100, metadata=_UNKEYED)
    keep: int = field(default=1, metadata={"since": "0.2", "before": 1})
    average: int = field(default=3, metadata=_UNKEYED)  # it has a stage of its own
    # None: torch's own choice. The order of floating-point sums can differ in the last bit.
    threads: int | None = field(default=None, metadata=_UNKEYED)
    tracker: Tracker | None = field(default=None, metadata=_UNKEYED)

    def __post_init__(self) -> None:
        steps_fit = self.steps is None or self.steps >= 1
        require("train.steps", "None or at least 1", self.steps, steps_fit)
        require("train.epochs", "above 0", self.epochs, self.epochs > 0)
        require("train.learning_rate", "above 0", self.learning_rate, self.learning_rate > 0)
        require("train.warmup", "from 0 to below 1", self.warmup, 0 <= self.warmup < 1)
        require("train.max_length", "at least 2", self.max_length, self.max_length >= 2)
        require("train.validation", "from 0 to 0.5", self.validation, 0 <= self.validation <= 0.5)
        require("train.weight_decay", "at least 0", self.weight_decay, self.weight_decay >= 0)
        require("train.max_grad_norm", "above 0", self.max_grad_norm, self.max_grad_norm > 0)
        for name in ("batch_size", "processes", "save_every", "micro_batch", "evaluations", "keep"):
            require(f"train.{name}", "at least 1", getattr(self, name), getattr(self, name) >= 1)
        at_once = self.micro_batch * self.processes
        require(
            "train.micro_batch" if self.processes == 1 else "train.processes",
            f"such that micro_batch x processes ({at_once}) divides batch_size ({self.batch_size})",
            self.micro_batch if self.processes == 1 else self.processes,
            self.batch_size % at_once == 0,
        )
        require("train.average", "at least 2", self.average, self.average >= 2)
        choices: dict[str, tuple[object, ...]] = {
            "schedule": get_args(Schedule),
            "precision": get_args(PrecisionSetting),
            "attention": get_args(Attention),
            "isolation": ("documents", "none"),
            "overlong": ("drop", "truncate"),
            "deepspeed": (*get_args(DeepSpeed), None),
            "tracker": (*get_args(Tracker), None),
        }
        for name, allowed in choices.items():
            require(f"train.{name}", allowed, getattr(self, name), getattr(self, name) in allowed)
        threads_fit = self.threads is None or self.threads >= 1
        require("train.threads", "None or at least 1", self.threads, threads_fit)
        if self.lora.rank and self.deepspeed == "zero3":
            raise ValueError(
                "train.lora merges adapters into whole weights, which zero3 spreads over the "
                "processes; with train.lora.rank above 0, train.deepspeed must be zero2 or null"
            )
        if self.lora.rank and self.deepspeed and self.keep > 1:
            raise ValueError(
                "train.keep merges a copy of the adapters' model, of which DeepSpeed allows none; "
                "with train.lora.rank above 0 and train.keep above 1, train.deepspeed must be null"
            )

    @property
    def data(self) -> DataSettings:
        return DataSettings(
            self.max_length, self.packing, self.overlong, self.train_newline, self.validation
        )

    @property
    def launched(self) -> bool:
        """Tell whether the run is made by processes of its own."""
        return self.processes > 1 or self.deepspeed is not None or bool(self.launcher)
