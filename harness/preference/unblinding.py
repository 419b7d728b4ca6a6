"""From a closed study and its key to `result.json`, tables, and all that anyone needs to verify it.

    OUT/key.json, votes.jsonl, pack.json, commitment.json, closed.json   what `verify` reads
    OUT/result.json, summary.txt, figure.svg, votes.csv, categories.csv, raters.csv
    OUT/manifest.json          every file's size and SHA-256, written last

In a store, OUT is STORE/preference/STUDY, from which `kakugo-report` takes the study in.

votes.jsonl holds the raters' comments as well: look through it before you publish it. They are part
of what the chain covers, so that taking one out shows.
"""

import hashlib
import json
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from harness.preference.analysis import Guess, Vote, analyse
from harness.preference.ballots import Event, Sitting, sitting_of
from harness.preference.closing import CLOSED, closed_events
from harness.preference.commitment import opaque_id
from harness.preference.design import Item
from harness.preference.errors import StudyStateError
from harness.preference.files import read_json, write_json, write_text
from harness.preference.output import to_csv, write_tables
from harness.preference.pack import COMMITMENT, PACK, Key, read_key, read_pack
from harness.preference.verify import verify

MANIFEST = "manifest.json"


def unblinded(key: Key, events: Sequence[Event]) -> tuple[list[Vote], list[Guess], dict[str, int]]:
    """All votes and guesses with their identities, and how many slots enrolled and withdrew.

    A rater is called by the number of their slot, from 1. Withdrawn raters' votes are left out.
    """
    arm_of = {
        opaque_id(key.secret, "text", row[0], arm): (row[0], arm)
        for row in key.content.rows
        for arm in (0, 1)
    }
    votes: list[Vote] = []
    guesses: list[Guess] = []
    counts = {"enrolled": 0, "withdrawn": 0, "finished": 0}
    for slot, items in enumerate(key.items()):
        sitting = sitting_of([event for event in events if event.slot == slot])
        counts["enrolled"] += sitting.nonce is not None
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
    events, _ = closed_events(pack_dir)
    verify(pack_dir, key_path)
    key = read_key(key_path)
    votes, guesses, counts = unblinded(key, events)
    base, trained = key.arms[1 - key.trained], key.arms[key.trained]
    study = {
        "title": key.settings.title,
        "language": key.settings.language["name"],
        "base": base["name"],
        "trained": trained["name"],
        "commitment": key.commitment,
        "head": read_json(pack_dir / CLOSED, StudyStateError, "record of the closing")["head"],
        "plan": dict(key.plan),
        "dropped_questions": dict(key.dropped),
        "recorded": {"base": base.get("recorded", {}), "trained": trained.get("recorded", {})},
        **counts,
    }
    result = analyse(votes, guesses, study=study, texts=answer_texts(key), seed=seed)
    (out / MANIFEST).unlink(missing_ok=True)
    for name in (PACK, COMMITMENT, CLOSED):
        shutil.copyfile(*_into(pack_dir, out, name))
    shutil.copyfile(key_path, out / "key.json")
    write_text(out / "votes.jsonl", "".join(event_line(event) + "\n" for event in events))
    write_text(out / "votes.csv", votes_csv(votes))
    write_tables(result, out)
    write_json(out / "result.json", result)
    write_json(out / MANIFEST, _manifest(out, key))
    return result


def _manifest(out: Path, key: Key) -> dict[str, Any]:
    return {
        "stage": "preference",
        "key": out.name,
        "label": f"{key.settings.language['name']}: blind preference study",
        "files": {
            path.name: {
                "bytes": path.stat().st_size,
                "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
            }
            for path in sorted(out.iterdir())
            if path.is_file() and path.name != MANIFEST
        },
    }


def _into(source: Path, target: Path, name: str) -> tuple[Path, Path]:
    target.mkdir(parents=True, exist_ok=True)
    return source / name, target / name


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


def event_line(event: Event) -> str:
    """An event as a line of `votes.jsonl`: every field that its hash covers."""
    return json.dumps(
        {
            "seq": event.seq, "at": event.at, "slot": event.slot, "kind": event.kind,
            "idempotency": event.idempotency, "body": event.body, "hash": event.hash,
        },
        ensure_ascii=False, sort_keys=True,
    )  # fmt: skip
