"""An exported file is talked to on a real llama.cpp server."""

from pathlib import Path

import pytest

from harness.errors import ExportError
from harness.export.talking import ask_file
from training.students import find_embedded_gguf

pytestmark = pytest.mark.slow


def test_a_file_answers_as_its_checkpoint_and_stops(smollm2: Path) -> None:
    talk = ask_file(find_embedded_gguf(), smollm2)
    assert talk.said.strip()


def test_a_file_of_another_tokenizer_is_refused(tmp_path: Path) -> None:
    from small_checkpoints import save_model

    with pytest.raises(ExportError, match=r"the tokens of .* Remedy: "):
        ask_file(find_embedded_gguf(), save_model(tmp_path / "other"))
