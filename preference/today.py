"""Sittings of a length that the rater chooses, the link to come back, and a reminder of it.

Both are kept in the rater's browser alone, as cookies: how far they want to come today, and the
link that they opened. The server knows links by their hashes only.
"""

import re
import secrets
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

# A shorter study needs no sittings, and the page that asks would cost more than it saves.
LEAST_ITEMS = 12
_STEPS = (5, 10, 20)
# Octets of a line in a calendar's file, its end left out (RFC 5545, 3.1).
_LINE = 75


def list_steps(left: int) -> list[int]:
    """The lengths of a sitting that are offered with so many items left; none where all of them
    are few."""
    return [step for step in _STEPS if step < left] if left >= LEAST_ITEMS else []


def read_goal(cookie: str) -> int | None:
    """Read how many choices in all the rater wants to have made today; None without a limit."""
    return int(cookie) if re.fullmatch("[0-9]{1,4}", cookie) else None


def make_reminder(link: str, title: str, now: datetime) -> str:
    """A calendar's file (RFC 5545) with one entry, a day from now, that holds the link. now: with
    its time zone."""
    start = (now + timedelta(days=1)).astimezone(UTC).replace(second=0, microsecond=0)
    lines = [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        "PRODID:-//Kakugo//Preference study//EN",
        "BEGIN:VEVENT",
        f"UID:{secrets.token_hex(16)}@kakugo",
        f"DTSTAMP:{now.astimezone(UTC):%Y%m%dT%H%M%SZ}",
        f"DTSTART:{start:%Y%m%dT%H%M%SZ}",
        f"DTEND:{start + timedelta(minutes=30):%Y%m%dT%H%M%SZ}",
        f"SUMMARY:{_escape(title)}",
        f"DESCRIPTION:{_escape(link)}",
        f"URL:{link}",
        "BEGIN:VALARM",
        "ACTION:DISPLAY",
        f"DESCRIPTION:{_escape(title)}",
        "TRIGGER:PT0S",
        "END:VALARM",
        "END:VEVENT",
        "END:VCALENDAR",
    ]
    return "".join(f"{part}\r\n" for line in lines for part in _fold(line))


def _escape(text: str) -> str:
    return re.sub(r"([\\;,])", r"\\\1", text).replace("\n", "\\n")


def _fold(line: str) -> Sequence[str]:
    """A line in parts of at most 75 octets; no letter is cut."""
    parts, part = [], ""
    for letter in line:
        if len((part + letter).encode("utf-8")) > _LINE:
            parts.append(part)
            part = " "
        part += letter
    return [*parts, part]
