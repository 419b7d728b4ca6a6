"""Answers are read in the order of their requests, as they come, and calls are sent in it."""

import asyncio
import threading
import time
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from dataclasses import replace
from pathlib import Path
from typing import Any

from scripted import Scripted

from generation.ask import Asker
from generation.prompts import DEFAULT_FILE, load_prompts
from generation.settings import Teacher
from generation.teacher.client import TeacherClient
from generation.teacher.ledger import Ledger

Told = list[tuple[int, int, str]]


def ask_with(
    teacher: Teacher, folder: Path, work: Callable[[Asker], Awaitable[None]], told: Told
) -> None:
    """Runs `work` with an asker whose progress goes to `told`."""

    async def run() -> None:
        with Ledger(folder / "ledger.sqlite") as book:
            async with TeacherClient(teacher) as client:
                asker = Asker(
                    teacher=teacher,
                    prompts=load_prompts(DEFAULT_FILE, language="Swahili", lists=teacher.lists),
                    client=client,
                    ledger=book,
                    seed=1,
                    progress=lambda done, total, note: told.append((done, total, note)),
                )
                await work(asker)

    asyncio.run(run())


def make_requests(asker: Asker, count: int) -> list[Any]:
    texts = [f"number {n:04}" for n in range(count)]
    return [
        asker.make_request("step", [{"role": "user", "content": text}], text, final=True)
        for text in texts
    ]


def read_number(body: dict[str, Any]) -> int:
    return int(body["messages"][0]["content"].split()[1])


def test_answers_are_read_while_later_ones_are_asked(
    server: Scripted, teacher: Teacher, tmp_path: Path
) -> None:
    """The last answer comes only when all others were read; the second comes behind the third."""
    read_all_but_last, third_came = threading.Event(), threading.Event()
    held: list[bool] = []

    def behave(body: dict[str, Any], nth: int) -> None:
        number = read_number(body)
        if number == 2:
            third_came.set()
        if number == 1:
            held.append(third_came.wait(4))
        if number == 7:
            held.append(read_all_but_last.wait(4))

    server.behave = behave
    told: Told = []

    async def work(asker: Asker) -> None:
        step = asker.add_step("step")
        requests = make_requests(asker, 8)
        texts = []
        async with aclosing(asker.ask_each(requests, step)) as replies:
            async for reply in replies:
                texts.append(reply.text)
                if len(texts) == 7:
                    read_all_but_last.set()
        assert len(set(texts)) == 8
        # The same again from the ledger.
        assert texts == [reply.text for reply in await asker.ask_all(requests, step)]

    ask_with(replace(teacher, timeout_s=10), tmp_path, work, told)
    assert held == [True, True]
    calls = [done for done, _, note in told if note == "step"]
    assert calls[:9] == list(range(9))
    # With nothing left to ask, progress is of what is read.
    assert [done for done, total, note in told if "reading" in note][-7:] == list(range(1, 8))


def test_no_call_is_overtaken_by_those_behind_it(
    server: Scripted, teacher: Teacher, tmp_path: Path
) -> None:
    async def work(asker: Asker) -> None:
        await asker.ask_all(make_requests(asker, 200), asker.add_step("step"))

    server.behave = lambda body, nth: time.sleep(0.005)
    ask_with(teacher, tmp_path, work, [])
    came = [read_number(body) for body in server.bodies]
    assert sorted(came) == list(range(200))
    # Four are under way, and a busy machine may hold one of them up for a while.
    assert max(place - number for place, number in enumerate(came)) < 60


def test_who_stops_reading_asks_no_more(server: Scripted, teacher: Teacher, tmp_path: Path) -> None:
    async def work(asker: Asker) -> None:
        requests = make_requests(asker, 100)
        async with aclosing(asker.ask_each(requests, asker.add_step("step"))) as replies:
            async for _ in replies:
                break
        await asyncio.sleep(0.3)  # until what was on its way has arrived
        count = len(server.bodies)
        await asyncio.sleep(0.3)
        assert len(server.bodies) == count < 50

    ask_with(teacher, tmp_path, work, [])
