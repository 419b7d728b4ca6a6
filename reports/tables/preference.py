"""The votes of native speakers in blind studies: the result, each rater, and their quality."""

from collections.abc import Sequence
from dataclasses import replace

from core.contract.study import Estimate, StudyResult
from core.statistics import adjust_holm
from reports.store.model import Study
from reports.tables.sheet import LANGUAGE, Column, Sheet

_PERCENT = ".0%"
_WARNINGS = Column("warnings", "Warnings")


def describe_studies(studies: Sequence[Study]) -> Sheet:
    """Give each study one line, with Holm's correction over the studies that have a p-value."""
    known = [p for study in studies if (p := study.result.primary.p) is not None]
    adjusted = iter(adjust_holm(known))
    rows = [
        (
            study.language, study.about.base, study.about.trained,
            of.net.value, of.net.low, of.net.high,
            ", ".join(w.name for w in study.result.warnings),
            p := study.result.primary.p, None if p is None else next(adjusted),
            study.result.prompts, len(study.result.raters),
            of.wins.value, of.ties.value, of.losses.value,
        )
        for study in studies
        for of in (study.result.estimate,)
    ]  # fmt: skip
    columns = (
        LANGUAGE,
        Column("base", "Base"),
        Column("trained", "Trained"),
        Column("net", "Net", "+.2f", numeric=True),
        Column("net_low", "95% from", "+.2f", numeric=True),
        Column("net_high", "to", "+.2f", numeric=True),
        # Before p: a narrow terminal leaves out the last columns, so never these alone.
        _WARNINGS,
        Column("p", "p", "p", numeric=True),
        Column("p_holm", "p (Holm)", "p", numeric=True),
        Column("prompts", "Prompts", numeric=True),
        Column("raters", "Raters", numeric=True),
        Column("wins", "Trained preferred", _PERCENT, numeric=True),
        Column("ties", "Equal", _PERCENT, numeric=True),
        Column("losses", "Base preferred", _PERCENT, numeric=True),
    )
    warned = tuple(
        f"Warning, {study.language} ({warning.name}): {warning.sentence}"
        for study in studies
        for warning in study.result.warnings
    )
    stopped = tuple(
        _describe_stopping(study) for study in studies if study.result.stopping is not None
    )
    notes = (
        *warned,
        *stopped,
        "Blind: which answer was whose was revealed after the votes were closed. Net is the share "
        "of prompts on which the trained answer was preferred, less that of base, raters averaged "
        "first; p is of the sign-flip test over prompts, where nothing else is said.",
        "Not verified by this report, which only counted each study's votes.csv again: a folder "
        "can be made up as a whole. `kakugo-preference verify FOLDER --commitment C --head H` "
        "derives all of it again, with C and H as they were published before the first vote and "
        "at the close.",
    )
    return Sheet(columns, tuple(rows), notes=notes if rows else ())


def tabulate_studies(studies: Sequence[Study]) -> Sheet:
    """List the same results for programs, with the warnings in whole sentences."""
    sheet = describe_studies(studies)
    place = [column.name for column in sheet.columns].index("warnings")
    rows = tuple(
        (
            *row[:place],
            " ".join(f"{w.name}: {w.sentence}" for w in study.result.warnings),
            *row[place + 1 :],
        )
        for row, study in zip(sheet.rows, studies, strict=True)
    )
    return replace(sheet, rows=rows)


def tabulate_verdicts(studies: Sequence[Study]) -> Sheet:
    """Count the answers of each arm that raters called good, where they were asked."""
    rows = [
        (study.language, name, share.value, share.low, share.high)
        for study in studies
        if (given := study.result.verdicts)
        for name, share in (
            (study.about.base, given.base),
            (study.about.trained, given.trained),
            ("difference", given.difference),
        )
    ]
    columns = (
        LANGUAGE,
        Column("arm", "Answers of"),
        Column("good", "Called good", _PERCENT, numeric=True),
        Column("good_low", "95% from", _PERCENT, numeric=True),
        Column("good_high", "to", _PERCENT, numeric=True),
    )
    notes = (
        "Share of prompts whose answer raters called good, raters averaged first, with a bootstrap "
        "interval over prompts; the difference is of prompts on which a rater judged both.",
    )
    return Sheet(columns, tuple(rows), notes=notes)


def tabulate_trust(studies: Sequence[Study]) -> Sheet:
    """Tell how far the votes of each study can be trusted, and what it could have found."""
    rows = [(study.language, *_take_trust(study.result)) for study in studies]
    columns = (
        LANGUAGE,
        Column("alpha", "Agreement", ".2f", numeric=True),
        Column("chose_a", "Chose A", _PERCENT, numeric=True),
        Column("trained_on_a", "Trained on A", _PERCENT, numeric=True),
        Column("repeats_same", "Repeats alike", _PERCENT, numeric=True),
        Column("checks_passed", "Checks passed", _PERCENT, numeric=True),
        Column("blinding", "Guess index", "+.2f", numeric=True),
        Column("needed_share", "Findable", _PERCENT, numeric=True),
    )
    notes = (
        "Agreement: Krippendorff's alpha between raters; 1 is full agreement, 0 that of chance.",
        "Chose A: share of the decisive votes that went to side A; 50% favours neither side.",
        "Trained on A: share of the votes in which the trained answer stood on side A. It is half "
        "where raters finished in pairs, and near half otherwise.",
        "Repeats alike: share of the prompts shown again, with sides swapped, that got the same "
        "answer.",
        "Checks passed: share of the checks, in which one answer belongs to another prompt, where "
        "the rater chose the right one.",
        "Guess index (Bang): 0 where raters could not tell which answer was whose, 1 where they "
        "always could.",
        "Findable: the smallest share of the decisive votes that a study with one rater and as "
        "many prompts finds in 80% of cases.",
    )
    return Sheet(columns, tuple(rows), notes=notes)


def tabulate_raters(studies: Sequence[Study]) -> Sheet:
    """Each rater's own votes: descriptive, since the study's test is over prompts."""
    rows = [
        (
            study.language, rater.rater, rater.wins, rater.ties, rater.losses,
            rater.win_share_of_decisive, ", ".join(rater.warnings), rater.sign_test_p,
        )
        for study in studies
        for rater in study.result.raters
    ]  # fmt: skip
    columns = (
        LANGUAGE,
        Column("rater", "Rater"),
        Column("wins", "Trained", numeric=True),
        Column("ties", "Equal", numeric=True),
        Column("losses", "Base", numeric=True),
        Column("share", "Share of decisive", _PERCENT, numeric=True),
        _WARNINGS,
        Column("p", "p (sign test)", "p", numeric=True),
    )
    return Sheet(columns, tuple(rows))


def tabulate_categories(studies: Sequence[Study]) -> Sheet:
    """List the votes by category, descriptive only: so few prompts would find next to nothing."""
    rows = [
        (study.language, row.category, row.prompts, row.wins, row.ties, row.losses, row.net)
        for study in studies
        for row in study.result.categories
    ]
    columns = (
        LANGUAGE,
        Column("category", "Category"),
        Column("prompts", "Prompts", numeric=True),
        Column("wins", "Trained", numeric=True),
        Column("ties", "Equal", numeric=True),
        Column("losses", "Base", numeric=True),
        Column("net", "Net", "+.2f", numeric=True),
    )
    return Sheet(columns, tuple(rows))


def tabulate_texts(studies: Sequence[Study]) -> Sheet:
    """List what blinding cannot hide: length and language of the answers."""
    rows = [
        (
            study.language,
            name,
            arm.answers,
            arm.characters_mean,
            _compute_share(arm.off_language, arm.off_language_known),
            _compute_share(arm.finished, arm.finished_known),
        )
        for study in studies
        if (texts := study.result.texts)
        for name, arm in ((study.about.base, texts.base), (study.about.trained, texts.trained))
        if arm
    ]
    columns = (
        LANGUAGE,
        Column("arm", "Answers of"),
        Column("answers", "Answers", numeric=True),
        Column("characters", "Characters", ",.0f", numeric=True),
        Column("off_language", "Another language", _PERCENT, numeric=True),
        Column("finished", "Came to an end", _PERCENT, numeric=True),
    )
    return Sheet(columns, tuple(rows))


def tabulate_record(studies: Sequence[Study]) -> Sheet:
    """List what a study left out or could not compute, and what proves its votes."""
    rows = []
    for study in studies:
        left_out, gaps = study.about.dropped_questions or {}, study.result.gaps
        rows += [
            (study.language, "left out", f"question {question}: {why}")
            for question, why in left_out.items()
        ]
        rows += [(study.language, f"not computed: {name}", why) for name, why in gaps.items()]
        rows.append((study.language, "commitment, published before", study.about.commitment))
        rows.append((study.language, "head of the votes, at the close", study.about.head))
        rows.append(
            (study.language, "folder in the store, to verify", f"preference/{study.folder.name}")
        )
    columns = (LANGUAGE, Column("what", "What"), Column("words", "In words"))
    return Sheet(columns, tuple(rows))


def describe_estimate(share: Estimate) -> str:
    """An estimate with its interval, in percent."""
    if share.value is None:
        return "–"
    if share.low is None or share.high is None:
        return f"{share.value:.0%}"
    return f"{share.value:.0%} [{share.low:.0%}, {share.high:.0%}]"


def _describe_stopping(study: Study) -> str:
    """Say what gave p in a study that could end before all votes were in."""
    of = study.result.stopping
    assert of is not None
    about = {"panel": "these raters", "speakers": "speakers like them"}.get(of.over, of.over)
    when = (
        "never enough"
        if of.reached_at is None
        else f"enough at vote {of.reached_at} of {of.planned}"
    )
    return (
        f"{study.language}: votes could end once enough was known about {about}: e = {of.e:.3g},"
        f" {when}; p is 1 / e, and the interval holds whenever votes end."
    )


def _take_trust(result: StudyResult) -> tuple[float | None, ...]:
    """The cells of `tabulate_trust`; None where a figure was not computed."""
    on_a, on_b = (
        # Results of earlier versions do not count the sides.
        sum(side or 0 for side in sides)
        for sides in (
            [rater.trained_as_a for rater in result.raters],
            [rater.trained_as_b for rater in result.raters],
        )
    )
    repeats, checks = result.repeats, result.checks
    blinding = result.blinding.all if result.blinding else None
    return (
        result.agreement.alpha if result.agreement else None,
        result.position.share_a if result.position else None,
        on_a / (on_a + on_b) if on_a + on_b else None,
        repeats.same_answer / repeats.pairs if repeats else None,
        checks.passed / checks.shown if checks else None,
        blinding.index if blinding else None,
        result.power.needed_share_of_decisive if result.power else None,
    )


def _compute_share(part: int | None, known: int | None) -> float | None:
    return part / known if part is not None and known else None
