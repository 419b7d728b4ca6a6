"""Scores a checkpoint that an OpenAI-compatible completions endpoint serves (llama.cpp, vLLM, ...).

Prompts go out as token ids, so that the endpoint cannot tokenise them otherwise. An answer's
log-probability is the sum over its tokens, each taken from the most probable tokens after the
prompt and the answer so far: endpoints that cache prefixes compute the prompt once. Where a token
is not among the most probable ones, the log-probability is not known (None), but at most so large:
more tokens are asked for until the best answer is certain, so that the prediction is right all the
same. Where the endpoint cannot settle it, that is an error.

vLLM's server is asked for the answers' tokens by their ids, and names all tokens so: the texts of
tokens that are parts of a character are all one mark, by which one is taken for another.
Not covered: a check that the endpoint serves the very checkpoint; every score says so.
"""

import math
import os
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import repeat
from pathlib import Path
from typing import Any

from decoding.prompts import Continuation, TokenPrompt, Tokens
from harness.errors import ScoringError
from harness.scoring.choice import VERSION, EngineChoice
from harness.scoring.lm import (
    WHOLE,
    LogProbability,
    ScoringLM,
    Share,
    TokenQuestion,
)

# How many of the most probable tokens are asked for; more only where these hold no answer.
MOST_PROBABLE = (20, 200, 2000)
# Requests under way: a server that batches them is starved by few.
UNDER_WAY = 64
PROMPTS = 4 * UNDER_WAY  # of a batch: what a crash may lose
# So many tokens vLLM gives at once by their ids (its MAX_LOGPROB_TOKEN_IDS).
MOST_IDS = 128
# A request waits in the server for those before it: on a CPU for many translations.
TIMEOUT_SECONDS = 3600.0
NOTE = "answered by an endpoint; that it serves this very checkpoint was not verified"


class CompletionsLM(ScoringLM):
    """A checkpoint behind an endpoint; its tokenizer is that of the checkpoint directory."""

    name = "completions"
    doubts: tuple[str, ...] = (NOTE,)

    def __init__(
        self,
        checkpoint: Path,
        choice: EngineChoice,
        *,
        journal: Path,
        share: Share = WHOLE,
        on_progress: Callable[[int, int], None] = lambda done, total: None,
    ) -> None:
        super().__init__(
            checkpoint,
            batch_tokens=PROMPTS,
            journal=journal,
            share=share,
            on_progress=on_progress,
        )
        # A server makes at least one token, for which there must be room.
        self.max_length -= 1
        self.choice = choice
        if choice.api_key_env and not os.environ.get(choice.api_key_env):
            raise ScoringError(
                f"the environment variable {choice.api_key_env}, which is to hold the key of "
                f"{choice.base_url}, is not set. Remedy: export it, or leave out api_key_env for "
                "an endpoint that asks for none."
            )

    @cached_property
    def endpoint(self) -> str:
        """Its address, needed only where a batch is not in the journal."""
        return self.choice.base_url or ""

    @cached_property
    def client(self) -> Any:
        """The official client of the protocol."""
        from openai import OpenAI

        key = os.environ[self.choice.api_key_env] if self.choice.api_key_env else "none"
        return OpenAI(base_url=self.endpoint, api_key=key, max_retries=5, timeout=TIMEOUT_SECONDS)

    @cached_property
    def model(self) -> str:
        """The name under which the checkpoint is served."""
        return self.choice.model or self._served_model()

    @cached_property
    def names_by_id(self) -> bool:
        """True where the server is vLLM's, which gives and names tokens by their ids on request.

        An older one knows only the names, and gives the most probable tokens; others need not know
        either field, and may refuse a request that has them.
        """
        return "vllm" in self._makers

    @cached_property
    def _makers(self) -> frozenset[str]:
        """The programs that serve, as they call themselves in the list of their models."""
        return frozenset(str(model.owned_by) for model in self._list_models(optional=True))

    @cached_property
    def _plain_token(self) -> int | None:
        """A token that is a whole letter, for llama.cpp's server alone.

        It gives nothing where the token that it samples is a part of a character, as it often is
        in scripts that the tokenizer does not know. Where this one is sampled in its place, by a
        bias, the log-probabilities are given, and are those before the bias. (Other servers may
        give them after it.)
        """
        letters = self.tokenizer.encode("a", add_special_tokens=False)
        return letters[-1] if "llamacpp" in self._makers and letters else None

    @property
    def notes(self) -> list[str]:
        """Warnings for a reader of the scores on how they were computed."""
        return [*self.doubts, *super().notes]

    @property
    def slots(self) -> int:
        """The number of sequences that are decoded at once."""
        return UNDER_WAY

    def count_question_cost(self, shared: Tokens, question: TokenQuestion) -> int:
        """Counts the prompts that a question adds to its batch."""
        return len({answer[:n] for answer in question.answers for n in range(len(answer))})

    def describe_engine(self) -> dict[str, Any]:
        """Returns the record of the engine for the scores. Its precision is the endpoint's own."""
        return {
            "name": self.name,
            "version": VERSION,
            "precision": "unknown",
            "shares_prefix": False,
            "served_model": self.model,
            **self.spoken_facts,
        }

    def score_batch(
        self, shared: Tokens, questions: Sequence[TokenQuestion]
    ) -> list[list[LogProbability]]:
        """Scores the answers of a batch of questions; see `ScoringLM`."""
        # What stands before each token of each answer, and the tokens wanted there.
        wanted: dict[Tokens, set[int]] = {}
        for question in questions:
            for answer in question.answers:
                for place, token in enumerate(answer):
                    before = (*question.context, *answer[:place])
                    wanted.setdefault(before, set()).add(token)
        after: dict[Tokens, NextTokens] = {}
        asked = list(wanted)
        for count in MOST_PROBABLE:
            found = self._map_under_way(
                self._ask_next_tokens, asked, [wanted[prompt] for prompt in asked], repeat(count)
            )
            after.update(zip(asked, found, strict=True))
            unsettled = (prompt for q in questions for prompt in _find_unsettled(q, after))
            asked = list(dict.fromkeys(unsettled))
            if not asked:
                break
        else:
            raise ScoringError(
                f"{self.endpoint}: an answer that is not among the {MOST_PROBABLE[-1]} most "
                "probable next tokens that it gives, or whose token has a text that several tokens "
                "share, may be the most probable one. Remedy: score the checkpoint with "
                "evaluate.engine=transformers."
            )
        return [
            [_sum_answer(question.context, answer, after)[:2] for answer in question.answers]
            for question in questions
        ]

    def continue_batch(self, shared: Tokens, prompts: Sequence[TokenPrompt]) -> list[Continuation]:
        """Continues a batch of prompts greedily; see `ScoringLM`."""
        return self._map_under_way(self._continue, prompts)

    def make_penalty(self, penalty: float) -> dict[str, Any]:
        """Returns the fields of a request with a repetition penalty."""
        if penalty != 1.0:
            raise ScoringError(
                f"a repetition penalty of {penalty:g} is no part of the completions protocol. "
                "Remedy: a penalty of 1, or evaluate.engine=transformers."
            )
        return {}

    def _map_under_way(self, ask: Callable[..., Any], *arguments: Iterable[Any]) -> list[Any]:
        """Asks `UNDER_WAY` at once. What they share is made before: from Python 3.12 on nothing
        keeps two threads from making it twice, and one of them may be a server."""
        self.client, self.model, self.names_by_id, self._plain_token  # noqa: B018
        with ThreadPoolExecutor(UNDER_WAY) as pool:
            return list(pool.map(ask, *arguments))

    def _continue(self, prompt: TokenPrompt) -> Continuation:
        done = self._request_completion(
            prompt.context,
            max_tokens=prompt.limit,
            # An endpoint would stop at the first one, wherever it stands.
            stop=None if prompt.blank_first or prompt.after else list(prompt.stops) or None,
            temperature=0.0,
            **self.make_penalty(prompt.penalty),
        )
        tokens = done["usage"]["completion_tokens"]
        (choice,) = done["choices"]
        text = choice["text"]
        finished = choice["finish_reason"] == "stop" or prompt.has_stopped(text)
        return Continuation(prompt.take_answer(text), tokens, finished)

    def _ask_next_tokens(self, prompt: Tokens, wanted: set[int], count: int) -> "NextTokens":
        """Asks for the wanted tokens after a prompt, or for the `count` most probable ones."""
        ids: dict[str, Any] = {}
        if self.names_by_id:
            ids["return_tokens_as_token_ids"] = True
            if len(wanted) <= MOST_IDS:
                ids["logprob_token_ids"] = sorted(wanted)
        options = {"max_tokens": 1, "temperature": 0.0, "logprobs": count}
        done = self._request_completion(prompt, **options, extra_body=ids or None)
        logprobs = done["choices"][0].get("logprobs")
        if not logprobs and self._plain_token is not None:
            bias = {str(self._plain_token): 100}
            done = self._request_completion(prompt, **options, logit_bias=bias)
            logprobs = done["choices"][0].get("logprobs")
        found = self._index_by_token(logprobs, wanted)
        if "logprob_token_ids" in ids and not wanted <= found.known.keys() and found.given < count:
            # These were not the most probable ones: their least is no bound for what is missing.
            return replace(found, least=found.best)
        return found

    def _index_by_token(self, logprobs: Any, wanted: set[int]) -> "NextTokens":
        """Returns the tokens given by id, from the two forms in which servers give them."""
        if not logprobs:
            raise ScoringError(
                f"{self.endpoint} gives no log-probabilities. Remedy: serve the checkpoint with "
                "llama.cpp or vLLM, or evaluate.engine=transformers."
            )
        if logprobs.get("content"):  # as chat completions have it: llama.cpp
            entries = logprobs["content"][0]["top_logprobs"]
            if entries and all("id" in entry for entry in entries):
                known = {entry["id"]: float(entry["logprob"]) for entry in entries}
                best, least = max(known.values()), min(known.values())
                return NextTokens(known, best, least, {}, len(known))
            texts = {entry["token"]: float(entry["logprob"]) for entry in entries}
        else:
            texts = (logprobs.get("top_logprobs") or [{}])[0]
        if not texts:
            raise ScoringError(
                f"{self.endpoint} gives no most probable tokens. Remedy: serve the checkpoint with "
                "llama.cpp or vLLM, or evaluate.engine=transformers."
            )
        best, least = max(texts.values()), min(texts.values())
        known, most = {}, {}
        for token in wanted:
            text = self.tokenizer.decode([token])
            if f"token_id:{token}" in texts:
                known[token] = texts[f"token_id:{token}"]
            elif text in texts and text not in self._shared_texts:
                known[token] = texts[text]
            elif text in texts:
                most[token] = best  # it may be the one that is meant
        return NextTokens(known, best, least, most, len(texts))

    @cached_property
    def _shared_texts(self) -> frozenset[str]:
        """The texts that several tokens have: part of a character, or a word with a space and
        without. An endpoint that names tokens by such a text does not say which one it means."""
        texts = Counter(
            self.tokenizer.batch_decode([[token] for token in range(len(self.tokenizer))])
        )
        return frozenset(text for text, count in texts.items() if count > 1)

    def _request_completion(self, prompt: Tokens, **options: Any) -> dict[str, Any]:
        from openai import APIError

        try:
            done = self.client.completions.create(model=self.model, prompt=list(prompt), **options)
        except APIError as error:
            raise self.describe_failure(str(error)) from None
        values: dict[str, Any] = done.model_dump() if hasattr(done, "model_dump") else {}
        if not values.get("choices"):
            raise ScoringError(
                f"{self.endpoint} gives no answer to a completion. Remedy: check "
                "evaluate.endpoints; what has been scored is kept."
            )
        return values

    def describe_failure(self, said: str) -> ScoringError:
        """Builds the error for a request that failed for good, and of which the client says so."""
        return ScoringError(
            f"{self.endpoint}: {said}. Remedy: check evaluate.endpoints and that the server is up; "
            "what has been scored is kept."
        )

    def _list_models(self, *, optional: bool = False) -> list[Any]:
        """Lists the models that the endpoint serves; none where it refuses to, if `optional`."""
        from openai import APIError, APIStatusError

        try:
            return list(self.client.models.list())
        except APIError as error:
            refused = isinstance(error, APIStatusError) and error.status_code < 500
            if optional and refused:
                return []
            raise self.describe_failure(str(error)) from None

    def _served_model(self) -> str:
        """Returns the one model that the endpoint serves."""
        served = [model.id for model in self._list_models()]
        if len(served) != 1:
            raise ScoringError(
                f"{self.endpoint} serves {', '.join(served) or 'no model'}. Remedy: say which one "
                "with evaluate.endpoints.PRODUCER.model=NAME."
            )
        return str(served[0])


class OwnServerLM(CompletionsLM):
    """A checkpoint on a server that is started for it, of which its weights' type is known."""

    doubts = ()  # it serves this very checkpoint

    def describe_engine(self) -> dict[str, Any]:
        """Returns the record of the engine for the scores."""
        return {
            "name": self.name,
            "version": VERSION,
            "precision": self.choice.precision,
            "shares_prefix": True,
            **self.spoken_facts,
        }


@dataclass(frozen=True)
class NextTokens:
    """The log-probabilities that an endpoint gives after a prompt, in nats.

    `best` and `least` are the highest and the lowest of all that it gives: a token that is not
    among them has at most `least`, or what `most` says of it. `given` is how many they are.
    """

    known: Mapping[int, float]
    best: float
    least: float
    most: Mapping[int, float]
    given: int


def _sum_answer(
    context: Tokens, answer: Tokens, after: Mapping[Tokens, NextTokens]
) -> tuple[float | None, bool, float]:
    """Sums an answer's tokens: its log-probability (None: not known), whether greedy decoding gives
    it, and the most that its log-probability can be."""
    total, greedy, is_known = 0.0, True, True
    for place, token in enumerate(answer):
        found = after[(*context, *answer[:place])]
        if token in found.known:
            total += found.known[token]
            greedy = greedy and found.known[token] >= found.best
        else:
            total += found.most.get(token, found.least)
            greedy = is_known = False
    return total if is_known else None, greedy, total


def _find_unsettled(question: TokenQuestion, after: Mapping[Tokens, NextTokens]) -> list[Tokens]:
    """Finds the prompts after which more tokens must be known, to say which answer is best.

    An answer that is not known is of no account only where the most that it can be is less than
    what the best known one is.
    """
    sums = {answer: _sum_answer(question.context, answer, after) for answer in question.answers}
    best = max((known for known, *_ in sums.values() if known is not None), default=-math.inf)
    return [
        (*question.context, *answer[:place])
        for answer, (known, _, most) in sums.items()
        if known is None and most >= best
        for place, token in enumerate(answer)
        if token not in after[(*question.context, *answer[:place])].known
    ]
