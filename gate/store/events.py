"""Events of an evaluation, appended within the transaction that makes them true."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import Connection, func, insert, literal, select

from gate.errors import StoreError
from gate.store.tables import events
from gate.store.times import to_text


def append(
    connection: Connection, evaluation_id: str, kind: str, data: Mapping[str, object], now: datetime
) -> None:  # fmt: skip
    """Append an event under the next number.

    The caller's transaction holds the evaluation's row (or, on SQLite, the database), so that no number is taken twice
    and none is left out.
    """
    last = select(func.coalesce(func.max(events.c.sequence), 0) + 1).where(events.c.evaluation_id == evaluation_id)
    connection.execute(
        insert(events).from_select(
            ["evaluation_id", "sequence", "at", "kind", "data"],
            select(
                literal(evaluation_id), last.scalar_subquery(), literal(to_text(now)), literal(kind),
                literal(to_json(data)),
            ),
        )
    )  # fmt: skip


def to_json(value: object) -> str:
    """Write JSON in ASCII: a NUL or half a character, which PostgreSQL does not take, is an escape in it."""
    try:
        return json.dumps(value, allow_nan=False)
    except (TypeError, ValueError) as wrong:
        raise StoreError(f"not JSON, so it cannot be stored: {wrong}") from wrong
