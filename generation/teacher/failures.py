"""Tell the failures that may pass by themselves, so that it is worth asking again."""

TIME_OUT = "time-out"
CONNECTION_LOST = "connection lost"
MALFORMED = "malformed response"
BROKEN_OFF = "broken off by the provider"
LEFT_OUT = "left out of the batch"

_STATUSES = (408, 409, 425, 429)


def may_pass_later(status: int) -> bool:
    """Tell whether the server may answer the same request later: it is busy, or broken itself."""
    return status in _STATUSES or status >= 500


def may_pass(failure: str) -> bool:
    """Tell whether a failure, in the words that the ledger keeps, may pass.

    Not so a refusal of the request itself, such as "HTTP 400: the prompt is too long": nothing
    but other settings will change it.
    """
    if failure in (TIME_OUT, CONNECTION_LOST, MALFORMED, BROKEN_OFF) or failure.startswith(
        LEFT_OUT
    ):
        return True
    status = failure.removeprefix("HTTP ").partition(":")[0]
    return status.isdecimal() and may_pass_later(int(status))
