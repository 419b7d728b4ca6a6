"""One normaliser for both arms: what of an answer a rater sees, and what would give an arm away.

The raw text stays in the answers file. What is taken out is what depends on a model's template
and not on what it said: thinking, template tokens at the end, whitespace, invisible controls.
Whatever is left of a template afterwards is named and refused rather than guessed at.
"""

import re
import unicodedata
from dataclasses import dataclass

# <think>...</think> and its kin; and the channels of gpt-oss.
_THINKING = re.compile(
    r"<(think|thinking|reasoning|thought)>.*?</\1>"
    r"|<\|channel\|>analysis<\|message\|>.*?<\|end\|>(?:<\|start\|>assistant)?",
    re.DOTALL | re.IGNORECASE,
)
_FINAL_CHANNEL = re.compile(r"<\|channel\|>final<\|message\|>")
# A template that opens the thinking itself leaves only its end in the answer.
_CLOSED_ONLY = re.compile(
    r"\A.*?</(?:think|thinking|reasoning|thought)>", re.DOTALL | re.IGNORECASE
)
_OPEN = re.compile(r"<(?:think|thinking|reasoning|thought)>.*\Z", re.DOTALL | re.IGNORECASE)
_END_TOKENS = re.compile(
    r"(?:\s*(?:<\|[a-z0-9_]{2,40}\|>|</s>|<eos>|<end_of_turn>|\[/INST\]))+\s*\Z", re.IGNORECASE
)
_TEMPLATE = re.compile(
    r"<\|[a-z0-9_]{2,40}\|>|</?(?:think|thinking|reasoning|thought)>|</s>|<s>|\[/?INST\]"
    r"|<(?:start|end)_of_turn>|<<SYS>>|\[/?TOOL_CALLS\]",
    re.IGNORECASE,
)
# Embeddings and overrides of direction can reorder the page around them; marks, which Arabic
# script needs, and joiners stay.
_DIRECTION_CONTROLS = dict.fromkeys([*range(0x202A, 0x202F), *range(0x2066, 0x206A)])


@dataclass(frozen=True)
class Normalised:
    """What a rater sees (`text`, possibly empty), the thinking that was split off, and whether
    thinking was opened and never closed (`cut_in_thinking`; then nothing was said at all)."""

    text: str
    thinking: str
    cut_in_thinking: bool


def normalise(raw: str) -> Normalised:
    """Splits off the thinking and cleans what is left. Idempotent on its own `text`."""
    removed: list[str] = []

    def drop(match: re.Match[str]) -> str:
        removed.append(match.group(0))
        return ""

    text = raw.replace("\r\n", "\n").replace("\r", "\n")
    text = _THINKING.sub(drop, text)
    text = _CLOSED_ONLY.sub(drop, text)
    text = _FINAL_CHANNEL.sub("", text)
    before = text
    text = _OPEN.sub(drop, text)
    cut = text != before
    text = _END_TOKENS.sub("", text)
    text = unicodedata.normalize("NFC", text).translate(_DIRECTION_CONTROLS)
    text = "".join(c for c in text if c in "\n\t" or unicodedata.category(c) != "Cc")
    text = "\n".join(line.rstrip() for line in text.split("\n"))
    text = re.sub(r"\n{3,}", "\n\n", text).strip("\n")
    # Only the first line may lose its indentation if all of it is blank before the text.
    text = text if text.strip() else ""
    return Normalised(text, "\n".join(removed), cut)


def template_traces(text: str) -> list[str]:
    """Template tokens that are left in a normalised text, each once."""
    return sorted({match.group(0) for match in _TEMPLATE.finditer(text)})


def self_names(text: str, names: list[str]) -> list[str]:
    """Which of the names stand in the text, whatever their case, spacing or hyphens.

    Many languages add endings to a name, so longer names match the beginning of a word; names of
    up to five letters only a whole word.
    """
    squeezed = _squeeze(text)
    found = []
    for name in names:
        end = r"(?!\w)" if len(name) <= 5 else ""
        if re.search(rf"(?<!\w){re.escape(_squeeze(name))}{end}", squeezed):
            found.append(name)
    return found


def names_of(identity: str) -> list[str]:
    """Names to look for, from an arm's name or a repository: `openai/gpt-oss-120b` gives the whole,
    its owner, its model and the model without its size."""
    parts = [part for part in re.split(r"[/\\]", identity) if part]
    names = {identity, *parts}
    names |= {
        re.sub(r"[-_ ]?\d+(\.\d+)?[bm]\b.*$", "", part, flags=re.IGNORECASE) for part in parts
    }
    generic = {
        "base",
        "trained",
        "model",
        "models",
        "checkpoint",
        "tuned",
        "student",
        "arm",
        "home",
    }
    return sorted(name for name in names if len(name) >= 4 and name.lower() not in generic)


def _squeeze(text: str) -> str:
    return re.sub(r"[\s_\-‐‑–]+", "-", text.casefold())
