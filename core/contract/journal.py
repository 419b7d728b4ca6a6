"""The lines that training writes while it runs."""

from dataclasses import dataclass

from core.contract.record import Count, NotNegative


@dataclass(frozen=True)
class LogLine:
    """A step (loss in nats per trained token, tokens of the step), or an evaluation after a step.

    A distillation's `loss` is the weighted sum of its signals, each of which has its own loss: of
    the corpus's responses and of the teacher's probabilities on them, nats a trained token; of
    those on the drawn responses, nats a token of these; of the sequences, nats a pair. `rollouts`
    counts the drawn responses, and `rollouts_ended` those that ended by themselves.

    What does not apply to a line is None and is not written.
    """

    step: Count
    loss: float | None = None
    learning_rate: float | None = None
    tokens: Count | None = None
    supervised_tokens: Count | None = None
    eval_loss: float | None = None
    supervised: float | None = None
    off_policy: float | None = None
    on_policy: float | None = None
    sequence: float | None = None
    rollouts: Count | None = None
    rollouts_ended: Count | None = None
    rollout_tokens: Count | None = None


@dataclass(frozen=True)
class SpeedLine:
    """The speed of a step. `mfu` is None where the device's peak is not known, and in a
    distillation, which spends seconds on drawing responses and on the frozen models, too."""

    step: Count
    seconds: NotNegative | None
    tokens_per_second: NotNegative | None
    supervised_tokens_per_second: NotNegative | None
    mfu: NotNegative | None
    memory_gb: NotNegative | None
    rollout_seconds: NotNegative | None = None
    frozen_seconds: NotNegative | None = None
