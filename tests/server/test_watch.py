"""The watch: one look for all who wait, none if nobody does, and nobody waits for a look that failed."""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest

from gate.domain.evaluation import Event
from gate.errors import StoreError
from gate.server import watch as module
from gate.server.problem import ProblemError
from gate.server.threads import Threads
from gate.server.watch import Watch

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


class Record:
    """A record of evaluations that counts how often it is looked at."""

    def __init__(self):
        self.looks: list[set[str]] = []
        self.newest: dict[str, Event] = {}
        self.error: Exception | None = None

    def newest_events(self, ids: Collection[str]):
        self.looks.append(set(ids))
        if self.error:
            raise self.error
        return {one: self.newest[one] for one in ids if one in self.newest}


def in_a_loop(tell):
    """Run in a loop of its own, in a thread: a test that drives a browser leaves one running in this one."""
    with ThreadPoolExecutor(1) as thread:
        thread.submit(lambda: asyncio.run(tell())).result()


def run(story):
    """Tell a story with a watch that looks often."""

    async def tell():
        record = Record()
        watch = Watch(record, every=0.01)
        try:
            await story(record, watch)
        finally:
            watch.close()

    in_a_loop(tell)


def test_all_who_wait_are_looked_after_in_one_look():
    async def story(record, watch):
        async with watch.ticket("a") as first, watch.ticket("b"), watch.ticket("a"):
            await first.wait(0.1)
            assert {"a", "b"} in record.looks
            assert len(watch) == 3
        assert len(watch) == 0

    run(story)


def test_nobody_is_woken_without_news_and_everybody_with():
    async def story(record, watch):
        record.newest["a"] = Event(3, NOW, "phase")
        async with watch.ticket("a", 3) as knows, watch.ticket("a", 2) as does_not:
            assert await does_not.wait(5)
            assert does_not.has_news
            assert not await knows.wait(0.05)
            record.newest["a"] = Event(4, NOW, "done")
            assert await knows.wait(5)
            assert knows.is_over

    run(story)


def test_nothing_is_looked_at_while_nobody_waits():
    async def story(record, watch):
        async with watch.ticket("a") as ticket:
            await ticket.wait(0.05)
        await asyncio.sleep(0.05)
        looks = len(record.looks)
        await asyncio.sleep(0.1)
        assert len(record.looks) == looks
        record.newest["b"] = Event(1, NOW, "queued")
        async with watch.ticket("b") as ticket:
            assert await ticket.wait(5)

    run(story)


@pytest.mark.parametrize("error", [StoreError("away"), ZeroDivisionError("a bug")])
def test_who_waits_is_woken_when_the_look_fails_and_the_watch_goes_on(error):
    async def story(record, watch):
        record.error = error
        async with watch.ticket("a") as ticket:
            assert await ticket.wait(5)
            assert ticket.away
            record.error, record.newest = None, {"a": Event(1, NOW, "queued")}
            while ticket.away:
                await ticket.wait(5)
            assert ticket.has_news

    run(story)


def test_closing_wakes_everybody():
    async def story(record, watch):
        async with watch.ticket("a") as ticket:
            waiting = asyncio.create_task(ticket.wait(60))
            await asyncio.sleep(0)
            watch.close()
            assert await waiting
            assert watch.is_closed

    run(story)


def test_more_than_can_be_held_open_are_sent_away(monkeypatch):
    monkeypatch.setattr(module, "MOST_WAITING", 1)

    async def story(record, watch):
        async with watch.ticket("a"):
            with pytest.raises(ProblemError, match="1 clients wait already; ask again in 10 s"):
                async with watch.ticket("b"):
                    pass
        async with watch.ticket("b"):
            pass

    run(story)


def test_threads_are_few_and_what_waits_for_them_is_bounded():
    async def story():
        threads = Threads(2)
        most = module_threads_most()
        gates = asyncio.Event()
        loop = asyncio.get_running_loop()

        def wait_for_the_gate():
            return asyncio.run_coroutine_threadsafe(gates.wait(), loop).result()

        calls = [asyncio.create_task(threads(wait_for_the_gate)) for _ in range(most)]
        await asyncio.sleep(0)
        with pytest.raises(ProblemError) as raised:
            await threads(lambda: None)
        assert str(raised.value) == f"{most} questions to the database wait already; ask again in 1 s"
        assert raised.value.headers == {"Retry-After": "1"}
        gates.set()
        assert await asyncio.gather(*calls) == [True] * most
        assert await threads(lambda: 3) == 3
        threads.close()

    in_a_loop(story)


def module_threads_most() -> int:
    from gate.server import threads

    return threads._MOST_WAITING
