"""The steps of `kakugo-preference` from the close on: the result, and what anyone can check."""

import argparse
import json
import re
from pathlib import Path

from core.shell import quote_for_shell
from preference.cli_steps import Step
from preference.rule import OVER

UNHELD = 3
"""The exit status of what verifies, and was held against nothing that was published."""


def add_steps(step: Step) -> None:
    """Adds close, unblind, verify, analyse, compare, rank and power. step: makes a parser."""
    one = step("close", _close, "end the voting for good, and print what to publish")
    one.add_argument("pack", type=Path)
    one.add_argument(
        "--unfinished",
        action="store_true",
        help="close even where a rater has begun and not finished",
    )

    one = step("unblind", _unblind, "verify a closed study and analyse it")
    one.add_argument("pack", type=Path)
    one.add_argument("--key", type=Path, required=True)
    one.add_argument(
        "--store",
        type=Path,
        default=Path("artifacts"),
        metavar="DIR",
        help="the store whose report is to show it (default: artifacts)",
    )
    one.add_argument(
        "--out",
        type=Path,
        metavar="DIR",
        help="where to write the result (default: STORE/preference/STUDY)",
    )

    one = step(
        "verify",
        _verify,
        "derive a closed study and every published file again, and name what differs. Exit status:"
        " 0 all of it holds, 1 something differs, 2 a file or option that cannot be read, 3 it fits"
        " together, but --commitment or --head was not given, or other libraries computed it",
    )
    one.add_argument("directory", type=Path, help="the folder that unblind wrote, or a pack")
    one.add_argument(
        "--key", type=Path, help="the study's key (default: key.json in the directory)"
    )
    for name, when in (("commitment", "before the first vote"), ("head", "at the close")):
        one.add_argument(
            f"--{name}", type=_read_digest, metavar="HEX", help=f"as published elsewhere {when}"
        )

    one = step(
        "analyse",
        _analyse,
        "analyse votes from elsewhere: JSON or JSONL rows of question, rater and choice",
    )
    one.add_argument("votes", type=Path)
    one.add_argument("--out", type=Path, required=True, metavar="DIR")
    one.add_argument("--language", default="", help="the language to name in the figure")

    one = step(
        "compare", _compare, "several languages' results: one figure, and p adjusted by Holm"
    )
    one.add_argument("results", type=Path, nargs="+", metavar="RESULT")
    one.add_argument("--out", type=Path, required=True, metavar="DIR")

    one = step(
        "rank",
        _rank,
        "more than two checkpoints: a ranking from studies of pairs of them, with intervals",
    )
    one.add_argument("results", type=Path, nargs="+", metavar="RESULT")
    one.add_argument("--out", type=Path, required=True, metavar="DIR")

    one = step("power", _show_power, "what a study can find, before anyone votes")
    one.add_argument("--prompts", type=int, default=80)
    one.add_argument(
        "--ties", type=float, default=0.3, help="expected share of ties (default: 0.3)"
    )
    one.add_argument("--raters", type=int, default=1, help="with 2 or more it is simulated")
    one.add_argument("--part", type=int, metavar="N", help="prompts of each rater (default: all)")
    one.add_argument("--stop", choices=OVER, help="with the rule of prepare --stop, also its votes")
    one.add_argument("--worth", type=float, default=0.6, metavar="SHARE", help="as for prepare")


def _close(a: argparse.Namespace) -> None:
    from preference.admin_app import count_pack, describe_unfinished
    from preference.closing import close
    from preference.errors import StudyStateError

    if not a.unfinished and (waiting := describe_unfinished(a.pack)):
        raise StudyStateError(
            f"not closed: {'; '.join(waiting)}. Closing is for good. Remedy: wait for them, or"
            f" kakugo-preference close {quote_for_shell(a.pack)} --unfinished"
        )
    undecided = sum(row["held"] for row in count_pack(a.pack) if row["state"] != "withdrawn")
    closed = close(a.pack)
    if undecided:
        print(
            f"On {undecided} of what they were asked, raters chose differently twice and never said"
            " which holds. The first choice counts, and the result will warn of it."
        )
    print(f"Closed after {closed['events']} events. Publish: head {closed['head']}")


def _unblind(a: argparse.Namespace) -> None:
    from preference.comments import write_remarks
    from preference.output import summarise
    from preference.unblinding import place_in, unblind

    out = a.out or place_in(a.store, a.pack)
    print(summarise(unblind(a.pack, a.key, out)), end="")
    print(f"\n{out}: result.json, tables, figure, and all that `verify` needs; for everyone")
    print(f"{write_remarks(a.pack, a.key)}: comments and verdicts with the arms' names; for you")
    print(
        f"Anyone can verify it: kakugo-preference verify {quote_for_shell(out)} "
        "--commitment C --head H"
    )
    if a.out is None:
        print(
            f"In the report beside the benchmarks: kakugo-report --store {quote_for_shell(a.store)}"
        )


def _verify(a: argparse.Namespace) -> int:
    from preference.verify import verify

    checks = verify(
        a.directory, a.key or a.directory / "key.json", commitment=a.commitment, head=a.head
    )
    for check in checks:
        print(f"ok: {check.name}")
    unheld = [check.unheld for check in checks if check.unheld]
    for what in unheld:
        print(f"not held against anything published: {what}")
    if unheld:
        print(
            "The folder fits together. Whoever can write all of it could have made it up; only what"
            " was published before says otherwise."
        )
    return UNHELD if unheld else 0


def _analyse(a: argparse.Namespace) -> None:
    from preference.imported import analyse_file
    from preference.output import summarise

    print(summarise(analyse_file(a.votes, a.out, language=a.language)), end="")


def _compare(a: argparse.Namespace) -> None:
    from preference.imported import compare_results

    for line in compare_results(a.results, a.out):
        print(line)


def _rank(a: argparse.Namespace) -> None:
    from preference.tournament import rank_results

    for line in rank_results(a.results, a.out):
        print(line)


def _show_power(a: argparse.Namespace) -> None:
    if a.raters != 1 or a.stop is not None or a.part is not None:
        from preference.planning import describe_forecast, forecast_power, make_study_plan

        plan = make_study_plan(a.prompts, a.raters, a.part, a.ties, a.stop, a.worth)
        for line in describe_forecast(plan, forecast_power(plan)):
            print(line)
        return
    from preference.statistics import compute_power, find_needed_share

    found = find_needed_share(a.prompts, ties=a.ties)
    rows = {
        f"{share:.2f}": round(compute_power(a.prompts, share, ties=a.ties), 3)
        for share in (0.55, 0.6, 0.65, 0.7, 0.75, 0.8)
    }
    print(f"One rater, {a.prompts} prompts, {a.ties:.0%} ties, two-sided sign test at 0.05.")
    print(
        "80% power needs "
        + (
            "more than any preference"
            if found is None
            else f"{found:.0%} of the decisive votes for one arm."
        )
    )
    print("power by share of decisive votes: " + json.dumps(rows))


def _read_digest(text: str) -> str:
    """A SHA-256 as it was published."""
    found = text.strip().lower()
    if re.fullmatch("[0-9a-f]{64}", found):
        return found
    raise argparse.ArgumentTypeError(f"{text!r} is not 64 hex digits, as prepare and close print")
