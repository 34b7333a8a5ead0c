"""A server without HTTP, in a process of its own: the real desk, record, line and worker on SQLite, under bursts."""

from __future__ import annotations

import logging
import threading
import time
from collections import Counter
from datetime import UTC, datetime
from itertools import count

from serving import a_verdict

from gate.domain.evaluation import Submission
from gate.engine.queue import DbosQueue
from gate.engine.worker import Worker
from gate.flow.document import document_of
from gate.flow.submit import Desk
from gate.store import open_store

PATIENCE = 240.0


class Lines(logging.Handler):
    """Everything that anybody logs."""

    def __init__(self):
        super().__init__(logging.WARNING)
        self.lines = []

    def emit(self, record):
        self.lines.append(self.format(record))


def main(line, folder):
    """Take 60 requests one after the other, then 300 from 16 threads; tell what became of them."""
    logged = Lines()
    logging.basicConfig(level=logging.WARNING, handlers=[logged], force=True)
    store = open_store(f"sqlite:///{folder / 'gate.db'}")
    queue = DbosQueue(f"sqlite:///{folder / 'engine.db'}")
    desk = Desk(store.evaluations, store.verdicts, queue, None, 3600)
    begun = Counter()

    def perform(name):
        begun[name] += 1
        started = store.evaluations.start(name, "gate", now(), now())
        if started is not None:
            store.evaluations.note(name, "phase", {"name": "data"}, now())
            verdict = a_verdict(started.model_name, id=name, inputs_digest=name)
            store.verdicts.save(verdict, document_of(verdict), evaluation=name)

    worker = Worker(f"sqlite:///{folder / 'engine.db'}", "gate", perform, lambda name: None, 8)
    worker.start()
    burst = Burst(desk)
    burst.submit(60, 1)
    burst.submit(300, 16)
    give_up = time.monotonic() + PATIENCE
    while store.evaluations.open_ids() and time.monotonic() < give_up:
        time.sleep(0.1)
    line.send(
        {
            "failed": burst.failed,
            "accepted": len(burst.accepted),
            "longest": max(burst.seconds),
            "states": Counter(str(store.evaluations.get(name).state) for name in burst.accepted),
            "own_verdicts": sum(store.evaluations.get(name).verdict_id == name for name in burst.accepted),
            "verdicts": sum(store.verdicts.totals().values()),
            "begun": Counter(begun.values()),
            "events": Counter(tuple(e.kind for e in store.evaluations.events(name)) for name in burst.accepted),
            "abandoned": queue.abandoned(),
            "logged": logged.lines,
        }
    )
    worker.stop()
    queue.close()
    store.close()


class Burst:
    """Clients that hand in as fast as they are answered."""

    def __init__(self, desk):
        self._desk = desk
        self._numbers = count()
        self.accepted, self.failed, self.seconds = [], [], []

    def submit(self, requests, threads):
        left = iter(range(requests))
        lock = threading.Lock()

        def hand_in():
            while True:
                with lock:
                    if next(left, None) is None:
                        return
                    number = next(self._numbers)
                began = time.monotonic()
                try:
                    asked = Submission(f"models:/model-{number % 40}/1")
                    found, new = self._desk.submit(asked, principal="anonymous", key=f"key-{number}", now=now())
                    assert new
                    self.accepted.append(found.id)
                except Exception as wrong:  # noqa: BLE001  # told to the test
                    self.failed.append(repr(wrong))
                self.seconds.append(time.monotonic() - began)

        clients = [threading.Thread(target=hand_in) for _ in range(threads)]
        for client in clients:
            client.start()
        for client in clients:
            client.join()


def now():
    return datetime.now(UTC)
