"""Scores a GGUF file with a llama.cpp server of our own, which is ended with the scoring."""

from contextlib import ExitStack
from functools import cached_property
from pathlib import Path
from typing import Any

from harness.llama_server import MANY
from harness.scoring.completions import OwnServerLM
from harness.teacher import running_llama

NAME = "exported"
# The room of a prompt and its answer, in tokens: keys and values of the 131,072 that Granite states
# would take more memory than its weights.
CONTEXT = 8192


class LlamaLM(OwnServerLM):
    """A GGUF file on a server that is started when a batch is first asked.

    Prompts are made by the tokenizer of the checkpoint that the file was made from.
    """

    name = "llama.cpp"

    def __init__(self, checkpoint: Path, *arguments: Any, **options: Any) -> None:
        super().__init__(checkpoint, *arguments, **options)
        self.max_length = min(self.max_length, CONTEXT - 1)
        self._opened = ExitStack()

    @cached_property
    def model(self) -> str:
        """The name under which the file is served."""
        return NAME

    @cached_property
    def endpoint(self) -> str:
        """The address of the server, which is up."""
        assert self.choice.file is not None, "the choice of this engine names a file"
        file = Path(self.choice.file)
        served = running_llama(file, NAME, CONTEXT, "llama.cpp's server", MANY)
        return f"{self._opened.enter_context(served)}/v1"

    def close(self) -> None:
        """Stops the server."""
        self._opened.close()
