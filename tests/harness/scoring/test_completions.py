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
from harness.scoring.lm import Question


class Endpoint(BaseHTTPRequestHandler):
    """Gives the same most probable tokens by their texts, whatever is asked."""

    texts: dict[str, float]

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        choice = {
            "index": 0,
            "text": "x",
            "finish_reason": "length",
            "logprobs": {"top_logprobs": [self.texts], "tokens": ["x"], "token_logprobs": [-1.0]},
        }
        body = json.dumps(
            {
                "id": "1",
                "object": "text_completion",
                "created": 0,
                "model": "m",
                "choices": [choice],
            }
        ).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: Any) -> None:
        pass


@pytest.fixture
def endpoint() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Endpoint) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/v1"
        server.shutdown()
        thread.join()


def test_a_text_that_several_tokens_share_is_not_taken_for_one_of_them(
    tiny: Path, tokenizer: Any, endpoint: str, tmp_path: Path
) -> None:
    """The bytes of a character that the tokenizer does not know whole all have one text."""
    first, *rest = tokenizer.encode("ሰ", add_special_tokens=False)
    assert rest
    ((a,), (b,)) = (tokenizer.encode(text, add_special_tokens=False) for text in (" A", " B"))
    choice = EngineChoice("completions", base_url=endpoint, model="m")
    lm = CompletionsLM(tiny, choice, journal=tmp_path)
    Endpoint.texts = {tokenizer.decode([first]): -0.1, " A": -3.0, " B": -2.0}
    asked = Question((5, 6, 7), ((first,), (a,), (b,)))
    assert lm.score_batch((), [asked]) == [[(None, False), (-3.0, False), (-2.0, False)]]
    with pytest.raises(ScoringError, match="several tokens share"):
        lm.score_batch((), [Question((5, 6, 7), ((first,),))])
    Endpoint.texts |= {f"token_id:{first}": -0.05}
    assert lm.score_batch((), [asked])[0][0] == (-0.05, True)
