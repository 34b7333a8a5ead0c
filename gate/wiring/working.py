"""Work in a server's process: a worker that takes evaluations from the line and has each done in a child."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from gate.flow.work import Job, Work, WorkCrashedError, WorkDiedError, WorkLateError, WorkStoppedError
from gate.wiring.build import build_registry
from gate.wiring.heard import Heard
from gate.wiring.service import Service
from gate.wiring.settings import Settings
from gate.wiring.work import Order, judge

if TYPE_CHECKING:
    from gate.engine.children import Children

_log = logging.getLogger(__name__)


@contextmanager
def working(service: Service) -> Iterator[None]:
    """Work on evaluations in this process, in children that can be ended, until the block is left."""
    from gate.engine.children import Children
    from gate.engine.worker import Worker
    from gate.registry.tags import RegistryNotices
    from gate.wiring.preload import MODULES

    settings, heard = service.settings, Heard(service.metrics)
    with Children(MODULES) as children:
        work = Work(
            service.evaluations, service.archive, service.shelf, _ChildRunner(children, settings),
            RegistryNotices(build_registry(settings, observer=heard)), heard, _now, settings.worker_name,
            settings.evaluation_seconds, lambda verdict_id: verdict_url(settings, verdict_id),
        )  # fmt: skip
        worker = Worker(
            settings.engine_url, settings.worker_name, _named(work.perform), _named(work.tell), settings.workers,
        )  # fmt: skip
        worker.start()
        service.worker = worker
        service.metrics.slots(lambda: worker.slots)
        try:
            yield
        finally:
            worker.stop()


def _named(task: Callable[[str], None]) -> Callable[[str], None]:
    """Have every line that a task logs carry the id of its evaluation."""
    from gate.telemetry.logs import about

    def named(evaluation_id: str) -> None:
        with about(evaluation_id):
            task(evaluation_id)

    return named


def verdict_url(settings: Settings, verdict_id: str) -> str | None:
    """The address of a verdict's page; None if nobody said under which address people reach the server."""
    return f"{settings.public_url}/verdicts/{verdict_id}" if settings.public_url else None


@dataclass(frozen=True, slots=True)
class _ChildRunner:
    """Runs jobs in children; fulfils `gate.flow.work.Runner`."""

    children: Children
    settings: Settings

    def run(
        self, job: Job, *, on_message: Callable[[Mapping[str, Any]], None], should_stop: Callable[[], bool]
    ) -> Mapping[str, Any]:
        from gate.engine.children import ChildDied, ChildFailed, ChildLate, ChildStopped

        try:
            return self.children.run(
                judge, Order(job, self.settings), on_message=on_message, should_stop=should_stop, seconds=job.seconds
            )
        except ChildStopped as stopped:
            raise WorkStoppedError(str(stopped)) from stopped
        except ChildLate as late:
            raise WorkLateError(str(late)) from late
        except ChildDied as died:
            raise WorkDiedError(str(died)) from died
        except ChildFailed as failed:
            _log.error("%s", failed.traceback, extra={"evaluation_id": job.evaluation_id})
            raise WorkCrashedError(str(failed)) from failed


def _now() -> datetime:
    return datetime.now(UTC)
