"""The teacher client against a server on loopback: adaptive, fixed, and the official client alone.

scripts/bench generation [--calls N] [--concurrency N] [--latency SECONDS] [--rows N]

The server is a process of its own. First it answers every call after the latency (50 ms): the
client's rate is held against the ideal one (concurrency / latency) and against the official client
without ledger, limits and retries. At 50 ms the ideal is 5,120 calls a second, several times what
one process of the official client can send; a teacher takes seconds, so see also --latency 2. Then
the server bears 40 calls at once, refuses the others with 429, and drops or fails 5%: adaptive
against fixed concurrency. Last, a finished ledger is read again.
"""

import argparse
import asyncio
import json
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx2

from core.output import guard_output
from generation.settings import Teacher
from generation.teacher.client import TeacherClient
from generation.teacher.ledger import Ledger, Request, RequestOutcome
from generation.teacher.reply import read_reply

BEARS = 40
ANSWER = json.dumps(
    {
        "id": "x",
        "object": "chat.completion",
        "model": "bench-1",
        "choices": [
            {
                "index": 0,
                "finish_reason": "stop",
                "message": {
                    "role": "assistant",
                    "content": "Jibu. " * 50,
                    "reasoning": "Hm. " * 100,
                },
            }
        ],
        "usage": {"prompt_tokens": 200, "completion_tokens": 300},
    }
)


def serve(bears: int, faults: float, latency: float) -> None:
    """Print an address, then answer until standard input ends."""
    draw = random.Random(0)
    at_once = 0

    def reply(status: str, body: str = "{}") -> bytes:
        data = body.encode()
        head = f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {len(data)}"
        return f"{head}\r\n\r\n".encode() + data

    good, busy, broken = reply("200 OK", ANSWER), reply("429 Busy"), reply("500 Broken")

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal at_once
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).lower()
                await reader.readexactly(int(head.split(b"content-length:")[1].split(b"\r")[0]))
                if at_once >= bears:
                    writer.write(busy)
                    continue
                at_once += 1
                try:
                    await asyncio.sleep(latency)
                finally:
                    at_once -= 1
                fate = draw.random()
                if fate < faults / 2:
                    break
                writer.write(broken if fate < faults else good)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    async def main() -> None:
        server = await asyncio.start_server(talk, "127.0.0.1", 0, backlog=2048)
        print(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1", flush=True)
        await asyncio.to_thread(sys.stdin.read)

    asyncio.run(main())


def make_requests(count: int) -> list[Request]:
    """So many different requests of a usual length."""
    text = "Andika maswali matatu kuhusu elimu. " * 20
    return [
        Request(
            "bench", {"model": "bench", "messages": [{"role": "user", "content": text}], "seed": n}
        )
        for n in range(count)
    ]


@dataclass
class Rate:
    """One side: calls a second, processor milliseconds a call, and what did not come."""

    calls_per_s: float
    cpu_ms: float
    failed: int = 0


def measure_rate(count: int, work: Callable[[], int]) -> Rate:
    wall, cpu = time.perf_counter(), time.process_time()
    failed = work()
    seconds = time.perf_counter() - wall
    return Rate(count / seconds, 1e3 * (time.process_time() - cpu) / count, failed)


# Of this process after a fifth of the calls and after all of them, of the latest run last.
resident_mb: list[float] = []


def read_resident_memory() -> float:
    """Memory of this process in MB."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * resource.getpagesize() / 2**20


def ask_through_client(teacher: Teacher, asked: list[Request]) -> int:
    """Through the whole client, into a ledger; the number of failures."""
    failed = 0

    def tell(done: int, failures: int) -> None:
        nonlocal failed
        failed = failures
        if done in (len(asked) // 5, len(asked)):
            resident_mb.append(read_resident_memory())

    async def run(folder: str) -> None:
        with Ledger(Path(folder) / "ledger.sqlite") as ledger:
            async with TeacherClient(teacher) as client:
                await client.ask_all(asked, ledger, tell)

    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(run(folder))
    return failed


def ask_directly(teacher: Teacher, asked: list[Request]) -> int:
    """Through the official client with as many workers as calls may be under way, and no more."""

    async def run() -> None:
        async with TeacherClient(teacher) as holder:
            client, coming = holder.endpoints[0].client, iter(asked)

            async def work() -> None:
                for request in coming:
                    path = "/chat/completions"
                    got = await client.post(path, body=request.body, cast_to=httpx2.Response)
                    json.loads(got.text)

            await asyncio.gather(*(work() for _ in range(teacher.concurrency)))

    asyncio.run(run())
    return 0


def measure_reading(rows: int) -> tuple[float, float]:
    """(milliseconds to write a row, seconds to read every reply of a finished ledger)."""
    asked = make_requests(rows)
    outcome = RequestOutcome(ANSWER, None, 1, 1.0, "http://127.0.0.1/v1")
    with tempfile.TemporaryDirectory() as folder:
        with Ledger(Path(folder) / "ledger.sqlite") as ledger:
            start = time.perf_counter()
            for request in asked:
                ledger.append(request, outcome)
            write = (time.perf_counter() - start) / rows
        start = time.perf_counter()
        with Ledger(Path(folder) / "ledger.sqlite") as ledger:
            again = make_requests(rows)
            assert len(ledger.find_answered(again)) == rows
            answers = map(ledger.read_answer, again)
            assert all(read_reply(answer.response or "").text for answer in answers)
        return 1e3 * write, time.perf_counter() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calls", type=int, default=10_000)
    parser.add_argument("--concurrency", type=int, default=256)
    parser.add_argument("--latency", type=float, default=0.05)
    parser.add_argument("--rows", type=int, default=76_000)
    arguments = parser.parse_args()

    def against(bears: int, faults: float, sides: dict[str, Any], count: int) -> dict[str, Rate]:
        command = [sys.executable, "-P", __file__, "--serve", str(bears), str(faults)]
        command.append(str(arguments.latency))
        with subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        ) as server:
            assert server.stdout is not None
            url = server.stdout.readline().strip()
            asked = make_requests(count)
            teacher = Teacher("bench", base_url=url, concurrency=arguments.concurrency, retries=50)
            found = {}
            for name, (work, changes) in sides.items():
                side = replace(teacher, **changes)
                found[name] = measure_rate(count, lambda work=work, side=side: work(side, asked))
                print(f"{name:22} {found[name]}", flush=True)
            server.terminate()
        return found

    ideal = arguments.concurrency / arguments.latency
    open_road = against(
        1_000_000,
        0.0,
        {"official client alone": (ask_directly, {}), "ours": (ask_through_client, {})},
        arguments.calls,
    )
    grown = resident_mb[-1] - resident_mb[-2]
    pressed = against(
        BEARS,
        0.05,
        {"adaptive": (ask_through_client, {}), "fixed": (ask_through_client, {"adaptive": False})},
        # As long as at 50 ms.
        max(1, int(arguments.calls / 5 * min(1.0, 0.05 / arguments.latency))),
    )
    write_ms, read_s = measure_reading(arguments.rows)
    mine, bare = open_road["ours"], open_road["official client alone"]
    figures = {
        "bench": "generation",
        "calls": arguments.calls,
        "concurrency": arguments.concurrency,
        "ideal_per_s": ideal,
        "official_client_per_s": round(bare.calls_per_s, 1),
        "ours_per_s": round(mine.calls_per_s, 1),
        "share_of_ideal": round(mine.calls_per_s / ideal, 4),
        "share_of_official_client": round(mine.calls_per_s / bare.calls_per_s, 4),
        "cpu_ms_official_client": round(bare.cpu_ms, 3),
        "cpu_ms_ours": round(mine.cpu_ms, 3),
        "latency_s": arguments.latency,
        "memory_mb_after_all": round(resident_mb[1], 1),
        "memory_growth_mb_after_a_fifth": round(grown, 1),
        "pressed_adaptive_per_s": round(pressed["adaptive"].calls_per_s, 1),
        "pressed_fixed_per_s": round(pressed["fixed"].calls_per_s, 1),
        "pressed_ideal_per_s": BEARS / arguments.latency,
        "pressed_failed": pressed["adaptive"].failed + pressed["fixed"].failed,
        "adaptive_over_fixed": round(
            pressed["adaptive"].calls_per_s / pressed["fixed"].calls_per_s, 3
        ),
        "ledger_write_ms": round(write_ms, 4),
        "ledger_rows": arguments.rows,
        "ledger_found_done_s": round(read_s, 2),
    }
    print(json.dumps(figures))


if __name__ == "__main__":
    guard_output("scripts/bench")
    if sys.argv[1:2] == ["--serve"]:
        serve(int(sys.argv[2]), float(sys.argv[3]), float(sys.argv[4]))
    else:
        main()
