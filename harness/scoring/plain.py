"""Scoring without a shared prefix, for models whose rows cannot be packed.

Recurrent layers carry a state from token to token, and attention windows lose sight of the shots:
every row is run whole, shots included, padded to its batch.
"""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from decoding.prompts import Tokens
from harness.scoring.lm import LogProbability, TokenQuestion


def score_answers(model: Any, questions: Sequence[TokenQuestion]) -> list[list[LogProbability]]:
    """Computes log-probabilities of each answer of each question; answers of one token share a row.

    Rows are padded at their ends: what comes after a token cannot reach it.
    """
    rows: dict[tuple[int, Tokens], Tokens] = {}
    for index, question in enumerate(questions):
        for answer in question.answers:
            rows[index, answer[:-1]] = (*question.context, *answer[:-1])
    width = max(len(row) for row in rows.values())
    ids = torch.tensor(
        [[*row, *[0] * (width - len(row))] for row in rows.values()], device=model.device
    )
    spans = {
        name: range(len(row) - 1 - len(name[1]), len(row))  # the outputs that predict an answer
        for name, row in rows.items()
    }
    needed = sorted({place for span in spans.values() for place in span})
    column = {place: number for number, place in enumerate(needed)}
    kept = torch.tensor(needed, device=model.device)
    output = model(ids, use_cache=False, logits_to_keep=kept)
    steps = {
        name: Outputs(output.logits[number, [column[place] for place in span]])
        for number, (name, span) in enumerate(spans.items())
    }
    return [
        [steps[index, answer[:-1]].score(range(len(answer)), answer) for answer in question.answers]
        for index, question in enumerate(questions)
    ]


class Outputs:
    """Logits (n, vocabulary) from which answers are scored."""

    def __init__(self, logits: Tensor) -> None:
        self.logprobs = torch.log_softmax(logits.float(), -1)
        self.greedy = logits.argmax(-1).tolist()

    def score(self, rows: Sequence[int], answer: Tokens) -> LogProbability:
        """Computes the log-probability of an answer whose tokens are predicted in these rows."""
        chosen = self.logprobs[list(rows), list(answer)]
        return float(chosen.sum()), [self.greedy[row] for row in rows] == list(answer)
