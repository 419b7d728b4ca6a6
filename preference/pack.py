"""The pack, which the raters' server holds and which names nobody, and the key, kept elsewhere.

The pack is a pure function of the secret, the settings and each question's two texts, which come to
it in an order that says nothing of arms. Neither the arms' names nor which text is whose are
arguments of it, so no byte of it can depend on them but the commitment, which binds and hides both;
`verify` builds it again and compares.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from preference.commitment import hash_canonical, make_fingerprint, make_opaque_id
from preference.design import AnswerText, RaterItem, assign_stretches
from preference.errors import PackError
from preference.files import read_json, write_json
from preference.key import (
    VERSION,
    Content,
    Key,
    Settings,
    check_version,
    make_text_id,
    write_key_json,
)
from preference.rule import StoppingRule, find_rule, hash_word, make_word

PACK, COMMITMENT = "pack.json", "commitment.json"


def build_pack(
    secret: bytes,
    manifest: str,
    shown: Content,
    settings: Settings,
    items: Sequence[Sequence[RaterItem]],
    commitment: str,
    rule: StoppingRule | None = None,
) -> dict[str, Any]:
    """Make what the raters' server needs, as JSON. shown: the texts in their own order, see
    `Key.shown`. rule: the plan's, or None. Neither names nor arms are in it.
    """
    texts: dict[str, str] = {}
    prompts: dict[str, str] = {}
    blocks: dict[str, list[str]] = defaultdict(list)
    for question, category, prompt, *answers in shown.rows:
        prompt_id = make_opaque_id(secret, "prompt", question)
        prompts[prompt_id] = prompt
        blocks[make_opaque_id(secret, "category", category)].append(prompt_id)
        for number, text in enumerate(answers):
            texts[make_text_id(secret, AnswerText(question, number))] = text
    slots = []
    twins = []
    for row in items:
        originals = {item.question: item.id for item in row if item.kind == "main"}
        twins.append({item.id: originals[item.question] for item in row if item.kind == "repeat"})
        screens = [
            {
                "id": item.id,
                "prompt": make_opaque_id(secret, "prompt", item.question),
                "first": make_text_id(secret, item.first),
                "second": make_text_id(secret, item.second),
            }
            for item in row
        ]
        # By id, so that neither kind nor question shows in the order.
        slots.append(sorted(screens, key=lambda screen: screen["id"]))
    told: dict[str, Any] = {}
    if rule is not None:
        told["enough"] = hash_word(make_word(secret))
        if rule.over == "panel":
            # A prompt counts once all have voted: so all go through the prompts in one order.
            told["stretches"] = assign_stretches(secret, items)
    return {
        "version": VERSION,
        "study": make_opaque_id(secret, "study", manifest),
        "commitment": commitment,
        "settings": settings.as_record(),
        "prompts": prompts,
        "texts": texts,
        "blocks": {block: sorted(of) for block, of in blocks.items()},
        "slots": slots,
        "twins": twins,
        **told,
    }


def pack_of(key: Key) -> dict[str, Any]:
    """The pack that belongs to a key, derived anew."""
    return build_pack(
        key.secret,
        key.manifest,
        key.shown,
        key.settings,
        key.list_items(),
        key.commitment,
        find_rule(key.plan),
    )


def make_commitment(key: Key, pack: Mapping[str, Any]) -> dict[str, Any]:
    """Make what commitment.json holds, to be published before the first vote."""
    return {
        "study": pack["study"],
        "commitment": key.commitment,
        "fingerprint": make_fingerprint(key.commitment),
        "pack_sha256": hash_canonical(pack),
        "plan": dict(key.plan),
        "scheme": (
            "SHA256(secret || M || I || P): M of what raters see, a question's two texts in an"
            " order that says nothing of arms; I of which text is whose; P of the plan."
        ),
    }


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
    published = make_commitment(key, pack)
    write_json(key_path, write_key_json(key), secret=True)
    write_json(pack_dir / COMMITMENT, published)
    write_json(pack_dir / PACK, pack)
    return published


def read_pack(pack_dir: Path) -> dict[str, Any]:
    """The pack, checked against the hash that was published with it."""
    pack = read_json(pack_dir / PACK, PackError, "pack")
    published = read_json(pack_dir / COMMITMENT, PackError, "published commitment")
    check_version(pack_dir / PACK, pack, "pack")
    if hash_canonical(pack) != published.get("pack_sha256"):
        raise PackError(
            f"{pack_dir / PACK} was changed since it was made. Remedy: restore it; do not go on"
            " with it"
        )
    return pack
