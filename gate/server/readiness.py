"""Whether all is well: looked at for all who ask, and not more often than it helps."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping

from gate.server import resource
from gate.server.service import Check

KEPT_SECONDS = 2.0


class Glance:
    """Looks at every check, and remembers for two seconds what it saw.

    Anybody may ask, and each look writes to the database: many who ask must cost no more than one.
    """

    def __init__(self, checks: Callable[[], Mapping[str, Check]], clock: Callable[[], float] = time.monotonic) -> None:
        self._checks = checks
        self._clock = clock
        self._lock = threading.Lock()
        self._seen: tuple[float, resource.Readiness] | None = None

    def look(self) -> resource.Readiness:
        """Say how it is. May wait for the database, and for another who looks."""
        with self._lock:
            if self._seen is None or self._clock() - self._seen[0] >= KEPT_SECONDS:
                found = {
                    name: resource.ReadinessCheck(ok=check.ok, needed=check.needed, detail=check.text)
                    for name, check in self._checks().items()
                }
                ready = all(check.ok for check in found.values() if check.needed)
                self._seen = self._clock(), resource.Readiness(ready=ready, checks=found)
            return self._seen[1]
