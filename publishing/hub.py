"""The Hub's client, with patience: what passes by itself is tried again, and what does not is said
in plain words, with a remedy and without the token."""

import re
import sys
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

import httpx2

from publishing.errors import HubError

if TYPE_CHECKING:
    from huggingface_hub import HfApi

T = TypeVar("T")
TRIES = 8
LONGEST_S = 3600.0
"""A limit of commits is over after an hour."""
_PASSING = (429, 500, 502, 503, 504)
_CUT = (httpx2.TransportError, ConnectionError)
_RESET = re.compile(r"\bt=(\d+)")  # RateLimit: "api";r=0;t=55


def open_hub(organisation: str) -> "HfApi":
    """Connects to the Hub with the token of this machine, and checks that it may write to an
    organisation. Raises HubError where there is none, or it may not."""
    from huggingface_hub import HfApi, get_token
    from huggingface_hub.utils.tqdm import disable_progress_bars

    if not sys.stderr.isatty():
        disable_progress_bars()
    token = get_token()
    if not token:
        raise HubError(
            "There is no token of the Hub on this machine.\n"
            "Remedy: `hf auth login`, or set HF_TOKEN to a token that may write to "
            f"{organisation}."
        )
    api = HfApi(token=token, library_name="kakugo-publish")
    who = try_again(api.whoami, "asking whose the token is")
    owners = [who["name"], *(one["name"] for one in who.get("orgs") or ())]
    if organisation not in owners:
        raise HubError(
            f"The token is of {who['name']}, who does not belong to {organisation}.\n"
            f"Remedy: --to with one of {', '.join(owners)}, or the token of a member."
        )
    if ((who.get("auth") or {}).get("accessToken") or {}).get("role") == "read":
        raise HubError(
            "The token may read only, and publishing writes.\n"
            "Remedy: make one with the role `write` at https://huggingface.co/settings/tokens."
        )
    return api


def try_again(action: Callable[[], T], what: str, wait: Callable[[float], None] = time.sleep) -> T:
    """Returns what an action gives; tries it again where the Hub is busy, fails (5xx) or the
    connection is cut.

    It waits as long as the Hub asks for, else 1, 2, 4, ... s; an action must therefore be one that
    may be done twice. Raises HubError, in which `what` says what was tried.
    """
    for number in range(TRIES):
        try:
            return action()
        except Exception as error:
            pause = find_pause(error, number)
            if pause is None or number == TRIES - 1:
                explained = explain(error, what)
                if explained is None:
                    raise
                raise explained from None
            wait(pause)
    raise AssertionError("unreachable")


def find_pause(error: Exception, number: int) -> float | None:
    """Finds the seconds to wait before the next try, after `number` earlier ones; None where it
    would not help."""
    from huggingface_hub.errors import HfHubHTTPError

    if isinstance(error, _CUT):
        return float(2**number)
    if not isinstance(error, HfHubHTTPError) or error.response.status_code not in _PASSING:
        return None
    headers = error.response.headers
    asked = headers.get("Retry-After", "")
    reset = _RESET.search(headers.get("RateLimit", ""))
    if asked.isdigit():
        return min(float(asked), LONGEST_S)
    return min(float(reset[1]), LONGEST_S) if reset else float(2**number)


def explain(error: Exception, what: str) -> HubError | None:
    """Explains an error of the Hub's client; None for one that is none of the Hub."""
    from huggingface_hub.errors import HfHubHTTPError

    if isinstance(error, _CUT):
        return HubError(
            f"The Hub cannot be reached ({what}: {type(error).__name__}).\n"
            "Remedy: check the network and HF_ENDPOINT; the same command goes on from here."
        )
    if not isinstance(error, HfHubHTTPError):
        return None
    code = error.response.status_code
    said = error.server_message or f"status {code}"
    remedies = {
        401: "`hf auth login` with a token that is valid",
        403: "a token whose account may write there (fine-grained ones name each organisation)",
        429: "wait an hour; the same command goes on from here",
    }
    remedy = remedies.get(code, "try the same command later; it goes on from here")
    return HubError(f"The Hub refuses {what}: {said[:300]}.\nRemedy: {remedy}.")


def is_without_xet(error: Exception) -> bool:
    """Says whether a server was asked for Xet storage and has none.

    The library of Xet raises errors of its own, which tell no status but in words.
    """
    said = str(error)
    return "xet-write-token" in said and "404" in said
