"""Forgetting: a little at a time, so that nobody waits long for the database."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, select, text

from gate.domain.evaluation import State
from gate.store import reports
from gate.store.database import Database
from gate.store.tables import evaluations, events, served, verdicts
from gate.store.times import to_text, whole_seconds
from gate.store.upsert import delete_where

_AT_ONCE = 100  # rows of the kind that a batch is about
_ONE_LOCK = 0x67617465_00000003  # PostgreSQL advisory lock: "gate", 3
_OVER = tuple(str(state) for state in State if state.is_over)


def purge(database: Database, before: datetime) -> Mapping[str, int]:
    """Forget evaluations, events, reports, verdicts and aliases of before a moment; how many of each went.

    An alias goes when it was not looked at since; the others, when they ended before. The newest verdict of each model,
    version and stage stays, and so does each that was valid at that moment or later. What belongs to a verdict that
    stays, stays too: its report, and its evaluation with the events. An evaluation that is not over is never forgotten;
    totals and the numbers of attempts never are.

    Only one process forgets at a time: two would wait for each other's rows. Another one leaves it to that one.
    """
    went = Counter({"evaluations": 0, "events": 0, "reports": 0, "served": 0, "verdicts": 0})
    for step in (_some_verdicts, _some_evaluations, _some_pieces, _all_served):
        while True:
            with database.writing() as connection:
                if not _is_alone(connection) or not step(connection, before, went):
                    break
    return dict(went)


def forget_served(connection: Connection, before: datetime) -> int:
    """Forget the aliases that were not looked at since a moment; how many."""
    return connection.execute(served.delete().where(served.c.seen_at < to_text(before))).rowcount


def _is_alone(connection: Connection) -> bool:
    """Whether nobody else forgets until this transaction ends. SQLite has one writer anyway."""
    if connection.dialect.name != "postgresql":
        return True
    return bool(connection.scalar(text("SELECT pg_try_advisory_xact_lock(:key)"), {"key": _ONE_LOCK}))


def _some_verdicts(connection: Connection, before: datetime, went: Counter[str]) -> bool:
    batch = connection.execute(_old_verdicts(before)).all()
    ids = [row.id for row in batch]
    went["reports"] += reports.forget(connection, ids)
    _forget_evaluations(connection, [row.evaluation_id for row in batch if row.evaluation_id], went)
    went["verdicts"] += delete_where(connection, verdicts, "id", ids)
    return bool(batch)


def _some_evaluations(connection: Connection, before: datetime, went: Counter[str]) -> bool:
    old = connection.scalars(_old_evaluations(before)).all()
    _forget_evaluations(connection, old, went)
    return bool(old)


def _some_pieces(connection: Connection, _before: datetime, _went: Counter[str]) -> bool:
    return bool(reports.remove_unused(connection, _AT_ONCE))


def _all_served(connection: Connection, before: datetime, went: Counter[str]) -> bool:
    went["served"] += forget_served(connection, before)
    return False


def _old_verdicts(before: datetime) -> Select[tuple[str, str | None]]:
    newer = verdicts.alias("newer")
    has_newer = (
        select(newer.c.sequence)
        .where(
            newer.c.model_name == verdicts.c.model_name,
            newer.c.model_version == verdicts.c.model_version,
            newer.c.stage == verdicts.c.stage,
            newer.c.sequence > verdicts.c.sequence,
        )
        .exists()
    )
    return (
        select(verdicts.c.id, verdicts.c.evaluation_id)
        .where(verdicts.c.evaluated_at < whole_seconds(before), verdicts.c.valid_until <= to_text(before), has_newer)
        .limit(_AT_ONCE)
    )


def _old_evaluations(before: datetime) -> Select[tuple[str]]:
    kept = select(verdicts.c.id).where(verdicts.c.evaluation_id == evaluations.c.id).exists()
    return (
        select(evaluations.c.id)
        .where(evaluations.c.finished_at < to_text(before), evaluations.c.state.in_(_OVER), ~kept)
        .limit(_AT_ONCE)
    )


def _forget_evaluations(connection: Connection, ids: Sequence[Any], went: Counter[str]) -> None:
    went["events"] += delete_where(connection, events, "evaluation_id", ids)
    went["evaluations"] += delete_where(connection, evaluations, "id", ids)
