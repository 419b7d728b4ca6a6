"""What a finished source says of itself, for the manifest, the report and the data set's card."""

from dataclasses import dataclass

from generation.ask import Step
from generation.quality.inspection import QualityFacts


@dataclass(frozen=True)
class SourceFacts:
    """What became of a source.

    tokens_*, calls and cost_usd are of all its accepted responses, whenever they were paid; *_new
    are of this run, with calls_new counting every request sent, failed ones too. cost_usd is None
    without both prices, and 0 for the embedded teacher.
    """

    rows: int
    steps: list[Step]
    tokens_input: int
    tokens_output: int
    tokens_input_new: int
    tokens_output_new: int
    cost_usd: float | None
    calls: int
    calls_new: int
    quality: QualityFacts
