"""Draws responses to the contexts of a step, through the decoder that scoring uses, too."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from decoding.errors import NotPackable
from decoding.memory import estimate_batch_tokens
from decoding.packed import Prefix, packing
from decoding.prompts import TokenPrompt
from decoding.sampling import Sampling, sample_answers
from training.distillation.documents import LastAnswer, Rollout
from training.distillation.settings import Rollouts
from training.errors import DistillationError


@dataclass(frozen=True)
class Drawing:
    """The way in which responses are drawn. `ends` are the tokens that end an answer; `room` and
    `guide_room` the most tokens that the student and the teacher take, context included."""

    settings: Rollouts
    tokenizer: Any
    ends: frozenset[int]
    seed: int
    room: int
    guide_room: int

    def count_room(self, answer: LastAnswer) -> int:
        """Count the tokens that a response to this context may have; 0 or less where none fits."""
        left = self.room - len(answer.context)
        if answer.guide is not None:
            left = min(left, self.guide_room - len(answer.guide))
        return min(self.settings.max_tokens, left)

    def draw_responses(
        self, model: Any, answers: Sequence[tuple[str, LastAnswer]]
    ) -> list[list[Rollout]]:
        """Draw `per_prompt` responses in place of each answer; none where there is no room.

        Each answer has a name, which with the seed decides what is drawn: so it depends neither on
        the batch nor on the number of processes. `check_drawing` says whether the model can be
        drawn from.
        """
        asked = [
            (place, f"{self.seed}/{name}/{number}")
            for place, (name, answer) in enumerate(answers)
            if self.count_room(answer) > 0
            for number in range(self.settings.per_prompt)
        ]
        found: list[list[Rollout]] = [[] for _ in answers]
        if not asked:
            return found
        prompts = [
            TokenPrompt(answers[place][1].context, self.count_room(answers[place][1]))
            for place, _ in asked
        ]
        longest = max(len(prompt.context) + prompt.limit for prompt in prompts)
        with packing(model, probed=True) as packed:
            drawn = sample_answers(
                packed,
                self.tokenizer,
                self.ends,
                (),
                Prefix(),
                prompts,
                max(1, estimate_batch_tokens(model) // longest),
                Sampling(self.settings.temperature, self.settings.top_p, self.settings.top_k),
                [seed for _, seed in asked],
            )
        for (place, _), one in zip(asked, drawn, strict=True):
            found[place].append(Rollout(answers[place][1], one.tokens, one.finished))
        return found


def check_drawing(student: Any) -> None:
    """Raise DistillationError for a student from which the decoder cannot draw. It is to be asked
    before training wraps the student."""
    try:
        with packing(student):
            pass
    except NotPackable as error:
        raise DistillationError(
            f"no responses can be drawn from the student: {error}. Remedy: signals that need none, "
            "distillation.weights.on_policy=0 distillation.weights.sequence=0, or another student."
        ) from error
