"""One watch for all who wait: a single task looks for new events of every evaluation that somebody waits for."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

from gate.domain.evaluation import Event, State
from gate.errors import GateError
from gate.flow.ports import Evaluations
from gate.server.problem import busy
from gate.server.threads import Threads

_log = logging.getLogger("gate.server")

EVERY_SECONDS = 0.25
MOST_WAITING = 2_000  # clients, each a connection that is held open
FINAL = frozenset(str(state) for state in State if state.is_over)


@dataclass(eq=False, slots=True)
class Ticket:
    """One who waits for an evaluation.

    Attributes:
        seen: the sequence up to which events are known to whoever waits.
        newest: the newest event that the watch has found.
        away: whether the database was away when the watch last looked.
    """

    evaluation_id: str
    seen: int = 0
    newest: Event | None = None
    away: bool = False
    _bell: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def has_news(self) -> bool:
        """Whether there are events beyond `seen`."""
        return self.newest is not None and self.newest.sequence > self.seen

    @property
    def is_over(self) -> bool:
        """Whether the watch has seen the evaluation end."""
        return self.newest is not None and self.newest.kind in FINAL

    def ring(self) -> None:
        """Wake whoever waits."""
        self._bell.set()

    async def wait(self, seconds: float) -> bool:
        """Wait until something is new, the database is away or the server closes; False if nothing of it came."""
        self._bell.clear()
        try:
            async with asyncio.timeout(seconds):
                await self._bell.wait()
        except TimeoutError:
            return False
        return True


class Watch:
    """Looks every quarter of a second, in one statement in one thread, however many wait; not at all if nobody does."""

    def __init__(self, evaluations: Evaluations, every: float = EVERY_SECONDS) -> None:
        self._evaluations = evaluations
        self._every = every
        self._thread = Threads(1, "gate-watch")
        self._tickets: set[Ticket] = set()
        self._wanted = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self.is_closed = False

    @contextlib.asynccontextmanager
    async def ticket(self, evaluation_id: str, seen: int = 0) -> AsyncIterator[Ticket]:
        """Wait for news of an evaluation for as long as the context lasts; ProblemError if too many wait already."""
        if len(self._tickets) >= MOST_WAITING:
            raise busy(f"{len(self._tickets):,} clients wait already; ask again in 10 s", 10)
        ticket = Ticket(evaluation_id, seen)
        self._tickets.add(ticket)
        self._begin()
        try:
            yield ticket
        finally:
            self._tickets.discard(ticket)

    def __len__(self) -> int:
        """How many wait."""
        return len(self._tickets)

    def close(self) -> None:
        """Send everybody home: streams end, long polls answer with what is known now."""
        self.is_closed = True
        for ticket in self._tickets:
            ticket.ring()
        if self._task is not None:
            self._task.cancel()
            self._task = None
        self._thread.close()

    def _begin(self) -> None:
        self._wanted.set()
        if self._task is None and not self.is_closed:
            self._task = asyncio.create_task(self._look(), name="gate-watch")

    async def _look(self) -> None:
        while not self.is_closed:
            if not self._tickets:
                self._wanted.clear()
                await self._wanted.wait()
            await self._look_once()
            await asyncio.sleep(self._every)

    async def _look_once(self) -> None:
        watched = tuple(self._tickets)
        try:
            newest = await self._thread(
                self._evaluations.newest_events, {ticket.evaluation_id for ticket in watched}
            )  # fmt: skip
        except GateError as away:
            _log.warning("the watch over evaluations cannot look: %s", away)
            newest, is_away = {}, True
        except Exception:  # noqa: BLE001  # whatever it is, those who wait must not wait for a task that died
            _log.exception("the watch over evaluations broke")
            newest, is_away = {}, True
        else:
            is_away = False
        for ticket in watched:
            ticket.away = is_away
            ticket.newest = newest.get(ticket.evaluation_id, ticket.newest)
            if is_away or ticket.has_news:
                ticket.ring()
