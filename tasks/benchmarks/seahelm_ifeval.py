"""SEA-IFEval: whether an answer follows an instruction that a program can check
(`aisingapore/Instruction-Following-IFEval`; `_seahelm.py` says what all sets have in common).

A row: id=1518, prompts=[{"text": ...}], prompt_templates=["{text}"], metadata={"subcategory":
"keywords:existence"}, kwargs=[{"keywords": ["bambang"]}]

105 requests a language, five of each of 21 kinds (CC-BY). The score is the share that is followed
in the right language (`tasks/instructions.py`). It is asked of chats alone.

Traps: version 1 let a model write 1,024 tokens, as here, later ones 4,096; words are not counted in
Thai, which leaves 100; five requests a language are for an answer in another one.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from tasks.benchmark import WrittenForm
from tasks.benchmarks._seahelm import SeahelmSet, take_first
from tasks.errors import DataMalformed
from tasks.instructions import CHECKS, OPTIONS, SPACELESS, write_instruction
from tasks.reading import Wording
from tasks.rows import Raw


class InstructionSet(SeahelmSet):
    """The set, whose rows have an instruction in place of a label."""

    def flatten(self, raws: Sequence[Raw], code: str) -> list[Raw]:
        """Returns the rows whose instruction can be checked in the language."""
        marked = [Raw(raw.file, raw.place, mark_instruction(raw)) for raw in raws]
        uncounted = "length_constraints:number_words" if code in SPACELESS else None
        return [
            raw
            for raw in super().flatten(marked, code)
            if not str(raw.cells["label"]).startswith(str(uncounted))
        ]


def mark_instruction(raw: Raw) -> dict[str, Any]:
    """Returns the cells of a row with its instruction as the label, and what it is of as the
    phenomenon; raises DataMalformed for an instruction that nothing checks."""
    told = raw.cells.get("metadata") or {}
    kind, settings = str(told.get("subcategory")), take_first(raw, "kwargs")
    if kind not in CHECKS or not isinstance(settings, Mapping):
        raise DataMalformed(
            f"{raw.file}, {raw.place}: the instruction {kind!r} cannot be checked. Remedy: "
            "SEA-HELM's own files"
        )
    known = {name: value for name, value in settings.items() if value is not None}
    return {
        **raw.cells,
        "label": write_instruction(kind, known),
        "metadata": {**told, "linguistic_phenomenon": kind.partition(":")[0]},
    }


SET = InstructionSet(
    "instruction_following/ifeval/data", ("text",), dict.fromkeys(OPTIONS, Wording("", 1024))
)

BENCHMARK = SET.make_benchmark(
    name="seahelm_ifeval",
    title="instruction following",
    place=260,
    repository="aisingapore/Instruction-Following-IFEval",
    pillar="Instruction following",
    reading=WrittenForm("pass_rate", SET.wordings, examples=0),
)
