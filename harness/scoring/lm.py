"""The base class of all scoring engines: an lm-eval `LM` that plans batches and keeps results.

An engine says how a batch of questions is scored and how a batch of prompts is continued; prompts,
tokens, truncation, batches, the journal and the split over processes are decided here, the same for
all engines and for base and trained checkpoint.
"""

import hashlib
import json
import math
from abc import abstractmethod
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from lm_eval.api.instance import Instance
from lm_eval.api.model import TemplateLM

from core.checkpoints import chat
from core.checkpoints.opening import open_config, open_tokenizer
from core.checkpoints.tokens import (
    ASSUMED_LENGTH,
    check_tokens,
    encode,
    find_end_tokens,
    find_frame,
    read_stated_length,
)
from decoding.prompts import Continuation, TokenPrompt, Tokens, find_common_prefix
from harness.errors import ScoringError
from harness.scoring.batches import BatchJournal, plan_batches
from harness.scoring.windows import WINDOW, cut_windows

LogProbability = tuple[float | None, bool]
"""Of an answer, in nats (None where an endpoint did not give it), and whether it is greedy's."""


@dataclass(frozen=True)
class TokenQuestion:
    """A prompt with the answers to choose from, in tokens."""

    context: Tokens
    answers: tuple[Tokens, ...]


@dataclass(frozen=True)
class PromptFacts:
    """The number of tokens of a prompt that reached the model, and whether its beginning was cut
    off."""

    tokens: int
    truncated: bool


@dataclass(frozen=True)
class Share:
    """The part of the batches that this process computes: every `world`-th, from `rank` on."""

    rank: int = 0
    world: int = 1


WHOLE = Share()


class ScoringLM(TemplateLM):  # type: ignore[misc]  # lm_eval has no type information
    """One checkpoint, ready to score; greedy decoding only.

    After scoring, `prompts` says how each prompt text was run, `continuations` how each ended, and
    `joins` counts the answers whose first token would also cover the prompt's last characters.
    Not covered: sampling, encoder-decoder models.
    """

    name = ""
    padded = False

    def __init__(
        self,
        checkpoint: Path,
        *,
        batch_tokens: int,
        journal: Path,
        share: Share = WHOLE,
        on_progress: Callable[[int, int], None] = lambda done, total: None,
    ) -> None:
        super().__init__()
        self.checkpoint = checkpoint
        config = open_config(checkpoint)
        self.tokenizer = open_tokenizer(checkpoint)
        self.stated_length = read_stated_length(config, self.tokenizer)
        self.max_length = self.stated_length or ASSUMED_LENGTH
        self.vocabulary = int(config.get_text_config().vocab_size)
        self.ends = find_end_tokens(checkpoint, self.tokenizer)
        """The tokens that end an answer."""
        self._ways: dict[str, str] | None = None
        self.spoken: dict[str, Any] = {}
        """What was not left to the checkpoint's tokenizer and template, by name."""
        if after := find_frame(self.tokenizer).after:
            self.spoken["end_not_added"] = self.tokenizer.decode(after)
        if self.stated_length is None:
            self.spoken["assumed_length"] = ASSUMED_LENGTH
        self.batch_tokens = batch_tokens
        self.journal = BatchJournal(journal, share.rank)
        self.share = share
        self.on_progress = on_progress
        self.prompts: dict[str, PromptFacts] = {}
        self.continuations: dict[str, Continuation] = {}
        self.joins = 0

    @property
    def notes(self) -> list[str]:
        """Warnings for a reader of the scores on how they were computed."""
        words = {
            "end_not_added": "the tokenizer ends every text with {}; prompts were given without it",
            "assumed_length": "the configuration names no longest text; {} tokens were taken",
            "date": "the date that the chat template writes was held at {}",
            "system": "the chat template takes no system message; it was put {}",
            "thinking": "the chat template thinks before it answers; that was {}",
        }
        return [words[name].format(value) for name, value in self.spoken.items()]

    def close(self) -> None:  # most engines have nothing to end
        """Ends what the engine started."""

    @property
    def slots(self) -> int:
        """The number of sequences that are decoded at once."""
        return max(1, min(256, self.batch_tokens // 32))

    @abstractmethod
    def describe_engine(self) -> dict[str, Any]:
        """Returns the record of the engine for the scores: name, version, precision,
        shares_prefix."""

    @abstractmethod
    def score_batch(
        self, shared: Tokens, questions: Sequence[TokenQuestion]
    ) -> list[list[LogProbability]]:
        """Computes the log-probability of each answer of each question. All contexts begin with
        `shared`."""

    @abstractmethod
    def continue_batch(self, shared: Tokens, prompts: Sequence[TokenPrompt]) -> list[Continuation]:
        """Continues each prompt greedily. All contexts begin with `shared`."""

    def count_question_cost(self, shared: Tokens, question: TokenQuestion) -> int:
        """Counts the tokens that a question adds to its batch."""
        tails = sum(len(answer) - 1 for answer in set(question.answers))
        return len(question.context) - len(shared) + tails

    # What lm-eval calls.

    @property
    def eot_token_id(self) -> int:
        """A part of lm-eval's interface; its prompt in place of an empty one is
        `prefix_token_id`."""
        return int(self.tokenizer.eos_token_id)

    @property
    def prefix_token_id(self) -> int:
        """The token that stands for an empty prompt, as lm-eval chooses it: the one that begins a
        text, else the one that ends it."""
        for token in (self.tokenizer.bos_token_id, self.tokenizer.eos_token_id):
            if token is not None:
                return int(token)
        raise ScoringError(
            f"the tokenizer of {self.checkpoint} has no token that begins or ends a text, so that "
            "whole sentences cannot be scored. Remedy: leave their tasks out of evaluate.tasks."
        )

    @property
    def tokenizer_name(self) -> str:
        """Part of the names of lm-eval's request caches, which are not used."""
        return str(self.tokenizer.name_or_path).replace("/", "__")

    def apply_chat_template(
        self, chat_history: list[dict[str, str]], add_generation_prompt: bool = True
    ) -> str:
        """Writes the prompt of a conversation, in the checkpoint's own template."""
        self.note_template(chat_history)
        if not add_generation_prompt:
            return chat.render(self.tokenizer, chat_history, continued=True)
        return chat.build_prompt(self.tokenizer, chat_history, thinking=False).text

    @property
    def spoken_facts(self) -> dict[str, Any]:
        """Part of what `describe_engine` gives; nothing where all was left to the checkpoint."""
        return {"spoken": self.spoken} if self.spoken else {}

    def note_template(self, messages: chat.Messages) -> None:
        """Records the parts of the chat template that had to be held fast."""
        if self._ways is None:
            self._ways = chat.describe_held_parts(self.tokenizer)
        asked = any(message["role"] == "system" for message in messages)
        self.spoken |= {k: v for k, v in self._ways.items() if asked or k != "system"}

    def tok_encode(
        self, string: str, add_special_tokens: bool | None = None, **_: Any
    ) -> list[int]:
        """Encodes a text as token ids; special tokens as the tokenizer is set up, unless said
        otherwise."""
        return self._encode([string], add_special_tokens)[0]

    def loglikelihood(
        self, requests: list[Instance], disable_tqdm: bool = True
    ) -> list[tuple[float, bool]]:
        """Returns (log-probability, is it the greedy choice) of each continuation after its
        context."""
        pairs = self._tokenise_pairs([request.args for request in requests])
        members: dict[tuple[Any, Tokens], list[int]] = defaultdict(list)
        # Items without a prompt have one context, and are questions of their own.
        for index, (context, _) in enumerate(pairs):
            members[requests[index].doc_id, context].append(index)
        asked = list(members.values())
        questions = []
        for group in asked:
            answers = tuple(pairs[index][1] for index in group)
            room = self.max_length - max(len(answer) for answer in answers) + 1
            context = self._cut_to_fit(pairs[group[0]][0], room)
            questions.append(TokenQuestion(context, answers))
            for index in group:
                self._note_prompt(requests[index].args[0], context, pairs[index][0])
        results = [(0.0, False)] * len(requests)
        for part, scores in self._run_batches(
            "loglikelihood",
            [question.context for question in questions],
            [not self.prompts[requests[group[0]].args[0]].truncated for group in asked],
            lambda shared, part: [self.count_question_cost(shared, questions[i]) for i in part],
            self.batch_tokens,
            lambda shared, part: self.score_batch(shared, [questions[i] for i in part]),
            [question.answers for question in questions],
        ):
            for place, group_scores in zip(part, scores, strict=True):
                for index, (logprob, greedy) in zip(asked[place], group_scores, strict=True):
                    if logprob is not None and math.isnan(logprob):
                        raise report_not_numbers(self.checkpoint)
                    # lm-eval compares numbers: one that is not known is below all that are.
                    results[index] = (-math.inf if logprob is None else logprob, greedy)
        return results

    def generate_until(self, requests: list[Instance], disable_tqdm: bool = True) -> list[str]:
        """Continues each prompt greedily, up to the first stop text."""
        prompts = []
        for request, tokens in zip(
            requests, self._encode([request.args[0] for request in requests]), strict=True
        ):
            settings = request.args[1]
            if settings.get("do_sample") or settings.get("temperature"):
                raise ScoringError(
                    "a task asks for sampling, and this engine decodes greedily. Remedy: "
                    "do_sample: false and no temperature in the task's generation_kwargs."
                )
            limit = int(settings["max_gen_toks"])
            context = self._cut_to_fit(tuple(tokens), self.max_length - limit)
            self._note_prompt(request.args[0], context, tuple(tokens))
            penalty = float(settings.get("repetition_penalty", 1.0))
            prompts.append(
                TokenPrompt(
                    context,
                    limit,
                    tuple(settings["until"]),
                    penalty,
                    "thinking" in self.spoken,
                    settings.get("after", ""),
                )
            )
        texts = [""] * len(requests)
        for part, found in self._run_batches(
            "greedy",
            [prompt.context for prompt in prompts],
            [not self.prompts[request.args[0]].truncated for request in requests],
            # A batch is a wave of sequences that follow each other through the slots.
            lambda shared, part: [1] * len(part),
            4 * self.slots,
            lambda shared, part: [
                asdict(done) for done in self.continue_batch(shared, [prompts[i] for i in part])
            ],
            [
                (p.limit, p.stops, p.penalty, *[True] * p.blank_first, *[p.after] * bool(p.after))
                for p in prompts
            ],
        ):
            for index, values in zip(part, found, strict=True):
                done = Continuation(**values)
                texts[index] = done.text
                self.continuations[requests[index].args[0]] = done
        return texts

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Counts the tokens of each text, without special ones."""
        return [len(tokens) for tokens in self._encode(texts, add_special_tokens=False)]

    @property
    def window(self) -> int:
        """The number of tokens of a text that are foreseen at once."""
        return min(self.max_length, WINDOW)

    def loglikelihood_rolling(
        self, requests: list[Instance], disable_tqdm: bool = True
    ) -> list[float]:
        """Returns the log-probability of each text whole, read in windows as lm-eval's own model
        of that `max_length` reads it."""
        texts = [request.args[0] for request in requests]
        windows = [
            (place, TokenQuestion(given, (foreseen,)))
            for place, tokens in enumerate(self._encode(texts, add_special_tokens=False))
            for given, foreseen in cut_windows(tokens, self.prefix_token_id, self.window)
        ]
        questions = [question for _, question in windows]
        totals = [0.0] * len(texts)
        for part, scores in self._run_batches(
            "rolling",
            [question.context for question in questions],
            [len(question.context) == 1 for question in questions],
            lambda shared, part: [self.count_question_cost(shared, questions[i]) for i in part],
            # The outputs at all of a batch's tokens are in memory at once.
            min(self.batch_tokens, self.window),
            lambda shared, part: self.score_batch(shared, [questions[i] for i in part]),
            [question.answers for question in questions],
        ):
            for place, ((logprob, _),) in zip(part, scores, strict=True):
                if logprob is None or math.isnan(logprob):
                    raise report_not_numbers(self.checkpoint)
                totals[windows[place][0]] += logprob
        return totals

    def _loglikelihood_tokens(self, requests: Any, **_: Any) -> Any:
        raise NotImplementedError("see loglikelihood")

    # How requests become batches.

    def _run_batches(
        self,
        kind: str,
        contexts: Sequence[Tokens],
        whole: Sequence[bool],
        costs: Callable[[Tokens, Sequence[int]], list[int]],
        budget: int,
        compute: Callable[[Tokens, Sequence[int]], list[Any]],
        details: Sequence[Any],
    ) -> list[tuple[list[int], list[Any]]]:
        """Returns (indices, results) of each batch; those of other processes are left out.

        Prompts that begin with the shots are batched apart from those that do not, which were
        truncated (not `whole`).
        """
        shared = find_common_prefix([c for c, kept in zip(contexts, whole, strict=True) if kept])
        inside = [i for i, context in enumerate(contexts) if context[: len(shared)] == shared]
        outside = [i for i, context in enumerate(contexts) if context[: len(shared)] != shared]
        batches = []
        for start, members in ((shared, inside), ((), outside)):
            planned = plan_batches(costs(start, members), budget, padded=self.padded)
            batches += [(start, [members[place] for place in batch]) for batch in planned]
        mine = batches[self.share.rank :: self.share.world]
        total, done, parts = sum(len(part) for _, part in mine), 0, []
        self.on_progress(0, total)
        for start, part in mine:
            content = [kind, self.batch_tokens, start, [(contexts[i], details[i]) for i in part]]
            name = hashlib.sha256(json.dumps(content).encode()).hexdigest()
            results = self.journal.get(name)
            if results is None:
                results = compute(start, part)
                self.journal.put(name, results)
            parts.append((part, results))
            done += len(part)
            self.on_progress(done, total)
        return parts

    def _tokenise_pairs(self, texts: Sequence[tuple[str, str]]) -> list[tuple[Tokens, Tokens]]:
        """Contexts and continuations in tokens, as lm-eval splits them.

        The two are encoded as one text, and the spaces that end a context belong to the
        continuation. In place of an empty context stands `prefix_token_id`. Where the tokens of the
        whole do not begin with those of the context, the parts are encoded apart, and counted in
        `joins` (lm-eval would score another text).
        """
        split = []
        for context, continuation in texts:
            bare = context.rstrip()
            split.append((bare, context[len(bare) :] + continuation))
        wholes = self._encode([context + continuation for context, continuation in split])
        unique = list(dict.fromkeys(context for context, _ in split))
        encoded = dict(zip(unique, self._encode(unique), strict=True))
        pairs = []
        for (context, continuation), whole in zip(split, wholes, strict=True):
            if not context:
                pairs.append(self._begin_text(self._encode_bare(continuation)))
                continue
            tokens = encoded[context]
            answer = whole[len(tokens) :]
            if whole[: len(tokens)] != tokens or not answer:
                self.joins += 1
                answer = self._encode_bare(continuation)
            if not tokens or not answer:
                raise ScoringError(
                    f"the tokenizer makes no tokens of a prompt or of its answer {continuation!r}. "
                    "Remedy: a prompt and an answer that hold text."
                )
            pairs.append((tuple(tokens), tuple(answer)))
        return pairs

    def _begin_text(self, tokens: list[int]) -> tuple[Tokens, Tokens]:
        """Returns the context and the rest of a whole text, whose first token has one before it."""
        start = self.prefix_token_id
        return (start,), tuple(tokens[1:] if tokens[:1] == [start] else tokens)

    def _encode_bare(self, text: str) -> list[int]:
        return self._encode([text], add_special_tokens=False)[0]

    def _encode(
        self, texts: Sequence[str], add_special_tokens: bool | None = None
    ) -> list[list[int]]:
        if add_special_tokens is False and texts:
            bare = self.tokenizer(list(texts), add_special_tokens=False)["input_ids"]
            found = [list(tokens) for tokens in bare]
        else:
            found = encode(self.tokenizer, texts)
        check_tokens(found, self.vocabulary)
        return found

    def _cut_to_fit(self, context: Tokens, room: int) -> Tokens:
        """Returns the last `room` tokens, as lm-eval cuts a prompt that does not fit."""
        if room < 1:
            raise ScoringError(
                f"the answers alone fill the model's {self.max_length} tokens. Remedy: a smaller "
                "evaluate.max_new_tokens, or a model with a longer context."
            )
        return context[-room:]

    def _note_prompt(self, text: str, context: Tokens, whole: Tokens) -> None:
        self.prompts[text] = PromptFacts(len(context), len(context) < len(whole))


def report_not_numbers(checkpoint: Path) -> ScoringError:
    """Builds the error for a model whose outputs are NaN."""
    return ScoringError(
        f"the outputs of {checkpoint} are not numbers (NaN). Remedy: evaluate.precision=fp32; if "
        "that does not help, its weights are damaged: save or download them again."
    )
