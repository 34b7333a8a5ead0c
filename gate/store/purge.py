"""Forgetting: a little at a time, so that nobody waits long for the database."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, select

from gate.domain.evaluation import State
from gate.store import reports
from gate.store.database import Database
from gate.store.tables import evaluations, events, verdicts
from gate.store.times import to_text, whole_seconds
from gate.store.upsert import delete_where

_AT_ONCE = 100  # rows of the kind that a batch is about
_OVER = tuple(str(state) for state in State if state.is_over)


def purge(database: Database, before: datetime) -> Mapping[str, int]:
    """Forget evaluations, events, reports and verdicts that ended before a moment; how many of each went.

    The newest verdict of each model, version and stage stays, and so does each that was valid at that moment or later.
    What belongs to a verdict that stays, stays too: its report, and its evaluation with the events. An evaluation that
    is not over is never forgotten; totals and the numbers of attempts never are.
    """
    went = Counter({"evaluations": 0, "events": 0, "reports": 0, "verdicts": 0})
    while True:
        with database.writing() as connection:
            batch = connection.execute(_old_verdicts(before)).all()
            if not batch:
                break
            ids = [row.id for row in batch]
            went["reports"] += reports.forget(connection, ids)
            _forget_evaluations(connection, [row.evaluation_id for row in batch if row.evaluation_id], went)
            went["verdicts"] += delete_where(connection, verdicts, "id", ids)
    while True:
        with database.writing() as connection:
            old = connection.scalars(_old_evaluations(before)).all()
            if not old:
                break
            _forget_evaluations(connection, old, went)
    while True:
        with database.writing() as connection:
            if not reports.remove_unused(connection, _AT_ONCE):
                break
    return dict(went)


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
