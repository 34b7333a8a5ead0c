"""A worker's slot: the right to a name, which one living process has. Whoever starts under it takes over its work.

Without it, two processes under one name would take each other's running work for their own, left from before a crash.
"""

from __future__ import annotations

import fcntl
import hashlib
import logging
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from sqlalchemy import Connection, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import SQLAlchemyError

from gate.engine.durable import open_engine, shown, translated
from gate.errors import UsageError

_log = logging.getLogger(__name__)

_LOOK_SECONDS = 2.0
_RETAKE_SECONDS = 20.0  # a database may hold the lock of a connection that broke until it finds out


class Slot(Protocol):
    """A slot that was taken. It is given back when the process ends, however it ends."""

    @property
    def is_held(self) -> bool:
        """Whether it is still ours, as far as is known."""

    def release(self) -> None:
        """Give it back."""


def take_slot(url: str, name: str, on_lost: Callable[[], None]) -> Slot:
    """Take the slot of `name`.

    On SQLite there is one slot for all names: a lock on a file beside the database, so that whoever works on that takes
    the same. On PostgreSQL it is an advisory lock of a
    session of its own, so the URL must lead to the database itself and not to a pooler that shares sessions. Should
    the session break, the slot is taken again; `on_lost` is called if another process has it by then.

    Raises:
        UsageError: a living process has it.
        EngineError: the database does not answer.
    """
    if url.startswith("sqlite"):
        return _FileSlot(Path(str(make_url(url).database)).with_suffix(".lock"), name)
    return _SessionSlot(url, name, on_lost)


class _FileSlot:
    """A locked file. The lock goes with the process: no child inherits the file, since none is forked from here."""

    def __init__(self, path: Path, name: str) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = path.open("a+", encoding="utf-8")
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self._file.seek(0)
            holder = self._file.read(200).strip() or "unknown"
            self._file.close()
            raise UsageError(
                f"{path}: another gate works here already ({holder}), and only one may on an SQLite database: stop "
                f"that one, set GATE_WORKERS=0 for this one, or set GATE_DATABASE to a PostgreSQL database"
            ) from None
        self._file.truncate(0)
        self._file.write(f"process {os.getpid()}, worker {name}\n")
        self._file.flush()

    @property
    def is_held(self) -> bool:
        return not self._file.closed

    def release(self) -> None:
        self._file.close()


class _SessionSlot:
    """An advisory lock, held by a session that is looked at every few seconds."""

    def __init__(self, url: str, name: str, on_lost: Callable[[], None]) -> None:
        self._place, self._name, self._on_lost = shown(url), name, on_lost
        self._engine = open_engine(url, 1).execution_options(isolation_level="AUTOCOMMIT")
        digest = hashlib.sha256(f"gate worker {name}".encode()).digest()
        self._key = int.from_bytes(digest[:8], "big", signed=True)
        self._over = threading.Event()
        self.is_held = False
        with translated(self._place, f"cannot take the slot of worker {name!r}"):
            session = self._take()
        if session is None:
            raise UsageError(
                f"GATE_WORKER_NAME: a living process works as {name!r} on {self._place}; give each worker a name of "
                f"its own, and the same one again when it is restarted"
            )
        self.is_held = True
        threading.Thread(target=self._watch, args=(session,), name="gate-worker-slot", daemon=True).start()

    def release(self) -> None:
        self.is_held = False
        self._over.set()
        self._engine.dispose()

    def _take(self) -> Connection | None:
        """Lock in a new session; None if another has the lock."""
        session = self._engine.connect()
        if session.execute(text("SELECT pg_try_advisory_lock(:key)"), {"key": self._key}).scalar():
            return session
        session.close()
        return None

    def _watch(self, session: Connection) -> None:
        while not self._over.wait(_LOOK_SECONDS):
            try:
                session.execute(text("SELECT 1"))
            except SQLAlchemyError as broken:
                if self._over.is_set():
                    break
                _log.warning("%s: the session of worker %r broke: %s", self._place, self._name, broken)
                session.invalidate()
                session.close()
                again = self._retake()
                if again is None:
                    return
                session = again
        session.invalidate()
        session.close()

    def _retake(self) -> Connection | None:
        """Take the lock again. While the database is away nobody else can have it either, so there is no hurry."""
        refused_since: float | None = None
        while not self._over.wait(_LOOK_SECONDS):
            try:
                session = self._take()
            except SQLAlchemyError:
                refused_since = None
                continue
            if session is not None:
                _log.warning("%s: worker %r has its slot again", self._place, self._name)
                return session
            refused_since = refused_since or time.monotonic()
            if time.monotonic() - refused_since > _RETAKE_SECONDS:
                _log.critical("%s: another process works as %r: this one stops", self._place, self._name)
                self.is_held = False
                self._on_lost()
                return None
        return None
