"""A server put together: the record, the line, the policies, the work and the care, behind one value."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from gate.domain.evaluation import Evaluation, Submission
from gate.errors import GateError
from gate.flow.policies import PolicyShelf, Reloaded
from gate.flow.submit import Desk
from gate.wiring.build import refuse_unwritable
from gate.wiring.extras import require_server
from gate.wiring.settings import Settings

if TYPE_CHECKING:
    from gate.engine.queue import DbosQueue
    from gate.engine.worker import Worker
    from gate.store.open import Store
    from gate.telemetry.metrics import Metrics

_log = logging.getLogger(__name__)


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
                self._policies_text(status),
                needed=False,  # the last good set judges on
            ),
        }

    def _policies_text(self, status: Reloaded) -> str:
        judging = len(self.shelf.current().policies)
        if status.ok:
            return f"{judging} loaded"
        since = f"{status.at:%Y-%m-%d %H:%M} UTC"
        return f"not reloaded, {judging} loaded at {since} judge on: {'; '.join(status.problems)}"

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


def _now() -> datetime:
    return datetime.now(UTC)
