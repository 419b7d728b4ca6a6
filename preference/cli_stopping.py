"""The steps of `kakugo-preference` that end a study once enough is known."""

import argparse
import time
from pathlib import Path

from preference.cli_steps import Step


def add_steps(step: Step) -> None:
    """Adds look and enough. step: makes a step's parser."""
    one = step(
        "look",
        _look,
        "look whether enough is known, by the rule of prepare --stop, and tell raters so. It shows"
        " one bit: neither which arm is ahead nor by how much",
    )
    one.add_argument("pack", type=Path)
    one.add_argument("--key", type=Path, required=True)
    how = one.add_mutually_exclusive_group()
    how.add_argument(
        "--every", type=float, metavar="MINUTES", help="look again and again until it is enough"
    )
    how.add_argument(
        "--word",
        action="store_true",
        help="tell nobody, and print the word that `enough` takes: for a copy of the pack beside"
        " the key, whose votes.sqlite is a backup",
    )

    one = step(
        "enough", _tell_enough, "tell raters that enough is known, by the word of look --word"
    )
    one.add_argument("pack", type=Path)
    one.add_argument("--word", required=True, metavar="HEX")


def _look(a: argparse.Namespace) -> None:
    from preference.errors import PreferenceError
    from preference.looking import describe_look, find_word, look, watch

    if a.word:
        word = find_word(a.pack, a.key)
        print("Go on." if word is None else f"Enough is known. Word: {word}")
        return
    if a.every is None:
        print(describe_look(look(a.pack, a.key)))
        return
    if not a.every > 0:
        raise PreferenceError(f"--every {a.every:g}: minutes, more than 0")
    try:
        watch(
            a.pack, a.key, wait=lambda: time.sleep(60 * a.every), say=lambda s: print(s, flush=True)
        )
    except KeyboardInterrupt:
        print("No longer looking; look again at any time.")


def _tell_enough(a: argparse.Namespace) -> None:
    from preference.looking import tell_enough

    tell_enough(a.pack, a.word)
    print("Raters are told. Next: close")
