"""Helpers that the steps of `kakugo-preference` share: add a step, and say where it listens."""

import argparse
from collections.abc import Callable

Step = Callable[[str, Callable[[argparse.Namespace], int | None], str], argparse.ArgumentParser]


def add_listening(parser: argparse.ArgumentParser, port: int) -> None:
    """Adds the options of a step that serves pages."""
    parser.add_argument(
        "--host",
        default="127.0.0.1",
        help="0.0.0.0 for phones on the LAN (default: this machine alone)",
    )
    parser.add_argument("--port", type=read_port, default=port)


def read_port(text: str) -> int:
    """A port; 0 takes any that is free."""
    if text.isascii() and text.isdigit() and int(text) < 2**16:
        return int(text)
    raise argparse.ArgumentTypeError(f"{text!r} is no port; allowed are 0 to 65535")
