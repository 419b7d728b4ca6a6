"""The secret and everything derived from it: sides, opaque ids, and the published commitment.

Before the first vote the study publishes

    C = SHA256(secret || M || I || P)

where M is the hash of all that raters see, the two texts of a question in an order that says
nothing of arms, I of which text is whose and who the two arms are, and P of the analysis plan.
C hides all of it and binds it: afterwards neither the names, the texts nor the plan can be
exchanged. C is the one value of a pack that depends on whose a text is. Every choice that looks
like chance is HMAC-SHA256 under the secret, so that `verify` can derive it again from the revealed
secret.
"""

import hashlib
import hmac
import json
from typing import Any


def write_canonical(value: Any) -> bytes:
    """JSON with sorted keys and no spaces, UTF-8: the form that is hashed."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return text.encode("utf-8")


def hash_canonical(value: Any) -> str:
    """SHA-256 of the canonical JSON, 64 hex digits."""
    return hashlib.sha256(write_canonical(value)).hexdigest()


def commit(secret: bytes, manifest: str, identities: str, plan: str) -> str:
    """The published commitment. The three hashes are hex, of fixed length, so that no other split
    of the same bytes exists."""
    return hashlib.sha256(
        secret + bytes.fromhex(manifest) + bytes.fromhex(identities) + bytes.fromhex(plan)
    ).hexdigest()


def make_fingerprint(commitment: str) -> str:
    """The first 16 hex digits in groups of four: what a person compares by eye."""
    return " ".join(commitment[start : start + 4] for start in range(0, 16, 4))


def derive_bytes(secret: bytes, *parts: str | int) -> bytes:
    """HMAC-SHA256 under the secret of a list of labels: 32 bytes that look like chance."""
    return hmac.new(secret, write_canonical(list(parts)), hashlib.sha256).digest()


def make_opaque_id(secret: bytes, *parts: str | int) -> str:
    """A name that says nothing of what it names, 16 hex digits."""
    return derive_bytes(secret, "id", *parts).hex()[:16]


def flip_coin(secret: bytes, *parts: str | int) -> bool:
    """A coin flip that the secret decides."""
    return bool(derive_bytes(secret, "bit", *parts)[0] & 1)
