"""A rater with a phone: a real browser on a real server, and what both have kept."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from chromium import click_through, open_context
from small_study import answers, prepared
from study_server import Server

from preference.closing import open_ballots
from preference.pack import read_pack
from preference.standing import Sitting

SAMPLES = {
    "amharic": "ሰላም ለሁላችሁ። ይህ ጥያቄ ስለ ቡና ነው።",
    "lao": "ສະບາຍດີ ນີ້ແມ່ນຄຳຖາມກ່ຽວກັບກາເຟ",
    "lhasa_tibetan": "བཀྲ་ཤིས་བདེ་ལེགས། འདི་ནི་དྲི་བ་ཞིག་ཡིན།",
    "central_kurdish": "سڵاو، ئەمە پرسیارێکە دەربارەی قاوە",
}
LONG = (
    "## {word}\n\nMT-Bench {word}\n\n```python\n"
    + "print('a line of code that is far wider than any phone')  " * 3
    + "\n```\n\n| one | two | three | four | five | six |\n|---|---|---|---|---|---|\n| {word} | 2"
    " | 3 | 4 | 5 | 6 |\n\n- {word}\n- {word}\n\n" + "verylongwordwithoutanyspaces" * 6
)


@contextmanager
def served(folder: Path, language: str, **options: Any) -> Iterator[tuple[Path, str]]:
    """A pack of a small study and the address of its server, a process of its own."""
    word = SAMPLES.get(language, "Habari")
    said = {
        "northern": lambda n: LONG.format(word=word) + f" {n}",
        "southern": lambda n: f"{word} {n}\n\n" + LONG.format(word=word),
    }
    base, trained = (f"{name}={answers(folder, name, 3, text)}" for name, text in said.items())
    # The texts are chosen for their width, not for their language.
    few = {"repeats": 1, "checks": 1, "guesses": 1, "allow": ("language",)}
    pack, _ = prepared(folder, 3, language=language, base=base, trained=trained, **few | options)
    server = Server(pack)
    try:
        yield pack, server.address
    finally:
        server.kill()


def link(pack: Path, address: str, slot: int = 0) -> str:
    """A rater's invitation."""
    ballots = open_ballots(pack, read_pack(pack))
    token = ballots.invite(slot)
    ballots.close_file()
    return f"{address}/i/{token}"


def phone(browser: Any, **more: Any) -> Any:
    """A browser's window of a phone's size."""
    return open_context(browser, 360, 740, **more)


def begin(page: Any, address: str) -> None:
    """Opens a link and goes on to the first open item, whose page has then run its script."""
    page.goto(address)
    click_through(page, "button.main")
    if page.url.endswith("/consent"):
        click_through(page, "button.main")
    page.wait_for_selector("#vote")


def vote(page: Any, choice: str, done: int) -> None:
    """Votes, and waits for the next page, which counts `done` (this one may count as many)."""
    click_through(page, f"button[value={choice}]")
    page.wait_for_selector(f"progress[value='{done}']")


def item(page: Any) -> str:
    """The number of the item that a page shows."""
    return str(page.input_value("#vote [name=item]"))


def wait_for_words(page: Any, pack: Path, message: str) -> None:
    """Waits until the sentence stands beside the buttons."""
    words = read_pack(pack)["settings"]["messages"][message]
    page.locator("#notice", has_text=words).wait_for()


def sitting(pack: Path, slot: int = 0) -> Sitting:
    """All of a rater, as the server has it."""
    ballots = open_ballots(pack, read_pack(pack))
    try:
        return ballots.fold_sitting(slot)
    finally:
        ballots.close_file()


def chosen(pack: Path, slot: int = 0) -> dict[str, str]:
    """A rater's standing choices by item."""
    return {key: event.body["choice"] for key, event in sitting(pack, slot).votes.items()}


def words(pack: Path, slot: int = 0) -> list[str]:
    """A rater's comments."""
    ballots = open_ballots(pack, read_pack(pack))
    try:
        return list(ballots.read_words(slot).values())
    finally:
        ballots.close_file()
