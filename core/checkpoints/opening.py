"""Opens a checkpoint: configuration, tokenizer and model, each in one way for the whole product.

A weight that the files do not hold would be random, and the model would be scored and trained all
the same; so nothing is opened that was not loaded whole. No code of a checkpoint's own is run.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from core.checkpoints.errors import CheckpointError
from core.checkpoints.files import CONFIG, check_files
from core.quiet import quiet_libraries

Found = TypeVar("Found")

# Not for continuing text, though transformers may find weights for that in them.
_OTHER_HEADS = re.compile(
    r"For(MaskedLM|SequenceClassification|TokenClassification|QuestionAnswering|MultipleChoice"
    r"|NextSentencePrediction|ImageClassification)$|Reward"
)
# Buffers that a model computes from its configuration; old files hold them, new ones do not.
_COMPUTED = re.compile(r"(^|\.)(original_)?(inv_freq|position_ids|masked_bias|(cos|sin)_cached)$")


@dataclass(frozen=True)
class Opened:
    """A model in memory, and what a person should know of how its files fitted."""

    model: Any
    notes: tuple[str, ...] = ()


def open_config(folder: Path) -> Any:
    """Returns the configuration of a causal language model that transformers knows."""
    check_files(folder)
    from transformers import AutoConfig
    from transformers.models.auto.modeling_auto import (
        MODEL_FOR_CAUSAL_LM_MAPPING_NAMES,
        MODEL_FOR_MASKED_LM_MAPPING_NAMES,
    )

    config = _open_with(
        folder / CONFIG,
        lambda: AutoConfig.from_pretrained(folder, local_files_only=True, trust_remote_code=False),
    )
    kind = str(config.model_type)
    named = next(iter(getattr(config, "architectures", None) or []), kind)
    masked = kind in MODEL_FOR_MASKED_LM_MAPPING_NAMES and hasattr(config, "is_decoder")
    if getattr(config, "is_encoder_decoder", False):
        fault = "is an encoder-decoder"
    elif _OTHER_HEADS.search(named) or (masked and not config.is_decoder):
        fault = "does not continue text"
    elif kind not in MODEL_FOR_CAUSAL_LM_MAPPING_NAMES:
        fault = "is of a kind that transformers does not load as a causal language model"
    else:
        return config
    raise CheckpointError(
        f"{folder / CONFIG}: {named} {fault}. Remedy: give a causal language model, ...ForCausalLM."
    )


def open_tokenizer(folder: Path) -> Any:
    """Returns the tokenizer of a checkpoint."""
    from transformers import AutoTokenizer

    return _open_with(
        f"the tokenizer of {folder}",
        lambda: AutoTokenizer.from_pretrained(
            folder, local_files_only=True, trust_remote_code=False
        ),
    )


def open_model(folder: Path, **options: Any) -> Opened:
    """Returns the whole model. `options` are those of transformers' `from_pretrained`, such as
    dtype.

    Raises `CheckpointError` where a weight is missing or has another shape. Lack of memory is no
    fault of the checkpoint, and is raised as it comes.
    """
    config = open_config(folder)
    from transformers import AutoModelForCausalLM

    with quiet_libraries():
        model, info = _open_with(
            folder,
            lambda: AutoModelForCausalLM.from_pretrained(
                folder,
                config=config,
                local_files_only=True,
                trust_remote_code=False,
                output_loading_info=True,
                ignore_mismatched_sizes=True,  # so that all of them can be named
                **options,
            ),
        )
    return Opened(model, tuple(judge_loaded(folder, model, info)))


def check_checkpoint(folder: Path) -> list[str]:
    """Opens all of a checkpoint but the weights' values; what a person should know of it.

    Takes a second or two and no memory for weights. Raises `CheckpointError`.
    """
    from core.checkpoints.tokens import check_vocabulary

    opened = open_model(folder, device_map="meta")
    rows = opened.model.get_input_embeddings().weight.shape[0]
    return [*opened.notes, *check_vocabulary(folder, open_tokenizer(folder), rows)]


def judge_loaded(folder: Path, model: Any, info: dict[str, Any]) -> Iterable[str]:
    """Raises `CheckpointError` where weights are not the files'; otherwise says what is odd.

    info: what transformers' `from_pretrained` returns with `output_loading_info=True`.
    """
    lost, unknown = set(info["missing_keys"]), sorted(info["unexpected_keys"])
    tied = getattr(model, "all_tied_weights_keys", None) or {}
    lost = {name for name in lost if tied.get(name) not in lost and not _COMPUTED.search(name)}
    parts = []
    if lost:
        parts.append(f"{_count(lost)} not in its files and would be random: {_list_first(lost)}")
    if odd := sorted(info["mismatched_keys"]):
        shapes = [f"{name} is {list(a)}, not {list(b)}" for name, a, b in odd]
        parts.append(f"{_count(odd)} of another shape than {CONFIG} says: {_list_first(shapes)}")
    if parts:
        held = f" The files hold {_list_first(unknown)} instead." if unknown else ""
        prefix = _find_common_prefix(lost, unknown)
        way = (
            f'take "{prefix}" off the names of the weights'
            if prefix
            else f"save the model again with save_pretrained, with the {CONFIG} that belongs to it"
        )
        raise CheckpointError(
            f"{folder}: of the weights of {type(model).__name__}, {'; and '.join(parts)}.{held} "
            f"Remedy: {way}."
        )
    if unknown:
        yield (
            f"{len(unknown)} weights in the checkpoint's files have no place in "
            f"{type(model).__name__} and are not used: {_list_first(unknown)}"
        )


def _count(found: Iterable[Any]) -> str:
    n = len(list(found))
    return "1 is" if n == 1 else f"{n} are"


def _list_first(found: Iterable[str]) -> str:
    """Returns the first three names, and how many more."""
    names = sorted(found)
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return ", ".join(names[:3]) + more


def _find_common_prefix(lost: set[str], unknown: list[str]) -> str:
    """Returns the text that stands before each name in the files; "" where anything else is
    wrong, too."""
    for name in sorted(lost):
        for other in unknown:
            if other.endswith(f".{name}"):
                prefix = other[: -len(name)]
                return prefix if all(f"{prefix}{one}" in unknown for one in lost) else ""
    return ""


def _open_with(what: object, opening: Callable[[], Found]) -> Found:
    """Opens something with transformers, and puts its complaint into one sentence."""
    try:
        return opening()
    except MemoryError:
        raise
    except Exception as error:  # files of others: transformers and its readers raise of every kind
        said = " ".join(str(error).split())
        if "memory" in said.lower() or "alloc" in said.lower():
            raise
        raise CheckpointError(
            f"{what} cannot be opened: {_take_first_sentences(said) or type(error).__name__}. "
            f"Remedy: {_find_remedy(said)}."
        ) from error


def _take_first_sentences(said: str) -> str:
    """Returns the beginning of a library's message, which may go on for lines."""
    return said if len(said) <= 300 else said[:300].rsplit(" ", 1)[0] + " ..."


def _find_remedy(said: str) -> str:
    if "custom code" in said or "trust_remote_code" in said:
        return "give a checkpoint of a kind that transformers knows; code in checkpoints is not run"
    if "does not recognize this architecture" in said:
        return "a newer transformers may know it; otherwise give a checkpoint of a known kind"
    if "pip install" in said or "requires" in said:
        return "install what it names, or give a checkpoint that does without"
    return "check that the checkpoint is whole, and download or save it again"
