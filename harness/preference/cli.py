"""`kakugo-preference`: a blind study of two checkpoints' answers by native speakers."""

import argparse
import json
import re
import sqlite3
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from core.checkpoints.errors import CheckpointError
from core.output import guard_output
from core.shell import pasted
from generation.errors import GenerationError
from harness.errors import HarnessError
from harness.preference.cli_votes import add_steps
from tasks.errors import TasksError

_DESCRIPTION = """\
A blind study: native speakers say which of two checkpoints' answers is better, and nobody can learn
which side is which before the study is closed. Afterwards anyone can verify that nothing was
changed."""

_EPILOG = """\
a study, from questions to result
  kakugo-preference questions STUDY --from question.jsonl --translations ga.jsonl --language irish
  kakugo-preference correct STUDY                 a speaker corrects the translations on a page
  kakugo-preference freeze STUDY                  before any answer exists
  kakugo-preference answer STUDY --base NAME=CHECKPOINT --trained NAME=CHECKPOINT
  kakugo-preference prepare STUDY --pack PACK --key KEY
  kakugo-preference serve PACK --host 0.0.0.0     phones on the LAN, or behind a reverse proxy
  kakugo-preference invite PACK                   each rater's link; ask as often as you like
  kakugo-preference packet PACK --rater 2         a rater without connection: one HTML file
  kakugo-preference import PACK votes.json        what the packet gave back
  kakugo-preference backup PACK --out FILE        a whole copy of the votes, at any time
  kakugo-preference close PACK
  kakugo-preference unblind PACK --key KEY        the result, and kakugo-report shows it
  kakugo-preference comments PACK --key KEY       what raters wrote; never published
  kakugo-preference verify RESULT --commitment C --head H      by anyone, as they were published

who should hold what
  The pack names nobody, but whoever has the answers files can compare texts. So give the pack to
  someone who does not have them, and the key to someone who does not serve it. Publish the
  commitment (commitment.json) before the first vote and the head (closed.json) when you close.

exit status
  0 done; 1 a study does not verify; 2 an error; 3 a study verifies, but --commitment or --head was
  not given, so that it was held against nothing that was published, or the libraries it says it was
  computed with are others than here (their figures are the same)"""


UNHELD = 3


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one step; returns the exit status: 0 done, 1 a study does not verify, 2 an error, 3 a
    study verifies, but was held against nothing that was published."""
    guard_output("kakugo-preference")
    arguments = _parser().parse_args(argv)
    try:
        return int(arguments.run(arguments) or 0)
    except (CheckpointError, GenerationError, HarnessError, TasksError) as error:
        print(f"kakugo-preference: {error}", file=sys.stderr)
        from harness.preference.errors import VerificationError

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


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="kakugo-preference",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    steps = parser.add_subparsers(metavar="STEP", required=True)

    def step(
        name: str, run: Callable[[argparse.Namespace], int | None], what: str
    ) -> argparse.ArgumentParser:
        added = steps.add_parser(name, help=what, description=what)
        added.set_defaults(run=run)
        return added

    one = step(
        "questions", _questions, "take questions and their translations into a study's directory"
    )
    one.add_argument("study", type=Path)
    one.add_argument(
        "--from",
        dest="source",
        required=True,
        metavar="FILE",
        help="MT-Bench's question.jsonl, or any JSONL with `prompt`; hub: MT-Bench from the Hub",
    )
    translated = one.add_mutually_exclusive_group()
    translated.add_argument(
        "--translations",
        type=Path,
        metavar="FILE",
        help="the same questions in the language; without it, --from is in the language already",
    )
    translated.add_argument(
        "--translate",
        nargs="*",
        metavar="KEY=VALUE",
        help="let the teacher translate; settings as kakugo takes them, such as"
        " teacher=gpt_oss_120b teacher.base_url=http://HOST:8000/v1",
    )
    one.add_argument("--language", required=True, help="its name in conf/language")

    one = step(
        "correct", _correct, "serve the page on which speakers correct and approve the translations"
    )
    one.add_argument("study", type=Path)
    _listening(one, 8780)

    one = step("freeze", _freeze, "freeze the corrected questions; answers are made from these")
    one.add_argument("study", type=Path)
    one.add_argument(
        "--unreviewed",
        action="store_true",
        help="allow questions that no speaker confirmed (recorded)",
    )
    one.add_argument(
        "--approval", action="store_true", help="want a second speaker's approval of each"
    )

    one = step(
        "answer",
        _answer,
        "let the checkpoints answer the frozen questions, greedily (temperature 0)",
    )
    one.add_argument("study", type=Path)
    for arm in ("base", "trained"):
        one.add_argument(
            f"--{arm}",
            metavar="NAME=CHECKPOINT",
            help=f"the {arm} arm: a checkpoint's directory, or its artifact in a store",
        )
    one.add_argument("--system-prompt", metavar="TEXT", help="default: the chat template's own")
    one.add_argument(
        "--thinking", choices=("on", "off"), help="default: the chat template's own; recorded"
    )
    one.add_argument(
        "--max-new-tokens", type=int, default=1024, help="thinking included (default: 1024)"
    )
    one.add_argument("--precision", choices=("auto", "fp32", "bf16"), default="auto")

    one = step("prepare", _prepare, "make the pack, the key and the commitment")
    one.add_argument("study", type=Path)
    for arm in ("base", "trained"):
        one.add_argument(
            f"--{arm}",
            metavar="NAME=FILE",
            help=f"the {arm} arm's answers (default: what `answer` wrote)",
        )
    one.add_argument("--pack", type=Path, required=True, metavar="DIR")
    one.add_argument("--key", type=Path, required=True, metavar="FILE", help="outside of the pack")
    one.add_argument(
        "--raters", type=int, default=2, help="slots; even numbers mirror exactly (default: 2)"
    )
    one.add_argument("--repeats", type=int, help="hidden repeats with sides swapped (default: 8)")
    one.add_argument("--checks", type=int, help="wrong-prompt checks (default: 3)")
    one.add_argument(
        "--guesses", type=int, help="prompts on which raters guess at the end (default: 4)"
    )
    one.add_argument("--title", default="", help="what raters read at the top")
    one.add_argument("--contact", default="", help="whom raters may ask")
    one.add_argument(
        "--verdicts", action="store_true", help="also ask whether each answer is good or bad"
    )
    one.add_argument(
        "--messages", type=Path, metavar="FILE", help="a corrected catalogue of the raters' words"
    )
    one.add_argument(
        "--hide",
        action="append",
        default=[],
        metavar="WORD",
        help="further strings that would name a model",
    )
    one.add_argument(
        "--leave-out",
        action="append",
        default=[],
        metavar="KIND",
        help="leave questions of this kind out of both arms: unanswered, empty, error (a tool's"
        " error stands for the answer), template, naming (the answer names a model) or mention",
    )
    one.add_argument(
        "--allow",
        action="append",
        default=[],
        metavar="KIND",
        help="list instead of refuse: unasked, error, template, naming, identical, language or"
        " same-model",
    )
    one.add_argument("--plan", default="", help="what else the analysis is bound to, in your words")

    one = step("serve", _serve, "serve the raters' pages, and counts on loopback")
    one.add_argument("pack", type=Path)
    _listening(one, 8770)
    one.add_argument("--admin-port", type=int, default=8771)
    one.add_argument(
        "--https", action="store_true", help="raters come through a proxy that speaks TLS"
    )
    one.add_argument(
        "--trust-proxy", metavar="ADDRESS", help="believe this proxy's X-Forwarded-For"
    )

    one = step("invite", _invite, "show each rater's link; make those that are not made yet")
    one.add_argument("pack", type=Path)
    which = one.add_mutually_exclusive_group()
    which.add_argument("--rater", type=int, help="this one's alone, from 1")
    which.add_argument(
        "--renew",
        type=int,
        metavar="RATER",
        help="make a new link for this one; the earlier link ends, and so does the rater's open"
        " page; their choices stay",
    )
    one.add_argument(
        "--url", help="where raters reach the server (default: where it was served last)"
    )

    one = step("revoke", _revoke, "end a rater's link; votes stay")
    one.add_argument("pack", type=Path)
    one.add_argument("--rater", type=int, required=True)

    one = step("status", _status, "how far each rater is")
    one.add_argument("pack", type=Path)

    one = step("packet", _packet, "write one HTML file with which a rater works offline")
    one.add_argument("pack", type=Path)
    one.add_argument("--rater", type=int, required=True)
    one.add_argument("--out", type=Path, metavar="FILE")

    one = step("import", _import, "take in the file that a packet gave back")
    one.add_argument("pack", type=Path)
    one.add_argument("file", type=Path, nargs="+")

    add_steps(step)

    one = step("close", _close, "end the voting for good, and print what to publish")
    one.add_argument("pack", type=Path)
    one.add_argument(
        "--unfinished", action="store_true", help="although a rater has begun and not finished"
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
        "--out", type=Path, metavar="DIR", help="elsewhere (default: STORE/preference/STUDY)"
    )

    one = step(
        "verify",
        _verify,
        "derive a closed study and every published file again, and name what differs. Exit status:"
        " 0 all of it holds, 1 something differs, 2 a file or option that cannot be read, 3 it fits"
        " together, but --commitment or --head was not given, or other libraries computed it",
    )
    one.add_argument("directory", type=Path, help="what unblind wrote, or a pack")
    one.add_argument("--key", type=Path, help="default: key.json in the directory")
    for name, when in (("commitment", "before the first vote"), ("head", "at the close")):
        one.add_argument(
            f"--{name}", type=_digest, metavar="HEX", help=f"as published elsewhere {when}"
        )

    one = step(
        "analyse",
        _analyse,
        "analyse votes from elsewhere: JSON or JSONL rows of question, rater and choice",
    )
    one.add_argument("votes", type=Path)
    one.add_argument("--out", type=Path, required=True, metavar="DIR")
    one.add_argument("--language", default="", help="for the figure")

    one = step(
        "compare", _compare, "several languages' results: one figure, and p adjusted by Holm"
    )
    one.add_argument("results", type=Path, nargs="+", metavar="RESULT")
    one.add_argument("--out", type=Path, required=True, metavar="DIR")

    one = step("power", _power, "what a number of prompts can find")
    one.add_argument("--prompts", type=int, default=80)
    one.add_argument(
        "--ties", type=float, default=0.3, help="expected share of ties (default: 0.3)"
    )
    return parser


def _digest(text: str) -> str:
    """A SHA-256 as it was published."""
    found = text.strip().lower()
    if re.fullmatch("[0-9a-f]{64}", found):
        return found
    raise argparse.ArgumentTypeError(f"{text!r} is not 64 hex digits, as prepare and close print")


def _listening(parser: argparse.ArgumentParser, port: int) -> None:
    parser.add_argument(
        "--host",
        default="127.0.0.1",
        help="0.0.0.0 for phones on the LAN (default: this machine alone)",
    )
    parser.add_argument("--port", type=int, default=port)


# Each step imports what it needs: --help stays quick, and nothing here imports torch.


def _questions(a: argparse.Namespace) -> None:
    from harness.preference.languages import study_language
    from harness.preference.questions import make_draft, read_prompts
    from harness.preference.sources import LEDGER, Translated, take, translate

    language = study_language(a.language)
    taken = take(a.source)
    done = Translated(None, {}, {})
    if a.translations:
        texts = {key: text for key, (_, text) in read_prompts(a.translations).items()}
        done = Translated(texts, {}, {"translations": a.translations.name})
    elif a.translate is not None:
        a.study.mkdir(parents=True, exist_ok=True)
        done = translate(
            taken, language, overrides=a.translate, ledger=a.study / LEDGER, progress=_progress
        )
    origin = {**taken.origin, **done.origin}
    questions = make_draft(a.study, a.language, taken.rows, done.texts, origin=origin)
    for question, why in done.lost.items():
        print(f"not translated: question {question}: {why}", file=sys.stderr)
    print(
        f"{len(questions.questions)} questions in {a.study}"
        + (f", {len(done.lost)} of them for a speaker to translate" if done.lost else "")
        + f". Next: kakugo-preference correct {pasted(a.study)}"
    )


def _progress(done: int, total: int, note: str) -> None:
    """One line that is written over, where a person looks on."""
    if sys.stderr.isatty():
        end = "\n" if done == total else ""
        print(f"\r{done} of {total} {note}\033[K", end=end, file=sys.stderr, flush=True)


def _correct(a: argparse.Namespace) -> None:
    from harness.preference.correct_app import serve_corrections

    serve_corrections(a.study, host=a.host, port=a.port)


def _freeze(a: argparse.Namespace) -> None:
    from harness.preference.questions import freeze

    frozen = freeze(a.study, unreviewed=a.unreviewed, approval=a.approval)
    print(f"{len(frozen.questions)} questions frozen, SHA-256 {frozen.sha256}")


def _answer(a: argparse.Namespace) -> None:
    from harness.preference.answering import ARMS, Decoding, answer
    from harness.preference.answers import named
    from harness.preference.errors import AnswersError

    given = {arm: named(value) for arm in ARMS if (value := getattr(a, arm))}
    if not given:
        raise AnswersError("nobody to answer. Remedy: --base NAME=CHECKPOINT, --trained, or both")
    thinking = None if a.thinking is None else a.thinking == "on"
    decoding = Decoding(a.system_prompt, thinking, a.max_new_tokens, a.precision)
    for arm, (name, checkpoint) in given.items():
        print(answer(a.study, arm, name, checkpoint, decoding, _progress))


def _prepare(a: argparse.Namespace) -> None:
    from harness.preference.preparing import prepare_study

    published = prepare_study(
        a.study, base=a.base, trained=a.trained, pack_dir=a.pack, key_path=a.key, raters=a.raters,
        repeats=a.repeats, checks=a.checks, guesses=a.guesses, title=a.title, contact=a.contact,
        verdicts=a.verdicts, messages=a.messages, hide=a.hide, leave_out=a.leave_out,
        allow=a.allow, plan=a.plan, say=lambda line: print(line, file=sys.stderr),
    )  # fmt: skip
    print(f"Pack: {a.pack}. Key: {a.key} (keep it away from the pack).")
    print(f"Publish before the first vote: commitment {published['commitment']}")


def _serve(a: argparse.Namespace) -> None:
    from harness.preference.serving import serve

    def say(line: str) -> None:
        print(line, flush=True)

    serve(
        a.pack,
        host=a.host,
        port=a.port,
        admin_port=a.admin_port,
        https=a.https,
        trust_proxy=a.trust_proxy,
        say=say,
    )


def _invite(a: argparse.Namespace) -> None:
    from harness.preference.invitations import known_addresses, list_links, renew

    url, *others = [a.url] if a.url else known_addresses(a.pack) or ["http://127.0.0.1:8770"]
    links = list_links(a.pack, a.rater) if a.renew is None else [renew(a.pack, a.renew)]
    for link in links:
        shown = f"{url.rstrip('/')}/i/{link.token}" if link.token else link.why or "no link"
        print(f"rater {link.slot + 1}: {shown}  ({link.state})")
    if a.renew is not None:
        print(
            f"The earlier link of rater {a.renew} has ended, and so has their open page. Their"
            " choices are kept; they go on with this link."
        )
    elif lost := [link.slot + 1 for link in links if link.why.startswith("the link")]:
        again = f"kakugo-preference invite {pasted(a.pack)} --renew {lost[0]}"
        print(f"A new link: {again}", file=sys.stderr)
    if others:
        print(f"The server is also at {' and '.join(others)}.", file=sys.stderr)
    elif url.startswith(("http://127.", "http://localhost", "http://[::1]")):
        print(
            "These links open on this machine alone. Remedy: serve PACK --host 0.0.0.0, which finds"
            " out its address, or --url with the one under which raters reach the server",
            file=sys.stderr,
        )


def _revoke(a: argparse.Namespace) -> None:
    from harness.preference.invitations import revoke

    revoke(a.pack, a.rater)
    print(f"The links of rater {a.rater} are ended; their votes are kept.")


def _status(a: argparse.Namespace) -> None:
    from harness.preference.admin_app import counts_of

    for row in counts_of(a.pack):
        print(f"rater {row['slot']}: {row['state']}, {row['done']} of {row['of']}")


def _packet(a: argparse.Namespace) -> None:
    from harness.preference.packet import write_packet

    print(write_packet(a.pack, a.rater, a.out))


def _import(a: argparse.Namespace) -> None:
    from harness.preference.packet import import_packet

    for path in a.file:
        taken = import_packet(a.pack, path)
        print(
            f"{path}: rater {taken.slot + 1}, {taken.new} new choices, {taken.total} votes stand"
            + ("; with the guesses at the end" if taken.guesses else "")
        )
        if path.stat().st_mode & 0o077:
            print(f"Others can read {path}, which holds the rater's words: chmod 600, or delete it")
        if taken.held:
            print(
                f"Rater {taken.slot + 1} chose differently in another file, on {taken.held} items."
                " The earlier choices count until the rater decides. Remedy: kakugo-preference"
                f" packet {a.pack} --rater {taken.slot + 1}, which asks"
            )


def _close(a: argparse.Namespace) -> None:
    from harness.preference.admin_app import counts_of, unfinished
    from harness.preference.closing import close
    from harness.preference.errors import StudyStateError

    if not a.unfinished and (waiting := unfinished(a.pack)):
        raise StudyStateError(
            f"not closed: {'; '.join(waiting)}. Closing is for good. Remedy: wait for them, or"
            f" kakugo-preference close {pasted(a.pack)} --unfinished"
        )
    undecided = sum(row["held"] for row in counts_of(a.pack) if row["state"] != "withdrawn")
    closed = close(a.pack)
    if undecided:
        print(
            f"On {undecided} of what they were asked, raters chose differently twice and never said"
            " which holds. The first choice counts, and the result will warn of it."
        )
    print(f"Closed after {closed['events']} events. Publish: head {closed['head']}")


def _unblind(a: argparse.Namespace) -> None:
    from harness.preference.comments import write_remarks
    from harness.preference.output import summary
    from harness.preference.unblinding import place_in, unblind

    out = a.out or place_in(a.store, a.pack)
    print(summary(unblind(a.pack, a.key, out)), end="")
    print(f"\n{out}: result.json, tables, figure, and all that `verify` needs; for everyone")
    print(f"{write_remarks(a.pack, a.key)}: comments and verdicts with the arms' names; for you")
    print(f"Anyone can verify it: kakugo-preference verify {pasted(out)} --commitment C --head H")
    if a.out is None:
        print(f"In the report beside the benchmarks: kakugo-report --store {pasted(a.store)}")


def _verify(a: argparse.Namespace) -> int:
    from harness.preference.verify import verify

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
    from harness.preference.imported import analyse_file
    from harness.preference.output import summary

    print(summary(analyse_file(a.votes, a.out, language=a.language)), end="")


def _compare(a: argparse.Namespace) -> None:
    from harness.preference.imported import compare_results

    for line in compare_results(a.results, a.out):
        print(line)


def _power(a: argparse.Namespace) -> None:
    from harness.preference.statistics import needed_share, power

    found = needed_share(a.prompts, ties=a.ties)
    rows = {
        f"{share:.2f}": round(power(a.prompts, share, ties=a.ties), 3)
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


if __name__ == "__main__":
    raise SystemExit(main())
