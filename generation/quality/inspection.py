"""Looks at each row as it is made: reports by default, leaves out on request."""

from collections import Counter
from collections.abc import Iterable
from typing import Any

from core.contract.facts import QualityFacts
from core.identify.text import identify_against
from generation.quality.checks import (
    Instructions,
    has_broken_unicode,
    is_refusal,
    repeats_itself,
)
from generation.quality.duplicates import Duplicates
from generation.settings import Quality


class Inspection:
    """The checks of one source."""

    def __init__(
        self,
        settings: Quality,
        *,
        language: str,
        flores_code: str | None,
        script: str | None,
        wordings: Iterable[str],
    ) -> None:
        self._settings = settings
        self._wanted = {"flores_code": flores_code, "name": language, "script": script}
        self._instructions = Instructions(wordings)
        self._duplicates = Duplicates(settings.near_duplicate)
        self._flags: Counter[str] = Counter()
        self._dropped: Counter[str] = Counter()
        self._languages: Counter[str] = Counter()
        self._rows = self._undetermined = self._inside = self._outside = 0

    def look(self, row: dict[str, Any], instruction: str) -> bool:
        """Check a row: write its flags and its answers' language into it, and tell whether it
        stays.
        """
        asked: list[str] = []
        said: list[str] = []
        for turn in row["messages"]:
            # An answer that is not trained (weight 0) is context, as what the user says.
            trained = turn["role"] == "assistant" and turn.get("weight", 1)
            if turn["role"] != "system":
                (said if trained else asked).append(turn["content"])
        answer = "\n".join(said)
        flags = self._flag_language(row, answer)
        if found := self._duplicates.see(instruction):
            flags.append(found.replace(" ", "_"))
        ratio = len(answer) / max(1, len(instruction))
        if not self._settings.min_length_ratio <= ratio <= self._settings.max_length_ratio:
            flags.append("length")
        checks = {
            "leaked": self._instructions.leaks_into,
            "refusal": is_refusal,
            "repetition": repeats_itself,
            "unicode": has_broken_unicode,
        }
        texts = {"leaked": [*said, instruction], "refusal": said}
        flags += [
            name
            for name, fails in checks.items()
            if any(fails(text) for text in texts.get(name, [*said, *asked]))
        ]
        row["quality"] = flags
        self._rows += 1
        self._flags.update(flags)
        reason = next((flag for flag in flags if flag in self._settings.drop), None)
        if reason:
            self._dropped[reason] += 1
        return reason is None

    def make_facts(self) -> QualityFacts:
        """The counts, most frequent first."""
        return QualityFacts(
            rows=self._rows,
            identifier=self._settings.identifier,
            in_language=self._inside,
            other_language=self._outside,
            undetermined_language=self._undetermined,
            languages=dict(self._languages.most_common()),
            flags=dict(self._flags.most_common()),
            dropped=dict(self._dropped.most_common()),
        )

    def _flag_language(self, row: dict[str, Any], answer: str) -> list[str]:
        identified, verdict = identify_against(
            answer, **self._wanted, model=self._settings.identifier
        )
        self._languages[identified.language or "undetermined"] += 1
        row["language"] = identified.language
        if verdict is None:
            self._undetermined += 1
            return []
        if verdict:
            self._inside += 1
            return []
        self._outside += 1
        return ["language"]
