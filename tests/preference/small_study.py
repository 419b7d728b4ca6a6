"""A small study for tests: eight questions of two categories, and raters that vote by a rule."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from preference.ballots import Ballots
from preference.closing import open_ballots
from preference.pack import read_pack
from preference.preparation import Preparation
from preference.preparing import prepare_study
from preference.questions import freeze, make_draft, read_prompts
from preference.rater_app import make_vote_body
from preference.screens import Screen, lay_out_screens
from preference.standing import HeldChoice

SECRET = bytes(range(32))


def write_lines(path: Path, rows: list[dict[str, Any]]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), "utf-8")
    return path


def questions(count: int = 8) -> list[dict[str, Any]]:
    return [
        {
            "question_id": n,
            "category": "writing" if n % 2 else "maths",
            "turns": [f"Question number {n}?"],
        }
        for n in range(count)
    ]


def frozen(folder: Path, count: int = 8, language: str = "swahili") -> Path:
    """A study's directory with frozen questions."""
    study = folder / "study"
    make_draft(study, language, read_prompts(write_lines(folder / "q.jsonl", questions(count))))
    freeze(study, unreviewed=True)
    return study


def answers(
    folder: Path, name: str, count: int = 8, text: Callable[[int], str] | None = None
) -> Path:
    say = text or (lambda n: f"Text {name[::-1]} of {n}.")
    return write_lines(
        folder / f"{name}.jsonl",
        [{"question_id": n, "text": say(n), "finished": True} for n in range(count)],
    )


def prepared(folder: Path, count: int = 8, **options: Any) -> tuple[Path, Path]:
    """Pack and key of a small study."""
    language = options.pop("language", "swahili")
    study = frozen(folder, count, language)
    base = options.pop("base", None) or f"northern={answers(folder, 'northern', count)}"
    trained = options.pop("trained", None) or f"southern={answers(folder, 'southern', count)}"
    usual = {"repeats": 2, "checks": 1, "guesses": 2, "practice": False, "secret": SECRET}
    options = usual | options
    pack_dir, key = folder / "pack", folder / "keys" / "key.json"
    secret = options.pop("secret")
    made = Preparation(study=study, pack=pack_dir, key=key, base=base, trained=trained, **options)
    prepare_study(made, secret=secret)
    return pack_dir, key


def vote_all(
    pack_dir: Path, choose: Callable[[dict[str, Any], Screen, int], str], slots: int = 2
) -> None:
    """Every item of every slot, chosen by a rule of (pack, screen, slot)."""
    pack = read_pack(pack_dir)
    ballots = open_ballots(pack_dir, pack)
    for slot in range(slots):
        for screen in enrolled(pack, ballots, slot):
            body = make_vote_body(screen, choose(pack, screen, slot), {})
            ballots.take(slot, [HeldChoice("vote", f"vote:{screen.item}", 1, "", body)])
    ballots.close_file()


def enrolled(pack: dict[str, Any], ballots: Ballots, slot: int) -> list[Screen]:
    body = ballots.enrol(slot).body
    return lay_out_screens(pack, slot, body["nonce"], body["pair_nonce"])


def field(html: str, name: str) -> str:
    """The value of a hidden field."""
    found = re.search(rf'name="{name}" value="([^"]*)"', html)
    assert found, f"no field {name} in {html}"
    return found.group(1)
