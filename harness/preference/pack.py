"""The pack, which the raters' server holds and which names nobody, and the key, kept elsewhere.

The pack is a pure function of the secret, the texts and the settings. The arms' names are no
argument of it, so no byte of it can depend on them; `verify` builds it again and compares.
"""

import secrets
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from harness.preference.commitment import canonical, commit, digest, fingerprint, opaque_id
from harness.preference.design import Item, Prompt, assign
from harness.preference.errors import PackError
from harness.preference.files import read_json, write_json

PACK, COMMITMENT = "pack.json", "commitment.json"
VERSION = 1


@dataclass(frozen=True)
class Settings:
    """What a study is, apart from its texts. All of it is part of the committed manifest.

    slots: how many raters at most; repeats, checks: hidden items a rater, besides the prompts;
    guesses: how many prompts are shown again at the end with the question which side is which;
    verdicts: ask whether each answer is good or bad; contact: a line for raters' questions.
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


@dataclass(frozen=True)
class Content:
    """The frozen texts: question id, category, prompt, and the two arms' answers."""

    rows: tuple[tuple[str, str, str, str, str], ...]

    def texts(self) -> dict[str, tuple[str, str]]:
        return {question: (zero, one) for question, _, _, zero, one in self.rows}


@dataclass(frozen=True)
class Key:
    """What unblinds the study. arms: names and records of arm 0 and 1; trained: which is the
    trained one; plan: the analysis, fixed beforehand; dropped: questions left out, and why."""

    secret: bytes
    content: Content
    settings: Settings
    arms: tuple[Mapping[str, Any], Mapping[str, Any]]
    trained: int
    plan: Mapping[str, Any]
    questions_sha256: str
    dropped: Mapping[str, str] = field(default_factory=dict)

    @property
    def manifest(self) -> str:
        """M: hash of all that raters see."""
        return digest({"rows": self.content.rows, "settings": asdict(self.settings)})

    @property
    def commitment(self) -> str:
        """C, which is published before the first vote."""
        identities = {
            "arms": [dict(arm) for arm in self.arms],
            "trained": self.trained,
            "questions": self.questions_sha256,
            "dropped": dict(self.dropped),
        }
        return commit(self.secret, self.manifest, digest(identities), digest(dict(self.plan)))

    def items(self) -> list[list[Item]]:
        """Every slot's items with their identities."""
        prompts = [Prompt(row[0], row[1]) for row in self.content.rows]
        try:
            return assign(
                self.secret,
                self.manifest,
                prompts,
                slots=self.settings.slots,
                repeats=self.settings.repeats,
                checks=self.settings.checks,
            )
        except ValueError as error:
            raise PackError(f"the study cannot be laid out: {error}") from None


def build_pack(
    secret: bytes,
    manifest: str,
    content: Content,
    settings: Settings,
    items: Sequence[Sequence[Item]],
    commitment: str,
) -> dict[str, Any]:
    """What the raters' server needs, as JSON. Neither names nor arms are in it."""
    texts: dict[str, str] = {}
    prompts: dict[str, str] = {}
    shown: dict[tuple[str, int], str] = {}
    for question, _, prompt, *answers in content.rows:
        prompts[opaque_id(secret, "prompt", question)] = prompt
        for arm, text in enumerate(answers):
            shown[question, arm] = opaque_id(secret, "text", question, arm)
            texts[shown[question, arm]] = text
    slots = []
    twins = []
    categories = {c: opaque_id(secret, "category", c) for _, c, *_ in content.rows}
    for row in items:
        originals = {item.question: item.id for item in row if item.kind == "main"}
        twins.append({item.id: originals[item.question] for item in row if item.kind == "repeat"})
        screens = []
        for item in row:
            if item.kind == "check":
                assert item.wrong_question is not None
                pair = [(item.question, item.arm_first), (item.wrong_question, item.arm_first)]
                if item.wrong_first:
                    pair.reverse()
            else:
                pair = [(item.question, item.arm_first), (item.question, 1 - item.arm_first)]
            screens.append(
                {
                    "id": item.id,
                    "prompt": opaque_id(secret, "prompt", item.question),
                    "block": categories[item.category],
                    "first": shown[pair[0]],
                    "second": shown[pair[1]],
                }
            )
        # By id, so that neither kind nor question shows in the order.
        slots.append(sorted(screens, key=lambda screen: screen["id"]))
    sizes = Counter(category for _, category, *_ in content.rows)
    return {
        "version": VERSION,
        "study": opaque_id(secret, "study", manifest),
        "commitment": commitment,
        "settings": asdict(settings),
        "prompts": prompts,
        "texts": texts,
        "blocks": {categories[category]: size for category, size in sizes.items()},
        "slots": slots,
        "twins": twins,
    }


def pack_of(key: Key) -> dict[str, Any]:
    """The pack that belongs to a key, derived anew."""
    return build_pack(
        key.secret, key.manifest, key.content, key.settings, key.items(), key.commitment
    )


def prepare(pack_dir: Path, key_path: Path, key: Key) -> dict[str, Any]:
    """Writes the key, the pack and the commitment; returns the commitment's file as a mapping.

    Raises PackError where a pack or key exists (nothing is ever overwritten), or where the key
    would lie inside the pack's directory.
    """
    if key_path.resolve().is_relative_to(pack_dir.resolve()):
        raise PackError(
            f"the key would lie inside the pack ({key_path}). Remedy: --key elsewhere, away from"
            " the server"
        )
    for path in (pack_dir / PACK, key_path):
        if path.exists():
            raise PackError(
                f"{path} exists already; a pack and its key are made once. Remedy: another"
                " directory"
            )
    pack = pack_of(key)
    published = {
        "study": pack["study"],
        "commitment": key.commitment,
        "fingerprint": fingerprint(key.commitment),
        "pack_sha256": digest(pack),
        "plan": dict(key.plan),
        "scheme": "SHA256(secret || M || I || P); see harness/preference/commitment.py",
    }
    write_json(key_path, key_as_json(key), secret=True)
    write_json(pack_dir / COMMITMENT, published)
    write_json(pack_dir / PACK, pack)
    return published


def read_pack(pack_dir: Path) -> dict[str, Any]:
    """The pack, checked against the hash that was published with it."""
    pack = read_json(pack_dir / PACK, PackError, "pack")
    published = read_json(pack_dir / COMMITMENT, PackError, "published commitment")
    if pack.get("version") != VERSION:
        raise PackError(
            f"{pack_dir / PACK}: version {pack.get('version')!r}, this program reads {VERSION}"
        )
    if digest(pack) != published.get("pack_sha256"):
        raise PackError(
            f"{pack_dir / PACK} was changed since it was made. Remedy: restore it; do not go on"
            " with it"
        )
    return pack


def new_secret() -> bytes:
    """32 bytes from the operating system."""
    return secrets.token_bytes(32)


def key_as_json(key: Key) -> dict[str, Any]:
    return {
        "warning": (
            "Whoever reads this file knows which answer is whose. Keep it away from the raters'"
            " server."
        ),
        "version": VERSION,
        "secret": key.secret.hex(),
        "content": [list(row) for row in key.content.rows],
        "settings": asdict(key.settings),
        "arms": [dict(arm) for arm in key.arms],
        "trained": key.trained,
        "plan": dict(key.plan),
        "questions_sha256": key.questions_sha256,
        "dropped": dict(key.dropped),
    }


def read_key(path: Path) -> Key:
    """The key. Raises PackError where it is none; whether it fits a pack is for `verify`."""
    value = read_json(path, PackError, "key")
    try:
        zero, one = value["arms"]
        return Key(
            secret=bytes.fromhex(value["secret"]),
            content=Content(
                tuple(
                    (str(q), str(c), str(p), str(a), str(b)) for q, c, p, a, b in value["content"]
                )
            ),
            settings=Settings(**value["settings"]),
            arms=(zero, one),
            trained=int(value["trained"]),
            plan=value["plan"],
            questions_sha256=value["questions_sha256"],
            dropped=value["dropped"],
        )
    except (KeyError, TypeError, ValueError) as error:
        raise PackError(f"{path}: not a key ({type(error).__name__}: {error})") from None


def same_pack(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Whether two packs are the same bytes in canonical form."""
    return canonical(one) == canonical(other)
