"""Care in the background of a server: which task comes round how often, and in which thread."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

from gate.flow.care import Care, carefully
from gate.wiring.build import build_registry
from gate.wiring.heard import Heard
from gate.wiring.service import Service

_SWEEP_SECONDS = 5.0
_RECONCILE_SECONDS = 30.0
_PURGE_SECONDS = 3600.0


@contextmanager
def caring(service: Service) -> Iterator[None]:
    """Sweep, reconcile, watch, schedule and purge in a thread, until the block is left."""
    settings = service.settings
    registry = build_registry(settings, observer=Heard(service.metrics))
    care = Care(
        service.desk, service.evaluations, service.archive, service.queue, service.shelf, registry,
        timedelta(days=settings.keep_days), service.metrics.swept, service.metrics.care_failed,
    )  # fmt: skip
    tasks: Sequence[tuple[str, float, Callable[[], object]]] = (
        ("reload", _SWEEP_SECONDS, lambda: service.shelf.refresh(_now())),
        ("sweep", _SWEEP_SECONDS, lambda: care.sweep(_now())),
        ("reconcile", _RECONCILE_SECONDS, lambda: care.reconcile(_now())),
        ("watch", settings.poll_seconds, lambda: care.watch(_now())),
        ("schedule", settings.poll_seconds, lambda: care.schedule(_now())),
        ("purge", _PURGE_SECONDS, lambda: care.purge(_now())),
    )
    over = threading.Event()
    # Two threads: a registry that does not answer must not keep what is overdue from being swept up.
    threads = [
        threading.Thread(target=_round, args=(chosen, over, service.metrics.care_failed), name=name, daemon=True)
        for name, chosen in (("care", [*tasks[:3], tasks[5]]), ("watch", tasks[3:5]))
    ]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        over.set()


def _round(
    tasks: Sequence[tuple[str, float, Callable[[], object]]], over: threading.Event, failed: Callable[[str], None]
) -> None:
    """Do each task at once and then every so many seconds."""
    due = {name: time.monotonic() for name, _, _ in tasks}
    while not over.is_set():
        for name, every, task in tasks:
            if due[name] <= time.monotonic() and not over.is_set():
                carefully(task, name, failed)
                due[name] = time.monotonic() + every
        over.wait(max(0.0, min(due.values()) - time.monotonic()))


def _now() -> datetime:
    return datetime.now(UTC)
