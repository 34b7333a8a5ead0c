from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import pytest
from wire import FakeTime, Wire
from wire import wire as opened

from gate.client.client import Client
from gate.client.patience import Clock, TimeLimit


@pytest.fixture
def wire() -> Iterator[Wire]:
    """A server that answers what the test wants."""
    with opened() as listening:
        yield listening


@pytest.fixture
def time() -> FakeTime:
    return FakeTime()


@pytest.fixture
def said() -> list[str]:
    """What the client said about asking again."""
    return []


@pytest.fixture
def client(wire: Wire, time: FakeTime, said: list[str]) -> Iterator[Callable[..., Client]]:
    """Makes a client of the wire, whose time passes only while it rests."""
    made = []

    def make(seconds: float | None = None, url: str | None = None) -> Client:
        limit = TimeLimit(seconds, Clock(time.now, time.sleep, lambda: 0.5))
        made.append(Client(url or wire.url, limit, said.append, lambda: datetime(2026, 11, 27, tzinfo=UTC)))
        return made[-1]

    yield make
    for one in made:
        one.__exit__()
