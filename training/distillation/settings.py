"""Settings of a distillation, apart from its student, its teacher and its rows."""

from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Literal, get_args

from core.arguments import check_at_least, check_one_of, require
from core.places import TypedPath
from training.settings import Train

DivergenceKind = Literal["forward", "reverse", "jsd"]
View = Literal["plain", "english", "reference", "both"]
"""What stands beside the prompt that the teacher sees."""
Start = Literal["trained", "base"]
Writer = Literal["student", "start"]
_UNKEYED = {"keyed": False}


@dataclass(frozen=True)
class Divergence:
    """A divergence of teacher and student on one token; `training.distillation.losses` computes it.

    `teacher_share` is the teacher's share in the mean distribution of `jsd`. `top_k` None: over the
    whole vocabulary; with it, all other tokens are one.
    """

    kind: DivergenceKind = "forward"
    temperature: float = 1.0
    teacher_share: float = 0.5
    top_k: int | None = None

    def __post_init__(self) -> None:
        check_one_of(self, "kind", get_args(DivergenceKind))
        above = self.temperature > 0
        require("distillation's temperature", "above 0", self.temperature, above)
        between = 0 < self.teacher_share < 1
        require("distillation's teacher_share", "between 0 and 1", self.teacher_share, between)
        check_at_least(self, 1, "top_k")


@dataclass(frozen=True)
class Weights:
    """The weight of each signal in the loss; 0 leaves it out, with all that it alone needs.

    supervised: the corpus's responses, as in fine-tuning. off_policy: the teacher's probabilities
    on these. on_policy: the teacher's probabilities on the student's own responses. sequence: from
    the student's own response to the corpus's.
    """

    supervised: float = 1.0
    off_policy: float = 1.0
    on_policy: float = 1.0
    sequence: float = 1.0

    def __post_init__(self) -> None:
        check_at_least(self, 0, "supervised", "off_policy", "on_policy", "sequence")
        total = self.supervised + self.off_policy + self.on_policy + self.sequence
        require("distillation.weights", "such that one is above 0", total, total > 0)


@dataclass(frozen=True)
class Rollouts:
    """The drawing of responses: `per_prompt` for each conversation's last answer, in every step
    whose number is a multiple of `every`, of up to `max_tokens` tokens.

    The writer is the student as it is at that step, or the frozen start, as in SPIN.
    """

    writer: Writer = "student"
    max_tokens: int = 128
    per_prompt: int = 1
    every: int = 1
    temperature: float = 1.0
    top_p: float = 1.0
    top_k: int | None = None

    def __post_init__(self) -> None:
        check_one_of(self, "writer", get_args(Writer))
        check_at_least(self, 1, "max_tokens", "per_prompt", "every", "top_k")
        check_at_least(self, 0, "temperature")
        kept = 0 < self.top_p <= 1
        require("distillation.rollouts.top_p", "above 0 and at most 1", self.top_p, kept)


@dataclass(frozen=True)
class Verbalizer:
    """The texts beside a prompt in the language that the teacher sees, for each of its signals: its
    English (`english`), the corpus's response (`reference`), or both. `wording` is the file of the
    words around them.
    """

    off_policy: View = "english"
    on_policy: View = "both"
    wording: TypedPath | None = field(default=None, metadata=_UNKEYED)  # None: ours

    def __post_init__(self) -> None:
        for name in ("off_policy", "on_policy"):
            check_one_of(self, name, get_args(View))
        if self.off_policy in ("reference", "both"):
            raise ValueError(
                f"distillation.verbalizer.off_policy={self.off_policy}: a teacher that reads the "
                "response which it scores copies it, and the signal becomes plain fine-tuning. "
                "Remedy: english or plain"
            )


@dataclass(frozen=True)
class Distillation:
    """A distillation. What is None is as in fine-tuning (`train`), as is all that is not here.

    It starts from the fine-tuned student or from the base: what an untrained student says of
    itself teaches little. Each of the `iterations` starts from the checkpoint of the one before,
    which stays frozen as what the sequence signal is measured from; `beta` is how steep that is.
    """

    name: str = field(metadata=_UNKEYED)
    start: Start = "trained"
    iterations: int = field(default=1, metadata=_UNKEYED)  # each is a stage of its own
    weights: Weights = field(default_factory=Weights)
    off_policy: Divergence = field(default_factory=lambda: Divergence("forward"))
    on_policy: Divergence = field(default_factory=lambda: Divergence("reverse"))
    beta: float = 0.1
    rollouts: Rollouts = field(default_factory=Rollouts)
    verbalizer: Verbalizer = field(default_factory=Verbalizer)
    # These take the place of the fields of `train` in the stage's key.
    steps: int | None = field(default=None, metadata=_UNKEYED)
    epochs: float | None = field(default=None, metadata=_UNKEYED)
    learning_rate: float | None = field(default=None, metadata=_UNKEYED)
    batch_size: int | None = field(default=None, metadata=_UNKEYED)

    def __post_init__(self) -> None:
        check_one_of(self, "start", get_args(Start))
        check_at_least(self, 1, "iterations", "steps", "batch_size")
        for name in ("beta", "epochs", "learning_rate"):
            value = getattr(self, name)
            fits = value is None or value > 0
            require(f"distillation.{name}", "above 0", value, fits)
        every = self.rollouts.every
        needed = "1 where nothing but drawn responses teaches"
        fits = every == 1 or not self.on_policy_alone
        require("distillation.rollouts.every", needed, every, fits)

    @property
    def asks_teacher(self) -> bool:
        """Tell whether a teacher's probabilities are asked for."""
        return self.weights.off_policy > 0 or self.weights.on_policy > 0

    @property
    def on_policy_alone(self) -> bool:
        """Tell whether the corpus's responses teach nothing."""
        given = self.weights
        return not (given.supervised or given.off_policy or given.sequence)

    @property
    def draws(self) -> bool:
        """Tell whether responses are drawn."""
        return self.weights.on_policy > 0 or self.weights.sequence > 0

    @property
    def needs_start(self) -> bool:
        """Tell whether the frozen start is needed beside the student."""
        return self.weights.sequence > 0 or (self.draws and self.rollouts.writer == "start")

    def settle(self, train: Train) -> Train:
        """Return the settings of the run's optimizer steps: `train`, and what is said here.

        Raises ValueError for what a distillation cannot do.
        """
        if train.isolation != "documents":
            raise ValueError(
                "distilled: the teacher reads each conversation by itself, and "
                f"train.isolation={train.isolation} shows the student those before it. Remedy: "
                "train.isolation=documents"
            )
        if train.deepspeed == "zero3":
            raise ValueError(
                "distilled: responses cannot be drawn from weights that zero3 spreads over the "
                "processes. Remedy: train.deepspeed=zero2, or null"
            )
        length = {"steps": self.steps, "epochs": self.epochs or train.epochs}
        if self.steps is None and self.epochs is None:
            length = {"steps": train.steps, "epochs": train.epochs}
        return replace(
            train,
            **length,  # type: ignore[arg-type]
            learning_rate=self.learning_rate or train.learning_rate,
            batch_size=self.batch_size or train.batch_size,
            keep=1,
        )


@dataclass(frozen=True)
class Lesson:
    """A distillation that is to be run, beside its start and its rows: the teacher's checkpoint
    directory, where its probabilities are asked for."""

    distillation: Distillation
    teacher: Path | None

    def as_json(self) -> dict[str, Any]:
        """Give it as plain values, which a launched process takes."""
        teacher = str(self.teacher) if self.teacher else None
        return {"distillation": asdict(self.distillation), "teacher": teacher}

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> "Lesson":
        """Make it of what `as_json` gave."""
        given = values["distillation"]
        parts: dict[str, type] = {
            "weights": Weights,
            "off_policy": Divergence,
            "on_policy": Divergence,
            "rollouts": Rollouts,
            "verbalizer": Verbalizer,
        }
        made = {name: kind(**given[name]) for name, kind in parts.items()}
        teacher = values["teacher"]
        return cls(Distillation(**{**given, **made}), Path(teacher) if teacher else None)
