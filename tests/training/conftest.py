"""A real tokenizer (SmolLM2's, out of its GGUF) and random models that train within a test."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

ROWS = [
    {"source": "topic" if n % 2 else "mine",
     "messages": [{"role": "user", "content": f"Nambari {n}?"},
                  {"role": "assistant", "content": f"Jibu ni {n * n}. " + "Ndiyo. " * (n % 4)}]}
    for n in range(10)
]  # fmt: skip


@pytest.fixture
def rows(tmp_path: Path, write_rows: Callable[..., Path]) -> Path:
    return write_rows(*ROWS)


@pytest.fixture
def write_rows(tmp_path: Path) -> Callable[..., Path]:
    """Writes its arguments as a JSONL file of rows."""

    def write(*rows: object) -> Path:
        path = tmp_path / "rows.jsonl"
        lines = [json.dumps(row, ensure_ascii=False) + "\n" for row in rows]
        path.write_text("".join(lines), encoding="utf-8")
        return path

    return write
