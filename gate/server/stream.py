"""Server-sent events of one evaluation: everything since the event that the client saw last, until it is over."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from typing import Any

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from gate.domain.evaluation import Event
from gate.errors import GateError
from gate.server.problem import ProblemError
from gate.server.threads import Threads
from gate.server.watch import FINAL, Ticket, Watch

HEARTBEAT_SECONDS = 15.0
_WRITE_SECONDS = 30.0  # a client that takes nothing for so long has gone, or should
_RETRY = b"retry: 2000\n\n"

Read = Callable[[int], Sequence[Event]]
Final = Callable[[], Mapping[str, Any]]


class EventStream(Response):
    """A response that ends with the final event, when the client goes, when the server closes, or with the database.

    A client that was cut off comes again with `Last-Event-ID` and loses nothing.

    Args:
        read: the events above a sequence; may wait for the database.
        final: the evaluation as the data of the last event; may wait for the database.
    """

    def __init__(
        self, watch: Watch, database: Threads, evaluation_id: str, seen: int, read: Read, final: Final
    ) -> None:
        super().__init__(headers={"X-Accel-Buffering": "no"}, media_type="text/event-stream")
        del self.headers["content-length"]  # nobody knows it yet
        self._watch = watch
        self._database = database
        self._evaluation_id = evaluation_id
        self._seen = seen
        self._read = read
        self._final = final

    async def __call__(self, _: Scope, receive: Receive, send: Send) -> None:
        """Write events until there are no more."""
        async with self._watch.ticket(self._evaluation_id, self._seen) as ticket:
            await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
            writing = asyncio.create_task(self._write(ticket, send))
            leaving = asyncio.create_task(_gone(receive))
            try:
                await asyncio.wait({writing, leaving}, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for task in (writing, leaving):
                    task.cancel()
                results = await asyncio.gather(writing, leaving, return_exceptions=True)
            broken = results[0]
            if isinstance(broken, Exception) and not isinstance(broken, OSError | TimeoutError):
                raise broken

    async def _write(self, ticket: Ticket, send: Send) -> None:
        await _put(send, _RETRY)
        with contextlib.suppress(
            GateError, ProblemError
        ):  # the database is away: the client comes again, and goes on where it was
            async for chunk in self._chunks(ticket):
                await _put(send, chunk)
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _chunks(self, ticket: Ticket) -> AsyncIterator[bytes]:
        while not self._watch.is_closed:
            for event in await self._database(self._read, ticket.seen):
                ticket.seen = event.sequence
                if event.kind in FINAL:
                    yield frame(event, await self._database(self._final))
                    return
                yield frame(event, {"at": event.at.isoformat().replace("+00:00", "Z"), **event.data})
            while not (ticket.has_news or ticket.away or self._watch.is_closed):
                if not await ticket.wait(HEARTBEAT_SECONDS):
                    yield b": still here\n\n"
            if ticket.away:
                return


def frame(event: Event, data: Mapping[str, Any]) -> bytes:
    """Write one event. JSON has no line ends of its own, so nothing in it can begin another event."""
    text = json.dumps(data, ensure_ascii=True, allow_nan=False)
    return f"id: {event.sequence}\nevent: {event.kind}\ndata: {text}\n\n".encode()


async def _put(send: Send, chunk: bytes) -> None:
    write: Awaitable[None] = send({"type": "http.response.body", "body": chunk, "more_body": True})
    async with asyncio.timeout(_WRITE_SECONDS):
        await write


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
