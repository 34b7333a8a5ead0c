"""A server put together: the record, the line, the policies, the work and the care, behind one value."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from gate.domain.evaluation import Evaluation, Submission
from gate.errors import GateError
from gate.flow.care import Care, carefully
from gate.flow.policies import PolicyShelf
from gate.flow.submit import Desk
from gate.flow.work import Job, Work, WorkCrashedError, WorkDiedError, WorkLateError, WorkStoppedError
from gate.wiring.build import build_registry, refuse_unwritable
from gate.wiring.extras import require_server
from gate.wiring.settings import Settings
from gate.wiring.work import Order, judge

if TYPE_CHECKING:
    from gate.engine.children import Children
    from gate.engine.queue import DbosQueue
    from gate.engine.worker import Worker
    from gate.registry.mlflow import MlflowRegistry
    from gate.store.open import Store
    from gate.telemetry.metrics import Metrics

_log = logging.getLogger(__name__)

_SWEEP_SECONDS = 5.0
_RECONCILE_SECONDS = 30.0
_PURGE_SECONDS = 3600.0


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that a server needs: whether it is well, what it is like, and whether the server can do without."""

    ok: bool
    text: str
    needed: bool = True


@dataclass(slots=True)
class Service:
    """What stands behind the routes of a server."""

    settings: Settings
    store: Store
    queue: DbosQueue
    shelf: PolicyShelf
    desk: Desk
    metrics: Metrics
    worker: Worker | None = None

    @property
    def evaluations(self) -> Any:
        """The record of evaluations."""
        return self.store.evaluations

    @property
    def archive(self) -> Any:
        """The verdicts."""
        return self.store.verdicts

    def submit(self, submission: Submission, *, principal: str, key: str, now: datetime) -> tuple[Evaluation, bool]:
        """Accept a request; see `gate.flow.submit.Desk.submit`."""
        return self.desk.submit(submission, principal=principal, key=key, now=now)

    def retry(self, evaluation_id: str, now: datetime) -> tuple[Evaluation, bool] | None:
        """Ask anew what ended without a verdict; see `gate.flow.submit.Desk.retry`."""
        return self.desk.retry(evaluation_id, now)

    def cancel(self, evaluation_id: str, now: datetime) -> Evaluation | None:
        """Cancel an evaluation; see `gate.flow.submit.Desk.cancel`."""
        return self.desk.cancel(evaluation_id, now)

    def ready(self) -> Mapping[str, Check]:
        """Look at everything that answering and judging needs."""
        status = self.shelf.status()
        return {
            "database": _looked_at("database", self.archive.ping),
            "engine": _looked_at("engine", self.queue.ping),
            "worker": self._worker_check(),
            "policies": Check(
                status.ok,
                "; ".join(status.problems) or f"{len(self.shelf.current().policies)} loaded",
                needed=False,  # the last good set judges on
            ),
        }

    def _worker_check(self) -> Check:
        if self.worker is None:
            return Check(True, "none in this process: gate worker does the work", needed=False)
        return Check(self.worker.is_alive, "works" if self.worker.is_alive else "has stopped: restart this process")


def _looked_at(what: str, look: Callable[[], object]) -> Check:
    """Look at something. Anybody may ask, so the reason, which names hosts and users, stays in the log."""
    try:
        look()
    except GateError as wrong:
        _log.warning("not ready: the %s does not answer: %s", what, wrong)
        return Check(False, "does not answer; the log says why")
    return Check(True, "answers")


@contextmanager
def build_service(settings: Settings) -> Iterator[Service]:
    """Build a server that answers, without work and care.

    Raises:
        UsageError, PolicyError: the settings or the policies are wrong.
        StoreError: the database cannot be opened.
    """
    from gate.engine.queue import DbosQueue
    from gate.store.open import open_store
    from gate.telemetry.metrics import Metrics
    from gate.telemetry.state import StateCollector

    require_server()
    refuse_unwritable(settings.home)
    with ExitStack() as closing:
        metrics = Metrics()
        shelf = PolicyShelf(
            settings.policies, _now(), client_policies=settings.client_policies, heard=metrics.policy_reload
        )
        store = open_store(settings.database_url)
        closing.callback(store.close)
        store.verdicts.ping()
        queue = DbosQueue(settings.engine_url)
        closing.callback(queue.close)
        if settings.metrics_state:
            metrics.register(StateCollector(store.verdicts, store.evaluations, shelf.current, now=_now))
        metrics.slots(0)
        desk = Desk(store.evaluations, store.verdicts, queue, shelf, settings.queue_seconds)
        yield Service(settings, store, queue, shelf, desk, metrics)


@contextmanager
def working(service: Service) -> Iterator[None]:
    """Work on evaluations in this process, in children that can be ended, until the block is left."""
    from gate.engine.children import Children
    from gate.engine.worker import Worker
    from gate.registry.tags import RegistryNotices
    from gate.wiring.preload import MODULES

    settings = service.settings
    with Children(MODULES) as children:
        work = Work(
            service.evaluations, service.archive, service.shelf, _ChildRunner(children, settings),
            RegistryNotices(_registry(service)), _Heard(service.metrics), _now, settings.worker_name,
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


@contextmanager
def caring(service: Service) -> Iterator[None]:
    """Sweep, reconcile, watch, schedule and purge in a thread, until the block is left."""
    settings = service.settings
    care = Care(
        service.desk, service.evaluations, service.archive, service.queue, service.shelf, _registry(service),
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


@dataclass(frozen=True, slots=True)
class _Heard:
    """Counts what happens to evaluations; fulfils `gate.flow.work.WorkObserver`."""

    metrics: Metrics

    def begun(self) -> None:
        self.metrics.in_progress(1)

    def ended(self, evaluation: Evaluation, outcome: str, seconds: float, answer: Mapping[str, Any]) -> None:
        self.metrics.in_progress(-1)
        waited = (evaluation.started_at or evaluation.created_at) - evaluation.created_at
        self.metrics.evaluation(
            str(evaluation.submission.trigger), outcome, seconds, answer.get("phases", {}),
            None if outcome == "retried" else waited.total_seconds(),  # it is counted when the work is over
            evaluation.id,
        )  # fmt: skip
        self.metrics.checks(answer.get("findings", ()))

    def called(self, operation: str, result: str, seconds: float) -> None:
        self.metrics.mlflow(operation, result, seconds)

    def phase(self, name: str, detail: str = "") -> None:
        """Phases come with the answer."""

    def scanned(self, rows: int) -> None:
        """Rows were read."""
        self.metrics.scanned(rows)


def _registry(service: Service) -> MlflowRegistry:
    return build_registry(service.settings, observer=_Heard(service.metrics))


def _now() -> datetime:
    return datetime.now(UTC)
