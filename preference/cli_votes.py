"""The steps of `kakugo-preference` that keep, show or delete what raters did."""

import argparse
from pathlib import Path

from preference.cli_steps import Step


def add_steps(step: Step) -> None:
    """Adds backup, withdraw, forget, comments and read. step: makes a step's parser."""
    one = step("backup", _back_up, "copy the votes, also of a study that is being served")
    one.add_argument("pack", type=Path)
    one.add_argument(
        "--out",
        type=Path,
        required=True,
        metavar="FILE",
        help="the file to write; must not exist yet",
    )

    one = step(
        "restore",
        _restore,
        "put a backup in place of votes that were lost; what was deleted since stays deleted",
    )
    one.add_argument("pack", type=Path)
    one.add_argument("--from", dest="source", type=Path, required=True, metavar="FILE")

    one = step(
        "withdraw", _withdraw, "delete all that a rater did, who asks for it before the close"
    )
    one.add_argument("pack", type=Path)
    one.add_argument("--rater", type=int, required=True, help="the rater's number; the first is 1")

    one = step(
        "forget", _forget, "delete comments, also after the close; without a choice, number them"
    )
    one.add_argument("pack", type=Path)
    which = one.add_mutually_exclusive_group()
    which.add_argument(
        "--rater", type=int, help="delete all comments of this rater; the first is 1"
    )
    which.add_argument(
        "--comment", type=int, action="append", metavar="NUMBER", help="delete this comment"
    )

    one = step("comments", _list_comments, "show raters' comments and verdicts of a closed study")
    one.add_argument("pack", type=Path)
    one.add_argument("--key", type=Path, required=True)

    one = step(
        "read",
        _write_reader,
        "write a closed study as a page for you alone: texts, votes, times and comments by prompt",
    )
    one.add_argument("pack", type=Path)
    one.add_argument("--key", type=Path, required=True)


def _write_reader(a: argparse.Namespace) -> None:
    from preference.reading import write_reader

    print(f"{write_reader(a.pack, a.key)}: open it in a browser. It is for you alone")


def _back_up(a: argparse.Namespace) -> None:
    from preference.backup import back_up

    copied = back_up(a.pack, a.out)
    print(
        f"{a.out}: {copied.events} events, {copied.comments} comments, checked; head {copied.head}."
        " It holds raters' words: delete it when one of them withdraws or asks for it"
    )


def _restore(a: argparse.Namespace) -> None:
    from preference.restoring import restore

    done = restore(a.pack, a.source)
    print(f"{a.pack}: {done.events} events stand there now.")
    if done.aside:
        print(f"What was there before: {done.aside}. It holds raters' words: delete it in the end")
    for rater in done.withdrawn:
        print(f"Rater {rater} had withdrawn since the backup: deleted again")
    if done.forgotten:
        print(f"Comments deleted since the backup, deleted again: {len(done.forgotten)}")


def _withdraw(a: argparse.Namespace) -> None:
    from preference.comments import withdraw

    withdraw(a.pack, a.rater)
    print(
        f"Rater {a.rater} has withdrawn: choices, times and comments are deleted. Backups made"
        " before still hold them."
    )


def _forget(a: argparse.Namespace) -> None:
    from preference.comments import forget, list_comments

    if a.rater is None and a.comment is None:
        for comment in list_comments(a.pack):
            print(
                f"comment {comment.seq}: rater {comment.slot + 1}, {len(comment.text)} characters"
            )
        return
    gone = forget(a.pack, rater=a.rater, numbers=a.comment or ())
    print(
        f"Comments deleted: {len(gone)}. The votes stay and verify as before. Backups made before"
        " still hold them."
    )


def _list_comments(a: argparse.Namespace) -> None:
    from preference.comments import as_lines, read_remarks, write_remarks

    for line in as_lines(read_remarks(a.pack, a.key)):
        print(line)
    print(f"As a table, for you alone: {write_remarks(a.pack, a.key)}")
