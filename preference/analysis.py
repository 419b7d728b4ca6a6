"""From unblinded votes to `result.json`: estimate, tests, agreement, bias, blinding, checks.

Every figure that could not be computed is null and has its reason in `gaps`.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from core.contract.record import as_json, read_record
from core.contract.study import StudyResult
from core.statistics import flip_signs_sampled
from preference.statistics import (
    Agreement,
    BangIndex,
    ConfidenceInterval,
    compute_agreement,
    compute_bang,
    compute_bca,
    compute_power,
    compute_sign_test,
    compute_wilson_interval,
    find_needed_share,
)
from preference.stopping import StoppingOutcome
from preference.votes import Guess, Vote
from preference.warnings import find_warnings, list_rater_warnings

_SCORES = {"trained": 1.0, "equal": 0.0, "base": -1.0}
SCHEMA = StudyResult.schema


def analyse(
    votes: Sequence[Vote],
    guesses: Sequence[Guess] = (),
    *,
    study: Mapping[str, Any],
    texts: Mapping[str, Sequence[Mapping[str, Any]]] | None = None,
    seed: int = 0,
    stopping: StoppingOutcome | None = None,
) -> dict[str, Any]:
    """The result of one study as JSON.

    study: what it was (title, language, arms, commitment, ...), copied into the result; texts: arm
    (`trained`, `base`) -> one mapping an answer with `characters`, `finished` and
    `off_language` (each may be None). Fields of the result:

      estimate: net preference (mean over prompts of the raters' mean of +1, 0, -1) with interval;
        wins, ties, losses: mean over prompts of each share, with interval
      primary: the sign-flip test over prompts
      raters: per rater, counts, on which side the trained arm stood how often, exact sign test
        without ties, Wilson interval of the win share
      verdicts: per arm the share of answers called good, mean over prompts, and their difference
      agreement, position, repeats, checks, blinding, categories, texts, power; gaps: name -> reason
      stopping: only where the plan has a stopping rule: what it gave. The primary test is then the
        e-process, and intervals that hold for a fixed number of votes alone are gaps
      warnings: what to know before the p is believed (`warnings.py`)
    """
    gaps: dict[str, str] = {}
    main = [vote for vote in votes if vote.kind == "main"]
    by_prompt: dict[str, list[Vote]] = defaultdict(list)
    for vote in main:
        by_prompt[vote.question].append(vote)
    scores = {q: _compute_mean(_SCORES[v.choice] for v in vs) for q, vs in by_prompt.items()}
    p_value = flip_signs_sampled(list(scores.values()), seed=seed) if scores else None
    if p_value is None:
        gaps["primary"] = "no vote" if not main else "no prompt on which one arm was preferred"
    raters = sorted({vote.rater for vote in main})
    rated = {r: {v.question: v.choice for v in main if v.rater == r} for r in raters}
    agreed = compute_agreement(rated, seed=seed)
    if agreed is None:
        gaps["agreement"] = (
            "one rater" if len(raters) < 2 else "too few prompts in common, or no variation"
        )
    warnings = find_warnings(votes, guesses, agreed, study)
    content = {
        "schema": SCHEMA,
        "study": dict(study),
        "prompts": len(by_prompt),
        "votes": len(main),
        "counts": _count_choices(main),
        "estimate": _estimate(by_prompt, scores, seed, gaps),
        "primary": {
            "test": "sign-flip over prompts, two-sided",
            "p": p_value,
            "prompts_with_preference": sum(score != 0 for score in scores.values()),
        },
        "warnings": [asdict(warning) for warning in warnings],
        "raters": [
            _analyse_rater(rater, [v for v in main if v.rater == rater])
            | {"warnings": list_rater_warnings(warnings, rater)}
            for rater in raters
        ],
        "verdicts": _analyse_verdicts(main, seed, gaps),
        "agreement": _take_fields(agreed),
        "position": _analyse_position(main, gaps),
        "repeats": _analyse_repeats(votes, gaps),
        "checks": _analyse_checks(votes, gaps),
        "blinding": _analyse_blinding(guesses, gaps),
        "categories": _analyse_categories(main),
        "texts": _analyse_texts(texts, gaps),
        "power": _analyse_power(len(by_prompt), main),
        "gaps": gaps,
    }
    if stopping is not None:
        _put_stopping(content, stopping)
    # Through the record that reports read, so that the two are one.
    result: dict[str, Any] = as_json(read_record(StudyResult, content))
    return result


def _put_stopping(content: dict[str, Any], done: StoppingOutcome) -> None:
    """Puts in what is valid whenever votes stop, and takes out what is not."""
    gaps = content["gaps"]
    content["stopping"] = {
        "over": done.rule.over,
        "level": done.rule.level,
        "worth": done.rule.worth,
        "e": done.peak,
        "e_last": done.last,
        "e_by": dict(done.peak_units),
        "reached_at": None if done.reached is None else done.reached.votes,
        "told_at": None if done.told is None else done.told.votes,
        "votes": done.votes,
        "planned": done.planned,
        "prompts": done.prompts,
    }
    content["primary"] |= {
        "test": "e-process, valid whenever votes stop; p = 1 / its largest value",
        "p": min(1.0, 1 / done.peak) if done.prompts else None,
    }
    gaps.pop("primary", None)
    if not done.prompts:
        gaps["primary"] = "no prompt on which all raters have voted" if done.votes else "no vote"
    for name, of in content["estimate"].items():
        of["interval"] = None
        gaps[f"estimate.{name}.interval"] = "a fixed number of votes would be needed"
    if done.interval is not None:
        content["estimate"]["net"]["interval"] = asdict(done.interval)
        del gaps["estimate.net.interval"]
    else:
        gaps["estimate.net.interval"] = "no vote that counts, or every value is spoken against"


def _estimate(
    by_prompt: Mapping[str, Sequence[Vote]],
    scores: Mapping[str, float],
    seed: int,
    gaps: dict[str, str],
) -> dict[str, Any]:
    out: dict[str, Any] = {}
    series = {"net": list(scores.values())}
    for name, choice in (("wins", "trained"), ("ties", "equal"), ("losses", "base")):
        series[name] = [
            _compute_mean(float(v.choice == choice) for v in vs) for vs in by_prompt.values()
        ]
    for name, values in series.items():
        out[name] = _estimate_mean(values, f"estimate.{name}", seed, gaps)
    return out


def _estimate_mean(
    values: Sequence[float], name: str, seed: int, gaps: dict[str, str]
) -> dict[str, Any]:
    """A mean over prompts and its interval, or why there is none."""
    interval = compute_bca(values, seed=seed)
    if interval is None:
        gaps[f"{name}.interval"] = "fewer than two prompts, or all of them alike"
    return {"value": _compute_mean(values) if values else None, "interval": _take_fields(interval)}


def _analyse_verdicts(
    main: Sequence[Vote], seed: int, gaps: dict[str, str]
) -> dict[str, dict[str, Any]] | None:
    """Per arm, and their difference where a rater judged both: raters averaged first, as above."""
    of: dict[str, dict[str, list[float]]] = {n: {} for n in ("base", "trained", "difference")}
    for vote in main:
        base, trained = (
            None if verdict is None else float(verdict == "good")
            for verdict in (vote.base_verdict, vote.trained_verdict)
        )
        both = None if base is None or trained is None else trained - base
        for name, value in (("base", base), ("trained", trained), ("difference", both)):
            if value is not None:
                of[name].setdefault(vote.question, []).append(value)
    if not any(of.values()):
        gaps["verdicts"] = "no rater called an answer good or bad"
        return None
    out: dict[str, dict[str, Any]] = {}
    for name, by_prompt in of.items():
        values = [_compute_mean(found) for found in by_prompt.values()]
        out[name] = {
            **_estimate_mean(values, f"verdicts.{name}", seed, gaps),
            "prompts": len(values),
            "judged": sum(map(len, by_prompt.values())),
        }
    return out


def _analyse_rater(rater: str, votes: Sequence[Vote]) -> dict[str, Any]:
    counts = _count_choices(votes)
    decisive = counts["wins"] + counts["losses"]
    interval = compute_wilson_interval(counts["wins"], decisive)
    sides = Counter(vote.trained_side for vote in votes)
    return {
        "rater": rater,
        **counts,
        "trained_as_a": sides["a"],
        "trained_as_b": sides["b"],
        "win_share_of_decisive": counts["wins"] / decisive if decisive else None,
        "interval": _take_fields(interval),
        "sign_test_p": compute_sign_test(counts["wins"], counts["losses"]),
    }


def _analyse_position(main: Sequence[Vote], gaps: dict[str, str]) -> dict[str, Any] | None:
    sides = Counter(v.chosen_side for v in main if v.chosen_side)
    n = sides.total()
    if not n:
        gaps["position"] = "no decisive vote with a known side"
        return None
    interval = compute_wilson_interval(sides["a"], n)
    shown = Counter(v.trained_side for v in main)
    return {
        "chose_a": sides["a"],
        "chose_b": sides["b"],
        "share_a": sides["a"] / n,
        "interval": _take_fields(interval),
        "trained_shown_as_a": shown["a"],
        "trained_shown_as_b": shown["b"],
    }


def _analyse_repeats(votes: Sequence[Vote], gaps: dict[str, str]) -> dict[str, Any] | None:
    first = {(v.rater, v.question): v for v in votes if v.kind == "main"}
    pairs = [
        (first[v.rater, v.question], v)
        for v in votes
        if v.kind == "repeat" and (v.rater, v.question) in first
    ]
    if not pairs:
        gaps["repeats"] = "no hidden repeat was rated"
        return None
    same = sum(one.choice == two.choice for one, two in pairs)
    turned = sum({one.choice, two.choice} == {"trained", "base"} for one, two in pairs)
    interval = compute_wilson_interval(same, len(pairs))
    return {
        "pairs": len(pairs),
        "same_answer": same,
        "opposite_answer": turned,
        "interval": _take_fields(interval),
    }


def _analyse_checks(votes: Sequence[Vote], gaps: dict[str, str]) -> dict[str, Any] | None:
    checks = [v for v in votes if v.kind == "check"]
    if not checks:
        gaps["checks"] = "no wrong-prompt check was rated"
        return None
    by_rater = {r: [v for v in checks if v.rater == r] for r in sorted({v.rater for v in checks})}
    return {
        "shown": len(checks),
        "passed": sum(bool(v.passed) for v in checks),
        "raters": {r: f"{sum(bool(v.passed) for v in vs)}/{len(vs)}" for r, vs in by_rater.items()},
    }


def _analyse_blinding(guesses: Sequence[Guess], gaps: dict[str, str]) -> dict[str, Any] | None:
    if not guesses:
        gaps["blinding"] = "no rater guessed"
        return None
    out: dict[str, Any] = {}
    for name, sides in (("all", "ab"), ("trained_as_a", "a"), ("trained_as_b", "b")):
        of = [g for g in guesses if g.trained_side in sides]
        right = sum(g.guess == g.trained_side for g in of)
        unknown = sum(g.guess == "unknown" for g in of)
        index = compute_bang(right, len(of) - right - unknown, unknown)
        out[name] = _take_fields(index)
    return out


def _analyse_categories(main: Sequence[Vote]) -> list[dict[str, Any]]:
    """Descriptive only: with ten prompts a category, a test would find next to nothing."""
    rows = []
    for category in sorted({v.category for v in main}):
        votes = [v for v in main if v.category == category]
        prompts = {v.question for v in votes}
        net = _compute_mean(
            _compute_mean(_SCORES[v.choice] for v in votes if v.question == q) for q in prompts
        )
        rows.append(
            {"category": category, "prompts": len(prompts), **_count_choices(votes), "net": net}
        )
    return rows


def _analyse_texts(
    texts: Mapping[str, Sequence[Mapping[str, Any]]] | None, gaps: dict[str, str]
) -> dict[str, Any] | None:
    if texts is None:
        gaps["texts"] = "the answers are not at hand"
        return None
    out: dict[str, Any] = {}
    for arm, answers in texts.items():
        lengths = sorted(a["characters"] for a in answers)
        out[arm] = {
            "answers": len(answers),
            "characters_mean": _compute_mean(lengths),
            "characters_median": _compute_median(lengths),
        }
        for name in ("finished", "off_language"):
            known = [bool(a[name]) for a in answers if a.get(name) is not None]
            out[arm][name] = sum(known) if known else None
            out[arm][f"{name}_known"] = len(known)
            if not known:
                gaps[f"texts.{arm}.{name}"] = (
                    "not recorded" if name == "finished" else "could not be told"
                )
    return out


def _analyse_power(prompts: int, main: Sequence[Vote]) -> dict[str, Any]:
    """Compute what this number of prompts can find with one rater, at the ties that were seen."""
    ties = _compute_mean(float(v.choice == "equal") for v in main) if main else 0.0
    share = find_needed_share(prompts, ties=ties)
    return {
        "prompts": prompts,
        "ties": ties,
        "alpha": 0.05,
        "wanted": 0.8,
        "needed_share_of_decisive": share,
        "power_at_60_percent": compute_power(prompts, 0.6, ties=ties),
        "power_at_70_percent": compute_power(prompts, 0.7, ties=ties),
    }


def _count_choices(votes: Iterable[Vote]) -> dict[str, int]:
    counts = Counter(vote.choice for vote in votes)
    return {"wins": counts["trained"], "ties": counts["equal"], "losses": counts["base"]}


def _take_fields(found: ConfidenceInterval | Agreement | BangIndex | None) -> dict[str, Any] | None:
    """A figure's fields as JSON; None where there is no figure."""
    return None if found is None else asdict(found)


def _compute_mean(values: Iterable[float]) -> float:
    listed = list(values)
    return sum(listed) / len(listed)


def _compute_median(ordered: Sequence[float]) -> float:
    half = len(ordered) // 2
    return ordered[half] if len(ordered) % 2 else (ordered[half - 1] + ordered[half]) / 2
