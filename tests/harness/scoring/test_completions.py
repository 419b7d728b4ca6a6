"""An endpoint's answers become a score only where they say what was asked."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from harness.errors import ScoringError
from harness.scoring.choice import EngineChoice
from harness.scoring.completions import CompletionsLM
from harness.scoring.lm import TokenQuestion


class Endpoint(BaseHTTPRequestHandler):
    """Gives the most probable tokens after a prompt by their texts, as many as are asked for.

    `after` is by the prompt's last token (None: of any other), `asked` what was asked for in order;
    `broken` is sent in place of an answer: a status, "cut" (a connection that ends early), or a
    whole body.
    """

    after: dict[int | None, dict[str, float]]
    asked: list[tuple[int, int]]
    broken: int | str | None

    def do_POST(self) -> None:
        request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if isinstance(self.broken, int):
            self.send_error(self.broken)
            return
        last, count = request["prompt"][-1], request["logprobs"]
        self.asked.append((last, count))
        texts = self.after.get(last, self.after[None])
        given = dict(sorted(texts.items(), key=lambda entry: -entry[1])[:count])
        choice = {
            "index": 0,
            "text": "x",
            "finish_reason": "length",
            "logprobs": {"top_logprobs": [given], "tokens": ["x"], "token_logprobs": [-1.0]},
        }
        answer: dict[str, Any] = {"id": "1", "object": "text_completion", "created": 0}
        body = json.dumps(answer | {"model": "m", "choices": [choice]}).encode()
        if self.broken not in (None, "cut"):
            body = str(self.broken).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body[: len(body) // 2] if self.broken == "cut" else body)

    def do_GET(self) -> None:
        self.send_error(404)  # no list of models, as some servers

    def log_message(self, *args: Any) -> None:
        pass


@pytest.fixture
def endpoint() -> Iterator[str]:
    Endpoint.after, Endpoint.asked, Endpoint.broken = {}, [], None
    with ThreadingHTTPServer(("127.0.0.1", 0), Endpoint) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/v1"
        server.shutdown()
        thread.join()


@pytest.fixture
def lm(tiny: Path, endpoint: str, tmp_path: Path) -> CompletionsLM:
    return CompletionsLM(
        tiny, EngineChoice("completions", base_url=endpoint, model="m"), journal=tmp_path
    )


def one_token(lm: CompletionsLM, text: str) -> int:
    (token,) = lm.tokenizer.encode(text, add_special_tokens=False)
    return int(token)


def test_a_text_that_several_tokens_share_is_not_taken_for_one_of_them(lm: CompletionsLM) -> None:
    """The bytes of a character that the tokenizer does not know whole all have one text."""
    first, *rest = lm.tokenizer.encode("ሰ", add_special_tokens=False)
    assert rest
    a, b = (one_token(lm, text) for text in (" A", " B"))
    question = TokenQuestion((5, 6, 7), ((first,), (a,), (b,)))
    shared = lm.tokenizer.decode([first])
    Endpoint.after = {None: {" B": -0.1, " A": -3.0, shared: -4.0}}
    # Whichever of them is meant, it is behind the best.
    with pytest.raises(ScoringError, match="several tokens share"):
        lm.score_batch((), [question])
    Endpoint.after[None] = {" B": -0.1, " A": -3.0}
    assert lm.score_batch((), [question]) == [[(None, False), (-3.0, False), (-0.1, True)]]
    Endpoint.after[None] = {f"token_id:{first}": -0.05, " A": -3.0, " B": -2.0}
    assert lm.score_batch((), [question])[0][0] == (-0.05, True)


def test_an_answer_that_is_not_given_is_not_behind_one_whose_next_token_is_worse(
    lm: CompletionsLM,
) -> None:
    """ " A x" begins better than " A y", but the endpoint names no x until it is asked for more:
    the known " A y" ends far below what " A x" may still be."""
    a, x, y, z = (one_token(lm, text) for text in (" A", "x", "y", "z"))
    many = {f"token_id:{9_000 + n}": -0.5 - n / 100 for n in range(18)}
    Endpoint.after = {
        None: {" A": -0.1},
        a: {"y": -0.4, **many, "z": -0.9, "x": -2.0},
        y: {"z": -20.0},
    }
    question = TokenQuestion((5, 6, 7), ((a, x), (a, y, z)))
    ((first, second),) = lm.score_batch((), [question])
    assert first == (pytest.approx(-2.1), False)
    assert second[0] == pytest.approx(-20.5)
    assert Endpoint.asked.count((a, 200)) == 1, "asked for more where it matters"
    assert (7, 200) not in Endpoint.asked, "and nowhere else"


def test_what_cannot_be_best_is_not_asked_for_again(lm: CompletionsLM) -> None:
    a, b = (one_token(lm, text) for text in (" A", " B"))
    Endpoint.after = {None: {" A": -0.1, "x": -5.0}}
    assert lm.score_batch((), [TokenQuestion((5, 6, 7), ((a,), (b,)))]) == [
        [(pytest.approx(-0.1), True), (None, False)]
    ]
    assert Endpoint.asked == [(7, 20)]


@pytest.mark.parametrize(
    ("broken", "words"),
    [
        (400, "Remedy: check evaluate.endpoints"),
        (404, "Remedy: check evaluate.endpoints"),
        ('{"choices": [{"index": 0, "text": "x", "logprobs": null}]}', "gives no log-prob"),
        (
            '{"choices": [{"index": 0, "text": "x", "logprobs": {"top_logprobs": []}}]}',
            "gives no most probable tokens",
        ),
        ('{"choices": []}', "gives no answer"),
        ("{}", "gives no answer"),
    ],
)
def test_what_is_no_answer_is_an_error_with_a_remedy(
    lm: CompletionsLM, broken: int | str, words: str
) -> None:
    """A score of what an endpoint did not say would be a number of nothing."""
    Endpoint.after, Endpoint.broken = {None: {" A": -0.1}}, broken
    with pytest.raises(ScoringError, match=words) as caught:
        lm.score_batch((), [TokenQuestion((5, 6, 7), ((one_token(lm, " A"),),))])
    assert "Remedy:" in str(caught.value)
