"""The data set's card, README.md beside the rows: what is in it, what became of each request,
what it cost, and samples.

The same rows give the same card. Samples are untrusted text: fenced as code, and without the
characters that would act in a terminal or hide text.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from core.contract.facts import SourceFacts
from core.contract.names import ROWS
from core.files import write_whole
from core.languages import tag_language
from core.markdown import fence, write_table
from generation.ids import hash_parts

_SAMPLES = 3
_SAMPLE_CHARACTERS = 1200
_ABOUT = {
    "topic": "questions and requests about topics, answered by the teacher",
    "scenario": "messages of people in everyday situations, answered by the teacher",
    "context": "requests about texts in the language, answered by the teacher",
    "translated": "English chats, translated turn by turn by the teacher",
}


def write_card(
    folder: Path,
    source: str,
    *,
    language: str,
    flores_code: str | None,
    teacher: str,
    seed: int,
    inputs: Mapping[str, str],
    origins: Mapping[str, str],
    facts: SourceFacts,
) -> None:
    """Write README.md.

    `inputs` are the SHA-256 of what the source was made from, `origins` where it was had, by role.
    """
    head = {
        "pretty_name": f"{language}: {source}",
        "language": tag_language(language, flores_code).partition("-")[0] or "und",
        "task_categories": ["text-generation"],
        "tags": ["synthetic", source] if source in _ABOUT else [source],
        "configs": [{"config_name": "default", "data_files": ROWS}],
    }
    cost = "unknown (no prices were given)" if facts.cost_usd is None else f"${facts.cost_usd:,.4f}"
    quality = facts.quality
    parts = [
        # JSON is YAML, and needs no thought about quoting.
        "---\n" + "".join(f"{key}: {json.dumps(value)}\n" for key, value in head.items()) + "---",
        _write_title(language, source, facts.rows),
        write_table(
            ["what", "value"],
            [
                ["teacher", teacher],
                ["seed", seed],
                ["teacher calls", facts.calls],
                ["input tokens", facts.tokens_input],
                ["output tokens", facts.tokens_output],
                ["cost", cost],
                *([role, value] for role, value in sorted(origins.items())),
                *([f"SHA-256 of {role}", value] for role, value in sorted(inputs.items())),
            ],
        ),
        "## What became of each request\n\nAsked, answered and parsed count requests; kept counts "
        "what a step hands on.\n\n"
        + write_table(
            ["step", "asked", "answered", "parsed", "kept", "lost"],
            [
                [s.step, s.asked, s.answered, s.parsed, s.kept, _write_counts(s.reasons)]
                for s in facts.steps
            ],
        ),
        f"## Quality\n\nLooked for in {quality.rows:,} rows. Languages by {quality.identifier}: "
        f"{quality.in_language:,} answers are in {language}, {quality.other_language:,} in another "
        f"language, {quality.undetermined_language:,} undetermined.\n\n"
        + write_table(
            ["check", "rows with the fault", "left out"],
            [[name, n, quality.dropped.get(name, 0)] for name, n in quality.flags.items()],
        ),
        "## Columns\n\n`messages` is the chat (turns with `weight` 0 are context, not trained), "
        "`reasoning` the teacher's trace or null, `provenance` the topic, scenario, text or "
        "conversation that a row comes from, whether its prompt was revised, the seed, the keys of "
        "its requests in the ledger and the teacher's tokens of the last one, `quality` the checks "
        "that it fails, `language` the identified ISO 639-3 code or null.",
        "## Samples",
        *_draw_samples(folder / ROWS),
    ]
    write_whole(folder / "README.md", "\n\n".join(parts) + "\n")


def _write_title(language: str, source: str, rows: int) -> str:
    head = f"# {language}: {source}\n\n{rows:,} rows: "
    if source not in _ABOUT:
        return head + "the user's own data; its origin and licence are the user's to know."
    return (
        f"{head}{_ABOUT[source]}. Synthetic, and not read by a speaker: mistakes and untruths are "
        "to be expected."
    )


def _draw_samples(rows: Path) -> list[str]:
    """Some rows, the same ones whenever the rows are the same."""
    best: list[tuple[str, dict[str, Any]]] = []
    with rows.open(encoding="utf-8") as lines:
        for line in lines:
            row = json.loads(line)
            best = sorted([*best, (hash_parts("sample", row["id"]), row)], key=lambda p: p[0])[
                :_SAMPLES
            ]
    if not best:
        return ["There are no rows."]
    return [fence("\n\n".join(_write_turns(row))) for _, row in best]


def _write_turns(row: dict[str, Any]) -> list[str]:
    turns = [
        f"[{turn['role']}{'' if turn.get('weight', 1) else ', not trained'}]\n{turn['content']}"
        for turn in row["messages"]
    ]
    if row["reasoning"]:
        turns.insert(-1, f"[reasoning]\n{row['reasoning']}")
    return [_shorten(turn) for turn in turns]


def _shorten(text: str) -> str:
    return text if len(text) <= _SAMPLE_CHARACTERS else text[:_SAMPLE_CHARACTERS] + " […]"


def _write_counts(reasons: Mapping[str, int]) -> str:
    return ", ".join(f"{reason}: {count:,}" for reason, count in sorted(reasons.items()))
