"""Shows on the loaded model that packed documents do not see each other, before the first step."""

from typing import Any

import torch

from training.collate import Collator
from training.errors import LeakError

# Documents of unequal lengths; the tokens are drawn by a fixed seed.
_LENGTHS = (5, 9, 3, 7)


def probe(model: torch.nn.Module, collator: Collator, *, vocabulary: int) -> float:
    """The largest difference of packed and separate logits, relative to their spread.

    Documents are computed together as the trainer computes them, and each by itself. Raises
    LeakError where they differ by more than rounding: 1e-3 in fp32, 5e-2 in bf16. (With a plain
    causal mask the difference is about 1.)
    """
    device = next(model.parameters()).device
    random = torch.Generator().manual_seed(0)
    top = min(vocabulary, 1000)
    documents = [torch.randint(3, top, (n,), generator=random).tolist() for n in _LENGTHS]
    row = {
        "input_ids": [token for document in documents for token in document],
        "labels": [-100] * sum(_LENGTHS),
        "seq_lengths": list(_LENGTHS),
    }
    was_training = model.training
    model.eval()
    with torch.no_grad():
        batch = collator([row])
        del batch["labels"]
        batch = {
            name: value.to(device) if hasattr(value, "to") else value
            for name, value in batch.items()
        }
        packed = model(**batch, use_cache=False).logits[0].float()
        separate = torch.cat(
            [
                model(torch.tensor([document], device=device), use_cache=False).logits[0].float()
                for document in documents
            ]
        )
    model.train(was_training)
    difference = float((packed - separate).abs().max() / separate.std())
    low = next(model.parameters()).dtype != torch.float32
    if not difference <= (5e-2 if low else 1e-3):
        raise LeakError(
            f"packed documents see each other on {type(model).__name__} with "
            f"{_attention(model)} attention: logits differ by {difference:.2g} of their spread "
            "from those of separate documents. Remedy: train.packing=false, or another "
            "train.attention (sdpa and eager take any mask)."
        )
    return difference


def _attention(model: Any) -> str:
    return str(getattr(model.config, "_attn_implementation", "unknown"))
