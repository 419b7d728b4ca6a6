"""The lines that training writes while it runs."""

from dataclasses import dataclass

from core.contract.record import Count, NotNegative


@dataclass(frozen=True)
class LogLine:
    """A step (loss in nats per trained token, tokens of the step), or an evaluation after a step.

    What does not apply to a line is None and is not written.
    """

    step: Count
    loss: float | None = None
    learning_rate: float | None = None
    tokens: Count | None = None
    supervised_tokens: Count | None = None
    eval_loss: float | None = None


@dataclass(frozen=True)
class SpeedLine:
    """The speed of a step. `mfu` is None where the device's peak is not known."""

    step: Count
    seconds: NotNegative | None
    tokens_per_second: NotNegative | None
    supervised_tokens_per_second: NotNegative | None
    mfu: NotNegative | None
    memory_gb: NotNegative | None
