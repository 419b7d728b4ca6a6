"""Settings of the teacher and the sources; the defaults are the paper's.

Nothing heavy is imported, so that the command line can build these at once.
A field marked `keyed: False` cannot change a result and stays out of an artifact's key.
"""

import re
from dataclasses import dataclass, field
from typing import Any, Literal
from urllib.parse import urlsplit

from core.arguments import check_at_least, check_between, check_one_of
from core.places import TypedPath

# What `Quality.drop` may name; see generation/quality/.
CHECKS = (
    "language",
    "duplicate",
    "near_duplicate",
    "length",
    "leaked",
    "refusal",
    "repetition",
    "unicode",
)
SOURCES = ("topic", "scenario", "context", "translated")

_UNKEYED = {"keyed": False}
_VARIABLE = re.compile("[A-Za-z_][A-Za-z0-9_]*")


def _names_user(address: str) -> bool:
    return "@" in re.split(r"[/?#\\]", address.split("://", 1)[-1])[0]


def _has_host(address: str) -> bool:
    try:
        parts = urlsplit(address)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:  # a port that is no number, a bracket that is not closed
        return False


def _check_place(place: Any) -> None:
    """Address and key variable; what was received may be a secret, so no message repeats it."""
    owner = type(place).__name__
    if place.base_url is not None and _names_user(place.base_url):
        raise ValueError(
            f"{owner}.base_url: an address without user name or password (user:password@). "
            "Remedy: put the key into an environment variable and its name into "
            f"{owner}.api_key_env"
        )
    if place.base_url is not None and not _has_host(place.base_url):
        raise ValueError(
            f"{owner}.base_url: an address such as http://HOST:8000/v1, with http:// or https:// "
            "before it, received something else"
        )
    if place.api_key_env is not None and not _VARIABLE.fullmatch(place.api_key_env):
        raise ValueError(
            f"{owner}.api_key_env: the name of an environment variable (letters, digits and _, "
            "no digit first), received something else. Remedy: export the key in a variable "
            "and give that variable's name, never the key itself"
        )


@dataclass(frozen=True)
class Endpoint:
    """One of several addresses that serve the same model, with a key of its own if need be."""

    base_url: str
    api_key_env: str | None = None

    def __post_init__(self) -> None:
        _check_place(self)


@dataclass(frozen=True)
class Batch:
    """The Batch API: `dialect` openai or together uses it, None asks online.

    A file holds at most `max_requests` and `max_bytes`; `discount` is the share of the price that
    a batch saves; `poll_s` seconds pass between questions for the state.
    """

    dialect: Literal["openai", "together"] | None = None
    max_requests: int = 50_000
    max_bytes: int = 100_000_000
    completion_window: str = "24h"
    discount: float = 0.5
    poll_s: float = 30.0

    def __post_init__(self) -> None:
        if self.dialect is not None:
            check_one_of(self, "dialect", ("openai", "together"))
        check_at_least(self, 1, "max_requests", "max_bytes")
        check_between(self, "discount", 0.0, 1.0)
        if not self.poll_s > 0:
            raise ValueError(f"Batch.poll_s: above 0, received {self.poll_s!r}")


@dataclass(frozen=True)
class Price:
    """Dollars per million tokens."""

    input: float
    output: float


@dataclass(frozen=True)
class Teacher:
    """The model that writes, behind any OpenAI-compatible endpoint, or several (`endpoints`).

    `name` is the model's name as the endpoint knows it. `api_key_env` names the environment
    variable that holds the key; the key itself is in no file, and `base_url` holds none either.
    `concurrency` is the most requests under way at one endpoint; with `adaptive` there are fewer
    while it says 429 or times out. The budgets count all that the ledger of the language records.
    `max_tokens` is of lists, the others of answers and of translated chats, reasoning included.
    `reasoning: required` counts an answer without a trace as a failure.
    `extra_body` is merged into every request and `response_extra_body` into those for final
    answers (such as reasoning_effort); a null removes a field (`{max_tokens: null,
    max_completion_tokens: 2048}`).
    """

    name: str
    kind: Literal["embedded", "openai"] = "openai"
    base_url: str | None = field(default=None, metadata=_UNKEYED)
    api_key_env: str | None = field(default=None, metadata=_UNKEYED)
    endpoints: tuple[Endpoint, ...] = field(default=(), metadata=_UNKEYED)
    concurrency: int = field(default=16, metadata=_UNKEYED)
    adaptive: bool = field(default=True, metadata=_UNKEYED)
    timeout_s: float = field(default=600.0, metadata=_UNKEYED)
    retries: int = field(default=5, metadata=_UNKEYED)
    usd_per_million_input: float | None = field(default=None, metadata=_UNKEYED)
    usd_per_million_output: float | None = field(default=None, metadata=_UNKEYED)
    budget_usd: float | None = field(default=None, metadata=_UNKEYED)
    budget_calls: int | None = field(default=None, metadata=_UNKEYED)
    batch: Batch = field(default_factory=Batch, metadata=_UNKEYED)
    temperature: float = 1.0
    max_tokens: int = 2048
    response_max_tokens: int = 4096
    translation_max_tokens: int = 4096
    # How lists are asked for: a fenced JSON array that a tolerant parser reads, or a JSON schema
    # that the server enforces.
    lists: Literal["fenced", "schema"] = "fenced"
    # Longest string that a schema allows; a very small teacher needs it to come to an end.
    schema_max_characters: int | None = None
    reasoning: Literal["optional", "required"] = "optional"
    extra_body: dict[str, Any] = field(default_factory=dict)
    response_extra_body: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not self.name:
            raise ValueError("Teacher.name: the model's name at the endpoint, received ''")
        check_one_of(self, "kind", ("embedded", "openai"))
        check_one_of(self, "lists", ("fenced", "schema"))
        check_at_least(self, 1, "concurrency", "max_tokens", "response_max_tokens")
        check_at_least(self, 1, "translation_max_tokens")
        check_at_least(self, 16, "schema_max_characters")
        check_at_least(self, 0, "retries", "temperature")
        check_at_least(self, 0, "usd_per_million_input", "usd_per_million_output")
        check_at_least(self, 0, "budget_usd", "budget_calls")
        check_one_of(self, "reasoning", ("optional", "required"))
        if self.batch.dialect and len(self.endpoints) > 1:
            raise ValueError("Teacher.batch: one endpoint, received several")
        if self.base_url is not None and self.endpoints:
            raise ValueError("Teacher: base_url or endpoints, received both")
        if not self.timeout_s > 0:
            raise ValueError(f"Teacher.timeout_s: above 0, received {self.timeout_s!r}")
        _check_place(self)

    @property
    def price(self) -> Price | None:
        """The price of tokens; None where it is not known, nothing for the embedded teacher."""
        if self.kind == "embedded":
            return Price(0.0, 0.0)
        if self.usd_per_million_input is None or self.usd_per_million_output is None:
            return None
        return Price(self.usd_per_million_input, self.usd_per_million_output)

    @property
    def places(self) -> tuple["Teacher | Endpoint", ...]:
        """Each address with its key's variable."""
        return self.endpoints or (self,)


@dataclass(frozen=True)
class Topic:
    """Counts of the topic source: seeds, macro-topics of a seed, topics of a macro-topic, prompts.

    The seeds are the first ones of the prompts file.
    """

    general_seeds: int = 8
    language_seeds: int = 8
    macro_topics: int = 20
    topics: int = 10
    prompts: int = 3

    def __post_init__(self) -> None:
        check_at_least(self, 0, "general_seeds", "language_seeds")
        check_at_least(self, 1, "macro_topics", "topics", "prompts")
        if self.general_seeds + self.language_seeds == 0:
            raise ValueError("Topic: general_seeds + language_seeds at least 1, received 0")


@dataclass(frozen=True)
class Scenario:
    """Counts of the scenario source: broad scenarios (general, of the language), detailed ones."""

    general: int = 30
    language: int = 30
    detailed: int = 30
    prompts: int = 5

    def __post_init__(self) -> None:
        check_at_least(self, 0, "general", "language")
        check_at_least(self, 1, "detailed", "prompts")
        if self.general + self.language == 0:
            raise ValueError("Scenario: general + language at least 1, received 0")


@dataclass(frozen=True)
class Context:
    """Texts of the language that prompts are asked about.

    `texts` is a UTF-8 text file, or a directory that holds `<FLORES code>.txt` or
    `<language>.txt`. If the file has a blank line, blank lines separate its texts; otherwise every
    line is a text. A `.jsonl` file has its texts under "text". Or a data set of the Hub,
    `hub:owner/name`, of which the first `scan` rows of `subset` (None: the FLORES code) are read.
    """

    # Not the path but the content of a file is part of the key: see source.input_hashes.
    texts: TypedPath | None = field(default=None, metadata=_UNKEYED)
    subset: str | None = field(default=None, metadata=_UNKEYED)
    scan: int = field(default=50_000, metadata=_UNKEYED)
    max_texts: int = 10_000
    first_tokens: int = 1_000
    prompts: int = 3

    def __post_init__(self) -> None:
        check_at_least(self, 1, "max_texts", "first_tokens", "prompts", "scan")


@dataclass(frozen=True)
class Translated:
    """English chats to translate: `conversations` is a JSONL file, one chat an object, or a data
    set of the Hub, `hub:owner/name`, of which `scan` rows of `subset` are read: the first ones, or
    with `spread` a sample of all.

    Ratios are translated / original tokens of a turn; `max_input_tokens` is of a whole chat.
    """

    conversations: TypedPath | None = field(default=None, metadata=_UNKEYED)
    subset: str | None = field(default=None, metadata=_UNKEYED)
    scan: int = field(default=200_000, metadata=_UNKEYED)
    spread: bool = field(default=False, metadata=_UNKEYED)
    max_conversations: int = 15_000
    max_input_tokens: int = 2_048
    min_ratio: float = 0.75
    max_ratio: float = 25.0

    def __post_init__(self) -> None:
        check_at_least(self, 1, "max_conversations", "max_input_tokens", "scan")
        check_at_least(self, 0, "min_ratio")
        check_at_least(self, self.min_ratio, "max_ratio")


@dataclass(frozen=True)
class Quality:
    """Sets what is looked for in finished rows. All of it is reported; `drop` names what is left
    out.

    The checks: `language` (the answer is in another language; undetermined is none),
    `duplicate` and `near_duplicate` (of an earlier row's instruction, Jaccard of character
    5-grams), `length` (characters of answer / instruction), `leaked` (our own instructions in the
    row), `refusal`, `repetition`, `unicode`. `identifier` is cld2, heliport or the path of a
    fastText model. The paper drops nothing here: an answer to a request for a translation is
    rightly in another language.
    """

    drop: tuple[str, ...] = ()
    identifier: TypedPath = "cld2"
    near_duplicate: float = 0.8
    min_length_ratio: float = 0.01
    max_length_ratio: float = 100.0

    def __post_init__(self) -> None:
        for name in self.drop:
            if name not in CHECKS:
                raise ValueError(f"Quality.drop: any of {', '.join(CHECKS)}; received {name!r}")
        check_between(self, "near_duplicate", 0.1, 1.0)
        check_at_least(self, 0, "min_length_ratio")
        check_at_least(self, self.min_length_ratio, "max_length_ratio")


@dataclass(frozen=True)
class Own:
    """A source of the user's own: `kind` chat is JSONL files of {"messages": [...]}, parallel is
    text in two languages, as one tab-separated file or as two files whose lines belong together.

    Chats may be as other trainers write them (`generation.chats`): roles human and gpt, turns in
    `conversations` as from and value, texts as parts, the system prompt as a field. Answers with
    `weight: 0` (`train: false`, ...) are context and not trained. The reasoning of a chat's last
    answer is in `reasoning` (reasoning_content, thinking) of the row or of the turn, or before the
    answer between its marks; that of earlier answers is left out. It is trained where
    `mix.reasoning` says so. Rows with calls of tools, media or a template's tokens are lost.

    Of parallel text the first column or file is in `other`, an English name with `other_code` its
    FLORES code, and the second in the language. Lines are taken as they stand: quotation marks are
    text, and so is a header line, which has to be removed. Each pair becomes a request to translate
    `into` the language, `from` it, or one of each (`both`); it is worded by one of `prompts`, in
    which {source}, {target} and {text} stand for the languages and the text.

    `max_rows` is a seeded sample of the rows, of which a larger one contains the smaller. `origin`
    says in the data set's card where the text is from and under which licence. Duplicates are rows
    of which all is the same; `sources.quality` compares what is asked, the text to translate or all
    that the user says.
    """

    kind: Literal["chat", "parallel"]
    files: tuple[TypedPath, ...] = field(metadata=_UNKEYED)  # their content is part of the key
    direction: Literal["into", "from", "both"] = "into"
    other: str = "English"
    other_code: str | None = "eng_Latn"
    prompts: tuple[str, ...] = (
        "Translate this text from {source} to {target}.\n\n{text}",
        "{source}: {text}\n\nWhat is this in {target}?",
        "How do you say this in {target}?\n\n{text}",
    )
    max_rows: int | None = None
    origin: str = field(default="", metadata=_UNKEYED)

    def __post_init__(self) -> None:
        check_one_of(self, "kind", ("chat", "parallel"))
        check_one_of(self, "direction", ("into", "from", "both"))
        check_at_least(self, 1, "max_rows")
        most = 2 if self.kind == "parallel" else len(self.files)
        if not 1 <= len(self.files) <= most:
            allowed = "one or two" if self.kind == "parallel" else "at least one"
            raise ValueError(f"Own.files: {allowed}, received {len(self.files)}")
        for prompt in self.prompts:
            if "{text}" not in prompt:
                raise ValueError(f"Own.prompts: each holds {{text}}, received {prompt!r}")
        if not self.prompts:
            raise ValueError("Own.prompts: at least one, received none")


@dataclass(frozen=True)
class Sources:
    """The four sources, and the user's `own` by name; `revised_share` of the prompts of the first
    three are made harder."""

    topic: Topic = field(default_factory=Topic)
    scenario: Scenario = field(default_factory=Scenario)
    context: Context = field(default_factory=Context)
    translated: Translated = field(default_factory=Translated)
    revised_share: float = 0.5
    quality: Quality = field(default_factory=Quality)
    own: dict[str, Own] = field(default_factory=dict)

    def __post_init__(self) -> None:
        check_between(self, "revised_share", 0.0, 1.0)
        for name in self.own:
            if name in SOURCES or not _VARIABLE.fullmatch(name):
                raise ValueError(
                    f"Sources.own: a name of letters, digits and _ that is none of "
                    f"{', '.join(SOURCES)}; received {name!r}"
                )
