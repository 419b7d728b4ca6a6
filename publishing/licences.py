"""The licences of what data and checkpoints are made from: known by name, repository or content.

Data sets bear what their pages on the Hub say, and models what was announced of them (read in
November 2026). It is no legal advice: a person who knows better says so with `--licence
NAME=IDENTIFIER`.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

Role = Literal["base", "teacher", "corpus", "texts"]
"""Weights that were trained on, the model that wrote, a data set of the Hub, files of a person."""

OURS = "apache-2.0"
"""The licence of the embedded texts, which are of this project's own writing."""

DERIVABLE: Mapping[str, str] = {
    "apache-2.0": "",
    "mit": "",
    "cc0-1.0": "",
    "odc-by": "name the source",
    "cc-by-4.0": "name the source",
    "cc-by-sa-4.0": "name the source, and share under the same licence",
    "cc-by-nc-4.0": "name the source, and no commercial use",
    "cc-by-nc-sa-4.0": "name the source, no commercial use, and share under the same licence",
}
"""The licences under which something derived may be published, by the Hub's identifiers, and what
each asks of those who do."""

MODELS: Mapping[str, str] = {
    "HuggingFaceTB/SmolLM2-135M-Instruct": "apache-2.0",
    "ibm-granite/granite-4.0-micro": "apache-2.0",
    "openai/gpt-oss-120b": "apache-2.0",
    "openai/gpt-oss-20b": "apache-2.0",
}
CORPORA: Mapping[str, str] = {
    "HuggingFaceFW/fineweb-2": "odc-by",
    "BAAI/Infinity-Instruct": "cc-by-sa-4.0",
}
WEIGHTS: Mapping[str, str] = {
    "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53": (
        "HuggingFaceTB/SmolLM2-135M-Instruct"
    ),
}
"""Repositories of weights that are known by their file's SHA-256: the embedded student."""
TEXTS: Mapping[str, str] = {
    "4c10d260ec4ba2168bc8d4961c41bc5c850cbe04ad41ece8ac737118894096ee": ("the embedded contexts"),
    "b764e585f3a3d85a469fc1ab52b0282135c4439828e262d537950b39a7f3123e": (
        "the embedded conversations"
    ),
}
"""Texts of this project's own writing, by their file's SHA-256."""


@dataclass(frozen=True)
class Origin:
    """Something that a publication is derived from.

    `name` is a repository of the Hub where `on_hub` says so, and else what a person calls it.
    `licence` is the Hub's identifier, None where it is not known. `role` is what it was to it.
    """

    name: str
    licence: str | None
    role: Role
    on_hub: bool = False

    @property
    def obstacle(self) -> str | None:
        """Says why nothing derived from it may be published; None where it may."""
        if self.licence is None:
            return "its licence is not known"
        if self.licence not in DERIVABLE:
            return f"its licence, {self.licence}, is none that is known to allow derived works"
        return None


def find_model(name: str, stated: Mapping[str, str], role: Role, *, on_hub: bool) -> Origin:
    """Finds the licence of a model; `stated` are those that a person has given by name."""
    return Origin(name, stated.get(name, MODELS.get(name)), role, on_hub)


def find_corpus(name: str, stated: Mapping[str, str]) -> Origin:
    """Finds the licence of a data set of the Hub; `stated` as in `find_model`."""
    return Origin(name, stated.get(name, CORPORA.get(name)), "corpus", True)


def find_models_licence(origins: Sequence[Origin]) -> list[str]:
    """Finds the licences that a model bears: those of the weights it was made from, and those of
    its data that forbid commercial use."""
    return list_licences(one for one in origins if one.role == "base" or "-nc" in str(one.licence))


def list_licences(origins: Iterable[Origin]) -> list[str]:
    """Lists the licences that a work derived from all of these bears, each once, without those that
    ask for nothing beside one that does."""
    found = sorted({origin.licence for origin in origins if origin.licence})
    asking = [one for one in found if DERIVABLE.get(one)]
    return asking or found
