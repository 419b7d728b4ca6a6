"""The embedded teacher: a real llama.cpp server that never outlives its run."""

import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest
from openai import OpenAI

from generation.settings import Teacher
from harness.errors import TeacherServerError
from harness.teacher import running_teacher
from training.students import find_embedded_gguf

EMBEDDED = Teacher(name="SmolLM2-135M-Instruct", kind="embedded")


def answers(url: str) -> bool:
    try:
        urllib.request.urlopen(f"{url.removesuffix('/v1')}/health", timeout=2).close()
    except (urllib.error.URLError, OSError):
        return False
    return True


def test_it_answers_on_loopback_and_ends_with_the_block() -> None:
    with running_teacher(EMBEDDED, find_embedded_gguf()) as ready:
        assert ready.base_url is not None
        assert ready.base_url.startswith("http://127.0.0.1:")
        with OpenAI(base_url=ready.base_url, api_key="none") as client:
            texts = {
                client.chat.completions.create(
                    model=ready.name,
                    messages=[{"role": "user", "content": "Name a fruit."}],
                    max_tokens=8,
                    seed=5,
                    temperature=1.0,
                )
                .choices[0]
                .message.content
                for _ in range(3)
            }
            assert client.models.list().data[0].id == EMBEDDED.name
        assert len(texts) == 1  # a seed decides the text
    assert not answers(ready.base_url)


def test_an_error_in_the_block_ends_it_too() -> None:
    with (
        pytest.raises(RuntimeError, match="boom"),
        running_teacher(EMBEDDED, find_embedded_gguf()) as ready,
    ):
        raise RuntimeError("boom")
    assert not answers(str(ready.base_url))


def test_kill_9_of_the_run_ends_it() -> None:
    program = (
        "import time\n"
        "from harness.teacher import running_teacher\n"
        "from test_teacher import EMBEDDED, find_embedded_gguf\n"
        "with running_teacher(EMBEDDED, find_embedded_gguf()) as ready:\n"
        "    print(ready.base_url, flush=True)\n"
        "    time.sleep(600)\n"
    )
    run = subprocess.Popen(
        [sys.executable, "-c", program],
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parent)},
    )
    assert run.stdout is not None
    url = run.stdout.readline().strip()
    assert answers(url)
    run.send_signal(signal.SIGKILL)
    run.communicate()
    deadline = time.monotonic() + 10
    while answers(url) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not answers(url)


def test_a_broken_file_is_a_clear_error(tmp_path: Path) -> None:
    broken = tmp_path / "broken.gguf"
    broken.write_bytes(b"GGUF" + bytes(100))
    with (
        pytest.raises(TeacherServerError, match="did not start"),
        running_teacher(EMBEDDED, broken),
    ):
        pass


def test_a_teacher_that_others_serve_is_left_alone() -> None:
    served = Teacher(name="x", base_url="http://127.0.0.1:9/v1")
    with running_teacher(served, None) as ready:
        assert ready is served
