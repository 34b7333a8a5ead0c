"""Deadlines that hold whatever the other side does: work runs on a daemon thread and is abandoned when it is late."""

from __future__ import annotations

import contextvars
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, wait
from typing import TypeVar

from gate.errors import RegistryError

T = TypeVar("T")


class Deadline:
    """A moment after which work is given up; long work asks `check` between its steps."""

    def __init__(self, seconds: float, late: str) -> None:
        self._end = time.monotonic() + seconds
        self._late = late

    @property
    def remaining(self) -> float:
        """Seconds that are left, at least 0."""
        return max(0.0, self._end - time.monotonic())

    def check(self) -> None:
        """Raise the RegistryError of a late answer once the moment has passed."""
        if self.remaining == 0.0:
            raise RegistryError(self._late)


def within(seconds: float, late: str, work: Callable[[Deadline], T]) -> T:
    """Run `work` and return its result or raise its exception; a RegistryError saying `late` after `seconds`.

    A socket timeout bounds one read and a server that sends a byte at a time passes every one of them, so the
    clock is watched from outside. The thread is a daemon, never a pool's: the interpreter waits for a pool at
    exit, and a process that gave up must be able to end at once.
    """
    deadline = Deadline(seconds, late)
    outcome: Future[T] = Future()
    context = contextvars.copy_context()

    def run() -> None:
        try:
            outcome.set_result(context.run(work, deadline))
        except BaseException as error:  # noqa: BLE001 - raised in the thread that waits
            outcome.set_exception(error)

    threading.Thread(target=run, name="gate-registry", daemon=True).start()
    if not wait([outcome], timeout=seconds).done:
        raise RegistryError(late)
    return outcome.result()
