"""Print each rater's link as a QR code on a card: one HTML page, made on this machine alone."""

from collections.abc import Mapping
from pathlib import Path

import segno

from preference.files import write_text
from preference.messages import fill_messages
from preference.pack import read_pack
from preference.web import make_environment


def write_cards(pack_dir: Path, links: Mapping[int, str], out: Path) -> Path:
    """Writes a card for each rater: number, title, QR code, and the link in letters. links: slot ->
    address. Whoever has a card can choose in its rater's place, so the file is the owner's alone.
    """
    settings = read_pack(pack_dir)["settings"]
    cards = [{"rater": slot + 1, "link": link, "code": _draw(link)} for slot, link in links.items()]
    messages = fill_messages(settings)
    html = make_environment().get_template("cards.html.j2").render(
        title=settings["title"],
        cards=cards,
        keep=messages["link_back_text"],
        tag=settings["messages_tag"],
        direction=settings["messages_direction"],
    )  # fmt: skip
    return write_text(out, html, secret=True)


def _draw(link: str) -> str:
    """An SVG that is read from a creased sheet: 15% of it may be lost. In the colours of paper,
    also where the page is dark."""
    return str(
        segno.make(link, error="m", micro=False).svg_inline(
            scale=4, border=4, dark="#000", light="#fff", title="QR"
        )
    )
