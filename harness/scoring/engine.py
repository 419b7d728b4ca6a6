"""The scoring engine on transformers: each shared prefix is computed once, no token twice.

Its scores are those of lm-eval's own `HFLM`: the same tokens, the same greedy choices,
log-probabilities equal to rounding.
"""

from collections.abc import Callable, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import torch

import decoding.plain
from core.checkpoints.opening import open_model
from decoding.errors import NotPackable, TooLarge
from decoding.greedy import decode_greedily
from decoding.memory import Halving, Item, Result, estimate_batch_tokens, find_local_rank
from decoding.packed import PackedModel, Prefix, Rows
from decoding.prompts import Continuation, TokenPrompt, Tokens
from harness.errors import ScoringError
from harness.scoring import plain
from harness.scoring.choice import VERSION
from harness.scoring.lm import (
    WHOLE,
    LogProbability,
    ScoringLM,
    Share,
    TokenQuestion,
    report_not_numbers,
)

# What the journal keeps of the model, so that it is not loaded for that alone.
OBSTACLE, UNUSED = "obstacle", "unused"


class SharedPrefixLM(ScoringLM):
    """A checkpoint directory, ready to score.

    The model is loaded when a batch is first computed, not where all results are in the journal.
    `budget` is the number of tokens in a forward pass, None to take it from the memory.
    """

    name = "shared-prefix"

    def __init__(
        self,
        checkpoint: Path,
        *,
        precision: str,
        journal: Path,
        budget: int | None = None,
        share: Share = WHOLE,
        on_progress: Callable[[int, int], None] = lambda done, total: None,
    ) -> None:
        self.dtype = {"fp32": torch.float32, "bf16": torch.bfloat16}[precision]
        super().__init__(
            checkpoint,
            batch_tokens=0,
            journal=journal,
            share=share,
            on_progress=on_progress,
        )
        kept = self.journal.get("batch_tokens")
        self.batch_tokens = budget or kept or estimate_batch_tokens(self.model)
        if not budget and not kept:
            self.journal.put("batch_tokens", self.batch_tokens)
        self.halving = Halving()
        self._prefix: tuple[Tokens, Prefix] = ((), Prefix())

    @cached_property
    def model(self) -> Any:
        """The model, in memory."""
        from transformers import GenerationConfig

        # Greedy means greedy: `generate` fills what it is not told from the checkpoint's own.
        nothing = GenerationConfig()
        opened = open_model(self.checkpoint, dtype=self.dtype, generation_config=nothing)
        if self.journal.get(UNUSED) is None:
            self.journal.put(UNUSED, list(opened.notes))
        model = opened.model
        model.generation_config = nothing
        if torch.cuda.is_available():
            model.to(f"cuda:{find_local_rank()}")
        with torch.inference_mode():
            if model(torch.tensor([[5, 6, 7]], device=model.device)).logits.isnan().any():
                raise report_not_numbers(self.checkpoint)
        return model.eval()

    @cached_property
    def packed(self) -> PackedModel | None:
        """The model over packed rows; None where its kind does not allow that."""
        try:
            packed, obstacle = PackedModel(self.model), None
        except NotPackable as error:
            packed, obstacle = None, str(error)
        if self.journal.get(OBSTACLE) is None:
            self.journal.put(OBSTACLE, obstacle or "")
        return packed

    @property
    def shares(self) -> bool:
        """True where the shots are computed once."""
        if self.journal.get(OBSTACLE) is None:
            return self.packed is not None
        return not self.journal.get(OBSTACLE)

    @property
    def notes(self) -> list[str]:
        """Warnings for a reader of the scores on how they were computed."""
        found = [*super().notes, *(self.journal.get(UNUSED) or [])]
        if not self.shares:
            found.append(
                f"the shots were computed for every item anew: {self.journal.get(OBSTACLE)}"
            )
        return found

    def describe_engine(self) -> dict[str, Any]:
        """Returns the record of the engine for the scores."""
        return {
            "name": self.name,
            "version": VERSION,
            "precision": {torch.float32: "fp32", torch.bfloat16: "bf16"}[self.dtype],
            "shares_prefix": self.shares,
            "batch_tokens": self.batch_tokens,
            **self.spoken_facts,
        }

    def count_question_cost(self, shared: Tokens, question: TokenQuestion) -> int:
        """Counts the tokens that a question adds to its batch."""
        if self.shares:
            return super().count_question_cost(shared, question)
        rows = {answer[:-1] for answer in question.answers}
        return sum(len(question.context) + len(row) for row in rows)

    @torch.inference_mode()
    def score_batch(
        self, shared: Tokens, questions: Sequence[TokenQuestion]
    ) -> list[list[LogProbability]]:
        """Scores the answers of a batch of questions; see `ScoringLM`."""
        packed = self.packed
        if packed is None:
            return self._run_in_memory(
                questions, lambda part: plain.score_answers(self.model, part)
            )
        prefix = self._compute_prefix(packed, shared)
        return self._run_in_memory(questions, lambda part: _score(packed, shared, prefix, part))

    @torch.inference_mode()
    def continue_batch(self, shared: Tokens, prompts: Sequence[TokenPrompt]) -> list[Continuation]:
        """Continues a batch of prompts greedily; see `ScoringLM`."""
        packed = self.packed
        if packed is None:
            return self._run_in_memory(
                prompts,
                lambda part: decoding.plain.decode(self.model, self.tokenizer, self.ends, part),
            )
        prefix = self._compute_prefix(packed, shared)

        def decode(part: Sequence[TokenPrompt]) -> list[Continuation]:
            slots = max(1, self.slots // 2**self.halving.times)
            return decode_greedily(packed, self.tokenizer, self.ends, shared, prefix, part, slots)

        return self._run_in_memory(prompts, decode)

    def _run_in_memory(
        self, items: Sequence[Item], compute: Callable[[Sequence[Item]], list[Result]]
    ) -> list[Result]:
        """Runs `compute` on all items, in halves where memory runs out."""
        try:
            return self.halving.run(items, compute)
        except TooLarge as error:
            raise ScoringError(
                f"{error}. Remedy: a machine or GPU with more memory, or evaluate.precision=bf16."
            ) from None

    def _compute_prefix(self, packed: PackedModel, shared: Tokens) -> Prefix:
        if self._prefix[0] != shared:
            self._prefix = (shared, packed.run_prefix(shared))
        return self._prefix[1]


def _score(
    packed: PackedModel, shared: Tokens, prefix: Prefix, questions: Sequence[TokenQuestion]
) -> list[list[LogProbability]]:
    """Scores all answers in one forward pass.

    A question's row is the rest of its context, then each answer but its last token as a branch:
    a branch sees the context and itself. Answers of one token need no branch.
    """
    rows: list[Tokens] = []
    positions: list[int] = []
    branches: list[list[range]] = []  # of each row, the places of each branch
    needed: list[list[list[int]]] = []  # of each question and answer, indices of its outputs
    start = 0
    for question in questions:
        context = question.context[len(shared) :]
        row, places, ranges = list(context), list(range(len(context))), []
        tails: dict[Tokens, range] = {}
        for answer in question.answers:
            tail = answer[:-1]
            if tail and tail not in tails:
                tails[tail] = range(len(row), len(row) + len(tail))
                ranges.append(tails[tail])
                row += tail
                places += range(len(context), len(context) + len(tail))
        last = start + len(context) - 1
        needed.append(
            [
                [last, *(start + place for place in tails.get(answer[:-1], ()))]
                for answer in question.answers
            ]
        )
        rows.append(tuple(row))
        positions += [prefix.length + place for place in places]
        branches.append(ranges)
        start += len(row)
    wanted = sorted({index for answers in needed for indices in answers for index in indices})
    column = {index: number for number, index in enumerate(wanted)}
    lengths = [len(row) for row in rows]
    layout = Rows(lengths, prefix, packed.device, _find_visible(lengths, branches, packed.device))
    logits = packed.forward(layout, rows, 0, wanted, positions)
    outputs = plain.Outputs(logits)
    return [
        [
            outputs.score([column[index] for index in indices], answer)
            for indices, answer in zip(answers, question.answers, strict=True)
        ]
        for answers, question in zip(needed, questions, strict=True)
    ]


def _find_visible(
    lengths: list[int], branches: list[list[range]], device: Any
) -> torch.Tensor | None:
    """Says which tokens of its row each token sees (R, W, W); None where it is all before it."""
    if not any(len(ranges) > 1 for ranges in branches):
        return None
    width = max(lengths)
    visible = torch.ones(len(lengths), width, width, dtype=torch.bool).tril()
    for row, ranges in enumerate(branches):
        for one in ranges:
            for other in ranges:
                if other.stop <= one.start:
                    visible[row, one.start : one.stop, other.start : other.stop] = False
    return visible.to(device)
