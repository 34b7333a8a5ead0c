"""INSERTs that know what is there already, in the dialect of the database."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Table
from sqlalchemy.dialects import postgresql, sqlite


def add(connection: Connection, table: Table, row: Mapping[str, Any], unique: str) -> bool:
    """Insert a row, unless there is one with the same value in the column `unique`; whether it was inserted."""
    statement = _insert(connection, table).values(row).on_conflict_do_nothing(index_elements=[unique]).inline()
    inserted = connection.execute(statement, execution_options={"preserve_rowcount": True}).rowcount
    if inserted not in (0, 1):
        raise RuntimeError(f"{table.name}: the driver does not say whether a row was inserted ({inserted})")
    return inserted == 1


def put(connection: Connection, table: Table, row: Mapping[str, Any], **changes: Any) -> None:
    """Insert a row, or make these changes to the one that has its primary key."""
    statement = _insert(connection, table).values(row)
    keys = [column.name for column in table.primary_key]
    connection.execute(statement.on_conflict_do_update(index_elements=keys, set_=changes))


def delete_where(connection: Connection, table: Table, column: str, values: Sequence[Any]) -> int:
    """Delete the rows whose `column` is one of the values; how many there were."""
    if not values:
        return 0
    return connection.execute(table.delete().where(table.c[column].in_(values))).rowcount


def _insert(connection: Connection, table: Table) -> Any:
    return postgresql.insert(table) if connection.dialect.name == "postgresql" else sqlite.insert(table)
