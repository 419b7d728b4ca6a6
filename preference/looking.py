"""Glimpse whether enough is known, with the key: what comes of it is that one bit.

Neither an e-value nor the arm that is ahead is shown or kept, so that whoever looks learns no more
than raters do. Where the key lies on another machine than the votes, `find_word` is run there on a
copy (`backup`), and `tell_enough` takes the word to the server.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from core.shell import quote_for_shell
from preference.ballots import NAME, Ballots
from preference.chain import as_event
from preference.closing import open_ballots
from preference.errors import BallotError, StudyStateError, VerificationError
from preference.key import Key, read_key
from preference.pack import read_pack
from preference.rule import find_rule, hash_word, make_word
from preference.stopping import StoppingOutcome, recompute_stopping


@dataclass(frozen=True)
class Glimpse:
    """Says whether enough is known, and how many votes and prompts counted."""

    enough: bool
    votes: int
    planned: int
    prompts: int
    told: bool


def look(pack_dir: Path, key_path: Path, *, tell: bool = True) -> Glimpse:
    """Weighs the votes of an open study; where they are enough, raters are told (tell). Raises
    StudyStateError for a study that is closed or has no rule, and VerificationError for another
    study's key."""
    pack = read_pack(pack_dir)
    key = read_key(key_path)
    _check_study(pack_dir, key, pack["commitment"], key_path)
    ballots = _open_votes(pack_dir, pack)
    try:
        done = recompute_stopping(key, [as_event(row) for row in ballots.list_rows()])
        if done.reached is not None and done.told is None and tell:
            ballots.tell_enough(make_word(key.secret))
        return _describe(done, told=done.told is not None or (tell and done.reached is not None))
    finally:
        ballots.close_file()


def find_word(pack_dir: Path, key_path: Path) -> str | None:
    """The word for the server, where the votes in a pack (or a copy of it) are enough."""
    return (
        make_word(read_key(key_path).secret)
        if look(pack_dir, key_path, tell=False).enough
        else None
    )


def tell_enough(pack_dir: Path, word: str) -> None:
    """Tells raters that enough is known. Raises BallotError for a word that is not the study's."""
    pack = read_pack(pack_dir)
    if "enough" not in pack:
        raise _make_lack_of_rule(pack_dir)
    if hash_word(word) != pack["enough"]:
        raise BallotError(
            "this word is not the study's. Remedy: the word that `kakugo-preference look COPY --key"
            " KEY --word` prints once enough is known"
        )
    ballots = _open_votes(pack_dir, pack)
    try:
        ballots.tell_enough(word)
    finally:
        ballots.close_file()


def watch(
    pack_dir: Path,
    key_path: Path,
    *,
    wait: Callable[[], None],
    say: Callable[[str], None] = lambda line: None,
) -> Glimpse:
    """Looks again and again until enough is known. wait: sleeps between two looks; say: gets what
    each look gave, where it is new."""
    before = ""
    while True:
        found = look(pack_dir, key_path)
        if (line := describe_look(found)) != before:
            say(line)
            before = line
        if found.enough:
            return found
        wait()


def describe_look(found: Glimpse) -> str:
    """Say what a look gave."""
    seen = f"{found.votes} of {found.planned} votes, {found.prompts} prompts counted"
    if not found.enough:
        return f"Go on: {seen}."
    told = " Raters are told." if found.told else ""
    return f"Enough is known: {seen}.{told} Next: close"


def _describe(done: StoppingOutcome, *, told: bool) -> Glimpse:
    return Glimpse(done.reached is not None, done.votes, done.planned, done.prompts, told)


def _open_votes(pack_dir: Path, pack: dict[str, object]) -> Ballots:
    if not (pack_dir / NAME).exists():
        raise StudyStateError(f"{pack_dir} holds no votes yet. Remedy: serve it first")
    ballots = open_ballots(pack_dir, pack)
    if ballots.is_closed():
        ballots.close_file()
        raise StudyStateError(
            f"the study in {pack_dir} is closed. Remedy: kakugo-preference unblind"
            f" {quote_for_shell(pack_dir)} --key KEY"
        )
    return ballots


def _check_study(pack_dir: Path, key: Key, commitment: str, key_path: Path) -> None:
    if key.commitment != commitment:
        raise VerificationError(f"{key_path} is not the key of the pack in {pack_dir}")
    if find_rule(key.plan) is None:
        raise _make_lack_of_rule(pack_dir)


def _make_lack_of_rule(pack_dir: Path) -> StudyStateError:
    return StudyStateError(
        f"the study in {pack_dir} has no stopping rule in its plan, so that looking at the votes"
        " before the close would make its test wrong. Remedy: wait for the raters; a new study"
        " gets a rule by prepare --stop"
    )
