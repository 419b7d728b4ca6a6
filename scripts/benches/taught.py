"""A source that a teacher writes: its calls, the checks of its rows, and the same ledger again.

scripts/bench taught [--topics N] [--latency SECONDS] [--concurrency N]

The source is `topic` with the paper's numbers at --topics 20 (macro-topics of a seed): 19,600 calls
with revisions and answers. The teacher is a process of its own on loopback that lists and answers
by rule after the latency: answers of some 1,500 characters of the embedded texts, with reasoning.
Each side is a process of its own: from an empty ledger, and again from the full one, which pays
nothing and checks everything. "after the last answer" is what the source takes when nothing is
asked any more; both write the same rows.
"""

import argparse
import asyncio
import hashlib
import json
import random
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from core.output import guard_output
from generation.prompts import DEFAULT_FILE
from generation.settings import Sources, Teacher, Topic
from generation.source import Order, TokenMeasure, make_source

TEXT = Path("generation/embedded/contexts/swh_Latn.txt")
COUNT = re.compile(r"one JSON array of (\d+) strings")


class Writer:
    """Answers by rule, at little cost: pieces of one long text, chosen by the request's seed."""

    def __init__(self) -> None:
        words = TEXT.read_text(encoding="utf-8").split()
        rng = random.Random(0)
        self.text = " ".join(rng.choice(words) for _ in range(200_000))

    def take(self, draw: random.Random, characters: int) -> str:
        """So many characters from somewhere, between words."""
        at = self.text.index(" ", draw.randrange(len(self.text) - 2 * characters)) + 1
        return self.text[at : self.text.index(" ", at + characters)]

    def answer(self, body: dict[str, Any]) -> bytes:
        """The response body for a request."""
        draw = random.Random(body["seed"])
        message = {"role": "assistant"}
        if found := COUNT.search(body["messages"][0]["content"]):
            items = [f"{self.take(draw, 90)} {draw.random()}" for _ in range(int(found[1]))]
            message["content"] = json.dumps(items)
        else:
            message["content"] = self.take(draw, 1_500)
            message["reasoning"] = self.take(draw, 1_500)
        return json.dumps(
            {
                "id": "x",
                "object": "chat.completion",
                "model": "bench-1",
                "choices": [{"index": 0, "finish_reason": "stop", "message": message}],
                "usage": {"prompt_tokens": 200, "completion_tokens": 600},
            }
        ).encode()


def serve(latency: float) -> None:
    """Print an address, answer until standard input ends, then print when the last answer went."""
    writer_of_answers, last, answered = Writer(), 0.0, 0

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal last, answered
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).lower()
                size = int(head.split(b"content-length:")[1].split(b"\r")[0])
                data = writer_of_answers.answer(json.loads(await reader.readexactly(size)))
                await asyncio.sleep(latency)
                writer.write(
                    b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
                    b"Content-Length: %d\r\n\r\n%b" % (len(data), data)
                )
                last, answered = time.time(), answered + 1
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    async def main() -> None:
        server = await asyncio.start_server(talk, "127.0.0.1", 0, backlog=2048)
        print(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1", flush=True)
        await asyncio.to_thread(sys.stdin.read)
        print(json.dumps({"last": last, "answered": answered}), flush=True)

    asyncio.run(main())


def make(url: str, topics: int, concurrency: int, folder: Path) -> None:
    """Make the source in the folder and print what it took."""
    made = time.perf_counter(), time.process_time()
    facts = make_source(
        Order(
            "topic",
            language="Swahili",
            flores_code="swh_Latn",
            settings=Sources(topic=Topic(macro_topics=topics)),
            prompts_file=DEFAULT_FILE,
            seed=0,
        ),
        Teacher("bench", base_url=url, concurrency=concurrency),
        ledger=folder / "ledger.sqlite",
        out=folder / "topic",
        tokens=TokenMeasure(len, lambda text, count: text[:count]),
        progress=lambda done, total, note: None,
    )
    rows = (folder / "topic" / "rows.jsonl").read_bytes()
    figures = {
        "wall_s": time.perf_counter() - made[0],
        "cpu_s": time.process_time() - made[1],
        "ended": time.time(),
        "calls": facts.calls,
        "rows": facts.rows,
        "sha256": hashlib.sha256(rows).hexdigest(),
    }
    print(json.dumps(figures))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--topics", type=int, default=4)
    parser.add_argument("--latency", type=float, default=0.5)
    parser.add_argument("--concurrency", type=int, default=256)
    arguments = parser.parse_args()
    this = [sys.executable, "-P", __file__]
    found = {}
    with tempfile.TemporaryDirectory() as place:
        command = [*this, "--serve", str(arguments.latency)]
        with subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        ) as server:
            assert server.stdout is not None
            url = server.stdout.readline().strip()
            numbers = [str(arguments.topics), str(arguments.concurrency)]
            for side in ("from an empty ledger", "again"):
                command = [*this, "--make", url, *numbers, place]
                done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
                found[side] = json.loads(done.stdout.splitlines()[-1])
                print(f"{side:22} {found[side]}", flush=True)
            told = json.loads(server.communicate("")[0])
    first, again = found["from an empty ledger"], found["again"]
    assert told["answered"] == first["calls"] == again["calls"]
    calls = first["calls"]
    figures = {
        "bench": "taught",
        "calls": calls,
        "rows": first["rows"],
        "latency_s": arguments.latency,
        "concurrency": arguments.concurrency,
        "first_s": round(first["wall_s"], 2),
        "first_cpu_ms_a_call": round(1e3 * first["cpu_s"] / calls, 3),
        "after_the_last_answer_s": round(first["ended"] - told["last"], 2),
        "again_s": round(again["wall_s"], 2),
        "again_cpu_ms_a_call": round(1e3 * again["cpu_s"] / calls, 3),
        "again_over_first": round(again["wall_s"] / first["wall_s"], 3),
        "same_rows": first["sha256"] == again["sha256"],
        "rows_sha256": first["sha256"],
    }
    print(json.dumps(figures))


if __name__ == "__main__":
    guard_output("scripts/bench")
    if sys.argv[1:2] == ["--serve"]:
        serve(float(sys.argv[2]))
    elif sys.argv[1:2] == ["--make"]:
        make(sys.argv[2], int(sys.argv[3]), int(sys.argv[4]), Path(sys.argv[5]))
    else:
        main()
