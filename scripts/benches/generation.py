"""The teacher client against a server on loopback: adaptive, fixed, and the official client alone.

scripts/bench generation [--calls N] [--concurrency N] [--latency SECONDS] [--rows N] [--only PART]

The server is a process of its own. First it answers every call after the latency (50 ms): the
client's rate is held against the ideal one (concurrency / latency) and against the official client
without ledger, limits and retries. At 50 ms the ideal is 5,120 calls a second, several times what
one process of the official client can send; a teacher takes seconds, so see also --latency 2. Then
the server bears 40 calls at once, refuses the others with 429, and drops or fails 5%: adaptive
against fixed concurrency. Then it takes 20 calls a second, 20 of them at once, with and without
Retry-After, alone and beside someone who takes half; each side asks as much as is let through in
--seconds. Last, a finished ledger is read again. --only runs one of open, room, rate and ledger.
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
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import httpx2

from core.output import guard_output
from generation.settings import Teacher
from generation.teacher.client import TeacherClient
from generation.teacher.ledger import Ledger, Request, RequestOutcome
from generation.teacher.reply import read_reply

BEARS = 40
RATE = 20.0  # calls a second
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


@dataclass
class Server:
    """What the server bears: calls at once, and a second, of which `other` are someone else's; a
    share of faults; and the seconds of Retry-After beside a refusal."""

    latency: float
    bears: int = 1_000_000
    faults: float = 0.0
    rate: float = 0.0
    other: float = 0.0
    retry_after: int = 0


def serve(settings: Server) -> None:
    """Print an address, then answer until standard input ends."""
    draw = random.Random(0)
    at_once, tokens, counted = 0, settings.rate, time.monotonic()

    def reply(status: str, body: str = "{}", head: str = "") -> bytes:
        data = body.encode()
        head = f"HTTP/1.1 {status}\r\n{head}Content-Type: application/json\r\n"
        return f"{head}Content-Length: {len(data)}\r\n\r\n".encode() + data

    pause = f"Retry-After: {settings.retry_after}\r\n" if settings.retry_after else ""
    good, broken = reply("200 OK", ANSWER), reply("500 Broken")
    busy = reply("429 Busy", head=pause)

    def take() -> bool:
        nonlocal tokens, counted
        now = time.monotonic()
        if settings.rate:
            tokens = min(settings.rate, tokens + settings.rate * (now - counted))
            counted = now
            if tokens < 1:
                return False
            tokens -= 1
        return at_once < settings.bears

    async def take_for_other() -> None:
        due = time.monotonic()
        while True:
            due += draw.expovariate(settings.other)
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            take()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal at_once
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).lower()
                await reader.readexactly(int(head.split(b"content-length:")[1].split(b"\r")[0]))
                if not take():
                    writer.write(busy)
                    continue
                at_once += 1
                try:
                    await asyncio.sleep(settings.latency)
                finally:
                    at_once -= 1
                fate = draw.random()
                if fate < settings.faults / 2:
                    break
                writer.write(broken if fate < settings.faults else good)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    async def main() -> None:
        server = await asyncio.start_server(talk, "127.0.0.1", 0, backlog=2048)
        print(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1", flush=True)
        other = asyncio.create_task(take_for_other()) if settings.other else None
        await asyncio.to_thread(sys.stdin.read)
        if other:
            other.cancel()

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


def measure_sides(
    server: Server, teacher: Teacher, sides: dict[str, Any], count: int
) -> dict[str, Rate]:
    """So many calls by each side against a server of its own."""
    found = {}
    for name, (work, changes) in sides.items():
        command = [sys.executable, "-P", __file__, "--serve", json.dumps(asdict(server))]
        with subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        ) as process:
            assert process.stdout is not None
            url = process.stdout.readline().strip()
            asked, side = make_requests(count), replace(teacher, base_url=url, **changes)
            found[name] = measure_rate(
                count, lambda work=work, side=side, asked=asked: work(side, asked)
            )
            print(f"{name:30} {found[name]}", flush=True)
            process.terminate()
    return found


ADAPTIVE = {
    "adaptive": (ask_through_client, {}),
    "fixed": (ask_through_client, {"adaptive": False}),
}


def measure_open_road(teacher: Teacher, latency: float, calls: int) -> dict[str, Any]:
    sides = {"official client alone": (ask_directly, {}), "ours": (ask_through_client, {})}
    found = measure_sides(Server(latency), teacher, sides, calls)
    mine, bare, ideal = found["ours"], found["official client alone"], teacher.concurrency / latency
    return {
        "ideal_per_s": ideal,
        "official_client_per_s": round(bare.calls_per_s, 1),
        "ours_per_s": round(mine.calls_per_s, 1),
        "share_of_ideal": round(mine.calls_per_s / ideal, 4),
        "official_share_of_ideal": round(bare.calls_per_s / ideal, 4),
        "share_of_official_client": round(mine.calls_per_s / bare.calls_per_s, 4),
        "cpu_ms_official_client": round(bare.cpu_ms, 3),
        "cpu_ms_ours": round(mine.cpu_ms, 3),
        "memory_mb_after_all": round(resident_mb[-1], 1),
        "memory_growth_mb_after_a_fifth": round(resident_mb[-1] - resident_mb[-2], 1),
    }


def measure_room(teacher: Teacher, latency: float, calls: int) -> dict[str, Any]:
    # As long as at 50 ms.
    count = max(1, int(calls / 5 * min(1.0, 0.05 / latency)))
    found = measure_sides(Server(latency, BEARS, faults=0.05), teacher, ADAPTIVE, count)
    adaptive, fixed = found["adaptive"], found["fixed"]
    return {
        "room_adaptive_per_s": round(adaptive.calls_per_s, 1),
        "room_fixed_per_s": round(fixed.calls_per_s, 1),
        "room_ideal_per_s": BEARS / latency,
        "room_failed": adaptive.failed + fixed.failed,
        "adaptive_over_fixed": round(adaptive.calls_per_s / fixed.calls_per_s, 3),
    }


def measure_limited(teacher: Teacher, latency: float, seconds: float) -> dict[str, Any]:
    """Shares of the calls that the server lets through, the burst at the beginning aside."""
    shares = {}
    for retry_after in (0, 1):
        for other in (0.0, RATE / 2):
            free = RATE - other
            server = Server(latency, rate=RATE, other=other, retry_after=retry_after)
            count = int(seconds * free + RATE)
            found = measure_sides(server, teacher, ADAPTIVE, count)
            for name, side in found.items():
                took = count / side.calls_per_s - latency
                where = f"{'beside_other_' * bool(other)}{'retry_after_' * bool(retry_after)}{name}"
                shares[f"rate_share_{where}"] = round((count - RATE) / free / took, 3)
                if side.failed:
                    shares[f"rate_failed_{where}"] = side.failed
    return {"rate_borne_per_s": RATE, **shares}


def measure_ledger(rows: int) -> dict[str, Any]:
    write_ms, read_s = measure_reading(rows)
    return {
        "ledger_write_ms": round(write_ms, 4),
        "ledger_rows": rows,
        "ledger_found_done_s": round(read_s, 2),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calls", type=int, default=10_000)
    parser.add_argument("--concurrency", type=int, default=256)
    parser.add_argument("--latency", type=float, default=0.05)
    parser.add_argument("--rows", type=int, default=76_000)
    parser.add_argument("--seconds", type=float, default=30)
    parser.add_argument("--only", choices=["open", "room", "rate", "ledger"])
    asked = parser.parse_args()
    teacher = Teacher(
        "bench", base_url="http://127.0.0.1/v1", concurrency=asked.concurrency, retries=50
    )
    parts: dict[str, Callable[[], dict[str, Any]]] = {
        "open": lambda: measure_open_road(teacher, asked.latency, asked.calls),
        "room": lambda: measure_room(teacher, asked.latency, asked.calls),
        "rate": lambda: measure_limited(teacher, asked.latency, asked.seconds),
        "ledger": lambda: measure_ledger(asked.rows),
    }
    figures: dict[str, Any] = {
        "bench": "generation",
        "calls": asked.calls,
        "concurrency": asked.concurrency,
        "latency_s": asked.latency,
    }
    for name, measure in parts.items():
        if asked.only in (None, name):
            figures |= measure()
    print(json.dumps(figures))


if __name__ == "__main__":
    guard_output("scripts/bench")
    if sys.argv[1:2] == ["--serve"]:
        serve(Server(**json.loads(sys.argv[2])))
    else:
        main()
