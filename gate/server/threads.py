"""The few threads in which the server talks to its database, so that its event loop never waits."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

from gate.server.problem import busy

_P = ParamSpec("_P")
_T = TypeVar("_T")

THREADS = 8  # as many statements at once; fewer than a pool of the store has connections
_MOST_WAITING = 512  # calls; beyond it the database is behind, and more waiting would only hide it


class Threads:
    """Runs calls that may wait for the database. More than a bounded number of them is refused with a ProblemError."""

    def __init__(self, threads: int = THREADS, name: str = "gate-http") -> None:
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix=name)
        self._open = 0

    async def __call__(self, call: Callable[_P, _T], *args: _P.args, **kwargs: _P.kwargs) -> _T:
        """Run `call` in one of the threads and wait for what it returns or raises."""
        if self._open >= _MOST_WAITING:
            raise busy(f"{self._open:,} questions to the database wait already; ask again in 1 s", 1)
        self._open += 1
        try:
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(self._pool, lambda: call(*args, **kwargs))
        finally:
            self._open -= 1

    def close(self) -> None:
        """Take no more calls; those that run end by themselves."""
        self._pool.shutdown(wait=False, cancel_futures=True)
