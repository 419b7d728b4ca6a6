"""Derive every published file of a closed study, byte for byte, from its key and votes alone.

So `unblind` writes these files, and `verify` makes them again and compares. None of them holds a
rater's words: comments stay beside the votes (`comments.py`).
"""

import hashlib
from collections.abc import Mapping, Sequence, Set
from importlib.metadata import version
from typing import Any

from core.contract.manifest import FileEntry
from core.contract.names import MANIFEST, RESULT, STUDIES
from core.contract.names import VOTES as VOTES_TABLE
from core.contract.record import as_json
from core.contract.study import StudyManifest
from preference.analysis import analyse
from preference.chain import Event, EventRow, as_event, write_row
from preference.closing import CLOSED, make_record_of_closing
from preference.design import RaterItem
from preference.exclusions import ExclusionRules, find_excluded, find_rules
from preference.files import write_json_text
from preference.key import Key, write_key_json
from preference.output import tabulate_study, to_csv
from preference.pack import COMMITMENT, PACK, make_commitment, pack_of
from preference.rule import find_rule
from preference.standing import Sitting, fold_sitting
from preference.stopping import recompute_stopping
from preference.votes import Guess, Vote

KEY, VOTES = "key.json", "votes.jsonl"
PRIVATE = (KEY, VOTES, VOTES_TABLE)
"""Files with single votes: readable by their owner alone until they are published."""
# What a figure can depend on besides votes and key. More digits than these may differ between
# machines.
_LIBRARIES = ("numpy", "scipy", "evalica", "pycld2")
_DIGITS = 10


def make_published_files(
    key: Key, rows: Sequence[EventRow], result: Mapping[str, Any]
) -> dict[str, str]:
    """Every published file by name, the manifest last. result: what `compute_result` gives."""
    events = [as_event(row) for row in rows]
    votes, _, _ = unblind_rows(key, events)
    excluded = {name_rater(slot) for slot in find_excluded(key, events)}
    pack = pack_of(key)
    files = {
        PACK: write_json_text(pack),
        COMMITMENT: write_json_text(make_commitment(key, pack)),
        CLOSED: write_json_text(make_record_of_closing(pack, rows)),
        KEY: write_json_text(write_key_json(key)),
        VOTES: "".join(write_row(row) + "\n" for row in rows),
        VOTES_TABLE: write_votes_csv(votes, excluded),
        **tabulate_study(result),
        RESULT: write_json_text(result),
    }
    return files | {MANIFEST: write_json_text(_make_manifest(key, pack["study"], files))}


def compute_result(key: Key, rows: Sequence[EventRow]) -> dict[str, Any]:
    """The result of a closed study: a function of its key and its votes alone, whose figures have
    as many digits as every machine agrees on."""
    events = [as_event(row) for row in rows]
    votes, guesses, counts = unblind_rows(key, events)
    excluded = {name_rater(slot): why for slot, why in find_excluded(key, events).items()}
    stopping = None if find_rule(key.plan) is None else recompute_stopping(key, events)
    base, trained = key.arms[1 - key.trained], key.arms[key.trained]
    study = {
        "title": key.settings.title,
        "language": key.settings.language["name"],
        "base": base["name"],
        "trained": trained["name"],
        "commitment": key.commitment,
        "head": rows[-1].hash,
        "plan": dict(key.plan),
        "dropped_questions": dict(key.dropped),
        "recorded": {"base": base.get("recorded", {}), "trained": trained.get("recorded", {})},
        **counts,
    }
    seed = int(key.plan.get("seed", 0))
    texts = list_answer_texts(key)
    result = analyse(
        [vote for vote in votes if vote.rater not in excluded],
        [guess for guess in guesses if guess.rater not in excluded],
        study=study,
        texts=texts,
        seed=seed,
        stopping=stopping,
    )
    if find_rules(key.plan) != ExclusionRules():
        result["excluded"] = excluded
    if excluded:
        every = None if stopping is None else recompute_stopping(key, events, everyone=True)
        whole = analyse(votes, guesses, study=study, texts=texts, seed=seed, stopping=every)
        result["with_excluded"] = {
            "votes": whole["votes"],
            "net": whole["estimate"]["net"],
            "p": whole["primary"]["p"],
        }
    rounded: dict[str, Any] = _round_numbers(result)
    return rounded | {"computed_with": read_library_versions()}


def read_library_versions() -> dict[str, str]:
    """The versions of what computes a result."""
    return {name: version(name) for name in _LIBRARIES}


def name_rater(slot: int) -> str:
    """A rater's name in every published file: the number of their slot, from 1."""
    return f"rater {slot + 1}"


def unblind_rows(
    key: Key, events: Sequence[Event]
) -> tuple[list[Vote], list[Guess], dict[str, int]]:
    """All votes and guesses with their identities, and how many slots enrolled, withdrew and
    finished, and how often a rater chose differently twice and never said which holds.

    A rater is called by the number of their slot, from 1. Withdrawn raters' votes are left out.
    """
    arm_of = key.map_texts()
    votes: list[Vote] = []
    guesses: list[Guess] = []
    counts = {"enrolled": 0, "withdrawn": 0, "finished": 0, "undecided": 0}
    # Who was told that enough is known has finished.
    enough = any(event.kind == "enough" for event in events)
    for slot, items in enumerate(key.list_items()):
        sitting = fold_sitting([event for event in events if event.slot == slot])
        counts["enrolled"] += sitting.nonce is not None or sitting.withdrawn
        counts["withdrawn"] += sitting.withdrawn
        whole = len(sitting.votes) == len(items) or (enough and sitting.nonce is not None)
        counts["finished"] += whole and not sitting.withdrawn
        if sitting.withdrawn:
            continue
        counts["undecided"] += len(sitting.held)
        by_id = {item.id: item for item in items}
        rater = name_rater(slot)
        for key_id, event in sitting.votes.items():
            votes.append(_make_vote(rater, by_id[key_id], event.body, arm_of, key.trained))
        guesses += _make_guesses(rater, sitting, by_id, arm_of, key.trained)
    return votes, guesses, counts


def _make_vote(
    rater: str,
    item: RaterItem,
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
    return Vote(
        rater,
        item.question,
        item.category,
        choice,  # type: ignore[arg-type]
        side,  # type: ignore[arg-type]
        item.kind,
        base_verdict=body.get("verdict_b" if side == "a" else "verdict_a"),
        trained_verdict=body.get(f"verdict_{side}"),
    )


def _make_guesses(
    rater: str,
    sitting: Sitting,
    by_id: Mapping[str, RaterItem],
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


def list_answer_texts(key: Key) -> dict[str, list[dict[str, Any]]]:
    """Arm -> characters of each answer, whether it ended by itself, and whether it is in another
    language than the study's; None where a file does not say, or it cannot be told."""
    from core.identify.text import is_in_language

    language = key.settings.language
    out: dict[str, list[dict[str, Any]]] = {"base": [], "trained": []}
    for question, _, _, *texts in key.content.rows:
        for arm, text in enumerate(texts):
            inside = is_in_language(text, flores_code=language.get("code"), name=language["name"])
            finished = key.arms[arm].get("finished") or {}
            out["trained" if arm == key.trained else "base"].append(
                {
                    "characters": len(text),
                    "finished": finished.get(question),
                    "off_language": None if inside is None else not inside,
                }
            )
    return out


def write_votes_csv(votes: Sequence[Vote], excluded: Set[str] = frozenset()) -> str:
    """The unblinded votes as CSV; those of raters whom the plan leaves out are of the kind
    `excluded`."""
    rows = [
        [
            v.rater,
            "excluded" if v.rater in excluded else v.kind,
            v.category,
            v.question,
            v.choice,
            v.trained_side or "",
            "" if v.passed is None else str(v.passed),
            v.base_verdict or "",
            v.trained_verdict or "",
        ]
        for v in votes
    ]
    header = ["rater", "kind", "category", "question", "choice", "trained_side", "passed"]
    return to_csv([*header, "base_verdict", "trained_verdict"], rows)


def _make_manifest(key: Key, study: str, files: Mapping[str, str]) -> dict[str, Any]:
    encoded = {file: text.encode("utf-8") for file, text in files.items()}
    manifest = StudyManifest(
        stage=STUDIES,
        key=study,
        label=f"{key.settings.language['name']}: blind preference study",
        files={
            file: FileEntry(len(data), hashlib.sha256(data).hexdigest())
            for file, data in sorted(encoded.items())
        },
    )
    content: dict[str, Any] = as_json(manifest)
    return content


def _round_numbers(value: Any) -> Any:
    if isinstance(value, float):
        return float(f"{value:.{_DIGITS}g}")
    if isinstance(value, Mapping):
        return {name: _round_numbers(of) for name, of in value.items()}
    return [_round_numbers(of) for of in value] if isinstance(value, list | tuple) else value
