"""`kakugo-preference`: a blind study of two checkpoints' answers by native speakers."""

import argparse
import sqlite3
import sys
from collections.abc import Callable, Sequence

from core.errors import MendableError
from core.output import guard_output
from core.versions import VERSION
from preference import cli_raters, cli_results, cli_stopping, cli_study, cli_votes
from preference.cli_results import UNHELD as UNHELD

_DESCRIPTION = """\
A blind study: native speakers say which of two checkpoints' answers is better, and nobody can learn
which side is which before the study is closed. Afterwards anyone can verify that nothing was
changed."""

_EPILOG = """\
a study, from questions to result
  kakugo-preference questions STUDY --from question.jsonl --translations ga.jsonl --language irish
  kakugo-preference words STUDY KEY=VALUE...      the raters' words, where none are shipped
  kakugo-preference correct STUDY                 a speaker corrects questions and words on a page
  kakugo-preference freeze STUDY                  before any answer exists
  kakugo-preference answer STUDY --base NAME=CHECKPOINT --trained NAME=CHECKPOINT
  kakugo-preference prepare STUDY --pack PACK --key KEY
  kakugo-preference serve PACK --host 0.0.0.0     phones on the LAN, or behind a reverse proxy
  kakugo-preference host PACK --domain D --user U --out DIR     or on a domain: HTTPS, backups
  kakugo-preference invite PACK                   each rater's link; ask as often as you like
  kakugo-preference packet PACK --rater 2         a rater without connection: one HTML file
  kakugo-preference import PACK votes.json        what the packet gave back
  kakugo-preference backup PACK --out FILE        a whole copy of the votes, at any time
  kakugo-preference restore PACK --from FILE      which comes back after a loss
  kakugo-preference withdraw PACK --rater 2       all that a rater did is deleted; before the close
  kakugo-preference forget PACK --comment 17      a comment is deleted; also later
  kakugo-preference look PACK --key KEY           is enough known? after prepare --stop
  kakugo-preference close PACK
  kakugo-preference unblind PACK --key KEY        the result, and kakugo-report shows it
  kakugo-preference comments PACK --key KEY       what raters wrote; never published
  kakugo-preference rank RESULT... --out DIR      more than two checkpoints, from studies of pairs
  kakugo-preference read PACK --key KEY           texts, votes, times, comments by prompt; for you
  kakugo-preference verify RESULT --commitment C --head H      by anyone, as they were published

who should hold what
  The pack names nobody, but whoever has the answers files can compare texts. So give the pack to
  someone who does not have them, and the key to someone who does not serve it. Publish the
  commitment (commitment.json) before the first vote and the head (closed.json) when you close.

exit status
  0 done; 1 a study does not verify; 2 an error; 3 a study verifies, but --commitment or --head was
  not given, so that it was held against nothing that was published, or the libraries it says it was
  computed with are others than here (their figures are the same)"""


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one step; returns the exit status: 0 done, 1 a study does not verify, 2 an error, 3 a
    study verifies, but was held against nothing that was published."""
    guard_output("kakugo-preference")
    arguments = _make_parser().parse_args(argv)
    try:
        return int(arguments.run(arguments) or 0)
    except MendableError as error:
        print(f"kakugo-preference: {error}", file=sys.stderr)
        from preference.errors import VerificationError

        return 1 if isinstance(error, VerificationError) else 2
    except OSError as error:
        print(f"kakugo-preference: {error}", file=sys.stderr)
        return 2
    except sqlite3.DatabaseError as error:
        print(
            f"kakugo-preference: the votes cannot be read or written ({error}). Remedy: let this"
            " program write votes.sqlite and its folder; where the file is damaged, go on from the"
            " latest backup",
            file=sys.stderr,
        )
        return 2


def _make_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="kakugo-preference",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"%(prog)s {VERSION}")
    steps = parser.add_subparsers(metavar="STEP", required=True)

    def step(
        name: str, run: Callable[[argparse.Namespace], int | None], what: str
    ) -> argparse.ArgumentParser:
        added = steps.add_parser(name, help=what, description=what)
        added.set_defaults(run=run)
        return added

    # In the order in which a study needs them.
    for add_steps in (
        cli_study.add_steps, cli_raters.add_steps, cli_votes.add_steps, cli_stopping.add_steps,
        cli_results.add_steps,
    ):  # fmt: skip
        add_steps(step)
    return parser


if __name__ == "__main__":
    raise SystemExit(main())
