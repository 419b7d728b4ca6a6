"""Rank more than two arms from several studies, one a pair of arms: one ranking a language."""

import csv
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from core.contract.names import RESULT
from core.contract.names import VOTES as VOTES_TABLE
from core.statistics import adjust_holm
from preference.analysis import SCHEMA
from preference.errors import BallotError
from preference.files import read_json, write_json, write_text
from preference.output import make_printable, to_csv
from preference.publishing import KEY
from preference.ranking import ArmRanking, PairVote, RankedArm, rank_arms
from preference.verify import verify

_SCORES = {"trained": 1, "equal": 0, "base": -1}


@dataclass(frozen=True)
class PairResult:
    """Holds what one study said of its two arms: net preference for `one`, its p, and Holm's p over
    all pairs of the language."""

    language: str
    one: str
    other: str
    prompts: int
    votes: int
    net: float | None
    p: float | None
    p_holm: float | None
    warnings: str


def rank_results(paths: Sequence[Path], out: Path) -> list[str]:
    """ranking.csv, pairs.csv and ranking.json of the studies in these folders; returns lines to
    print.

    Raises VerificationError for a folder that does not fit together, and BallotError for one that
    is no study's, where two studies give one name to two checkpoints, or where arms were never
    compared.
    """
    votes: dict[str, list[PairVote]] = {}
    studies: dict[str, list[Mapping[str, Any]]] = {}
    recorded: dict[tuple[str, str], tuple[Any, Path]] = {}
    for path in paths:
        result = _read_result(path)
        study = result["study"]
        language = str(study.get("language") or "")
        for arm in ("base", "trained"):
            found = (study.get("recorded") or {}).get(arm), path
            before, where = recorded.setdefault((language, study[arm]), found)
            if before != found[0]:
                raise BallotError(
                    f"{study[arm]} is not the same checkpoint in {where} and {path}: what was"
                    " recorded of it differs. Remedy: name two checkpoints differently in `answer`"
                )
        votes.setdefault(language, []).extend(_read_votes(path, study))
        studies.setdefault(language, []).append(result)
    rankings = {language: rank_arms(of) for language, of in votes.items()}
    pairs = [pair for language, of in studies.items() for pair in _list_pairs(language, of)]
    columns = [field.name for field in fields(RankedArm)]
    write_text(
        out / "ranking.csv",
        to_csv(
            ["language", *columns],
            [
                [language, *(getattr(arm, name) for name in columns)]
                for language, ranking in rankings.items()
                for arm in ranking.arms
            ],
        ),
    )
    write_text(
        out / "pairs.csv",
        to_csv([f.name for f in fields(PairResult)], [list(asdict(p).values()) for p in pairs]),
    )
    content = {
        "rankings": {language: asdict(ranking) for language, ranking in rankings.items()},
        "pairs": [asdict(pair) for pair in pairs],
    }
    write_json(out / "ranking.json", content)
    lines = [line for one in rankings.items() for line in _describe_ranking(*one)]
    return [make_printable(line) for line in lines + [_describe_pair(pair) for pair in pairs]]


def _read_result(path: Path) -> Mapping[str, Any]:
    result = read_json(path / RESULT, BallotError, "result (name the folder that unblind wrote)")
    if result.get("schema") != SCHEMA or "study" not in result:
        raise BallotError(
            f"{path}: not a result that this program can read (schema {result.get('schema')!r})"
        )
    verify(path, path / KEY)
    return result


def _read_votes(path: Path, study: Mapping[str, Any]) -> list[PairVote]:
    with (path / VOTES_TABLE).open(encoding="utf-8", newline="") as lines:
        return [
            PairVote(row["question"], study["trained"], study["base"], _SCORES[row["choice"]])
            for row in csv.DictReader(lines)
            if row["kind"] == "main"
        ]


def _list_pairs(language: str, results: Sequence[Mapping[str, Any]]) -> list[PairResult]:
    known = [r["primary"]["p"] for r in results if r["primary"]["p"] is not None]
    adjusted = iter(adjust_holm(known))
    return [
        PairResult(
            language=language,
            one=result["study"]["trained"],
            other=result["study"]["base"],
            prompts=result["prompts"],
            votes=result["votes"],
            net=result["estimate"]["net"]["value"],
            p=(p := result["primary"]["p"]),
            p_holm=None if p is None else next(adjusted),
            warnings=" ".join(warning["name"] for warning in result["warnings"]),
        )
        for result in results
    ]


def _describe_ranking(language: str, ranking: ArmRanking) -> list[str]:
    head = f"{language or 'language not given'}: {ranking.votes} votes, {ranking.prompts} prompts"
    lines = [f"{head}; the first arm is first in {ranking.certain:.0%} of resamples"]
    for arm in ranking.arms:
        places = f"{arm.rank_low} to {arm.rank_high}" if arm.rank_low < arm.rank_high else "certain"
        lines.append(
            f"  {arm.rank}. {arm.arm} (rank {places}): strength {arm.strength:+.2f}"
            f" [{arm.low:+.2f}, {arm.high:+.2f}], {arm.wins} / {arm.ties} / {arm.losses}"
            " (preferred / equal / not)"
        )
    return lines


def _describe_pair(pair: PairResult) -> str:
    net = "-" if pair.net is None else f"{pair.net:+.3f}"
    p = "not computed" if pair.p_holm is None else f"{pair.p_holm:.3g}"
    warned = f" WARNING: {pair.warnings}" if pair.warnings else ""
    return f"  {pair.one} against {pair.other}: net {net}, p (Holm) {p}{warned}"
