"""The caller's own time limit over a whole command."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from gate.errors import OutOfTimeError

_GRACE_SECONDS = 3.0


class _TimeIsUp(BaseException):
    """Raised by the alarm. No Exception, so that code which survives the crash of a check cannot swallow it."""


@contextmanager
def deadline(seconds: float | None) -> Iterator[None]:
    """Raise OutOfTimeError in the body once `seconds` have passed; None is no limit.

    The alarm interrupts Python. A library that stays in its own native code is ended with the process after a few
    seconds of grace, with the same exit code: a caller that set a limit is never left waiting.
    """
    if seconds is None:
        yield
        return
    message = f"timed out: no verdict within {seconds:g} s (--timeout)"
    watchdog = threading.Timer(seconds + _GRACE_SECONDS, _end_the_process, [message])
    watchdog.daemon = True
    watchdog.start()
    try:
        with _alarm(seconds):
            yield
    except _TimeIsUp:
        raise OutOfTimeError(message) from None
    finally:
        watchdog.cancel()


@contextmanager
def _alarm(seconds: float) -> Iterator[None]:
    if not hasattr(signal, "SIGALRM") or threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGALRM, _ring)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def _ring(_signal: int, _frame: FrameType | None) -> None:
    raise _TimeIsUp


def _end_the_process(message: str) -> None:
    sys.stderr.write(f"gate: {message}\n")
    sys.stderr.flush()
    os._exit(OutOfTimeError.exit_code)
