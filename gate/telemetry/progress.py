"""Progress on stderr: which phase runs, and how long each took."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Self, TextIO

from gate.domain.plain import plain

_CLEAR_LINE = "\r\x1b[2K"


class Progress:
    """An Observer for people who wait. Use it as a context manager: leaving it ends the last phase.

    On a terminal the running phase is one line that is rewritten with its time when it ends. Elsewhere (pipes, CI,
    `TERM=dumb`) each phase is one plain line when it ends, and nothing moves.
    """

    def __init__(self, stream: TextIO, *, live: bool, clock: Callable[[], float] = time.perf_counter) -> None:
        self._stream = stream
        self._live = live
        self._clock = clock
        self._running: tuple[str, float] | None = None

    def phase(self, name: str, detail: str = "") -> None:
        """A phase begins; the one before it has ended."""
        self._end_phase()
        text = f"{plain(name)}: {plain(detail)}" if detail else plain(name)
        self._running = text, self._clock()
        if self._live:
            self._write(f"  {text} ...")

    def scanned(self, rows: int) -> None:
        """Rows were read. Nothing is shown for it: the phase names how many there are."""

    def called(self, operation: str, result: str, seconds: float) -> None:
        """The registry was asked. Nothing is shown for it."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        if kind is None:
            self._end_phase()
        elif self._running is not None:
            self._end_phase(", stopped")

    def _end_phase(self, note: str = "") -> None:
        if self._running is None:
            return
        text, began = self._running
        self._running = None
        clear = _CLEAR_LINE if self._live else ""
        self._write(f"{clear}  {text} ({self._clock() - began:.1f} s{note})\n")

    def _write(self, text: str) -> None:
        """Write what can be written: a closed stderr costs progress, never a verdict."""
        try:
            self._stream.write(text)
            self._stream.flush()
        except (OSError, ValueError):
            self._live = False


def is_live(stream: TextIO, environment: Mapping[str, str] = os.environ) -> bool:
    """Whether lines may be rewritten: a terminal that can, and no CI system."""
    return stream.isatty() and environment.get("TERM") != "dumb" and not environment.get("CI")
