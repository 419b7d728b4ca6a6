"""The key of a study: the texts and whose they are, the settings, the plan, and the secret.

It stays away from the raters' server until the study is closed. Everything else of a study, but the
votes, is derived from it.
"""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from functools import cached_property
from pathlib import Path
from typing import Any

from preference.commitment import commit, derive_bytes, flip_coin, hash_canonical, make_opaque_id
from preference.design import AnswerText, RaterItem, StudyPrompt, assign
from preference.errors import PackError
from preference.files import read_json

VERSION = 2
# In the metadata of a setting: studies were prepared before there was such a setting.
LATER = "later"


@dataclass(frozen=True)
class Settings:
    """Settings of a study, apart from its texts. All of it is part of the committed manifest.

    slots: how many raters at most; repeats, checks: hidden items a rater, besides the prompts;
    guesses: how many prompts are shown again at the end with the question which side is which;
    verdicts: ask whether each answer is good or bad; contact: a line for raters' questions;
    consent: the study's own words before ours on what is kept, in Markdown; practice: two examples
    before the first question; part: how many prompts each pair of raters gets, 0 for all.
    """

    title: str
    language: Mapping[str, str | None]
    messages: Mapping[str, str]
    messages_direction: str = "ltr"
    messages_tag: str = "en"
    slots: int = 2
    repeats: int = 8
    checks: int = 3
    guesses: int = 4
    verdicts: bool = False
    comments: bool = True
    contact: str = ""
    consent: str = field(default="", metadata={LATER: True})
    practice: bool = field(default=False, metadata={LATER: True})
    part: int = field(default=0, metadata={LATER: True})

    def as_record(self) -> dict[str, Any]:
        """All settings as JSON, for the manifest, pack and key. One that was added later
        (`LATER`) is left out while it has its default, so that older studies keep their hashes."""
        record = asdict(self)
        for later in fields(self):
            if later.metadata.get(LATER) and record[later.name] == later.default:
                del record[later.name]
        return record


@dataclass(frozen=True)
class Content:
    """The frozen texts: question id, category, prompt, and the two arms' answers."""

    rows: tuple[tuple[str, str, str, str, str], ...]


def find_first_arm(secret: bytes, question: str, texts: Sequence[str]) -> int:
    """The arm (0 or 1) whose answer is text 0 of its question.

    texts: the answers of arm 0 and arm 1. The order of two texts is theirs and the secret's, and
    stays when the arms exchange them; the two may be alike.
    """
    zero, one = (derive_bytes(secret, "text-order", question, text) for text in texts)
    return int(flip_coin(secret, "alike", question)) if zero == one else int(one < zero)


@dataclass(frozen=True)
class Key:
    """Holds what unblinds the study. arms: names and records of arm 0 and 1; trained: which is the
    trained one; plan: the analysis, fixed beforehand; dropped: questions left out, and why."""

    secret: bytes
    content: Content
    settings: Settings
    arms: tuple[Mapping[str, Any], Mapping[str, Any]]
    trained: int
    plan: Mapping[str, Any]
    questions_sha256: str
    dropped: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def shown(self) -> Content:
        """The texts as the pack knows them: text 0 and text 1 in place of arm 0's and arm 1's."""
        return Content(
            tuple(
                (q, c, p, zero, one) if self.first_arms[q] == 0 else (q, c, p, one, zero)
                for q, c, p, zero, one in self.content.rows
            )
        )

    @cached_property
    def first_arms(self) -> Mapping[str, int]:
        """Question -> the arm whose answer is text 0."""
        return {q: find_first_arm(self.secret, q, texts) for q, _, _, *texts in self.content.rows}

    @property
    def manifest(self) -> str:
        """M: hash of all that raters see."""
        return hash_canonical({"rows": self.shown.rows, "settings": self.settings.as_record()})

    @property
    def commitment(self) -> str:
        """C, which is published before the first vote."""
        identities = {
            "rows": self.content.rows,
            "arms": [dict(arm) for arm in self.arms],
            "trained": self.trained,
            "questions": self.questions_sha256,
            "dropped": dict(self.dropped),
        }
        return commit(
            self.secret, self.manifest, hash_canonical(identities), hash_canonical(dict(self.plan))
        )

    def map_texts(self) -> dict[str, tuple[str, int]]:
        """Id of a text in the pack -> its question, and the arm that gave it."""
        return {
            make_text_id(self.secret, AnswerText(question, number)): (question, number ^ arm)
            for question, arm in self.first_arms.items()
            for number in (0, 1)
        }

    def list_items(self) -> list[list[RaterItem]]:
        """Every slot's items with their identities."""
        prompts = [StudyPrompt(row[0], row[1]) for row in self.content.rows]
        try:
            return assign(
                self.secret,
                self.manifest,
                prompts,
                slots=self.settings.slots,
                repeats=self.settings.repeats,
                checks=self.settings.checks,
                part=self.settings.part,
            )
        except ValueError as error:
            raise PackError(f"the study cannot be laid out: {error}") from None


def make_text_id(secret: bytes, text: AnswerText) -> str:
    """Name a text as the pack does."""
    return make_opaque_id(secret, "text", text.question, text.number)


def make_secret() -> bytes:
    """32 bytes from the operating system."""
    return secrets.token_bytes(32)


def write_key_json(key: Key) -> dict[str, Any]:
    return {
        "warning": (
            "Whoever reads this file knows which answer is whose. Keep it away from the raters'"
            " server."
        ),
        "version": VERSION,
        "secret": key.secret.hex(),
        "content": [list(row) for row in key.content.rows],
        "settings": key.settings.as_record(),
        "arms": [dict(arm) for arm in key.arms],
        "trained": key.trained,
        "plan": dict(key.plan),
        "questions_sha256": key.questions_sha256,
        "dropped": dict(key.dropped),
    }


def read_key(path: Path) -> Key:
    """The key. Raises PackError where it is none; whether it fits a pack is for `verify`."""
    value = read_json(path, PackError, "key")
    check_version(path, value, "key")
    try:
        zero, one = ({"name": str(arm["name"]), **arm} for arm in value["arms"])
        return Key(
            secret=bytes.fromhex(value["secret"]),
            content=Content(
                tuple(
                    (str(q), str(c), str(p), str(a), str(b)) for q, c, p, a, b in value["content"]
                )
            ),
            settings=_read_settings(value["settings"]),
            arms=(zero, one),
            trained=int(value["trained"]),
            plan=dict(value["plan"]),
            questions_sha256=value["questions_sha256"],
            dropped=dict(value["dropped"]),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise PackError(f"{path}: not a key ({type(error).__name__}: {error})") from None


def _read_settings(value: Mapping[str, Any]) -> Settings:
    """Settings from JSON. Raises TypeError for a value of another type than the setting has."""
    settings = Settings(**value)
    plain = Settings(title="", language={}, messages={})
    for name, there in asdict(settings).items():
        wanted = type(getattr(plain, name))
        if type(there) is not wanted:
            raise TypeError(f"{name} is {type(there).__name__}, not {wanted.__name__}")
    return settings


def check_version(path: Path, value: Mapping[str, Any], what: str) -> None:
    """Raises PackError for a pack or a key that another version of this program made."""
    version = value.get("version")
    if version == VERSION:
        return
    why = (
        "an earlier version of this program made it, whose layout let whoever holds the pack work"
        " out which answer is whose. Remedy: prepare the study anew; one that is under way can only"
        " be finished, unblinded and verified with the version that made it"
        if version == 1
        else "Remedy: the version of this program that made it"
    )
    raise PackError(f"{path}: {what} of version {version!r}, this program reads {VERSION}; {why}")
