"""A packet's file comes back to a program that may have changed since the packet was given out."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from markupsafe import Markup
from small_study import prepared

from preference import packet
from preference.errors import BallotError
from preference.packet import GIVEN_OUT, import_packet, write_packet


def given_back(html: Path, **changed: str) -> Path:
    """The file that a packet gives back before its first vote."""
    text = html.read_text("utf-8")
    (shown,) = re.findall(r'<script type="application/json" id="shown">(.*?)</script>', text)
    (meta,) = re.findall(r'<script type="application/json" id="meta">(.*?)</script>', text)
    about = json.loads(meta)
    value = {name: about[name] for name in ("format", "study", "packet")}
    value |= {"page": "0" * 16, "log": [], "shown_sha256": packet._hash_text(shown), **changed}
    path = html.with_suffix(".json")
    path.write_text(json.dumps(value), "utf-8")
    return path


@pytest.fixture
def drawn_anew(monkeypatch: pytest.MonkeyPatch) -> Any:
    """From when it is called, texts are drawn as another version of a library would."""
    before = packet.render_answer

    def draw(text: str, **options: Any) -> Markup:
        return Markup('<div class="new">{}</div>').format(before(text, **options))

    return lambda: monkeypatch.setattr(packet, "render_answer", draw)


def test_a_packet_given_out_before_an_update_is_taken_in_after_it(
    tmp_path: Path, drawn_anew: Any
) -> None:
    pack, _ = prepared(tmp_path)
    path = given_back(write_packet(pack, 1))
    drawn_anew()
    assert import_packet(pack, path).slot == 0
    later = given_back(write_packet(pack, 1, tmp_path / "later.html"))
    assert later.read_text("utf-8") != path.read_text("utf-8")
    assert import_packet(pack, later).slot == 0
    assert import_packet(pack, path).slot == 0, "the first one is in somebody's hands still"


def test_what_was_never_shown_is_refused(tmp_path: Path, drawn_anew: Any) -> None:
    pack, _ = prepared(tmp_path)
    html = write_packet(pack, 1)
    other = given_back(write_packet(pack, 2, tmp_path / "other.html"))
    shown = json.loads(other.read_text("utf-8"))["shown_sha256"]
    for edited in ("0" * 64, shown):
        with pytest.raises(BallotError, match="the packet was edited"):
            import_packet(pack, given_back(html, shown_sha256=edited))
    path = given_back(html)
    (pack / GIVEN_OUT).unlink()
    assert import_packet(pack, path).slot == 0, "a pack that was copied without the note"
    drawn_anew()
    with pytest.raises(BallotError, match="the packet was edited"):
        import_packet(pack, path)
