"""Show the researcher how a running study stands: items finished, and nothing of any vote.

It listens on loopback only, on a port of its own, takes no POST, and knows loopback names only.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from core.web import LOOPBACK, Assets, Guard
from preference.ballots import Ballots
from preference.closing import CLOSED, open_ballots
from preference.commitment import make_fingerprint
from preference.pack import read_pack
from preference.web import make_environment, make_style_sheet, render_page


def count_sessions(pack: Mapping[str, Any], ballots: Ballots) -> list[dict[str, Any]]:
    """Slot, state and number of items done of each rater; no choice, no time, no text."""
    rows = []
    enough = ballots.is_enough()
    for slot, items in enumerate(pack["slots"]):
        sitting = ballots.fold_sitting(slot)
        done = len(sitting.votes)
        state = (
            "withdrawn" if sitting.withdrawn
            else "not started" if sitting.nonce is None
            else "to decide between two choices" if sitting.held
            else "finished" if done == len(items)
            else "finished, since enough is known" if enough
            else "rating offline" if sitting.on_paper
            else "rating"
        )  # fmt: skip
        held = len(sitting.held)
        rows.append(
            {"slot": slot + 1, "state": state, "done": done, "of": len(items), "held": held}
        )
    return rows


def count_pack(pack_dir: Path) -> list[dict[str, Any]]:
    """The counts of the pack in a directory."""
    pack = read_pack(pack_dir)
    ballots = open_ballots(pack_dir, pack)
    try:
        return count_sessions(pack, ballots)
    finally:
        ballots.close_file()


def describe_unfinished(pack_dir: Path) -> list[str]:
    """The raters who have begun and not finished, in words; none of a closed study."""
    if (pack_dir / CLOSED).exists():
        return []
    return [
        f"rater {row['slot']} has rated {row['done']} of {row['of']}"
        + (f" and has to decide on {row['held']}, chosen differently twice" if row["held"] else "")
        for row in count_pack(pack_dir)
        if row["state"].startswith(("rating", "to decide"))
    ]


def make_admin_app(pack: Mapping[str, Any], ballots: Ballots) -> Starlette:
    """The ASGI application: one page and its style."""
    env = make_environment()
    assets = Assets({"study.css": make_style_sheet(None).encode("utf-8")})

    async def home(request: Request) -> Response:
        rows = await run_in_threadpool(count_sessions, pack, ballots)
        closed = await run_in_threadpool(ballots.is_closed)
        return render_page(
            env,
            "admin.html.j2",
            title=pack["settings"]["title"],
            rows=rows,
            closed=closed,
            fingerprint=make_fingerprint(pack["commitment"]),
            page_tag="en",
            page_direction="ltr",
            urls=assets.urls,
        )

    return Starlette(
        routes=[Route("/", home), Route("/static/{name}", assets.serve)],
        middleware=[Middleware(Guard, hosts=LOOPBACK)],
    )
