"""The scoring engine: an lm-eval `LM` on transformers that computes each shared prefix once.

Its scores are those of lm-eval's own `HFLM`: the same tokens, the same greedy choices,
log-probabilities equal to rounding. Not covered: rolling log-likelihood, sampling, encoder-decoder
models, several devices.
"""

import hashlib
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
from lm_eval.api.instance import Instance
from lm_eval.api.model import TemplateLM

from harness.errors import ScoringError
from harness.scoring.batches import Journal, plan_batches
from harness.scoring.greedy import greedy
from harness.scoring.prefix import SharedPrefix, can_share, common_prefix

Pair = tuple[tuple[str, str] | None, list[int], list[int]]


class SharedPrefixLM(TemplateLM):  # type: ignore[misc]  # lm_eval has no type information
    """One checkpoint, ready to score.

    `journal` keeps finished batches, so that an interrupted task goes on from there; `on_progress`
    is called with (requests done, requests in all). `notes` collects what a reader of the scores
    should know.
    """

    def __init__(
        self,
        checkpoint: Path,
        *,
        precision: str,
        batch_tokens: int,
        journal: Path,
        on_progress: Callable[[int, int], None] = lambda done, total: None,
    ) -> None:
        from transformers import AutoModelForCausalLM, AutoTokenizer

        super().__init__()
        self.device_ = "cuda" if torch.cuda.is_available() else "cpu"
        dtype = {"fp32": torch.float32, "bf16": torch.bfloat16}[precision]
        self.tokenizer = AutoTokenizer.from_pretrained(checkpoint)
        self.model = AutoModelForCausalLM.from_pretrained(checkpoint, dtype=dtype)
        self.model.to(self.device_).eval()
        self.batch_tokens = batch_tokens
        self.journal = Journal(journal)
        self.on_progress = on_progress
        self.notes: list[str] = []
        obstacle = can_share(self.model)
        self.shares = obstacle is None
        if obstacle:
            self.notes.append(f"the shots were computed for every item anew: {obstacle}")

    @property
    def device(self) -> Any:
        return torch.device(self.device_)

    @property
    def eot_token_id(self) -> int:
        return int(self.tokenizer.eos_token_id)

    @property
    def max_length(self) -> int:
        """Longest sequence in tokens, prompt and answer together."""
        return int(self.model.config.get_text_config().max_position_embeddings)

    def tok_encode(
        self, string: str, add_special_tokens: bool | None = None, **_: Any
    ) -> list[int]:
        """Token ids; special tokens as the tokenizer is set up, unless said otherwise."""
        chosen = {} if add_special_tokens is None else {"add_special_tokens": add_special_tokens}
        bos = self.tokenizer.bos_token
        if add_special_tokens is None and bos and string.startswith(bos):
            chosen = {"add_special_tokens": False}
        return list(self.tokenizer.encode(string, **chosen))

    def loglikelihood(self, requests: list[Instance], disable_tqdm: bool = True) -> Any:
        """As lm-eval's, without its bar over the run's own."""
        return super().loglikelihood(requests, disable_tqdm=True)

    @torch.inference_mode()
    def _loglikelihood_tokens(self, requests: list[Pair], **_: Any) -> list[tuple[float, bool]]:
        """(log-probability, is it the greedy choice) of each continuation after its context.

        Continuations of one token behind the same context are scored in one pass.
        """
        passes = _passes(requests)
        sequences = [list(tokens) for tokens in passes]
        self._check_lengths([len(tokens) + 1 for tokens in sequences])
        shared = common_prefix(sequences) if self.shares else []
        prefix: SharedPrefix | None = None
        answers: list[tuple[float, bool]] = [(0.0, False)] * len(requests)
        done = 0
        self.on_progress(0, len(requests))
        for batch in plan_batches([len(s) - len(shared) for s in sequences], self.batch_tokens):
            name = _batch_name("loglikelihood", shared, [sequences[i] for i in batch])
            wanted = [passes[tuple(sequences[i])] for i in batch]
            results = self.journal.get(name)
            if results is None:
                prefix = prefix or SharedPrefix(self.model, shared)
                rows = [sequences[i][len(shared) :] for i in batch]
                results = self._score(prefix, rows, wanted, requests)
                self.journal.put(name, results)
            for members, scores in zip(wanted, results, strict=True):
                for member, (logprob, is_greedy) in zip(members, scores, strict=True):
                    answers[member] = (logprob, is_greedy)
                    done += 1
            self.on_progress(done, len(requests))
        return answers

    def _score(
        self,
        prefix: SharedPrefix,
        rows: list[list[int]],
        wanted: list[list[int]],
        requests: list[Pair],
    ) -> list[list[tuple[float, bool]]]:
        """Scores of the requests `wanted` of each row, in one forward pass.

        Rows are padded at their ends: under a causal mask, padding behind a token cannot reach it.
        The head runs at the positions only that some row needs.
        """
        width = max(len(row) for row in rows)
        ids = torch.tensor([row + [0] * (width - len(row)) for row in rows], device=self.device)
        spans = []  # for each row, the positions whose outputs predict its continuation
        for row, members in zip(rows, wanted, strict=True):
            continuation = requests[members[0]][2]
            spans.append(range(len(row) - len(continuation), len(row)))
        needed = sorted({position for span in spans for position in span})
        output = self.model(
            ids,
            past_key_values=prefix.cache(len(rows)),
            use_cache=prefix.length > 0,
            logits_to_keep=torch.tensor(needed, device=self.device),
        )
        logprobs = torch.log_softmax(output.logits.float(), dim=-1)
        column = {position: place for place, position in enumerate(needed)}
        results = []
        for index, (span, members) in enumerate(zip(spans, wanted, strict=True)):
            steps = logprobs[index, [column[position] for position in span]]
            best = steps.argmax(-1).tolist()
            scores = []
            for member in members:
                target = requests[member][2]
                chosen = steps[range(len(target)), target]
                scores.append((float(chosen.sum()), best == target))
            results.append(scores)
        return results

    @torch.inference_mode()
    def generate_until(self, requests: list[Instance], disable_tqdm: bool = False) -> list[str]:
        """Greedy continuations, each cut before the first stop text."""
        contexts = [self.tok_encode(request.args[0]) for request in requests]
        settings = [request.args[1] for request in requests]
        if any(s.get("do_sample") or s.get("temperature") for s in settings):
            raise ScoringError("this engine decodes greedily; sampling is not covered")
        limits = [int(s["max_gen_toks"]) for s in settings]
        self._check_lengths([len(c) + n for c, n in zip(contexts, limits, strict=True)])
        shared = common_prefix(contexts) if self.shares else []
        prefix: SharedPrefix | None = None
        texts = [""] * len(requests)
        done = 0
        self.on_progress(0, len(requests))
        sizes = [len(c) - len(shared) + n for c, n in zip(contexts, limits, strict=True)]
        for batch in plan_batches(sizes, self.batch_tokens):
            stops = [list(settings[i]["until"]) for i in batch]
            name = _batch_name("greedy", shared, [[*contexts[i], limits[i]] for i in batch], stops)
            results = self.journal.get(name)
            if results is None:
                prefix = prefix or SharedPrefix(self.model, shared)
                results = greedy(
                    self.model,
                    self.tokenizer,
                    prefix,
                    [contexts[i][len(shared) :] for i in batch],
                    [limits[i] for i in batch],
                    stops,
                )
                self.journal.put(name, results)
            for index, text in zip(batch, results, strict=True):
                texts[index] = text
            done += len(batch)
            self.on_progress(done, len(requests))
        return texts

    def loglikelihood_rolling(self, requests: list[Instance], disable_tqdm: bool = False) -> Any:
        raise ScoringError("rolling log-likelihood is not covered by this engine")

    def _check_lengths(self, lengths: Sequence[int]) -> None:
        """A prompt is never cut in silence: too long a one is an error before any work."""
        too_long = sum(length > self.max_length for length in lengths)
        if too_long:
            raise ScoringError(
                f"{too_long} of {len(lengths)} prompts with their answers are longer than the "
                f"model's {self.max_length} tokens (the longest has {max(lengths)}). Remedy: "
                "leave the task out (evaluate.tasks) or score a model with a longer context."
            )


def _passes(requests: Sequence[Pair]) -> dict[tuple[int, ...], list[int]]:
    """Which requests one sequence of input tokens answers: input tokens -> request indices.

    The input is the context and all but the last token of the continuation. Only continuations of
    one token may share a pass: longer ones have inputs of their own.
    """
    passes: dict[tuple[int, ...], list[int]] = {}
    for index, (_, context, continuation) in enumerate(requests):
        if not context or not continuation:
            raise ScoringError(
                f"request {index} has an empty prompt or an answer that vanishes in tokenisation"
            )
        passes.setdefault((*context, *continuation[:-1]), []).append(index)
    for members in passes.values():
        # Equal inputs that split differently into context and answer would want other positions.
        if len({len(requests[member][2]) for member in members}) != 1:
            raise ScoringError("two answers share their tokens but split them differently")
    return passes


def _batch_name(kind: str, shared: list[int], *parts: Any) -> str:
    """A name for a batch that changes with anything that its results depend on."""
    return hashlib.sha256(json.dumps([kind, shared, *parts]).encode()).hexdigest()
