"""Says in plain words why the Hugging Face Hub does not give something, and what a person can do.

The Hub's own libraries are imported only when there is an error to explain.
"""

from dataclasses import dataclass
from typing import Literal

Kind = Literal["datasets", "models"]


@dataclass(frozen=True)
class Refusal:
    """The reason why something cannot be had, to be put behind its name, and the remedies."""

    reason: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.reason}. Remedy: {self.remedy}"


def explain_refusal(
    error: BaseException, place: str, *, kind: Kind, setting: str, instead: str, gated: str = ""
) -> Refusal:
    """Explains an error of the Hub's clients; its causes are looked through, too.

    `place` is a repository, perhaps with `@revision`; `setting` is the one that names it,
    `instead` what may be given in its place, and `gated` more that helps where access is asked
    for.
    """
    from huggingface_hub import errors

    chain = list_causes(error)

    def is_a(*kinds: type[BaseException]) -> bool:
        return any(isinstance(link, kinds) for link in chain)

    # `datasets` gives its cause in words only.
    if is_a(errors.GatedRepoError) or "is a gated dataset" in str(error):
        address = "https://huggingface.co/" + ("datasets/" if kind == "datasets" else "")
        return Refusal(
            "is gated, and HF_TOKEN is not set or has no access to it",
            f"accept its conditions at {address}{place.partition('@')[0]}, set HF_TOKEN to a token "
            f"of that account, {instead}{gated}",
        )
    if is_a(errors.RevisionNotFoundError):
        return Refusal("has no such revision", "check the part behind @")
    if is_a(errors.RepositoryNotFoundError):
        return Refusal(
            "is not on the Hub, or is private and HF_TOKEN is not set or has no access to it",
            f"check the name ({setting}) and HF_TOKEN, {instead}",
        )
    if is_a(errors.LocalEntryNotFoundError, errors.OfflineModeIsEnabled, ConnectionError):
        return Refusal(
            "is not wholly kept on this machine, and the Hub cannot be reached",
            f"check the network or unset HF_HUB_OFFLINE, {instead}",
        )
    said = dict.fromkeys(" ".join(str(e).split()) or type(e).__name__ for e in (error, chain[-1]))
    return Refusal(
        f"cannot be read: {': '.join(said)[:400].rstrip('.')}",
        f"check the network, the name ({setting}) and HF_TOKEN, {instead}",
    )


def list_causes(error: BaseException) -> list[BaseException]:
    """Lists an error and what it came of, in turn."""
    chain = [error]
    while cause := chain[-1].__cause__ or chain[-1].__context__:
        chain.append(cause)
    return chain
