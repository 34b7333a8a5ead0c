"""DBOS as gate uses it: what both ends of the line must agree on, a database opened for it, and its silence."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from sqlalchemy import Engine, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from gate.errors import EngineError, GateError

APPLICATION: Final = "gate"
LINE: Final = "evaluations"
WORKFLOW: Final = "evaluate"
VERSION: Final = "eval-1"
"""Constant for ever: DBOS hands work to workers of its version only, and its own default changes with every release.

Work that lives in the line keeps its steps and their order. Changed steps need a new WORKFLOW name beside the old one.
"""

_BUSY_SECONDS = 30
_POSTGRES: Final = {
    "application_name": "gate",
    "connect_timeout": 10,
    "keepalives_idle": 15,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 30_000,
    "options": "-c idle_in_transaction_session_timeout=60000",  # a frozen process must not hold its locks
}


def open_engine(url: str, connections: int) -> Engine:
    """Open the database of the line with a pool of so many connections.

    DBOS sets no pragma on an engine that it is handed. On SQLite every commit is on disk before it returns.
    """
    address = make_url(url)
    if address.get_backend_name() == "sqlite":
        engine = create_engine(address, pool_size=connections, max_overflow=0, pool_timeout=_BUSY_SECONDS)
        event.listen(engine, "connect", _prepare_sqlite)
        return engine
    return create_engine(
        address.set(drivername="postgresql+psycopg"), pool_size=connections, max_overflow=0, pool_timeout=_BUSY_SECONDS,
        pool_pre_ping=True, connect_args=_POSTGRES,
    )  # fmt: skip


def open_client(engine: Engine) -> Any:
    """Make the line's tables if they are not there, and a client of DBOS that never blocks on a lost database."""
    dbos = load_dbos()
    client = dbos.DBOSClient(
        system_database_engine=engine,
        serializer=dbos.DBOSPortableJSONSerializer(),  # not pickle: who writes there would run code
        application_name=APPLICATION,
        lazy=True,
        retry_connection_errors=False,  # whoever asks is told at once, and asks again
    )
    client._sys_db.run_migrations()  # noqa: SLF001  # DBOS.migrate would do so through an engine of its own
    return client


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    connection.isolation_level = "IMMEDIATE"  # a transaction that reads and then writes could not wait for another
    for pragma in (
        f"busy_timeout = {_BUSY_SECONDS * 1000}",
        "journal_mode = WAL",
        "synchronous = FULL",
        "foreign_keys = ON",
    ):
        connection.execute(f"PRAGMA {pragma}")


def shown(url: str) -> str:
    """The address of a database without its password."""
    return make_url(url).render_as_string(hide_password=True)


@contextmanager
def translated(place: str, what: str) -> Iterator[None]:
    """Turn every error of the line's database into an EngineError that says what could not be done."""
    try:
        yield
    except DBAPIError as wrong:
        raise EngineError(f"{place}: {what}: {wrong.orig}") from wrong
    except (SQLAlchemyError, load_dbos().error.DBOSException) as wrong:
        raise EngineError(f"{place}: {what}: {type(wrong).__name__}: {wrong}") from wrong


def load_dbos() -> Any:
    """Import DBOS so that nothing but our own configuration counts, and nothing is printed.

    It reads `DBOS__CLOUD` when it is imported, and then takes names, versions and addresses from the environment. It
    prints to the console if nobody listens to its logger, and takes the ends of cancelled work for errors.
    """
    for name in [name for name in os.environ if name.startswith("DBOS_")]:
        del os.environ[name]
    logger = logging.getLogger("dbos")
    if not logger.handlers:
        logger.addHandler(logging.NullHandler())
    if not any(isinstance(known, _Sense) for known in logger.filters):
        logger.addFilter(_Sense())
    if logger.level == logging.NOTSET:
        logger.setLevel(logging.WARNING)
    import dbos

    return dbos


class _Sense(logging.Filter):
    """Drops what DBOS says about work that was ended on purpose, and shortens our own errors to their message."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether the record is worth a line."""
        kind, error = record.exc_info[:2] if record.exc_info else (None, None)
        if kind is not None and kind.__name__ in _ENDED_ON_PURPOSE:
            return False
        if any(text in str(record.msg) for text in _SAID_OF_ENDED_WORK):
            return False
        if isinstance(error, GateError):
            record.msg, record.exc_info = f"{record.msg} {error}", None
        return True


_ENDED_ON_PURPOSE = frozenset(
    {"DBOSAwaitedWorkflowCancelledError", "DBOSWorkflowCancelledError", "DBOSWorkflowConflictIDError"}
)
_SAID_OF_ENDED_WORK = ("was cancelled during execution", "no longer owned by this execution")
