"""Estimate what a run will ask and cost: calls from the counts, tokens from what is known.

Calls are the most there can be: lists that come short, repeats and refusals make them fewer (the
prompts to revise are drawn by chance, and may be a few more than their share). The tokens of a call
are the mean of those that the ledger already has from this teacher for the step (a pilot puts a few
there), else an assumption: rough English lengths, times the language's fertility where the text is
in the language.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from generation.settings import Price, Sources
from generation.teacher.ledger import StepSample

# Tokens of an English subject, of a sentence, of a message and of an answer, a usual chat's and a
# usual context's, and of what a reasoning teacher thinks before each answer.
_SUBJECT, _SENTENCE, _MESSAGE, _ANSWER, _CHAT, _CONTEXT, _THOUGHT = 6, 25, 30, 160, 400, 500, 200
_WORDING = 140
ENGLISH_CHARACTERS_PER_TOKEN = 4.2
# From so many calls on their mean is better than an assumption.
_ENOUGH = 3

PAPER_CALLS = 76_000
PAPER_USD = 50.0


@dataclass(frozen=True)
class StepPlan:
    """The most calls of a step, how many are answered already, and all its tokens.

    `measured` counts the calls that the tokens come from; 0: they are assumed.
    """

    step: str
    calls: int
    answered: int
    tokens_input: int
    tokens_output: int
    usd: float | None
    measured: int


def plan_steps(
    settings: Sources,
    weights: Mapping[str, float],
    *,
    texts: int | None,
    conversations: int | None,
    fertility: float,
    price: Price | None,
    discount: float,
    samples: Mapping[str, StepSample],
) -> list[StepPlan]:
    """The plan of each step that asks. `texts` and `conversations`: how many there are, if known.

    `fertility` is the number of tokens of a text in the language for one of the same text in
    English. `usd` is None without a price.
    """
    found = []
    for source in (name for name, weight in weights.items() if weight > 0):
        for step, calls, tokens_in, tokens_out in _STEPS[source](
            settings, fertility, texts, conversations
        ):
            sample = samples.get(step)
            measured = sample.calls if sample and sample.calls >= _ENOUGH else 0
            if sample and measured:
                tokens_in, tokens_out = sample.tokens_input, sample.tokens_output
            usd = None
            if price is not None:
                usd = calls * (tokens_in * price.input + tokens_out * price.output) / 1e6
                usd *= 1 - discount
            found.append(
                StepPlan(
                    step=step,
                    calls=calls,
                    answered=min(calls, sample.calls if sample else 0),
                    tokens_input=round(calls * tokens_in),
                    tokens_output=round(calls * tokens_out),
                    usd=usd,
                    measured=measured,
                )
            )
    return found


_Counted = Iterator[tuple[str, int, float, float]]


def _estimate_topic(s: Sources, f: float, texts: int | None, chats: int | None) -> _Counted:
    t = s.topic
    seeds = t.general_seeds + t.language_seeds
    macro = seeds * t.macro_topics
    everything = seeds + macro + macro * t.topics
    yield "topic.macro_topics", seeds, _WORDING, _THOUGHT + t.macro_topics * _SUBJECT
    yield "topic.topics", macro, _WORDING, _THOUGHT + t.topics * _SUBJECT
    yield "topic.prompts", everything, _WORDING, _THOUGHT + t.prompts * _MESSAGE * f
    yield from _estimate_ends("topic", everything * t.prompts, s, f)


def _estimate_scenario(s: Sources, f: float, texts: int | None, chats: int | None) -> _Counted:
    c = s.scenario
    broad = c.general + c.language
    everything = broad + broad * c.detailed
    kinds = (c.general > 0) + (c.language > 0)
    yield "scenario.scenarios", kinds, _WORDING, _THOUGHT + broad * _SENTENCE / max(1, kinds)
    yield "scenario.details", broad, _WORDING + _SENTENCE, _THOUGHT + c.detailed * _SENTENCE
    words = _THOUGHT + c.prompts * _MESSAGE * f
    yield "scenario.prompts", everything, _WORDING + _SENTENCE, words
    yield from _estimate_ends("scenario", everything * c.prompts, s, f)


def _estimate_context(s: Sources, f: float, texts: int | None, chats: int | None) -> _Counted:
    c = s.context
    asked = c.max_texts if texts is None else min(texts, c.max_texts)
    text = min(c.first_tokens, _CONTEXT * f)
    yield "context.prompts", asked, _WORDING + text, _THOUGHT + c.prompts * _MESSAGE * f
    one_each = texts is None or texts > c.max_texts
    prompts = asked if one_each else min(asked * c.prompts, c.max_texts)
    yield from _estimate_ends("context", prompts, s, f, text)


def _estimate_translated(s: Sources, f: float, texts: int | None, chats: int | None) -> _Counted:
    t = s.translated
    asked = t.max_conversations if chats is None else min(chats, t.max_conversations)
    yield "translated.conversations", asked, _WORDING + _CHAT, _THOUGHT + _CHAT * f


def _estimate_ends(source: str, prompts: int, s: Sources, f: float, text: float = 0.0) -> _Counted:
    revised = round(prompts * s.revised_share)
    asked = _WORDING + text + _MESSAGE * f
    yield f"{source}.revised", revised, asked, _THOUGHT + 2 * _MESSAGE * f
    yield f"{source}.responses", prompts, asked, _THOUGHT + _ANSWER * f


_STEPS = {
    "topic": _estimate_topic,
    "scenario": _estimate_scenario,
    "context": _estimate_context,
    "translated": _estimate_translated,
}
