"""The database: opened for durability, brought to the newest schema, shared by processes."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError, OperationalError, SQLAlchemyError

from gate.errors import StoreError

VERSION_TABLE = "gate_schema"  # a name of our own: the database may be shared with MLflow, which uses Alembic too
NEWEST = "0001"  # the last revision in `migrations`; known here so that an up-to-date database needs no Alembic
_BUSY_SECONDS = 30.0


def open_database(url: str) -> Engine:
    """Open a database and bring its schema up to date; StoreError if that cannot be done.

    Several processes may do so at once: the first one migrates while the others wait.
    """
    shown = make_url(url).render_as_string(hide_password=True)
    engine = create_engine(url)
    if engine.dialect.name == "sqlite":
        _prepare_sqlite(engine)
    with translated(shown):
        _migrate(engine)
    return engine


@contextmanager
def translated(place: str) -> Iterator[None]:
    """Turn every database error into a StoreError that names the database and never the statement's values."""
    try:
        yield
    except DBAPIError as wrong:
        raise StoreError(f"{place}: {wrong.orig}") from wrong
    except SQLAlchemyError as wrong:
        raise StoreError(f"{place}: {type(wrong).__name__}: {wrong}") from wrong


def _prepare_sqlite(engine: Engine) -> None:
    """Take transactions into our own hands: WAL, every commit on disk, writers queue instead of failing.

    The driver's own transactions begin late and leave DDL outside, see
    https://docs.sqlalchemy.org/en/21/dialects/sqlite.html#enabling-non-legacy-sqlite-transactional-modes-with-the-sqlite3-or-aiosqlite-driver
    """

    @event.listens_for(engine, "connect")
    def _connected(connection: Any, _record: Any) -> None:
        connection.isolation_level = None
        connection.execute(f"PRAGMA busy_timeout = {_BUSY_SECONDS * 1000:.0f}")
        _use_wal(connection)
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA foreign_keys = ON")

    @event.listens_for(engine, "begin")
    def _begun(connection: Connection) -> None:
        # A reader that later writes could not wait for another writer: take the lock first, always.
        connection.exec_driver_sql("BEGIN IMMEDIATE")


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


def _migrate(engine: Engine) -> None:
    if _revision(engine) == NEWEST:
        return
    from alembic import command, script  # a third of a second that an up-to-date database saves
    from alembic.config import Config  # as above

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    with engine.begin() as connection:
        found = _revision_in(connection)
        known = {revision.revision for revision in script.ScriptDirectory.from_config(config).walk_revisions()}
        if found is not None and found not in known:
            raise StoreError(f"{engine.url}: its schema {found!r} is of a newer gate; this one knows up to {NEWEST!r}")
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def _revision(engine: Engine) -> str | None:
    with engine.connect() as connection:
        return _revision_in(connection)


def _revision_in(connection: Connection) -> str | None:
    if not connection.dialect.has_table(connection, VERSION_TABLE):
        return None
    try:
        found: str | None = connection.execute(text(f"SELECT version_num FROM {VERSION_TABLE}")).scalar()  # noqa: S608  # our own name
    except OperationalError:
        return None
    return found
