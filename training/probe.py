"""Shows on the model, as it is about to be trained, that packed documents do not see each other."""

from typing import Any

import torch

from training.collate import Collator
from training.errors import LeakError
from training.settings import Precision

# Documents of unequal lengths; the tokens are drawn by a fixed seed.
_LENGTHS = (5, 9, 3, 7)
# Of packed and separate logits. SmolLM2-135M, 30 layers: 8e-6 in fp32, 0.03 under bf16 autocast,
# and 2.3 with a plain causal mask.
_ROUNDING = {"fp32": 1e-3, "bf16": 0.15}


def probe(
    model: Any, collator: Collator, config: Any, *, precision: Precision, device: torch.device
) -> float:
    """Measure how much packed and separate logits differ at the token where they differ most: the
    root mean square over the vocabulary, relative to the logits' spread.

    Documents are computed together as the trainer computes them, and each by itself. `model` is
    what the trainer calls, with all its wrappers, and `config` the student's; under DeepSpeed every
    process must ask. Raises LeakError where the difference is more than rounding.
    """
    random = torch.Generator().manual_seed(0)
    top = min(config.get_text_config().vocab_size, 1000)
    documents = [torch.randint(3, top, (n,), generator=random).tolist() for n in _LENGTHS]
    row = {
        "input_ids": [token for document in documents for token in document],
        "labels": [-100] * sum(_LENGTHS),
        "seq_lengths": list(_LENGTHS),
    }
    was_training = model.training
    model.eval()
    with torch.no_grad():
        batch = {
            name: value.to(device) if isinstance(value, torch.Tensor) else value
            for name, value in collator([row]).items()
            if name != "labels"
        }
        packed = model(**collator.mask(batch), use_cache=False).logits[0].float()
        separate = torch.cat(
            [
                model(torch.tensor([document], device=device), use_cache=False).logits[0].float()
                for document in documents
            ]
        )
    model.train(was_training)
    difference = float((packed - separate).square().mean(dim=1).sqrt().max() / separate.std())
    if not difference <= _ROUNDING[precision]:
        raise LeakError(
            f"packed documents see each other on {_name_architecture(config)} with "
            f"{config._attn_implementation} attention: logits differ by {difference:.2g} of "
            "their spread from those of separate documents. Remedy: train.packing=false, or "
            "another train.attention (eager and sdpa take any mask; layers without attention, "
            "such as Mamba's, none)."
        )
    return difference


def _name_architecture(config: Any) -> str:
    return str((config.architectures or [config.model_type])[0])
