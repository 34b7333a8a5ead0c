"""Evaluations in SQL: the record that counts. Each change of state is one conditional UPDATE."""

from __future__ import annotations

import json
import logging
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, fields
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, Select, func, select, update

from gate.domain.evaluation import ClientPolicy, Evaluation, Event, State, Submission, Trigger, Trouble
from gate.errors import DamagedError, StoreError
from gate.flow.ports import Late
from gate.store import cursors
from gate.store.database import Database
from gate.store.events import append, to_json
from gate.store.tables import evaluations, events
from gate.store.text import is_storable, require_storable
from gate.store.times import from_text, to_text
from gate.store.upsert import add

_log = logging.getLogger(__name__)

_OPEN = (str(State.QUEUED), str(State.RUNNING))
_ENDS_WITHOUT_VERDICT = (State.ERROR, State.CANCELLED)


class SqlEvaluations:
    """Evaluations behind a SQLAlchemy URL, or in a database that others use too."""

    def __init__(self, database: str | Database) -> None:
        self._database = Database(database) if isinstance(database, str) else database

    def accept(self, evaluation: Evaluation) -> Evaluation | None:
        """Record a new evaluation with its `queued` event; the one that has its id already, or None if it is new."""
        row = _row(evaluation)
        with self._database.writing() as connection:
            if not add(connection, evaluations, row, unique="id"):
                return _only(connection, evaluation.id)
            append(connection, evaluation.id, str(State.QUEUED), {}, evaluation.created_at)
        return None

    def get(self, evaluation_id: str) -> Evaluation | None:
        """Find an evaluation by its id."""
        if not is_storable(evaluation_id):
            return None
        with self._database.reading() as connection:
            return _find(connection, evaluation_id)

    def page(
        self, *, model_name: str | None = None, states: Sequence[State] = (), before: str | None = None, limit: int = 50
    ) -> tuple[Sequence[Evaluation], str | None]:
        """Newest first, and the cursor for `before` of the page that follows, None on the last one."""
        query = select(evaluations).order_by(evaluations.c.sequence.desc()).limit(limit + 1)
        if before is not None:
            query = query.where(evaluations.c.sequence < cursors.read("evaluation", before))
        if model_name is not None:
            if not is_storable(model_name):
                return [], None
            query = query.where(evaluations.c.model_name == model_name)
        if states:
            query = query.where(evaluations.c.state.in_([str(state) for state in states]))
        rows = self._rows(query)
        more = len(rows) > limit
        return (
            [_evaluation(row) for row in rows[:limit]],
            cursors.write("evaluation", rows[limit - 1].sequence) if more else None,
        )

    def start(self, evaluation_id: str, worker: str, now: datetime, expires_at: datetime) -> Evaluation | None:
        """Say that work begins, or begins again after a crash; None if the evaluation is over."""
        require_storable(worker=worker)
        begin = _if_open(evaluation_id).values(
            state=str(State.RUNNING),
            tries=evaluations.c.tries + 1,
            worker=worker,
            started_at=func.coalesce(evaluations.c.started_at, to_text(now)),
            expires_at=to_text(expires_at),
        )
        with self._database.writing() as connection:
            if connection.execute(begin).rowcount == 0:
                return None
            started = _only(connection, evaluation_id)
            append(connection, evaluation_id, "started", {"tries": started.tries, "worker": worker}, now)
        return started

    def note(self, evaluation_id: str, kind: str, data: Mapping[str, object], now: datetime) -> None:
        """Append an event; nothing follows the last one, so what is said of an evaluation that is over is dropped."""
        still = (
            select(evaluations.c.sequence)
            .where(evaluations.c.id == evaluation_id, evaluations.c.state.in_(_OPEN))
            .with_for_update()
        )
        with self._database.writing() as connection:
            if connection.execute(still).first() is not None:
                append(connection, evaluation_id, kind, data, now)

    def events(self, evaluation_id: str, after: int = 0) -> Sequence[Event]:
        """The events with a sequence above `after`, in order."""
        if not is_storable(evaluation_id):
            return []
        query = (
            select(events)
            .where(events.c.evaluation_id == evaluation_id, events.c.sequence > after)
            .order_by(events.c.sequence)
        )
        return [_event(row) for row in self._rows(query)]

    def newest_event(self, evaluation_id: str, kind: str) -> Event | None:
        """The newest event of one kind."""
        if not is_storable(evaluation_id):
            return None
        query = (
            select(events)
            .where(events.c.evaluation_id == evaluation_id, events.c.kind == kind)
            .order_by(events.c.sequence.desc())
            .limit(1)
        )
        return next((_event(row) for row in self._rows(query)), None)

    def newest_events(self, evaluation_ids: Collection[str]) -> Mapping[str, Event]:
        """The newest event of each evaluation, in one statement: how a server watches many at once."""
        last = (
            select(events.c.evaluation_id, func.max(events.c.sequence).label("sequence"))
            .where(events.c.evaluation_id.in_([one for one in evaluation_ids if is_storable(one)]))
            .group_by(events.c.evaluation_id)
            .subquery()
        )
        same = (events.c.evaluation_id == last.c.evaluation_id) & (events.c.sequence == last.c.sequence)
        return {row.evaluation_id: _event(row) for row in self._rows(select(events).join(last, same))}

    def end(
        self, evaluation_id: str, state: State, now: datetime, trouble: Trouble | None = None, *,
        expires_at: datetime | None = None,
    ) -> bool:  # fmt: skip
        """End an evaluation without a verdict, as error or cancelled; False if it was over already.

        With `expires_at`, only if that is its time still: work that began meanwhile has a new one.
        """
        if state not in _ENDS_WITHOUT_VERDICT:
            raise ValueError(f"{state}: an evaluation without a verdict ends as error or cancelled")
        over = _if_open(evaluation_id).values(
            state=str(state), finished_at=to_text(now), trouble=to_json(asdict(trouble)) if trouble else None
        )
        if expires_at is not None:
            over = over.where(evaluations.c.expires_at == to_text(expires_at))
        with self._database.writing() as connection:
            if connection.execute(over).rowcount == 0:
                return False
            append(connection, evaluation_id, str(state), asdict(trouble) if trouble else {}, now)
        return True

    def overdue(self, now: datetime) -> Sequence[Late]:
        """Queued or running evaluations whose `expires_at` has passed, also those that nobody can read otherwise."""
        names = ("id", "model_name", "state", "worker", "expires_at")
        late = _open(*names).where(evaluations.c.expires_at <= to_text(now))
        return list(_readable(self._rows(late)))

    def open_ids(self) -> Sequence[tuple[str, str]]:
        """The id and the model of each queued or running evaluation, oldest first."""
        return [(row.id, row.model_name) for row in self._rows(_open("id", "model_name"))]

    def _rows(self, query: Select[Any]) -> Sequence[Row[*tuple[Any, ...]]]:
        with self._database.reading() as connection:
            return connection.execute(query).all()


def _open(*names: str) -> Select[Any]:
    """These columns of what is not over, oldest first."""
    return (
        select(*(evaluations.c[name] for name in names))
        .where(evaluations.c.state.in_(_OPEN))
        .order_by(evaluations.c.sequence)
    )


def _readable(rows: Iterable[Row[*tuple[Any, ...]]]) -> Iterator[Late]:
    """What is late; a row whose time somebody changed must not keep the others from being ended."""
    for row in rows:
        try:
            yield Late(row.id, row.model_name, State(row.state), row.worker, from_text(row.expires_at))
        except ValueError:
            _log.error("evaluation %s: its time was changed, and cannot be read; delete its row", row.id)


def _if_open(evaluation_id: str) -> Any:
    return update(evaluations).where(evaluations.c.id == evaluation_id, evaluations.c.state.in_(_OPEN))


def _find(connection: Connection, evaluation_id: str) -> Evaluation | None:
    row = connection.execute(select(evaluations).where(evaluations.c.id == evaluation_id)).first()
    return None if row is None else _evaluation(row)


def _only(connection: Connection, evaluation_id: str) -> Evaluation:
    found = _find(connection, evaluation_id)
    if found is None:
        raise StoreError(f"evaluation {evaluation_id}: it vanished while it was looked at; ask again")
    return found


def _row(evaluation: Evaluation) -> dict[str, Any]:
    require_storable(
        id=evaluation.id, principal=evaluation.principal, key=evaluation.key, model_name=evaluation.model_name
    )
    return {
        "id": evaluation.id,
        "principal": evaluation.principal,
        "key": evaluation.key,
        "submission": to_json(asdict(evaluation.submission)),
        "model_name": evaluation.model_name,
        "state": str(evaluation.state),
        "created_at": to_text(evaluation.created_at),
        "expires_at": to_text(evaluation.expires_at),
        "started_at": evaluation.started_at and to_text(evaluation.started_at),
        "finished_at": evaluation.finished_at and to_text(evaluation.finished_at),
        "tries": evaluation.tries,
        "worker": evaluation.worker,
        "verdict_id": evaluation.verdict_id,
        "trouble": to_json(asdict(evaluation.trouble)) if evaluation.trouble else None,
        "retry_of": evaluation.retry_of,
    }


def _evaluation(row: Row[*tuple[Any, ...]]) -> Evaluation:
    """Read an evaluation back; DamagedError if somebody else wrote it."""
    try:
        return Evaluation(
            id=row.id,
            principal=row.principal,
            key=row.key,
            submission=_submission(json.loads(row.submission)),
            model_name=row.model_name,
            state=State(row.state),
            created_at=from_text(row.created_at),
            expires_at=from_text(row.expires_at),
            started_at=from_text(row.started_at) if row.started_at else None,
            finished_at=from_text(row.finished_at) if row.finished_at else None,
            tries=row.tries,
            worker=row.worker,
            verdict_id=row.verdict_id,
            trouble=_trouble(json.loads(row.trouble)) if row.trouble else None,
            retry_of=row.retry_of,
        )
    except (ValueError, KeyError, TypeError) as wrong:
        raise DamagedError(f"evaluation {row.id}: its record was changed, and cannot be read") from wrong


def _event(row: Row[*tuple[Any, ...]]) -> Event:
    try:
        return Event(row.sequence, from_text(row.at), row.kind, json.loads(row.data))
    except (ValueError, TypeError) as wrong:
        raise DamagedError(
            f"evaluation {row.evaluation_id}: event {row.sequence} was changed, and cannot be read"
        ) from wrong


def _submission(stored: dict[str, Any]) -> Submission:
    policy = stored["policy"]
    brought = ClientPolicy(**_known(ClientPolicy, policy)) if policy else None
    return Submission(**_known(Submission, stored) | {"policy": brought, "trigger": Trigger(stored["trigger"])})


def _trouble(stored: dict[str, Any]) -> Trouble:
    return Trouble(**_known(Trouble, stored) | {"problems": tuple(stored["problems"])})


def _known(kind: type, stored: Mapping[str, Any]) -> dict[str, Any]:
    """What this release knows of a stored value: while servers are renewed one by one, newer ones write more."""
    names = {field.name for field in fields(kind)}
    return {name: value for name, value in stored.items() if name in names}
