"""The steps of `kakugo-preference` that reach raters: pages, links, and packets to send."""

import argparse
import sys
from pathlib import Path

from core.shell import quote_for_shell
from preference.cli_steps import Step, add_listening, read_port


def add_steps(step: Step) -> None:
    """Adds serve, invite, revoke, status, packet and import. step: makes a step's parser."""
    one = step("serve", _serve, "serve the raters' pages, and counts on loopback")
    one.add_argument("pack", type=Path)
    add_listening(one, 8770)
    one.add_argument("--admin-port", type=read_port, default=8771)
    one.add_argument(
        "--https",
        action="store_true",
        help="raters reach the server through a proxy that speaks TLS",
    )
    one.add_argument(
        "--trust-proxy", metavar="ADDRESS", help="believe this proxy's X-Forwarded-For"
    )

    one = step(
        "host",
        _write_recipe,
        "write what it takes to serve the study on a domain: HTTPS by Caddy, a service, backups",
    )
    one.add_argument("pack", type=Path)
    one.add_argument("--domain", required=True, help="such as study.example.org")
    one.add_argument("--user", required=True, help="the user of this machine who runs the service")
    one.add_argument("--out", type=Path, required=True, metavar="DIR")
    one.add_argument("--port", type=read_port, default=8770)
    one.add_argument("--admin-port", type=read_port, default=8771)
    one.add_argument(
        "--keep-days", type=int, default=14, help="how old a backup becomes (default: 14)"
    )

    one = step("invite", _invite, "show each rater's link; make those that are not made yet")
    one.add_argument("pack", type=Path)
    which = one.add_mutually_exclusive_group()
    which.add_argument(
        "--rater", type=int, help="show the link of this rater alone; the first is 1"
    )
    which.add_argument(
        "--renew",
        type=int,
        metavar="RATER",
        help="make a new link for this rater; the earlier link ends, and so does the rater's open"
        " page; their choices stay",
    )
    one.add_argument(
        "--url", help="where raters reach the server (default: where it was served last)"
    )
    one.add_argument(
        "--qr",
        type=Path,
        metavar="FILE",
        help="also write a page of cards to print, each rater's link as a QR code",
    )

    one = step("revoke", _revoke, "end a rater's link; votes stay")
    one.add_argument("pack", type=Path)
    one.add_argument("--rater", type=int, required=True)

    one = step("status", _show_status, "how far each rater is")
    one.add_argument("pack", type=Path)

    one = step("packet", _write_packet, "write one HTML file with which a rater works offline")
    one.add_argument("pack", type=Path)
    one.add_argument("--rater", type=int, required=True)
    one.add_argument("--out", type=Path, metavar="FILE")

    one = step("import", _import, "take in the file that a packet gave back")
    one.add_argument("pack", type=Path)
    one.add_argument("file", type=Path, nargs="+")


def _serve(a: argparse.Namespace) -> None:
    from preference.serving import serve

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


def _write_recipe(a: argparse.Namespace) -> None:
    from preference.hosting import Host, write_recipe

    host = Host(a.domain, a.user, a.port, a.admin_port, a.keep_days)
    *_, steps = write_recipe(a.pack, a.out, host)
    print(f"{a.out}: files for Caddy and systemd. What to do with them: {steps}")


def _invite(a: argparse.Namespace) -> None:
    from preference.invitations import list_links, read_known_addresses, renew_link

    url, *others = [a.url] if a.url else read_known_addresses(a.pack) or ["http://127.0.0.1:8770"]
    links = list_links(a.pack, a.rater) if a.renew is None else [renew_link(a.pack, a.renew)]
    if a.qr:
        from preference.printed import write_cards

        pages = {n.slot: f"{url.rstrip('/')}/i/{n.token}" for n in links if n.token}
        print(f"{write_cards(a.pack, pages, a.qr)}: a card for each rater, to print and cut")
    for link in links:
        shown = f"{url.rstrip('/')}/i/{link.token}" if link.token else link.why or "no link"
        print(f"rater {link.slot + 1}: {shown}  ({link.state})")
    if a.renew is not None:
        print(
            f"The earlier link of rater {a.renew} has ended, and so has their open page. Their"
            " choices are kept; they go on with this link."
        )
    elif lost := [link.slot + 1 for link in links if link.why.startswith("the link")]:
        again = f"kakugo-preference invite {quote_for_shell(a.pack)} --renew {lost[0]}"
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
    from preference.invitations import revoke

    revoke(a.pack, a.rater)
    print(f"The links of rater {a.rater} are ended; their votes are kept.")


def _show_status(a: argparse.Namespace) -> None:
    from preference.admin_app import count_pack
    from preference.invitations import make_code_finder

    find_code = make_code_finder(a.pack)
    for row in count_pack(a.pack):
        code = f", code {find_code(row['slot'] - 1)}" if row["state"] == "finished" else ""
        print(f"rater {row['slot']}: {row['state']}, {row['done']} of {row['of']}{code}")


def _write_packet(a: argparse.Namespace) -> None:
    from preference.packet import write_packet

    print(write_packet(a.pack, a.rater, a.out))


def _import(a: argparse.Namespace) -> None:
    from preference.packet import import_packet

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
