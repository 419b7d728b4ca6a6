"""Reads from the files of a checkpoint, without loading it, the choices that are not left to it.

It is part of the keys of all that is made with such a checkpoint, so that no result is taken for
one of today's that was made while its date, its thoughts or its settings still had their way. Most
checkpoints have nothing of the kind.
"""

from pathlib import Path
from typing import Any

from core.checkpoints.chat import SWITCHES, TODAY, opens_thought
from core.checkpoints.files import read_json

# Of generation_config.json, what says nothing of how greedy decoding goes.
_HARMLESS = {
    *("_from_model_config", "transformers_version", "use_cache", "max_length", "max_new_tokens"),
    *("bos_token_id", "eos_token_id", "pad_token_id", "decoder_start_token_id"),
    *("do_sample", "temperature", "top_k", "top_p", "min_p", "typical_p", "epsilon_cutoff"),
    *("output_attentions", "output_hidden_states"),
}


def find_held_fast(folder: Path) -> dict[str, Any]:
    """Returns the choices that are held fast for a checkpoint, by name; most have none.

    Not covered: a system message that the template drops, which shows in its rendering alone.
    """
    template = _read_templates(folder)
    found: dict[str, Any] = {}
    if "strftime_now" in template:
        found["date"] = TODAY.date().isoformat()
    if opens_thought(template) or any(switch in template for switch in SWITCHES):
        found["thinking"] = False
    if after := _find_added_at_ends(folder):
        found["end_not_added"] = after
    if (folder / "generation_config.json").is_file():
        settings = set(read_json(folder / "generation_config.json")) - _HARMLESS
        if settings:
            found["not_generated_with"] = sorted(settings)
    return found


def _read_templates(folder: Path) -> str:
    """Returns the texts of all chat templates of a checkpoint, one after the other."""
    files = [folder / "chat_template.jinja", *folder.glob("additional_chat_templates/*.jinja")]
    texts = [path.read_text(encoding="utf-8") for path in files if path.is_file()]
    others = [folder / "tokenizer_config.json", folder / "chat_template.json"]
    texts += [str(read_json(path).get("chat_template")) for path in others if path.is_file()]
    return "\n".join(texts)


def _find_added_at_ends(folder: Path) -> list[str]:
    """Returns the tokens that the tokenizer puts after each text."""
    if not (folder / "tokenizer.json").is_file():
        return []
    processor = read_json(folder / "tokenizer.json").get("post_processor") or {}
    after: list[str] = []
    for one in processor.get("processors", [processor]):
        if one.get("type") == "TemplateProcessing":
            after = []
            for part in one.get("single", []):
                after = [] if "Sequence" in part else [*after, part["SpecialToken"]["id"]]
        elif one.get("type") in ("BertProcessing", "RobertaProcessing"):
            after = [one["sep"][0]]
    return after
