"""What `/readyz` says of what does not answer: nothing that a stranger should know."""

from __future__ import annotations

import logging

from gate.errors import EngineError, StoreError
from gate.wiring.service import Check, Service

REASON = "postgresql+psycopg://gate@db.internal/gate: connection refused"


class Away:
    def __init__(self, error: Exception | None) -> None:
        self.error = error

    def ping(self) -> None:
        if self.error:
            raise self.error


class Shelf:
    def status(self):
        return type("Status", (), {"ok": True, "problems": ("",)})()

    def current(self):
        return type("Set", (), {"policies": ()})()


def readiness(database: Exception | None, engine: Exception | None):
    class Store:
        verdicts = Away(database)

    return Service(None, Store(), Away(engine), Shelf(), None, None).ready()


def test_the_reason_why_something_does_not_answer_is_in_the_log_only(caplog):
    with caplog.at_level(logging.WARNING):
        checks = readiness(StoreError(REASON), EngineError(REASON))
    assert checks["database"] == checks["engine"] == Check(False, "does not answer; the log says why")
    assert [record.getMessage() for record in caplog.records] == [
        f"not ready: the database does not answer: {REASON}",
        f"not ready: the engine does not answer: {REASON}",
    ]


def test_what_answers_says_so(caplog):
    checks = readiness(None, None)
    assert checks["database"] == checks["engine"] == Check(True, "answers")
    assert caplog.records == []
