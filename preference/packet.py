"""A rater without connection: one HTML file that works offline, and its JSON, which is imported.

The file holds that rater's screens and nothing of anyone else's. What comes back names the packet,
the hash of what was shown, and a log of all that the rater did in one browser, in a hash chain of
its own, so that an edited file is noticed. Against a rater who computes new hashes nothing helps,
as nothing does on a page. Files may come in any order: each log is a page of its own (`standing`),
an older file adds nothing to a newer one, and two browsers that differ leave it to the rater, whom
the packet asks when it is written again.
"""

import base64
import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from markupsafe import Markup

from preference.ballots import Ballots
from preference.closing import open_ballots
from preference.commitment import make_fingerprint, write_canonical
from preference.errors import BallotError
from preference.files import read_json, write_json, write_text
from preference.invitations import find_slot
from preference.languages import find_direction, find_font_file
from preference.messages import fill_messages, make_writer
from preference.pace import ReadingPace
from preference.pack import read_pack
from preference.rater_app import find_words_beside, list_texts, make_vote_body
from preference.rendering import render_answer
from preference.screens import CHOICES, Screen, lay_out_screens
from preference.standing import GUESSES, HeldChoice, Sitting
from preference.web import HERE, make_environment, make_style_sheet

FORMAT, GIVEN_OUT = "kakugo-packet-2", "packets.json"
# Of an entry of the log, in the order in which its hash covers them.
_FIELDS = ("kind", "item", "choice", "verdict_a", "verdict_b", "comment", "seen")
_CHOICES = {"vote": CHOICES, "guess": ("a", "b", "unknown"), "undo": ("",)}
IMPORT_LIMIT = 8 * 1024 * 1024


@dataclass(frozen=True)
class ImportedVotes:
    """Tells what an import took in. new: votes that were not there before; total: those that stand;
    guesses: whether the file has the guesses at the end, which are no votes; held: items and
    guesses on which the rater chose differently in two files."""

    slot: int
    new: int
    total: int
    guesses: bool
    held: int


def write_packet(pack_dir: Path, rater: int, out: Path | None = None) -> Path:
    """Writes a rater's packet. Asked for again, it is the same one, but that it goes on from what
    was imported, and asks about choices that differ. From then on the rater can have no link.
    Raises BallotError for a rater who already has one and started."""
    pack = read_pack(pack_dir)
    slot = find_slot(rater, len(pack["slots"]))
    ballots = open_ballots(pack_dir, pack)
    try:
        sitting = ballots.fold_sitting(slot)
        if sitting.nonce is not None and not sitting.on_paper:
            raise BallotError(
                f"rater {rater} has started online; a packet would be a second ballot"
            )
        if sitting.nonce is None:
            ballots.enrol(slot, "packet")
            ballots.end_links(slot)
        shown, packet_id = _make_shown(pack, ballots, slot)
        taken = _describe_taken(ballots.fold_sitting(slot), ballots.read_words(slot))
    finally:
        ballots.close_file()
    _remember(pack_dir, packet_id, _hash_text(shown))
    path = out or pack_dir.parent / f"packet-rater-{rater}.html"
    # Whoever has a rater's packet can vote in their place.
    return write_text(path, _write_html(pack, slot, shown, packet_id, taken), secret=True)


def import_packet(pack_dir: Path, path: Path) -> ImportedVotes:
    """Takes in what a packet gave back: all of it or none. The same file twice changes nothing; a
    later one adds what is new. Raises BallotError saying what does not fit."""
    if path.exists() and path.stat().st_size > IMPORT_LIMIT:
        raise BallotError(f"{path}: larger than any packet's file ({IMPORT_LIMIT} bytes)")
    given = read_json(path, BallotError, "file of a packet")
    pack = read_pack(pack_dir)
    ballots = open_ballots(pack_dir, pack)
    try:
        slot, choices = _check_packet(path, given, pack, pack_dir, ballots)
        new = [event for event in ballots.take(slot, choices) if event.kind in ("vote", "held")]
        sitting = ballots.fold_sitting(slot)
        return ImportedVotes(
            slot,
            sum("item" in event.body for event in new),
            len(sitting.votes),
            any(choice.kind == "guess" for choice in choices),
            len(sitting.held),
        )
    finally:
        ballots.close_file()


def _check_packet(
    path: Path, given: dict[str, Any], pack: dict[str, Any], pack_dir: Path, ballots: Ballots
) -> tuple[int, list[HeldChoice]]:
    def refuse(why: str) -> BallotError:
        return BallotError(f"{path}: {why}. Nothing was taken in. Remedy: ask for the file anew")

    if given.get("format") != FORMAT:
        raise refuse(f"not the file of a packet (format {given.get('format')!r})")
    if given.get("study") != pack["study"]:
        raise refuse("it belongs to another study")
    for slot in range(len(pack["slots"])):
        sitting = ballots.fold_sitting(slot)
        if not sitting.on_paper or sitting.nonce is None or sitting.pair_nonce is None:
            continue
        shown, packet_id = _make_shown(pack, ballots, slot)
        if given.get("packet") == packet_id:
            break
    else:
        raise refuse("this study gave out no such packet, or its rater has withdrawn")
    if given.get("shown_sha256") not in {
        _hash_text(shown),
        *_read_given_out(pack_dir).get(packet_id, []),
    }:
        raise refuse(
            "the packet was edited: its questions or answers are not those that were given out"
        )
    sheet = {s.item: s for s in lay_out_screens(pack, slot, sitting.nonce, sitting.pair_nonce)}
    page, log = given.get("page"), given.get("log")
    if not isinstance(log, list) or not re.fullmatch("[0-9a-f]{16}", str(page)):
        raise refuse("it holds no log of votes")
    choices: list[HeldChoice] = []
    guesses: dict[str, str] = {}
    last_guess: tuple[int, str] | None = None
    previous = _hash_text(f"{packet_id}\n{page}")
    for number, entry in enumerate(log, 1):
        if not isinstance(entry, dict):
            raise refuse(f"entry {number} is no vote")
        said = {name: str(entry.get(name)) for name in _FIELDS}
        if entry.get("hash") != _hash_text("\n".join([previous, *said.values()])):
            raise refuse(f"entry {number} was edited after it was made")
        previous = entry["hash"]
        kind, item, choice = said["kind"], said["item"], said["choice"]
        if item not in sheet or choice not in _CHOICES.get(kind, ()):
            raise refuse(f"entry {number} is on an item or a choice that the packet lacks")
        if kind == "guess":
            guesses[item], last_guess = choice, (number, said["seen"])
            continue
        guesses, last_guess = {}, None
        body = {"item": item} if kind == "undo" else make_vote_body(sheet[item], choice, said)
        choices.append(HeldChoice(kind, f"packet:{page}", number, said["seen"], body))
    if last_guess:
        choices.append(HeldChoice("guess", f"packet:{page}", *last_guess, {"guesses": guesses}))
    return slot, choices


def _remember(pack_dir: Path, packet_id: str, shown_sha256: str) -> None:
    """Notes what a packet showed when it was given out: another version of this program may draw
    the same texts in another way until its file comes back."""
    given_out = _read_given_out(pack_dir)
    if shown_sha256 not in given_out.setdefault(packet_id, []):
        given_out[packet_id].append(shown_sha256)
        write_json(pack_dir / GIVEN_OUT, given_out, secret=True)


def _read_given_out(pack_dir: Path) -> dict[str, list[str]]:
    """Packet's id -> hashes of what it showed; nothing where the note was not copied along."""
    if not (pack_dir / GIVEN_OUT).exists():
        return {}
    return read_json(pack_dir / GIVEN_OUT, BallotError, "note of the packets given out")


def _describe_taken(sitting: Sitting, words: Mapping[int, str]) -> dict[str, Any]:
    """Give what the packet's page has to know of what was imported before."""
    return {
        "seen": sitting.latest,
        "known": [item for item in sitting.votes if item not in sitting.held],
        "decide": {
            item: {
                "choices": [choice.body["choice"] for choice in sitting.list_choices(item)],
                **find_words_beside(sitting.list_choices(item), words),
            }
            for item in sitting.held
            if item != GUESSES
        },
        "guessed": sitting.guesses is not None and GUESSES not in sitting.held,
    }


def _make_shown(pack: dict[str, Any], ballots: Ballots, slot: int) -> tuple[str, str]:
    """Make what a packet shows, as the JSON that it embeds, and the packet's id."""
    sitting = ballots.fold_sitting(slot)
    assert sitting.nonce is not None
    assert sitting.pair_nonce is not None
    settings = pack["settings"]

    def row(screen: Screen) -> dict[str, str]:
        return {
            "item": screen.item,
            "prompt": str(_render(pack["prompts"][screen.prompt], settings)),
            "a": str(_render(pack["texts"][screen.a], settings)),
            "b": str(_render(pack["texts"][screen.b], settings)),
        }

    sheet = lay_out_screens(pack, slot, sitting.nonce, sitting.pair_nonce)
    # "<" as an escape: no text can end the script element that holds it.
    shown = (
        write_canonical([row(screen) for screen in sheet]).decode("utf-8").replace("<", "\\u003c")
    )
    packet_id = hashlib.sha256(
        write_canonical(["packet", pack["commitment"], slot, sitting.nonce])
    ).hexdigest()[:16]
    return shown, packet_id


def _render(text: str, settings: Mapping[str, Any]) -> Markup:
    return render_answer(
        text,
        direction=find_direction(text, settings["language"]["direction"]),
        code_label=settings["messages"]["code"],
        table_label=settings["messages"]["table"],
    )


def _write_html(
    pack: dict[str, Any], slot: int, shown: str, packet_id: str, taken: Mapping[str, Any]
) -> str:
    settings = pack["settings"]
    messages = fill_messages(settings)
    font = settings["language"]["font"]
    url = None
    if font:
        url = "data:font/woff2;base64," + base64.b64encode(
            find_font_file(font, list_texts(pack))
        ).decode("ascii")
    style = make_style_sheet(url)
    script = (HERE / "static" / "packet.js").read_text(encoding="utf-8")
    meta = {
        "format": FORMAT,
        "study": pack["study"],
        "packet": packet_id,
        "guesses": settings["guesses"],
        "fileName": f"votes-{packet_id}.json",
        "messages": messages,
        **taken,
    }
    return make_environment().get_template("packet.html.j2").render(
        t=make_writer(
            messages,
            settings["messages_tag"],
            language=settings["language"]["autonym"],
            fingerprint=make_fingerprint(pack["commitment"]),
        ),
        title=settings["title"],
        count=len(pack["slots"][slot]),
        minutes=ReadingPace(pack).estimate_minutes(slot),
        contact=settings["contact"],
        consent=_render(settings.get("consent", ""), settings),
        verdicts=settings["verdicts"],
        page_tag=settings["messages_tag"],
        page_direction=settings["messages_direction"],
        text_tag=settings["language"]["tag"],
        text_direction=settings["language"]["direction"],
        style=style,
        script=script,
        style_hash=_make_csp_hash(style),
        script_hash=_make_csp_hash(script),
        shown=shown,
        meta=json.dumps(meta, ensure_ascii=False, sort_keys=True).replace("<", "\\u003c"),
    )  # fmt: skip


def _make_csp_hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode("utf-8")).digest()).decode(
        "ascii"
    )


def _hash_text(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8")).hexdigest()
