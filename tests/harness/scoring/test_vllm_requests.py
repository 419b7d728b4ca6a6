"""What vLLM's server is asked and how its answers are read, on one that checks as vLLM does."""

import shlex
import sys
import threading
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import AutoModelForCausalLM
from vllm_like import MOST_IDS, VllmLike, serving_like_vllm

from decoding.prompts import Tokens
from harness.errors import ScoringError
from harness.scoring.choice import EngineChoice
from harness.scoring.completions import UNDER_WAY, CompletionsLM
from harness.scoring.engine import SharedPrefixLM
from harness.scoring.lm import TokenQuestion
from harness.scoring.vllm_server import VllmLM


@pytest.fixture
def logprobs(tiny: Path) -> Callable[[list[int]], dict[int, float]]:
    """The tiny checkpoint's own log-probabilities after a prompt, by transformers."""
    model = AutoModelForCausalLM.from_pretrained(tiny, dtype=torch.float32)
    lock = threading.Lock()

    @torch.inference_mode()
    def compute(prompt: list[int]) -> dict[int, float]:
        with lock:
            logits = model(torch.tensor([prompt]), logits_to_keep=1).logits[0, -1]
        return dict(enumerate(logits.log_softmax(-1).tolist()))

    return compute


def ask(like: VllmLike, tiny: Path, folder: Path) -> CompletionsLM:
    choice = EngineChoice("completions", base_url=like.url, model="m")
    return CompletionsLM(tiny, choice, journal=folder)


def encode(lm: Any, *texts: str) -> tuple[Tokens, ...]:
    return tuple(tuple(lm.tokenizer.encode(text, add_special_tokens=False)) for text in texts)


def test_labels_in_another_script_get_the_numbers_of_our_engine(
    tiny: Path, tmp_path: Path, logprobs: Any, tokenizer: Any
) -> None:
    """Most of their tokens are parts of characters, whose texts are all the same mark."""
    with serving_like_vllm(logprobs, lambda token: str(tokenizer.decode([token]))) as like:
        lm = ask(like, tiny, tmp_path / "served")
        labels = encode(lm, "ሳይንስ", "ስፖርት", "ጤና", "ཚན་རིག", " science")
        parts = {token for label in labels[:4] for token in label}
        assert len({lm.tokenizer.decode([token]) for token in parts}) < len(parts)
        (context,) = encode(lm, "The text is of this kind:")
        questions = [TokenQuestion(context, labels), TokenQuestion(context[:-1], labels[:2])]
        served = lm.score_batch((), questions)
    ours = SharedPrefixLM(tiny, precision="fp32", budget=256, journal=tmp_path / "ours")
    for mine, theirs in zip(ours.score_batch((), questions), served, strict=True):
        assert [value for value, _ in theirs] == pytest.approx([v for v, _ in mine], abs=1e-4)
        assert [greedy for _, greedy in theirs] == [greedy for _, greedy in mine]
    prompts = [tuple(request.prompt) for request in like.asked]
    assert len(prompts) == len(set(prompts)), "no prompt is asked a second time"


def test_an_older_server_names_the_most_probable_tokens_by_their_ids(
    tiny: Path, tmp_path: Path
) -> None:
    """By their texts, the two would be one."""
    rule = {t: -5.0 - t / 100 for t in range(30)} | {40: -0.2, 41: -4.0}
    with serving_like_vllm(lambda prompt: rule, lambda token: "\ufffd", older=True) as like:
        found = ask(like, tiny, tmp_path).score_batch((), [TokenQuestion((7,), ((41,), (40,)))])
        assert found == [[(-4.0, False), (-0.2, True)]]
        with pytest.raises(ScoringError, match="may be the most probable one"):
            ask(like, tiny, tmp_path).score_batch((), [TokenQuestion((7,), ((99,), (98,)))])


def test_the_server_is_kept_busy(tiny: Path, tmp_path: Path) -> None:
    """It holds its answers back until so many requests are under way at once."""
    with serving_like_vllm(lambda prompt: {t: -1.0 - t for t in range(30)}, str) as like:
        like.wait_for = UNDER_WAY
        lm = ask(like, tiny, tmp_path)
        questions = [TokenQuestion((5, 6, 7 + n), ((3,), (4,))) for n in range(UNDER_WAY + 9)]
        assert lm.score_batch((), questions) == [[(-4.0, False), (-5.0, False)]] * len(questions)
    assert like.most_under_way >= UNDER_WAY >= 64
    costs = sum(lm.count_question_cost((), question) for question in questions)
    assert costs == len(questions) <= lm.batch_tokens, "and a batch holds as many"


def test_more_tokens_than_the_server_gives_by_id_are_looked_for_among_the_most_probable(
    tiny: Path, tmp_path: Path
) -> None:
    with serving_like_vllm(lambda prompt: {t: -0.01 * t for t in range(1000)}, str) as like:
        answers = tuple((token,) for token in range(0, 5 * (MOST_IDS + 1), 5))
        (found,) = ask(like, tiny, tmp_path).score_batch((), [TokenQuestion((5, 6), answers)])
    assert found[0] == (0.0, True)
    assert [request.logprob_token_ids for request in like.asked] == [None]


def test_what_a_server_leaves_out_of_the_tokens_asked_for_is_not_taken_for_improbable(
    tiny: Path, tmp_path: Path
) -> None:
    """The least of the tokens that were named is no bound for one that was not."""
    with serving_like_vllm(lambda prompt: {3: -0.1, 4: -3.0, 5: -9.0, 6: -9.5}, str) as like:
        lm = ask(like, tiny, tmp_path)
        real = like.complete

        def forget(body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
            return real(body | {"logprob_token_ids": [5]})

        like.complete = forget  # type: ignore[method-assign]
        with pytest.raises(ScoringError, match="may be the most probable one"):
            lm.score_batch((), [TokenQuestion((7, 8), ((4,), (5,)))])


PROGRAM = """#!/bin/sh
exec {python} {script} "$@"
"""
SERVER = """
import http.server, os, signal, sys
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
    def do_POST(self):
        {dying}
port = int(sys.argv[sys.argv.index("--port") + 1])
assert sys.argv[sys.argv.index("--max-model-len") + 1] == "auto"
{starting}
http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler).serve_forever()
"""


@pytest.fixture
def program(tmp_path: Path) -> Callable[..., str]:
    def write(starting: str = "", dying: str = "pass") -> str:
        script, program = tmp_path / "server.py", tmp_path / "vllm"
        script.write_text(SERVER.format(starting=starting, dying=dying))
        words = {"python": shlex.quote(sys.executable), "script": shlex.quote(str(script))}
        program.write_text(PROGRAM.format(**words))
        program.chmod(0o755)
        return str(program)

    return write


@pytest.fixture
def score(tiny: Path, tmp_path: Path) -> Callable[[str], Any]:
    def ask_once(command: str) -> Any:
        lm = VllmLM(tiny, EngineChoice("vllm", command=command), journal=tmp_path / "j")
        with closing(lm):
            return lm.score_batch((), [TokenQuestion((5, 6), ((3,),))])

    return ask_once


KILLED = "os.kill(os.getpid(), signal.SIGILL)"
CORE = """sys.exit("RuntimeError: Failed core proc(s): {'EngineCore_0': -4}")"""


@pytest.mark.parametrize(
    ("starting", "how"),
    [
        (KILLED, r"\(ended by SIGILL: the machine lacks an instruction"),
        (CORE, r"\(ended with status 1; its engine ended by SIGILL: .*\):\nRuntimeError: Failed"),
    ],
)
def test_a_server_that_its_processor_cannot_run_says_so(
    program: Callable[..., str], score: Callable[[str], Any], starting: str, how: str
) -> None:
    with pytest.raises(ScoringError, match=how) as caught:
        score(program(starting))
    assert "Remedy:" in str(caught.value).partition("AVX-512")[0]


def test_a_server_that_dies_at_work_says_how_and_its_last_words(
    program: Callable[..., str], score: Callable[[str], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("openai._constants.MAX_RETRY_DELAY", 0.01)
    monkeypatch.setattr("openai._base_client.MAX_RETRY_DELAY", 0.01)
    # Behind them comes what triton's bindings print at every end.
    said = "the engine is out of room\\nnanobind: leaked 4 types!\\n - leaked type \\'ATOMIC_OP\\'"
    words = f"print('{said}', file=sys.stderr, flush=True)"
    dying = f"{words}; os.kill(os.getpid(), signal.SIGKILL)"
    with pytest.raises(
        ScoringError,
        match=r"vLLM ended \(ended by SIGKILL: .*out\):\n(.*\n)*the engine is out of room\nRemedy",
    ):
        score(program(dying=dying))


def test_one_server_is_started_however_many_ask_it(tiny: Path, tmp_path: Path) -> None:
    """Python 3.12 lets two threads make one cached property twice: two servers on one GPU."""
    started: list[threading.Thread] = []
    with serving_like_vllm(lambda prompt: {3: -0.1, 4: -3.0}, str) as like:

        class Counted(VllmLM):
            @property
            def endpoint(self) -> str:  # type: ignore[override]
                started.append(threading.current_thread())
                return like.url

        lm = Counted(tiny, EngineChoice("vllm"), journal=tmp_path)
        questions = [TokenQuestion((5, n), ((3,), (4,))) for n in range(9)]
        assert lm.score_batch((), questions) == [[(-0.1, True), (-3.0, False)]] * 9
    assert set(started) == {threading.main_thread()}
