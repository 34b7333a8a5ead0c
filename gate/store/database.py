"""The database: opened for durability, brought to the newest schema, shared by threads and processes."""

from __future__ import annotations

import os
import threading
import time
import weakref
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, OperationalError, SQLAlchemyError

from gate.errors import MissingExtraError, StoreError, UsageError

VERSION_TABLE = "gate_schema"  # a name of our own: the database may be shared with MLflow, which uses Alembic too
NEWEST = "0002"  # the last revision in `migrations`; known here so that an up-to-date database needs no Alembic
_BUSY_SECONDS = 30.0
_MIGRATION_LOCK = 0x67617465_00000001  # any number that nobody else takes as a PostgreSQL advisory lock: "gate", 1
_DRIVERS = ("sqlite", "sqlite+pysqlite", "postgresql", "postgresql+psycopg")
_PATIENCE_SECONDS = 1.0  # so long a failure to open is the answer to everybody who waited for the same

# How a PostgreSQL that is gone shows as an error within seconds, and how one transaction cannot hold up the others.
_POSTGRES_CONNECT = {
    "connect_timeout": 5,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 15_000,
    "application_name": "gate",
}
_POSTGRES_OPTIONS = (
    "-c statement_timeout=30s -c lock_timeout=20s -c idle_in_transaction_session_timeout=60s -c timezone=UTC"
)


class Database:
    """A database behind a SQLAlchemy URL. It is opened, and migrated, when it is first needed.

    Threads share its connections. A process that was forked opens its own, see `_forget_in_child`.
    """

    _engine: Engine | None
    _failure: str | None  # why the last attempt to open failed
    _failed_at: float
    _opening: threading.Lock
    _turn: threading.Lock  # to write

    def __init__(self, url: str) -> None:
        self._url = _read(url)
        self.place = self._url.render_as_string(hide_password=True)
        self._is_sqlite = self._url.get_backend_name() == "sqlite"
        self._forget()
        _DATABASES.add(self)

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A connection for one statement that only reads: it waits for no writer.

        On SQLite several statements see one state of the database; on PostgreSQL each sees its own.
        """
        with translated(self.place), self._open().execution_options(**self._read_options).connect() as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """A transaction that writes; on SQLite it holds the write lock from the beginning.

        SQLite has one writer at a time. Threads of one process queue here, in turn, and not with the file's lock, whose
        waiters sleep and ask again: that is slower, and may starve one of them.
        """
        with translated(self.place):
            engine = self._open()
            with self._turn if self._is_sqlite else nullcontext(), engine.begin() as connection:
                yield connection

    def close(self) -> None:
        """Close the connections. The next use opens the database again."""
        with self._opening:
            engine, self._engine = self._engine, None
        if engine is not None:
            engine.dispose()

    @property
    def _read_options(self) -> dict[str, Any]:
        return {"gate_reads": True} if self._is_sqlite else {"isolation_level": "AUTOCOMMIT"}

    def _open(self) -> Engine:
        engine = self._engine
        if engine is not None:
            return engine
        with self._opening:
            if self._engine is None:
                if self._failure is not None and time.monotonic() < self._failed_at + _PATIENCE_SECONDS:
                    raise StoreError(self._failure)
                try:
                    self._engine = open_database(self._url)
                except StoreError as failure:
                    self._failure, self._failed_at = str(failure), time.monotonic()
                    raise
            return self._engine

    def _forget(self) -> None:
        """Begin without connections, and without locks that another thread may hold."""
        self._engine = None
        self._opening = threading.Lock()
        self._turn = threading.Lock()
        self._failure = None
        self._failed_at = 0.0

    def _forget_in_child(self) -> None:
        """Leave the parent's connections alone, for good: closing a copy of one would break the parent's."""
        if self._engine is not None:
            _INHERITED.append(self._engine)
        self._forget()


_DATABASES: weakref.WeakSet[Database] = weakref.WeakSet()
_INHERITED: list[Engine] = []


def _after_fork() -> None:
    for database in list(_DATABASES):
        database._forget_in_child()  # noqa: SLF001  # of this module


if hasattr(os, "register_at_fork"):  # where there is no fork, there is nothing to forget
    os.register_at_fork(after_in_child=_after_fork)


def open_database(url: str | URL) -> Engine:
    """Open a database and bring its schema up to date; StoreError if that cannot be done.

    Several processes may do so at once: the first one migrates while the others wait.
    """
    parsed = _read(url) if isinstance(url, str) else url
    with translated(parsed.render_as_string(hide_password=True)):
        engine = _sqlite(parsed) if parsed.get_backend_name() == "sqlite" else _postgres(parsed)
        try:
            _migrate(engine)
        except BaseException:
            engine.dispose()
            raise
    return engine


@contextmanager
def translated(place: str) -> Iterator[None]:
    """Turn every database error into a StoreError that names the database and never the statement's values."""
    try:
        yield
    except DBAPIError as wrong:
        raise StoreError(f"{place}: {_said(wrong.orig)}") from wrong
    except SQLAlchemyError as wrong:
        raise StoreError(f"{place}: {type(wrong).__name__}: {wrong}") from wrong
    except UnicodeEncodeError as wrong:
        raise StoreError(f"{place}: text with a lone surrogate cannot be stored") from wrong


def _said(wrong: BaseException | None) -> str:
    """What the database said, on one line. PostgreSQL's further lines may hold values: a key that exists, a row."""
    primary = getattr(getattr(wrong, "diag", None), "message_primary", None)
    return primary or " ".join(str(wrong).split())


def _read(url: str) -> URL:
    """Read a URL; UsageError without a word of it, since it may hold a password, if it is not one of ours."""
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):
        parsed = None
    if parsed is None or parsed.drivername not in _DRIVERS:
        found = "is no database URL" if parsed is None else f"is a URL of {parsed.drivername!r}"
        raise UsageError(f"GATE_DATABASE: {found}; write sqlite:///PATH or postgresql+psycopg://USER@HOST/NAME")
    if parsed.get_backend_name() == "sqlite" and parsed.database in (None, "", ":memory:"):
        raise UsageError("GATE_DATABASE: a database in memory forgets its verdicts; write sqlite:///PATH")
    if parsed.drivername == "postgresql":
        parsed = parsed.set(drivername="postgresql+psycopg")
    return parsed


# --- SQLite ----------------------------------------------------------------------------------------------------------


def _sqlite(url: URL) -> Engine:
    """Take transactions into our own hands: WAL, every commit on disk, writers queue instead of failing.

    The driver's own transactions begin late and leave DDL outside, see
    https://docs.sqlalchemy.org/en/21/dialects/sqlite.html#enabling-non-legacy-sqlite-transactional-modes-with-the-sqlite3-or-aiosqlite-driver
    """
    engine = create_engine(url, pool_size=8, max_overflow=40, pool_timeout=_BUSY_SECONDS)

    @event.listens_for(engine, "connect")
    def _connected(connection: Any, _record: Any) -> None:
        connection.isolation_level = None
        connection.execute(f"PRAGMA busy_timeout = {_BUSY_SECONDS * 1000:.0f}")
        _use_wal(connection)
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA foreign_keys = ON")

    @event.listens_for(engine, "begin")
    def _begun(connection: Connection) -> None:
        # A reader that later writes could not wait for another writer: whoever may write takes the lock first.
        reads = connection.get_execution_options().get("gate_reads", False)
        connection.exec_driver_sql("BEGIN" if reads else "BEGIN IMMEDIATE")

    return engine


def _use_wal(connection: Any) -> None:
    """Switch to WAL. The switch needs the file alone and does not wait for it by itself, so wait here.

    A file system without shared memory keeps its journal: slower, and as safe.
    """
    give_up = time.monotonic() + _BUSY_SECONDS
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except connection.OperationalError as busy:
            if "locked" not in str(busy) or time.monotonic() > give_up:
                raise
            time.sleep(0.05)
        else:
            return


# --- PostgreSQL ------------------------------------------------------------------------------------------------------


def _postgres(url: URL) -> Engine:
    """Connections that are tried before they are used, and that give up on a server that is gone."""
    asked = url.query.get("options", ())
    options = " ".join([_POSTGRES_OPTIONS, *([asked] if isinstance(asked, str) else asked)])
    wanted = {name: value for name, value in _POSTGRES_CONNECT.items() if name not in url.query}
    try:
        return create_engine(
            url, connect_args=wanted | {"options": options}, pool_size=8, max_overflow=16, pool_timeout=10,
            pool_pre_ping=True, pool_recycle=1800, isolation_level="READ COMMITTED",
        )  # fmt: skip
    except ModuleNotFoundError as missing:
        raise MissingExtraError("server", missing.name or "psycopg") from missing


# --- the schema ------------------------------------------------------------------------------------------------------


def _migrate(engine: Engine) -> None:
    with engine.execution_options(gate_reads=True).connect() as connection:
        if _revision_in(connection) == NEWEST:
            return
    from alembic import command, script  # a third of a second that an up-to-date database saves
    from alembic.config import Config  # as above

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    with engine.begin() as connection:
        if connection.dialect.name == "postgresql":  # SQLite holds its write lock already
            connection.exec_driver_sql("SET LOCAL statement_timeout = 0")
            connection.exec_driver_sql("SET LOCAL lock_timeout = 0")
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _MIGRATION_LOCK})
        found = _revision_in(connection)
        known = {revision.revision for revision in script.ScriptDirectory.from_config(config).walk_revisions()}
        if found is not None and found not in known:
            place = engine.url.render_as_string(hide_password=True)
            raise StoreError(f"{place}: its schema {found!r} is of a newer gate; this one knows up to {NEWEST!r}")
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def _revision_in(connection: Connection) -> str | None:
    if not connection.dialect.has_table(connection, VERSION_TABLE):
        return None
    try:
        found: str | None = connection.execute(text(f"SELECT version_num FROM {VERSION_TABLE}")).scalar()  # noqa: S608  # our own name
    except OperationalError:
        return None
    return found
