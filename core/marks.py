"""The marks by which models set their reasoning and their turns apart, as one table.

They are what the reasoning parsers of vLLM and SGLang look for, and the models' own chat templates
write; beside each stands whose it is. All are regular expressions.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Mark:
    """A pair of marks that open and close reasoning. `certain`: no ordinary text has it outside
    of code, so that it closes reasoning whose opening stood in the prompt, and is a fault
    anywhere else."""

    opens: str
    closes: str
    certain: bool = True


def _tag(name: str, certain: bool = True) -> Mark:
    # Models also write </ think>, <\think> and <Think>.
    return Mark(rf"(?i:<\s*{name}\s*>)", rf"(?i:<\s*[/\\]\s*{name}\s*>)", certain)


REASONING = (
    _tag("think"),  # DeepSeek-R1, Qwen3, GLM, Granite 4, MiniMax, Nemotron, OLMo 3, ...
    _tag("thinking"),  # Reflection, and what Claude's users ask for
    _tag("thought"),  # EXAONE Deep
    _tag("thoughts"),
    _tag("reasoning"),
    _tag("reasoning_content"),
    _tag("antthinking"),
    _tag("seed:think"),  # Seed-OSS
    _tag("mm:think"),  # MiniMax-M3
    _tag("longcat_think"),  # LongCat
    Mark(r"\[THINK\]", r"\[/THINK\]"),  # Magistral, Ministral
    Mark("◁think▷", "◁/think▷"),  # Kimi
    Mark(r"<\|open\|>think<\|sep\|>", r"<\|close\|>think<\|sep\|>"),  # Kimi K3
    Mark(r"<\|begin_of_thought\|>", r"<\|end_of_thought\|>"),  # Sky-T1, OpenThoughts
    Mark(r"<\|START_THINKING\|>", r"<\|END_THINKING\|>"),  # Command A
    Mark(r"<\|inner_prefix\|>", r"<\|inner_suffix\|>"),  # Apertus
    Mark(r"<\|think\|>", r"<\|/think\|>"),
    Mark(r"<\|channel>(?:thought\n)?", r"<channel\|>"),  # Gemma 4
    Mark(r"<unused94>(?:thought\n)?", r"<unused95>"),  # MedGemma
    Mark(r"\[unused16\]", r"\[unused17\]"),  # openPangu
    Mark(r"Here are my reasoning steps:", r"\[BEGIN FINAL RESPONSE\]"),  # Apriel
    # From here on words and tags that an answer may hold: marks only where they begin the text.
    Mark(r"Here(?:'s|’s| is) my thought process:", r"Here(?:'s|’s| is) my response:", False),
    Mark(r'<details type="reasoning"[^>]*>', "</details>", False),  # Open WebUI's exports
    _tag("reason", False),
    _tag("reflection", False),
    _tag("analysis", False),
    _tag("scratchpad", False),
)

# Tags of that kind that are not in the table, are damaged, or were escaped as HTML.
UNKNOWN = (
    r"(?i:(?:<|&lt;)[\\/\s]*[\w:|\u200b-\u200d]*(?:think|thought|reasoning)[\w:|\u200b-\u200d]*"
    r"[\s/]*(?:>|&gt;))"
)

# What stands around an answer, mostly behind reasoning. `certain` as above.
ANSWERS = (
    Mark(r"<\|begin_of_solution\|>", r"<\|end_of_solution\|>"),
    Mark(r"<\|START_RESPONSE\|>", r"<\|END_RESPONSE\|>"),
    Mark(r"<\|open\|>response<\|sep\|>", r"<\|close\|>response<\|sep\|>"),
    Mark(r"(?!)", r"\[END FINAL RESPONSE\]"),  # its opening closes the reasoning
    _tag("answer", False),  # Hunyuan, R1-Zero
    _tag("response", False),  # Granite 3.3, ERNIE
    _tag("output", False),  # Reflection
    _tag("solution", False),
)

# The header of a message in gpt-oss's format (harmony), whole or without its first token.
HARMONY = (
    r"(?:<\|start\|>[^<]*|assistant)?<\|channel\|>\s*(?P<channel>\w+)(?P<rest>[^<]*"
    r"(?:<\|constrain\|>[^<]*)?)<\|message\|>"
)
HARMONY_ENDS = r"<\|(?:end|return|call)\|>"

# Tokens of chat templates, which begin and end turns. Code and its talk aside, none is text.
_TOKEN = r"<[|｜](?!(?:channel|message|start)[|｜])[A-Za-z0-9_▁/]{2,40}[|｜]>"
TURN_END = (
    rf"{_TOKEN}|</s>|<eos>|<pad>|<end_of_turn>|<end_of_utterance>|<turn\|>|\[EO[ST]\]"
    r"|\[\|endofturn\|\]|\[/INST\]"
)
TEMPLATE = (
    rf"{TURN_END}|<[|｜](?:channel|message|start)[|｜]>|<s>|<bos>|<start_of_turn>|<\|turn>"
    r"|\[INST\]|<</?SYS>>|\[/?TOOL_CALLS\]|\[\|(?:system|user|assistant)\|\]"
)
