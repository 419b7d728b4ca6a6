import pytest
import torch
from torch.nn.functional import scaled_dot_product_attention

from decoding.attention import attend_once, merge_attention

SCALE = 0.3


@pytest.mark.parametrize("width", [16, 24], ids=["fused", "in steps, as on a GPU"])
def test_parts_together_are_attention_over_all_keys(width: int) -> None:
    """Values of another width than keys take the way that has no fused operation."""
    torch.manual_seed(0)
    query = torch.randn(3, 6, 5, 16)
    shared, own = torch.randn(1, 2, 40, 16).expand(3, -1, -1, -1), torch.randn(3, 2, 5, 16)
    values = torch.randn(3, 2, 45, width)
    before = attend_once(query, shared, values[:, :, :40], SCALE)
    after = attend_once(query, own, values[:, :, 40:], SCALE, causal=True)
    visible = torch.ones(5, 45, dtype=torch.bool).tril(40)
    whole = scaled_dot_product_attention(
        query,
        torch.cat([shared, own], 2),
        values,
        visible,
        scale=SCALE,
        enable_gqa=True,
    )
    torch.testing.assert_close(merge_attention(before, after), whole)
    masked = attend_once(query, own, values[:, :, 40:], SCALE, visible[:, 40:].expand(3, 1, 5, 5))
    torch.testing.assert_close(masked, after)
