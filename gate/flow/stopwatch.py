"""How long each phase took, told to the observer as it begins."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from gate.flow.ports import Observer


class Stopwatch:
    """Times phases. `seconds` maps each phase to its length so far."""

    def __init__(self, observer: Observer) -> None:
        self.seconds: dict[str, float] = {}
        self._observer = observer

    @contextmanager
    def __call__(self, phase: str, detail: str = "") -> Iterator[None]:
        """Time one phase."""
        self._observer.phase(phase, detail)
        begin = time.perf_counter()
        try:
            yield
        finally:
            self.seconds[phase] = round(self.seconds.get(phase, 0.0) + time.perf_counter() - begin, 4)
