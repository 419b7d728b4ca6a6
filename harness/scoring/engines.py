"""Opens the engine that was chosen."""

from collections.abc import Callable
from pathlib import Path

from harness.scoring.choice import EngineChoice
from harness.scoring.lm import WHOLE, ScoringLM, Share


def open_engine(
    choice: EngineChoice,
    checkpoint: Path,
    *,
    journal: Path,
    share: Share = WHOLE,
    on_progress: Callable[[int, int], None] = lambda done, total: None,
) -> ScoringLM:
    """Opens the engine on a checkpoint directory, ready to be asked."""
    if choice.name == "completions":
        from harness.scoring.completions import CompletionsLM

        return CompletionsLM(
            checkpoint, choice, journal=journal, share=share, on_progress=on_progress
        )
    if choice.name == "llama.cpp":
        from harness.scoring.llama import LlamaLM

        return LlamaLM(checkpoint, choice, journal=journal, share=share, on_progress=on_progress)
    if choice.name == "vllm":
        from harness.scoring.vllm_server import VllmLM

        return VllmLM(checkpoint, choice, journal=journal, share=share, on_progress=on_progress)
    from harness.scoring.engine import SharedPrefixLM

    return SharedPrefixLM(
        checkpoint,
        precision=choice.precision,
        budget=choice.batch_tokens,
        journal=journal,
        share=share,
        on_progress=on_progress,
    )
