"""The votes of blind studies as preference data sets: who agreed, which rows, and their page.

A study's own files are read, of which its manifest has the hashes: `votes.csv`, which has the votes
with the arms' names, and `key.json`, which has the texts and the words that raters agreed to.
Comments, times and guesses are not published, nor checks, in which one text answers another
question. Raters who withdrew are in none of these files.
"""

import csv
import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from core.contract.names import VOTES
from core.files import making
from reports.store.model import Study

KEY = "key.json"
CONSENTS = frozenset(
    {
        "7782db94c2a23d7cbc781b82e0cee190350d507b5ac31f00c7df6f701e459b9e",  # Arabic
        "b14a6b84bdf256cf5adad1b077251f8a6ea72a2413cdfe0967eb1523d70c6eb5",  # English
        "aa83cb947ee83bd8463b2a2968a9db46c114ecbed5dc47b7d7dce18bcead3398",  # Galician
        "e7b81a1557c6a1a4997247e0880f94875d66aa6747d99a6e37b78560c6e91a0d",  # Swahili
        "d6afeeceb8b0a7a3acd74fa978292417ac0bc001631030779543239b44da7ca4",  # Yoruba
    }
)
"""SHA-256 of the words of `consent_kept` in the languages that the study's pages come in: they say
that choices are published without any name, and comments are not."""

COLUMNS = {
    "question": "the question's number in the study",
    "category": "its category",
    "prompt": "the question, as raters read it",
    "base_answer": "the answer of the model before training",
    "trained_answer": "the answer of the trained model",
    "choice": "whose answer was preferred: base, trained, or equal",
    "rater": "a number within the study, and nothing else of the rater",
    "kind": "main, or repeat where the same pair was shown again with sides changed",
    "trained_side": "on which side the trained model's answer stood, a or b",
    "base_verdict": "whether the base's answer was called good or bad; null where nobody was asked",
    "trained_verdict": "the same of the trained model's answer",
}
"""What each column of the votes holds."""
Config = Literal["votes", "pairs"]
CONFIGS: tuple[Config, ...] = ("votes", "pairs")


@dataclass(frozen=True)
class Ballot:
    """The published part of a study: its votes by `COLUMNS`, and the words that raters agreed
    to ("" where the study has none)."""

    votes: tuple[Mapping[str, str | None], ...]
    consent: str


def has_consent(ballot: Ballot) -> bool:
    """Says whether raters were told in words of ours that their choices are published."""
    return hashlib.sha256(ballot.consent.encode("utf-8")).hexdigest() in CONSENTS


def read_ballot(study: Study) -> Ballot:
    """Reads the votes of a study with their texts. Raises OSError, and ValueError or LookupError
    for files that are not what `kakugo-preference unblind` writes."""
    key = json.loads((study.folder / KEY).read_text(encoding="utf-8"))
    trained = int(key["trained"])
    texts = {row[0]: row[2:] for row in key["content"]}
    votes = []
    with (study.folder / VOTES).open(encoding="utf-8", newline="") as lines:
        for row in csv.DictReader(lines):
            if row["kind"] == "check":
                continue
            prompt, *answers = texts[row["question"]]
            found = {
                **row,
                "prompt": prompt,
                "base_answer": answers[1 - trained],
                "trained_answer": answers[trained],
            }
            votes.append({name: found[name] or None for name in COLUMNS})
    return Ballot(tuple(votes), str(key["settings"]["messages"].get("consent_kept", "")))


def write_votes(ballot: Ballot, config: Config, out: Path) -> int:
    """Writes a configuration as Parquet; returns its rows. Raises OSError."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    talk = pa.list_(pa.struct([("role", pa.string()), ("content", pa.string())]))
    if config == "votes":
        schema = pa.schema(dict.fromkeys(COLUMNS, pa.string()))
        rows: list[Mapping[str, Any]] = list(ballot.votes)
    else:
        schema = pa.schema(
            {
                **dict.fromkeys(("prompt", "chosen", "rejected"), talk),
                **dict.fromkeys(("question", "category", "choice", "rater"), pa.string()),
            }
        )
        rows = list(_list_pairs(ballot))
    with making(out) as half:
        pq.write_table(pa.Table.from_pylist(rows, schema), half, compression="zstd")
    return len(rows)


def _list_pairs(ballot: Ballot) -> Iterator[Mapping[str, Any]]:
    """Lists votes that prefer an answer, each once, in the form that trainers of preferences
    read."""
    for vote in ballot.votes:
        if vote["choice"] == "equal" or vote["kind"] != "main":
            continue
        other = "base" if vote["choice"] == "trained" else "trained"
        yield {
            "prompt": [{"role": "user", "content": vote["prompt"]}],
            "chosen": [{"role": "assistant", "content": vote[f"{vote['choice']}_answer"]}],
            "rejected": [{"role": "assistant", "content": vote[f"{other}_answer"]}],
            **{name: vote[name] for name in ("question", "category", "choice", "rater")},
        }
