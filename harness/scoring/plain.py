"""Scoring and decoding without a shared prefix, for models whose rows cannot be packed.

Recurrent layers carry a state from token to token, and attention windows lose sight of the shots:
every row is run whole, shots included, padded to its batch.
"""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from transformers import StoppingCriteria, StoppingCriteriaList

from harness.scoring.lm import Ask, Continuation, LogProbability, Question, Tokens


def score(model: Any, questions: Sequence[Question]) -> list[list[LogProbability]]:
    """Log-probabilities of each answer of each question; answers of one token share a row.

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
        """The log-probability of an answer whose tokens are predicted in these rows."""
        chosen = self.logprobs[list(rows), list(answer)]
        return float(chosen.sum()), [self.greedy[row] for row in rows] == list(answer)


class _Stopped(StoppingCriteria):  # type: ignore[misc]  # transformers has no type information
    """Per row: whether its answer holds one of its stop texts."""

    def __init__(self, tokenizer: Any, asks: Sequence[Ask], start: int) -> None:
        self.tokenizer, self.asks, self.start = tokenizer, asks, start

    def __call__(self, input_ids: Tensor, scores: Any, **kwargs: Any) -> Tensor:
        texts = self.tokenizer.batch_decode(input_ids[:, self.start :], skip_special_tokens=True)
        return torch.tensor(
            [ask.stopped(text) for text, ask in zip(texts, self.asks, strict=True)],
            device=input_ids.device,
        )


def decode(
    model: Any, tokenizer: Any, ends: frozenset[int], asks: Sequence[Ask]
) -> list[Continuation]:
    """Greedy continuations by transformers' own `generate`, prompts of one length at a time:
    padding before a prompt would enter the state of a recurrent layer.

    Nothing but what is said here decides a token: the model's own generation configuration must
    be empty."""
    found: dict[int, Continuation] = {}
    kinds: dict[tuple[int, int, float], list[int]] = {}
    for index, ask in enumerate(asks):
        kinds.setdefault((len(ask.context), ask.limit, ask.penalty), []).append(index)
    for (length, limit, penalty), members in kinds.items():
        ids = torch.tensor([asks[index].context for index in members], device=model.device)
        stopped = _Stopped(tokenizer, [asks[index] for index in members], length)
        output = model.generate(
            ids,
            attention_mask=torch.ones_like(ids),
            max_new_tokens=limit,
            do_sample=False,
            repetition_penalty=penalty,
            eos_token_id=sorted(ends) or None,
            pad_token_id=min(ends, default=0),
            stopping_criteria=StoppingCriteriaList([stopped]),
        )
        for index, row in zip(members, output[:, length:].tolist(), strict=True):
            found[index] = _continuation(row, asks[index], ends, tokenizer)
    return [found[index] for index in range(len(asks))]


def _continuation(
    row: Sequence[int], ask: Ask, ends: frozenset[int], tokenizer: Any
) -> Continuation:
    tokens = []
    for token in row:
        if token in ends:
            break
        tokens.append(token)
    text = tokenizer.decode(tokens, skip_special_tokens=True)
    finished = len(tokens) < len(row) or ask.stopped(text)
    return Continuation(ask.said(text), len(tokens), finished or len(row) < ask.limit)
