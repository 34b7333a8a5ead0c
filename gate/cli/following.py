"""Progress of an evaluation that runs elsewhere."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TextIO

from gate.domain.plain import plain
from gate.telemetry.progress import Progress

_QUIET_SECONDS = 30.0


class Following(Progress):
    """Progress with the rows that were read, and a sign of life where nothing moves.

    On a terminal the line of the running phase counts the rows. Elsewhere a line says every half minute that it still
    runs: CI systems end jobs that are silent for long.
    """

    def __init__(self, stream: TextIO, *, live: bool, clock: Callable[[], float] = time.perf_counter) -> None:
        super().__init__(stream, live=live, clock=clock)
        self._rows = 0
        self._spoke_at = clock()

    def phase(self, name: str, detail: str = "") -> None:
        """A phase begins; the one before it has ended."""
        super().phase(name, detail)
        self._spoke_at = self._clock()

    def scanned(self, rows: int) -> None:
        """Rows were read; none is a heartbeat."""
        self._rows += rows
        if self._running is None:
            return
        text, began = self._running
        if self._live and rows:
            self._write(f"\r\x1b[2K  {text} ... {self._rows:,} rows read")
        elif not self._live and self._clock() - self._spoke_at >= _QUIET_SECONDS:
            self._spoke_at = self._clock()
            read = f", {self._rows:,} rows read" if self._rows else ""
            self._write(f"  {text} goes on ({self._spoke_at - began:.0f} s{read})\n")

    def note(self, text: str) -> None:
        """Say something beside the phases, on a line of its own."""
        running = f"  {self._running[0]} ..." if self._live and self._running else ""
        clear = "\r\x1b[2K" if running else ""
        self._write(f"{clear}  {plain(text)}\n{running}")
        self._spoke_at = self._clock()
