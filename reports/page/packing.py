"""Packs long parts of a large page: they are drawn when a reader comes to them.

A page of 54 languages would be megabytes long and have a hundred thousand elements, for which a
phone takes a quarter of a minute. Packed, a part is a line of compressed text (raw DEFLATE, RFC
1951, in base64) that `page.js` turns into the same elements.
"""

import base64
import re
import zlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from markupsafe import Markup

LEAST = 8_000
"""Characters of a part that is worth it."""
_ID = re.compile(r'\bid="([^"]+)"')
_ROW = re.compile("<tr[ >]")
_ROW_HEIGHT, _MOST_ROWS = 30, 24  # pixels; a longer table scrolls in a frame of its own


def pack_part(html: "Markup", title: str, name: str) -> "Markup":
    """Packs a part of the page, if it is long. `name` is the table that has it, "" for several.

    The ids in it stand on the outside, so that links to them still lead there.
    """
    from markupsafe import Markup

    text = str(html)
    if len(text) < LEAST:
        return html
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    data = base64.b64encode(packer.compress(text.encode()) + packer.flush()).decode()
    rows = min(len(_ROW.findall(text)) + 2, _MOST_ROWS)
    where = f", in {name}.csv" if name else ""
    return Markup(
        '<div class="packed" data-ids="{}" style="min-height: {}px"><h3>{}</h3>'
        '<p class="small soft">Shown when you come here. Without JavaScript, '
        "<code>kakugo-report --format csv</code> has it{}.</p>"
        '<script type="text/plain">{}</script></div>'
    ).format(" ".join(_ID.findall(text)), rows * _ROW_HEIGHT, title, where, data)


def pack_nothing(html: "Markup", title: str, name: str) -> "Markup":
    """Leaves a part of a small page as it is."""
    return html
