"""The facts that each stage records of its result, by stage.

Fields that may be None are not known, or were not recorded by an older version; each docstring says
where None has a meaning of its own.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from core.contract.manifest import Manifest
from core.contract.record import Count, NotNegative, Positive, Share, Unreadable, read_record
from core.contract.score import Engine


@dataclass(frozen=True)
class Facts:
    """Facts of a stage that says nothing of its result."""


F = TypeVar("F", bound=Facts)


@dataclass(frozen=True)
class CheckpointFacts(Facts):
    """Facts of a checkpoint that is used as it is. `path` is where it lies; None where it is in the
    artifact itself."""

    path: str | None = None


@dataclass(frozen=True)
class CorpusFacts(Facts):
    """Facts of the rows of a data set of the Hub: where they are from, and how many there are.
    `spread`: they are a sample of all rows; else the first ones."""

    rows: Count
    repository: str
    commit: str
    subset: str | None
    folder: bool = False
    spread: bool = False


@dataclass(frozen=True)
class StepFacts:
    """The yield of one step of a source.

    asked, answered and parsed count requests: all of the step, those with an accepted response,
    and those whose response finished and could be read. kept counts what the step hands on (lists
    give several). reasons counts what was lost, requests and items alike. Tokens and dollars are
    of the answered requests, whenever they were paid; cost_usd is None where a price is missing.
    """

    step: str
    asked: Count | None
    answered: Count | None
    parsed: Count | None
    kept: Count | None
    reasons: Mapping[str, int]
    tokens_input: Count | None
    tokens_output: Count | None
    cost_usd: NotNegative | None


@dataclass(frozen=True)
class QualityFacts:
    """Faults found in the rows of a source, before any row was left out.

    `flags` and `dropped` count rows by check; a row may have several flags, and is dropped for the
    first. `languages` counts the answers by the language that was identified ("undetermined" where
    none was); in_language, other_language and undetermined_language count them against the wanted
    one, by the identifier that is named.
    """

    rows: Count
    identifier: str | None
    in_language: Count
    other_language: Count
    undetermined_language: Count
    languages: Mapping[str, int]
    flags: Mapping[str, int]
    dropped: Mapping[str, int]


@dataclass(frozen=True)
class SourceFacts(Facts):
    """The yield of a source, and the reasons for which rows were left out.

    tokens_*, calls and cost_usd are of all its accepted responses, whenever they were paid; *_new
    are of this run, with calls_new counting every request sent, failed ones too. cost_usd is None
    without both prices, and 0 for the embedded teacher.
    """

    rows: Count
    steps: tuple[StepFacts, ...]
    tokens_input: Count
    tokens_output: Count
    tokens_input_new: Count | None
    tokens_output_new: Count | None
    cost_usd: NotNegative | None
    calls: Count | None
    calls_new: Count | None
    quality: QualityFacts


@dataclass(frozen=True)
class MixedSource:
    """A source's line in the table of a mixture.

    `available` are its rows, of which `excluded` were named in a file and of `untrainable` the
    trainer takes nothing; `share` and `token_share` are of the mixture, 0-1; `tokens` are those
    that the trainer takes, `characters` those of the messages; `fertility` is tokens per
    word between white space of the messages, None without a word.
    """

    source: str
    weight: NotNegative
    available: Count
    excluded: Count | None
    untrainable: Count | None
    rows: Count
    share: Share
    tokens: Count | None
    token_share: Share | None
    characters: Count
    fertility: NotNegative | None


@dataclass(frozen=True)
class MixtureFacts(Facts):
    """Rows and tokens of the mixture, its budget in `unit` (None: no limit), and one line for each
    source with a weight. `reasoning` are rows that are trained with a reasoning trace; `unit` is
    tokens, examples, or "tokens without reasoning"."""

    rows: Count
    reasoning: Count | None
    tokens: Count | None
    unit: str | None
    budget: Count | None
    table: tuple[MixedSource, ...]


@dataclass(frozen=True)
class ContaminationFacts(Facts):
    """Rows looked at, rows that hold a benchmark's text, and both kinds of finding by benchmark and
    language: `contamination` counts rows. `too_short` counts items that are too short to tell.
    `unchecked` gives the reason for each benchmark that was not looked for."""

    rows: Count
    contaminated_rows: Count
    items: Count
    found_items: Count
    too_short: Count
    contamination: Mapping[str, int]
    unchecked: Mapping[str, str]


@dataclass(frozen=True)
class TakenFacts:
    """The fate of a source's rows in packing. Over the length, they were `dropped`, or
    `truncated`: cut, or left without the answers that were too far down. Rows with
    `control_tokens` held a special token as text, and were left out."""

    rows: Count
    dropped: Count
    control_tokens: Count | None
    truncated: Count
    tokens: Count
    supervised_tokens: Count


@dataclass(frozen=True)
class PackedFacts(Facts):
    """The fate of all rows in packing, and counts of the packed ones, `packs`. `fill` is the
    share of the training ones' room that tokens take, 0-1."""

    rows: Count
    dropped: Count
    control_tokens: Count | None
    truncated: Count
    tokens: Count
    supervised_tokens: Count
    packs: Count
    validation_rows: Count
    validation_packs: Count
    max_length: Count
    fill: Share
    sources: Mapping[str, TakenFacts]


@dataclass(frozen=True)
class TuningFacts(Facts):
    """The course of a training run. Losses are means per trained token, in nats, of the first
    and last step; `eval_loss` is None without validation rows.

    Speeds are of the steps of the process that ended the run, over all processes; `mfu`, 0-1, is
    None where the device's peak is not known; `probe` is how much packed and separate logits differ
    (see training.probe), None where no row has several documents or they see each other on purpose.
    """

    steps: Count
    tokens: Count  # computed over the run, without padding
    supervised_tokens: Count  # of these, trained
    loss_first: float
    loss_last: float
    eval_loss: float | None
    tokens_per_second: NotNegative | None
    supervised_tokens_per_second: NotNegative | None
    mfu: NotNegative | None
    memory_gb: NotNegative | None  # of the first process
    precision: str
    attention: str | None
    parameters: Count
    trained_parameters: Count | None
    processes: Count | None
    probe: NotNegative | None
    device: str | None  # "cpu", or the name of the first process's GPU


@dataclass(frozen=True)
class TrainFacts(TuningFacts):
    """A training run, and what was packed for it."""

    rows: Count
    truncated: Count | None
    packs: Count | None
    fill: Share | None
    validation_rows: Count | None


@dataclass(frozen=True)
class GuidedFacts(Facts):
    """Packed rows with the teacher's texts beside them. Left out of `packed`, and not among its
    dropped, are `unaligned` rows, of which the teacher's chat template makes other answer tokens,
    and those that are `too_long` for the teacher. `views` counts the rows by signal, and by what
    the teacher sees there beside the prompt."""

    packed: PackedFacts
    unaligned: Count
    too_long: Count
    views: Mapping[str, Mapping[str, int]]


@dataclass(frozen=True)
class DistilledFacts(TrainFacts):
    """A distillation: its training run, and the responses that were drawn for it. Losses are those
    of the weighted sum; `signals` has each signal's own, of the last step that has it, in nats.

    `rollout_tokens` is None where none were drawn, and `rollouts_ended` counts the responses that
    ended by themselves.
    """

    signals: Mapping[str, float]
    rollouts: Count
    rollouts_ended: Count
    rollout_tokens: Count | None
    guided: GuidedFacts | None  # None without a teacher's probabilities


@dataclass(frozen=True)
class KeptFacts(Facts):
    """A checkpoint on the way of a training run: behind `step` of its `steps`."""

    step: Count
    steps: Count


@dataclass(frozen=True)
class AverageFacts(Facts):
    """The mean of a training run's checkpoints: behind which of its steps each is."""

    averaged_steps: tuple[Count, ...]


@dataclass(frozen=True)
class TextFacts(Facts):
    """Bits per byte of UTF-8 of a checkpoint on a text: how well it foresees it.
    ``documents.jsonl`` beside it has each document.

    `name` is of the text, of which `sha256` is over all documents, and `repository` and `revision`
    are of what the Hub gave. `tokens` are the checkpoint's; `window` is the number of them that it
    reads at once.
    """

    name: str
    sha256: str
    repository: str | None
    revision: str | None
    documents: Positive
    bytes: Positive
    tokens: Count
    bits_per_byte: NotNegative
    window: Positive
    engine: Engine
    english: bool = False
    """Whether it is in English, to tell what was forgotten, and not in the language."""
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class DocumentNats:
    """A line of ``documents.jsonl``: `nats` is the negative log-probability of a document."""

    id: str
    bytes: Positive
    tokens: Count
    nats: NotNegative


FACTS: Mapping[str, type[Facts]] = {
    "base": CheckpointFacts,
    "corpus": CorpusFacts,
    "source": SourceFacts,
    "mixture": MixtureFacts,
    "contamination": ContaminationFacts,
    "packed": PackedFacts,
    "train": TrainFacts,
    "guided": GuidedFacts,
    "distill": DistilledFacts,
    "step": KeptFacts,
    "average": AverageFacts,
    "text": TextFacts,
}
"""By stage. A score's facts are those of its own file, which is what is read."""


def extract_facts(manifest: Manifest, kind: type[F]) -> F:
    """Returns the facts of an artifact; Unreadable names the field that is wrong."""
    return _read(kind, manifest.facts)


def extract_any_facts(manifest: Manifest) -> Facts:
    """Returns the facts of an artifact as its stage has them; Unreadable names the field that is
    wrong."""
    return _read(FACTS.get(manifest.stage, Facts), manifest.facts)


def _read(kind: type[F], facts: Mapping[str, Any]) -> F:
    try:
        return read_record(kind, facts)
    except Unreadable as error:
        raise Unreadable(f"facts.{error}", error.remedy) from None
