"""The choice of what scores, before any model is loaded."""

import pytest

from harness.scoring import choice
from harness.scoring.choice import choose_precision


@pytest.mark.parametrize(("gpu", "wanted"), [(True, "bf16"), (False, "fp32")])
def test_a_gpu_scores_in_bf16_and_a_cpu_alike_everywhere(
    monkeypatch: pytest.MonkeyPatch, gpu: bool, wanted: str
) -> None:
    monkeypatch.setattr(choice, "has_nvidia_gpu", lambda: gpu)
    assert choose_precision("auto") == wanted
    assert (choose_precision("fp32"), choose_precision("bf16")) == ("fp32", "bf16")
