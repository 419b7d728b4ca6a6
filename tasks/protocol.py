"""The protocol of a benchmark: the paper's way by default, and named variants beside it.

In every variant three instances of the scored split are the shots and are not scored, so that as
many items are scored as in the paper (arXiv 2601.14051): 201 of SIB-200, 897 of Belebele, 14,039
of Global-MMLU and 1,009 of FLORES's devtest, where a set is complete.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Literal

from tasks.reading import Extraction

SHOTS = 3
LETTERS = "ABCDEFG"
Kind = Literal["choice", "translation", "reading"]


@dataclass(frozen=True)
class Protocol:
    """The choices of a protocol; the defaults are the paper's.

    answers: `letters` scores the letter of an answer, `labels` its text. Both prompts list the
        answers. A label's log-probability is the sum over its tokens, not divided by its length.
    prompt: `plain` text, or the checkpoint's chat template with the shots as turns of their own
        (`chat-turns`) or in one message with the item (`chat-message`).
    system_prompt: stands before the task's own instruction in the system message; None adds none.
    instructions: in `english`, or in the `language` by the words of ``tasks/words.yaml``.
    shots: the `first` three instances of the scored split, in the order of its file; or
        `balanced`: going through that order, the first instance of each label not yet taken, until
        there are three. A label is a topic of SIB-200, else the position of the right answer. The
        scored items are then the other ones: as many as in the paper, but not the same ones.
    extraction: of tasks whose answers are written and read, the reading that is scored
        (`tasks.reading`); the other one is recorded beside it.
    """

    answers: Literal["letters", "labels"] = "letters"
    prompt: Literal["plain", "chat-turns", "chat-message"] = "plain"
    system_prompt: str | None = None
    instructions: Literal["english", "language"] = "english"
    shots: Literal["first", "balanced"] = "first"
    extraction: Extraction = field(
        default="seahelm", metadata={"since": "0.2", "before": "seahelm"}
    )

    def __post_init__(self) -> None:
        if self.system_prompt is not None and not self.system_prompt.strip():
            raise ValueError("system_prompt: a text or null, received an empty one")
        if self.system_prompt is not None and self.prompt == "plain":
            raise ValueError(
                "system_prompt: only a chat has one; allowed with prompt=chat-turns or "
                "prompt=chat-message, received prompt=plain"
            )

    def apply(self, *, kind: Kind, cloze: bool = False) -> "Protocol":
        """Returns the protocol with its defaults where a choice does not apply.

        A cloze scores the texts of its answers in one way. A translation has neither answers to
        choose from nor labels to balance, so that variants of these leave it as it is and share its
        score. An answer that is read is asked for in the rows' own words, with examples that are no
        turns; a chat has none of them.
        """
        if cloze:
            return Protocol(answers="labels")
        if kind == "choice":
            return replace(self, extraction="seahelm")
        if kind == "reading":
            chats = self.prompt != "plain"
            return Protocol(
                prompt="chat-message" if chats else "plain",
                system_prompt=self.system_prompt,
                extraction=self.extraction,
            )
        return Protocol(
            prompt=self.prompt, system_prompt=self.system_prompt, instructions=self.instructions
        )

    def describe(self, *, kind: Kind, language: str, cloze: bool = False, wording: str = "") -> str:
        """Returns one phrase that names every choice which applies; `wording` is that of an answer
        that is read."""
        if cloze:
            return "texts of the answers as the end of a plain prompt, no shots"
        if kind == "reading":
            return self._describe_reading(wording)
        words = [f"answer {self.answers}"] if kind == "choice" else []
        if self.prompt == "plain":
            words.append("plain prompt")
        else:
            shots = "turns" if self.prompt == "chat-turns" else "one message with the item"
            words.append(f"chat template with the shots as {shots}")
            words.append(self._describe_system())
        words.append(f"{'English' if self.instructions == 'english' else language} instructions")
        if kind == "choice":
            rows = (
                f"first {SHOTS} rows"
                if self.shots == "first"
                else f"{SHOTS} rows of distinct labels"
            )
            words.append(f"{rows} as shots")
        return ", ".join(words)

    def _describe_reading(self, wording: str) -> str:
        """Names the choices of an answer that is written and read."""
        # Where no rows of SEA-HELM's ask, its reading of a text is the first line behind the tag.
        lenient = "SEA-HELM's extraction" if "SEA-HELM" in wording else "first line behind the tag"
        read = lenient if self.extraction == "seahelm" else "strict extraction"
        words = [f"written answer, {read}"]
        if self.prompt == "plain":
            words.append("plain prompt with examples")
        else:
            words += ["chat template with one message", self._describe_system()]
        return ", ".join([*words, f"wording of {wording}"])

    def _describe_system(self) -> str:
        if self.system_prompt:
            return f"system prompt {self.system_prompt!r}"
        return "no added system prompt"

    def list_fields(self) -> dict[str, Any]:
        """Returns the choices by name, as JSON values."""
        return asdict(self)

    def list_lm_eval_options(self) -> dict[str, Any]:
        """Returns the options for the prompt's form in lm-eval's `evaluate` and on its command
        line."""
        if self.prompt == "plain":
            return {}
        return {
            "apply_chat_template": True,
            "fewshot_as_multiturn": self.prompt == "chat-turns",
            "system_instruction": self.system_prompt,
        }


def split_shots(
    labels: Sequence[str], shots: Literal["first", "balanced"], number: int = SHOTS
) -> list[int]:
    """Chooses the rows that are the shots, by position, in file order; fewer than `number` where
    `balanced` does not find that many labels."""
    if shots == "first":
        return list(range(number))
    taken: dict[str, int] = {}
    for position, label in enumerate(labels):
        taken.setdefault(label, position)
    return sorted(taken.values())[:number]
