"""From a closed study and its key to `result.json`, tables, and all that anyone needs to verify it.

    OUT/key.json, votes.jsonl, pack.json, commitment.json, closed.json   what `verify` reads
    OUT/result.json, summary.txt, figure.svg, votes.csv, categories.csv, raters.csv
    OUT/manifest.json          every file's size and SHA-256, written last

In a store, OUT is STORE/preference/STUDY, from which `kakugo-report` takes the study in.

All of it is a function of the key and the closed votes, byte for byte, and none of it holds a
rater's words: comments stay beside the votes (`comments.py`). Files with single votes are readable
by their owner alone until they are published.
"""

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from harness.preference.analysis import Guess, Vote, analyse
from harness.preference.ballots import Sitting, sitting_of
from harness.preference.chain import Event, Row, as_event, row_line
from harness.preference.closing import CLOSED, closed_rows
from harness.preference.design import Item
from harness.preference.errors import PackError
from harness.preference.files import json_text, read_json, write_text
from harness.preference.key import Key, key_as_json, read_key
from harness.preference.output import tables, to_csv
from harness.preference.pack import COMMITMENT, PACK, read_pack
from harness.preference.verify import verify

MANIFEST = "manifest.json"
KEY = "key.json"
_PRIVATE = (KEY, "votes.jsonl", "votes.csv")


def unblinded(key: Key, events: Sequence[Event]) -> tuple[list[Vote], list[Guess], dict[str, int]]:
    """All votes and guesses with their identities, and how many slots enrolled and withdrew.

    A rater is called by the number of their slot, from 1. Withdrawn raters' votes are left out.
    """
    arm_of = key.whose()
    votes: list[Vote] = []
    guesses: list[Guess] = []
    counts = {"enrolled": 0, "withdrawn": 0, "finished": 0}
    for slot, items in enumerate(key.items()):
        sitting = sitting_of([event for event in events if event.slot == slot])
        counts["enrolled"] += sitting.nonce is not None or sitting.withdrawn
        counts["withdrawn"] += sitting.withdrawn
        counts["finished"] += len(sitting.votes) == len(items) and not sitting.withdrawn
        if sitting.withdrawn:
            continue
        by_id = {item.id: item for item in items}
        rater = f"rater {slot + 1}"
        for key_id, event in sitting.votes.items():
            votes.append(_vote(rater, by_id[key_id], event.body, arm_of, key.trained))
        guesses += _guesses(rater, sitting, by_id, arm_of, key.trained)
    return votes, guesses, counts


def _vote(
    rater: str,
    item: Item,
    body: Mapping[str, Any],
    arm_of: Mapping[str, tuple[str, int]],
    trained: int,
) -> Vote:
    side = "a" if arm_of[body["a"]][1] == trained else "b"
    chosen = body["choice"]
    if item.kind == "check":
        right = "a" if arm_of[body["a"]][0] == item.question else "b"
        return Vote(rater, item.question, item.category, "equal", None, "check", chosen == right)
    choice = "equal" if chosen == "equal" else ("trained" if chosen == side else "base")
    return Vote(rater, item.question, item.category, choice, side, item.kind)  # type: ignore[arg-type]


def _guesses(
    rater: str,
    sitting: Sitting,
    by_id: Mapping[str, Item],
    arm_of: Mapping[str, tuple[str, int]],
    trained: int,
) -> list[Guess]:
    if sitting.guesses is None:
        return []
    out = []
    for item, guess in sitting.guesses.body["guesses"].items():
        if item in sitting.votes and by_id[item].kind != "check":
            side = "a" if arm_of[sitting.votes[item].body["a"]][1] == trained else "b"
            out.append(Guess(rater, side, guess))  # type: ignore[arg-type]
    return out


def answer_texts(key: Key) -> dict[str, list[dict[str, Any]]]:
    """Arm -> characters of each answer, whether it ended by itself, and whether it is in another
    language than the study's; None where a file does not say, or it cannot be told."""
    from generation.identify import in_language

    language = key.settings.language
    out: dict[str, list[dict[str, Any]]] = {"base": [], "trained": []}
    for question, _, _, *texts in key.content.rows:
        for arm, text in enumerate(texts):
            inside = in_language(text, flores_code=language.get("code"), name=language["name"])
            finished = key.arms[arm].get("finished") or {}
            out["trained" if arm == key.trained else "base"].append(
                {
                    "characters": len(text),
                    "finished": finished.get(question),
                    "off_language": None if inside is None else not inside,
                }
            )
    return out


def place_in(store: Path, pack_dir: Path) -> Path:
    """Where a study's result belongs in a store."""
    return store / "preference" / str(read_pack(pack_dir)["study"])


def unblind(pack_dir: Path, key_path: Path, out: Path, *, seed: int = 0) -> dict[str, Any]:
    """Verifies the closed study and writes its result, and everything needed to verify it again.

    Raises StudyStateError while the study is open and VerificationError if anything was changed.
    """
    rows, closed = closed_rows(pack_dir)
    verify(pack_dir, key_path)
    key = read_key(key_path)
    published = read_json(pack_dir / COMMITMENT, PackError, "published commitment")
    result = result_of(key, rows, closed, seed=seed)
    files = published_files(key, read_pack(pack_dir), published, closed, rows, result)
    (out / MANIFEST).unlink(missing_ok=True)
    for name, text in files.items():
        write_text(out / name, text, secret=name in _PRIVATE)
    write_text(out / MANIFEST, json_text(manifest_of(key, out.name, files)))
    return result


def result_of(
    key: Key, rows: Sequence[Row], closed: Mapping[str, Any], *, seed: int = 0
) -> dict[str, Any]:
    """The result of a closed study: a function of its key and its votes alone."""
    votes, guesses, counts = unblinded(key, [as_event(row) for row in rows])
    base, trained = key.arms[1 - key.trained], key.arms[key.trained]
    study = {
        "title": key.settings.title,
        "language": key.settings.language["name"],
        "base": base["name"],
        "trained": trained["name"],
        "commitment": key.commitment,
        "head": closed["head"],
        "plan": dict(key.plan),
        "dropped_questions": dict(key.dropped),
        "recorded": {"base": base.get("recorded", {}), "trained": trained.get("recorded", {})},
        **counts,
    }
    return analyse(votes, guesses, study=study, texts=answer_texts(key), seed=seed)


def published_files(
    key: Key,
    pack: Mapping[str, Any],
    commitment: Mapping[str, Any],
    closed: Mapping[str, Any],
    rows: Sequence[Row],
    result: Mapping[str, Any],
) -> dict[str, str]:
    """Every published file but the manifest, by name. Pure, so that `verify` can write them anew
    and compare."""
    votes, _, _ = unblinded(key, [as_event(row) for row in rows])
    return {
        PACK: json_text(pack),
        COMMITMENT: json_text(commitment),
        CLOSED: json_text(closed),
        KEY: json_text(key_as_json(key)),
        "votes.jsonl": "".join(row_line(row) + "\n" for row in rows),
        "votes.csv": votes_csv(votes),
        **tables(result),
        "result.json": json_text(result),
    }


def manifest_of(key: Key, name: str, files: Mapping[str, str]) -> dict[str, Any]:
    """The manifest of the published files, in a folder of this name."""
    encoded = {file: text.encode("utf-8") for file, text in files.items()}
    return {
        "stage": "preference",
        "key": name,
        "label": f"{key.settings.language['name']}: blind preference study",
        "files": {
            file: {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
            for file, data in sorted(encoded.items())
        },
    }


def votes_csv(votes: Sequence[Vote]) -> str:
    """The unblinded votes as CSV."""
    rows = [
        [
            v.rater,
            v.kind,
            v.category,
            v.question,
            v.choice,
            v.trained_side or "",
            "" if v.passed is None else str(v.passed),
        ]
        for v in votes
    ]
    return to_csv(
        ["rater", "kind", "category", "question", "choice", "trained_side", "passed"], rows
    )
