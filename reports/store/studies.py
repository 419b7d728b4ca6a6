"""Reads the results of blind preference studies: STORE/preference/*/result.json.

`kakugo-preference unblind` writes them, with a manifest that lists every file's size and SHA-256;
the figures are counted again from `votes.csv`. Not covered: whether a study verifies against its
key and what was published of it, which `kakugo-preference verify` tells.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from reports.store import files
from reports.store.files import Unreadable
from reports.store.model import Problem, Share, Study, StudyRater, StudyWarning
from reports.store.recount import VOTES, check_counts

FOLDER, SCHEMA = "preference", 2
_REDO = "kakugo-preference unblind again, from the closed pack and its key"


def read_studies(store: Path, problems: list[Problem]) -> list[Study]:
    """Every study that can be believed, by language and folder; the others become problems. What is
    hidden or still being written (`.partial`) is no study yet."""
    found = []
    for folder in sorted((store / FOLDER).glob("*/")):
        if folder.name.endswith(".partial") or folder.name.startswith("."):
            continue
        try:
            found.append(_read(folder))
        except Unreadable as error:
            problems.append(Problem(f"{FOLDER}/{folder.name}", str(error), _REDO))
    return sorted(found, key=lambda study: (study.language, study.folder.name))


def _read(folder: Path) -> Study:
    listed = files.mapping(files.read_object(folder / "manifest.json"), "files")
    entries = {name: files.mapping(listed, name) for name in listed}
    sums = {n: (files.whole(e, "bytes"), files.text(e, "sha256")) for n, e in entries.items()}
    for name in sums:
        files.verify(folder, name, sums)
    row = files.read_object(folder / "result.json")
    if row.get("schema") != SCHEMA:
        raise Unreadable(
            f"result.json has schema {row.get('schema')!r}, this report reads {SCHEMA}"
        )
    for name in ("result.json", VOTES):
        if name not in sums:
            raise Unreadable(f"{name} is not listed in the manifest")
    check_counts(folder, row)
    about, estimate = files.mapping(row, "study"), files.mapping(row, "estimate")
    return Study(
        folder=folder,
        language=files.text(about, "language"),
        base=files.text(about, "base"),
        trained=files.text(about, "trained"),
        commitment=files.text(about, "commitment", ""),
        head=files.text(about, "head", ""),
        prompts=files.whole(row, "prompts"),
        votes=files.whole(row, "votes"),
        wins=_share(estimate, "wins", 0),
        ties=_share(estimate, "ties", 0),
        losses=_share(estimate, "losses", 0),
        net=_share(estimate, "net", -1),
        p=files.number_or_none(files.mapping(row, "primary"), "p", 0, 1),
        warnings=tuple(
            StudyWarning(files.text(w, "name"), files.text(w, "sentence"))
            for w in files.objects(row, "warnings")
        ),
        verdicts=_verdicts(files.mapping(row, "verdicts")),
        raters=tuple(_rater(rater) for rater in files.objects(row, "raters")),
        categories=tuple(files.objects(row, "categories")),
        quality=_quality(row),
        texts={arm: files.mapping(files.mapping(row, "texts"), arm) for arm in ("base", "trained")},
        left_out=tuple(
            f"question {question}: {why}"
            for question, why in files.mapping(about, "dropped_questions").items()
        ),
        gaps={name: str(why) for name, why in files.mapping(row, "gaps").items()},
    )


def _share(row: Mapping[str, Any], name: str, low: float) -> Share:
    found = files.mapping(row, name)
    bounds = files.mapping(found, "interval")
    return Share(
        files.number_or_none(found, "value", low, 1),
        files.number_or_none(bounds, "low", low, 1),
        files.number_or_none(bounds, "high", low, 1),
    )


def _verdicts(row: Mapping[str, Any]) -> Mapping[str, Share]:
    lows = {"base": 0, "trained": 0, "difference": -1}
    return {name: _share(row, name, low) for name, low in lows.items()} if row else {}


def _rater(row: Mapping[str, Any]) -> StudyRater:
    return StudyRater(
        name=files.text(row, "rater"),
        wins=files.whole(row, "wins"),
        ties=files.whole(row, "ties"),
        losses=files.whole(row, "losses"),
        share=files.number_or_none(row, "win_share_of_decisive", 0, 1),
        p=files.number_or_none(row, "sign_test_p", 0, 1),
        warnings=files.texts(row, "warnings"),
    )


def _quality(row: Mapping[str, Any]) -> Mapping[str, float | None]:
    """What says how far the votes can be trusted; shares from 0 to 1, None where not computed."""
    agreement, position, repeats, checks, power = (
        files.mapping(row, name) for name in ("agreement", "position", "repeats", "checks", "power")
    )
    blinding = files.mapping(files.mapping(row, "blinding"), "all")
    on_a, on_b = (
        sum(
            files.whole(rater, f"trained_as_{side}")
            for rater in files.objects(row, "raters")
            # Results of earlier versions do not count the sides.
            if f"trained_as_{side}" in rater
        )
        for side in "ab"
    )
    return {
        "alpha": files.number_or_none(agreement, "alpha", high=1),
        "chose_a": files.number_or_none(position, "share_a", 0, 1),
        "trained_on_a": on_a / (on_a + on_b) if on_a + on_b else None,
        "repeats_same": _part(repeats, "same_answer", "pairs"),
        "checks_passed": _part(checks, "passed", "shown"),
        "blinding": files.number_or_none(blinding, "index", -1, 1),
        "needed_share": files.number_or_none(power, "needed_share_of_decisive", 0, 1),
    }


def _part(row: Mapping[str, Any], part: str, whole: str) -> float | None:
    return files.whole(row, part) / files.whole(row, whole, 1) if row else None
