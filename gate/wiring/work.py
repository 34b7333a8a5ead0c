"""One evaluation in a process of its own: what the server's child does."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from gate.domain.candidate import ModelRef
from gate.flow.request import Request
from gate.flow.work import Job
from gate.wiring.build import build_ports
from gate.wiring.settings import Settings

Message = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Order:
    """A job, and the settings of the server that gives it."""

    job: Job
    settings: Settings


@dataclass(frozen=True, slots=True)
class Reporting:
    """An Observer that sends what it hears to the parent."""

    send: Callable[[Message], None]

    def phase(self, name: str, detail: str = "") -> None:
        """A phase begins."""
        self.send({"kind": "phase", "name": name, "detail": detail})

    def scanned(self, rows: int) -> None:
        """Rows were read."""
        self.send({"kind": "rows", "scanned": rows})

    def called(self, operation: str, result: str, seconds: float) -> None:
        """The registry was asked."""
        self.send({"kind": "called", "operation": operation, "result": result, "seconds": seconds})


class _Forwarded(logging.Handler):
    """Sends warnings and worse to the parent, whose log carries the evaluation's id."""

    def __init__(self, send: Callable[[Message], None]) -> None:
        super().__init__(logging.WARNING)
        self._send = send

    def emit(self, record: logging.LogRecord) -> None:
        """Send a line, with its traceback."""
        try:
            self._send({"kind": "log", "logger": record.name, "level": record.levelno, "text": self.format(record)})
        except Exception:  # noqa: BLE001  # as every handler: a log line costs no verdict
            self.handleError(record)


def judge(order: Order, send: Callable[[Message], None]) -> Message:
    """Judge a candidate and store the verdict; what the parent wants to know of it. Raises as `evaluate` does."""
    from gate.flow.evaluate import evaluate

    logging.getLogger().handlers[:] = [_Forwarded(send)]
    job, settings = order.job, order.settings
    asked = job.submission
    request = Request(
        model=ModelRef.parse(asked.model),
        policies=job.policies,
        reference=asked.reference,
        current=asked.current,
        stage=asked.stage,
        enforced=asked.enforced,
        report=True,
        timeout_seconds=job.seconds,
        data_folder=settings.data_folder,
        kept="server",
        evaluation=job.evaluation_id,
        trigger=asked.trigger,
    )
    with build_ports(settings, Reporting(send), job.seconds, roots=settings.data_roots) as ports:
        outcome = evaluate(request, ports, now=datetime.now(UTC), verdict_id=job.evaluation_id)
    return {
        "verdict_id": outcome.verdict.id,
        "decision": str(outcome.verdict.decision),
        "cause": outcome.verdict.cause and str(outcome.verdict.cause),
        "findings": [
            {
                "check": finding.check,
                "kind": finding.kind,
                "dimension": str(finding.dimension),
                "status": str(finding.judgement.status),
            }
            for finding in outcome.verdict.findings
        ],
        "phases": dict(outcome.verdict.timings_seconds),
    }
