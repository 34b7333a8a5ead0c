"""`Worker`: does what is in line, whatever died meanwhile."""

from __future__ import annotations

import logging
import math
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from gate.engine.children import LeftForLater
from gate.engine.durable import (
    APPLICATION,
    LINE,
    VERSION,
    WORKFLOW,
    load_dbos,
    open_client,
    open_engine,
    shown,
    translated,
)  # fmt: skip
from gate.engine.slot import Slot, take_slot
from gate.errors import DamagedError, UsageError

_log = logging.getLogger(__name__)

_POLL_SECONDS = 0.2  # how long work waits in an idle line, on average half of it; a look costs some milliseconds
# Work that takes its worker down with it must not do so for ever. Yet it runs in children, so that most deaths are not
# its fault: a worker that is killed a few times in a row, before it could end anything, must not cost an evaluation.
_MOST_DEATHS = 20
_PATIENCE_SECONDS = 1800.0  # with a database that is away, before work is abandoned
_LONGEST_PAUSE_SECONDS = 10.0
_LOOK_SECONDS = 0.5  # whether this process ends, while work waits for its turn
_WATCH_SECONDS = 10.0
_COPY_SECONDS = 10.0  # the model's next evaluation waits meanwhile
_STARTS_WITHIN_SECONDS = 15.0

_only_one = threading.Lock()  # DBOS keeps its state in the process


def _end_process() -> None:
    os._exit(75)  # EX_TEMPFAIL: whoever restarts this process should do so


class Worker:
    """Takes work from the line, one at a time for each model, and does it in threads of this process.

    There is one worker in a process: DBOS allows no more.

    Args:
        url: of the line's database, as for `DbosQueue`.
        name: of this worker: one living process has it, and a restarted one must have the same again, since it is who
            takes up what it left.
        perform: does an evaluation. It is called again for what a dead worker had begun, and whenever it raises; it
            does so only if a database was away, or with a DamagedError, which ends the work.
        publish: tells others of its verdict. It is called once more or a few times more; that it fails is logged.
        concurrency: how many at once. The line has one number for all workers, that of the one that was started last;
            what this one is handed beyond its own number waits here, and keeps its models' next ones waiting.
        on_lost: is called when another process has this one's name; by default this process ends at once.
    """

    def __init__(
        self, url: str, name: str, perform: Callable[[str], None], publish: Callable[[str], None], concurrency: int, *,
        on_lost: Callable[[], None] = _end_process,
    ) -> None:  # fmt: skip
        self._url, self._name = url, name
        self._perform, self._publish = perform, publish
        self._concurrency = self._in_force = concurrency
        self._turns = threading.Semaphore(concurrency)
        self._on_lost = on_lost
        self._stopping = threading.Event()
        self._busy = 0
        self._lock = threading.Lock()
        self._slot: Slot | None = None
        self._started_at = 0.0

    @property
    def is_alive(self) -> bool:
        """Whether work is taken from the line."""
        if self._slot is None or not self._slot.is_held:
            return False
        if time.monotonic() - self._started_at < _STARTS_WITHIN_SECONDS:
            return True
        return any(thread.name == f"queue-worker-{LINE}" for thread in threading.enumerate())

    @property
    def slots(self) -> int:
        """How many evaluations this process works on at once; none, if nothing is taken from the line."""
        return min(self._concurrency, self._in_force) if self.is_alive else 0

    def start(self) -> None:
        """Take the slot, take up what a dead worker of this name left, and begin.

        Raises:
            UsageError: a living process has this name, or there is a worker in this process.
            EngineError: the database does not answer.
        """
        if not _only_one.acquire(blocking=False):
            raise UsageError(f"worker {self._name!r}: there is a worker in this process already")
        try:
            slot = take_slot(self._url, self._name, self._lose)
            try:
                with translated(shown(self._url), f"cannot start worker {self._name!r}"):
                    self._launch()
            except BaseException:
                slot.release()
                raise
        except BaseException:
            _only_one.release()
            raise
        self._slot, self._started_at = slot, time.monotonic()
        if not self._url.startswith("sqlite"):  # one worker has that for itself
            threading.Thread(target=self._watch_line, name="gate-worker-line", daemon=True).start()

    def stop(self, seconds: float = 5.0) -> None:
        """Begin nothing more, and give what runs so long to end. What has not ended is for the next start."""
        slot, self._slot = self._slot, None
        if slot is None:
            return
        timer = threading.Timer(seconds, self._stopping.set)
        timer.daemon = True
        timer.start()
        load_dbos().DBOS.destroy(
            destroy_registry=True, workflow_completion_timeout_sec=math.ceil(seconds) if self._busy else 0
        )
        timer.cancel()
        self._stopping.set()
        self._engine.dispose()
        slot.release()
        _only_one.release()

    def _launch(self) -> None:
        dbos = load_dbos()
        self._engine = open_engine(self._url, self._concurrency + 6)
        dbos.DBOS(
            config={
                "name": APPLICATION,
                "system_database_engine": self._engine,
                "executor_id": self._name,
                "application_version": VERSION,
                "serializer": dbos.DBOSPortableJSONSerializer(),
                "log_level": "WARNING",
                "use_listen_notify": False,
                # Threads of work that was cancelled end a little after the next ones begin.
                "max_executor_threads": 2 * self._concurrency + 8,
                "notification_listener_polling_interval_sec": 0.5,  # nothing is polled for; ending waits for it
            }
        )
        self._register(dbos.DBOS)
        try:
            # Before the launch: DBOS looks for lines when it begins, and then only now and again.
            self._client = open_client(self._engine)
            self._client.register_queue(
                LINE, partition_concurrency=1, worker_concurrency=self._concurrency,
                polling_interval_sec=_POLL_SECONDS, on_conflict="always_update", application_name=APPLICATION,
            )  # fmt: skip
            dbos.DBOS.launch()
        except BaseException:
            dbos.DBOS.destroy(destroy_registry=True)
            self._engine.dispose()
            raise

    def _register(self, dbos: Any) -> None:
        """Say what the work is. Work in line remembers the names and the order of the steps: they never change."""

        @dbos.step(name="perform")  # type: ignore[untyped-decorator]
        def perform(evaluation_id: str) -> None:
            with self._turn():
                self._patiently(self._perform, evaluation_id, _PATIENCE_SECONDS)

        @dbos.step(name="publish")  # type: ignore[untyped-decorator]
        def publish(evaluation_id: str) -> None:
            try:
                self._patiently(self._publish, evaluation_id, _COPY_SECONDS)
            except Exception as wrong:  # noqa: BLE001  # the verdict stands without its copies
                _log.warning("no copy was left: %s", wrong, extra={"evaluation_id": evaluation_id})

        @dbos.workflow(name=WORKFLOW, max_recovery_attempts=_MOST_DEATHS)  # type: ignore[untyped-decorator]
        def evaluate(evaluation_id: str) -> None:
            with self._lock:
                self._busy += 1
            try:
                perform(evaluation_id)
                publish(evaluation_id)
            finally:
                with self._lock:
                    self._busy -= 1

    @contextmanager
    def _turn(self) -> Iterator[None]:
        """Wait until fewer than our own number are being done."""
        while not self._turns.acquire(timeout=_LOOK_SECONDS):
            self._leave_if_stopping()
        try:
            yield
        finally:
            self._turns.release()

    def _watch_line(self) -> None:
        """Look now and again which number is in force for all workers, and tell when it is not ours."""
        while not self._stopping.is_set():
            try:
                in_force = self._client.retrieve_queue(LINE).worker_concurrency
            except Exception:  # noqa: BLE001  # the database is away, which others tell
                in_force = self._in_force
            if in_force not in (self._in_force, self._concurrency):
                _log.warning(
                    "worker %r: GATE_WORKERS is %d here, but a worker that was started later says %d for all: give all "
                    "workers the same number", self._name, self._concurrency, in_force,
                )  # fmt: skip
            self._in_force = in_force
            self._stopping.wait(_WATCH_SECONDS)

    def _patiently(self, do: Callable[[str], None], evaluation_id: str, seconds: float) -> None:
        """Call until it works; its own error when that took too long."""
        give_up, pause = time.monotonic() + seconds, 0.5
        while True:
            self._leave_if_stopping()
            try:
                do(evaluation_id)
            except Exception as wrong:
                self._leave_if_stopping()
                if isinstance(wrong, DamagedError) or time.monotonic() + pause > give_up:
                    raise  # what is damaged stays so
                _log.warning("tried again in %g s: %s", pause, wrong, extra={"evaluation_id": evaluation_id})
                self._stopping.wait(pause)
                pause = min(2 * pause, _LONGEST_PAUSE_SECONDS)
            else:
                self._leave_if_stopping()  # there is no line any more to write into that it is done
                return

    def _leave_if_stopping(self) -> None:
        if self._stopping.is_set():
            raise LeftForLater

    def _lose(self) -> None:
        self._stopping.set()
        self._on_lost()
        self.stop(0)
