"""`kakugo-publish`: checkpoints and their data on the Hugging Face Hub."""

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from core.errors import MendableError
from core.output import guard_output
from core.versions import VERSION
from publishing.errors import PlanError

_DESCRIPTION = """\
Puts the trained checkpoints of a store and the data that they were made from on the Hugging Face
Hub: a model and a data set for each language, one commit each, private at first. Damage,
benchmark texts in the training data, licences that are not known, and secrets are refused before
anything is sent. Run again, it sends only what is missing."""

_EPILOG = """\
examples
  kakugo-publish artifacts --to my-org --dry-run     what would be sent, and what is refused
  kakugo-publish artifacts --to my-org               as private repositories
  kakugo-publish artifacts --to my-org --public      makes what was sent public
  kakugo-publish artifacts --to my-org --language yoruba --producer trained:gen
  kakugo-publish artifacts --to my-org --votes --licence 'study KEY=cc-by-4.0'

The token is that of `hf auth login`, or HF_TOKEN. It needs the right to write.

exit status
  0  all is on the Hub (or would be)
  2  nothing was sent, or the sending ended early; the message says why"""


def main(argv: Sequence[str] | None = None) -> int:
    """Publishes what the arguments ask for; returns the exit status (see --help)."""
    guard_output("kakugo-publish")
    arguments = _make_parser().parse_args(argv)
    try:
        return _run(arguments)
    except (MendableError, OSError) as error:
        print(f"kakugo-publish: {error}", file=sys.stderr)
        return 2


def _make_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        "kakugo-publish",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("store", type=Path, help="the folder of the artifacts")
    add("--to", required=True, metavar="ORGANISATION", help="the owner of the repositories")
    add("--language", action="append", default=[], metavar="NAME", help="these languages only")
    add("--producer", metavar="NAME", help="the checkpoint, by its producer's name or its key")
    add(
        "--licence",
        action="append",
        default=[],
        metavar="NAME=IDENTIFIER",
        help="the licence of a model, data set or file whose licence is not known",
    )
    add(
        "--base",
        action="append",
        default=[],
        metavar="STUDENT=REPOSITORY",
        help="the model of the Hub that a student is, which was given as a directory",
    )
    add("--votes", action="store_true", help="the votes of blind studies, too, as data sets")
    add(
        "--consent",
        action="append",
        default=[],
        metavar="STUDY",
        help="a study whose raters agreed to the publication in words of its own",
    )
    steps = parser.add_mutually_exclusive_group()
    steps.add_argument(
        "--dry-run", action="store_true", help="say what would be done, send nothing"
    )
    steps.add_argument("--public", action="store_true", help="make public what was sent before")
    add("--replace", action="store_true", help="replace repositories of other checkpoints of ours")
    add("--cache", type=Path, metavar="DIR", help="where the runs kept what stores share")
    add("--version", action="version", version=f"%(prog)s {VERSION}")
    return parser


def _run(arguments: argparse.Namespace) -> int:
    from publishing.looking import look_over
    from publishing.plan import Publication, Wanted, plan_publication
    from publishing.shared import add_shared
    from reports.store.read import read_store

    cache = arguments.cache or Path(os.environ.get("KAKUGO_CACHE") or "~/.cache/kakugo")
    view = add_shared(read_store(arguments.store), cache.expanduser())
    wanted = Wanted(
        organisation=arguments.to,
        languages=arguments.language,
        producer=arguments.producer,
        licences=_read_pairs(
            "--licence", arguments.licence, "NAME=IDENTIFIER", "my-model=apache-2.0"
        ),
        bases=_read_pairs(
            "--base", arguments.base, "STUDENT=REPOSITORY", "granite=ibm-granite/granite-4.0-micro"
        ),
        votes=arguments.votes,
        consents=arguments.consent,
    )
    plan = plan_publication(view, wanted)
    if arguments.public:
        from publishing.send import make_public

        return make_public(plan, arguments.to, print)
    plan = Publication(plan.repositories, [*plan.refusals, *look_over(view, plan)])
    if arguments.dry_run or plan.refusals:
        from publishing.overview import print_plan

        print_plan(view, plan)
    if plan.refusals:
        print("kakugo-publish: nothing was sent, since something is refused.", file=sys.stderr)
        return 2
    if arguments.dry_run:
        return 0
    from publishing.send import send_all

    send_all(view, plan, arguments.to, replace=arguments.replace, say=print)
    return 0


def _read_pairs(option: str, given: Sequence[str], form: str, example: str) -> dict[str, str]:
    """Reads options of two parts. Raises PlanError for one that is not `form`."""
    pairs = {}
    for one in given:
        name, _, value = one.rpartition("=")
        if not name or not value:
            raise PlanError(f"{option} {one!r} is no {form}.\nRemedy: as in {option} '{example}'.")
        pairs[name] = value
    return pairs
