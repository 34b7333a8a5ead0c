"""Verdicts in SQL: stored verbatim, checked against their digest when read back."""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, Row, Select, and_, collate, func, insert, select, text, update

from gate.domain.evaluation import Served, State, Trigger
from gate.domain.verdict import Cause, Verdict
from gate.errors import AttemptTakenError, DamagedError, StoreError, SupersededError, UsageError
from gate.flow.document import digest_of
from gate.flow.ports import Backlog, Standing
from gate.store import cursors, reports
from gate.store.damaged import damaged_document
from gate.store.database import Database
from gate.store.documents import Documents
from gate.store.events import append
from gate.store.purge import forget_served, purge
from gate.store.tables import attempts, evaluations, pulse, served, verdict_totals, verdicts
from gate.store.text import is_storable, require_storable
from gate.store.times import from_text, to_text
from gate.store.upsert import add, put

_log = logging.getLogger(__name__)

_SHORTEST_PREFIX = 4
_AFTER_ANY_ID = "\U0010ffff"
_AT_ONCE = 100  # documents in one statement
_MOST_TRIES = 5  # at storing a report whose shared pieces are purged again and again meanwhile


_TRIGGERS = {str(trigger): trigger for trigger in Trigger}
_OF_A_STANDING = (
    "id", "digest", "model_name", "model_version", "model_digest", "stage", "evaluated_at", "trigger",
)  # fmt: skip


def _now() -> datetime:
    return datetime.now(UTC)


class SqlVerdictStore:
    """A VerdictStore and an Archive behind a SQLAlchemy URL, or in a database that others use too.

    Every method raises StoreError if the database cannot do what was asked.
    """

    def __init__(self, database: str | Database, *, clock: Callable[[], datetime] = _now) -> None:
        self._database = Database(database) if isinstance(database, str) else database
        self._place = self._database.place
        self._clock = clock
        self._documents = Documents(self._place)
        self._told: set[str] = set()  # which damaged verdicts were logged

    # --- VerdictStore ------------------------------------------------------------------------------------------------

    def save(
        self, verdict: Verdict, document: Mapping[str, Any], *, evaluation: str | None = None,
        report: Mapping[str, bytes] | None = None, trigger: Trigger = Trigger.API,
    ) -> None:  # fmt: skip
        """Store a verdict with its document and its report. When this returns, it is on disk.

        With `evaluation`, the same transaction ends that evaluation as done: it has one verdict or none, ever.
        """
        if document.get("id") != verdict.id or document.get("digest") != digest_of(document):
            raise StoreError(f"verdict {verdict.id}: the document is not that of the verdict, or its digest is wrong")
        row = _row(verdict, document, evaluation, trigger)
        packed = self._pack(report or {})
        for _ in range(_MOST_TRIES):
            try:
                with self._database.writing() as connection:
                    if evaluation is not None:
                        self._finish(connection, evaluation, verdict)
                    _take_attempt(connection, verdict)
                    _insert(connection, row)
                    if report:
                        reports.store(connection, verdict.id, packed)
                    _count(connection, verdict, trigger)
            except reports.VanishedError:
                packed = reports.pack(report or {}, ())
            else:
                return
        raise StoreError(f"verdict {verdict.id}: its report is purged while it is stored; ask again")

    def attempt(self, model_digest: str, stage: str, inputs_digest: str) -> int:
        """The number of this attempt: 1 for the first; equal inputs are the same attempt, an error uses none."""
        with self._database.reading() as connection:
            return _attempt(connection, model_digest, stage, inputs_digest)[0]

    def find(self, verdict_id: str) -> Mapping[str, Any] | None:
        """The document of a verdict by its id, or by the beginning of it; UsageError if several begin so."""
        if not is_storable(verdict_id):
            return None
        exact = self._found(_SHOWN.where(verdicts.c.id == verdict_id))
        if exact or len(verdict_id) < _SHORTEST_PREFIX:
            return exact[0] if exact else None
        found = self._found(_SHOWN.where(self._begins(verdict_id)).order_by(verdicts.c.sequence).limit(2))
        if len(found) > 1:
            raise UsageError(f"verdict {verdict_id!r}: several begin so; write more of the id")
        return found[0] if found else None

    def latest(self, model_name: str, *, other_than: str | None = None) -> Mapping[str, Any] | None:
        """The document of the newest verdict on any version of a model, leaving out one id."""
        if not is_storable(model_name):
            return None
        newest = _SHOWN.where(verdicts.c.model_name == model_name).order_by(verdicts.c.sequence.desc()).limit(1)
        if other_than is not None:
            newest = newest.where(verdicts.c.id != other_than)
        found = self._found(newest)
        return found[0] if found else None

    # --- Archive -----------------------------------------------------------------------------------------------------

    def page(
        self, *, model_name: str | None = None, stage: str | None = None, decision: str | None = None,
        version: str | None = None, before: str | None = None, limit: int = 50,
    ) -> tuple[Sequence[Mapping[str, Any]], str | None]:  # fmt: skip
        """Documents, newest first, and the cursor of the page that follows, None on the last one."""
        query = _SHOWN.order_by(verdicts.c.sequence.desc()).limit(limit + 1)
        if before is not None:
            query = query.where(verdicts.c.sequence < cursors.read("verdict", before))
        wanted = {"model_name": model_name, "stage": stage, "decision": decision, "model_version": version}
        for name, value in wanted.items():
            if value is not None:
                if not is_storable(value):
                    return [], None
                query = query.where(verdicts.c[name] == value)
        rows = self._rows(query)
        more = len(rows) > limit
        return (
            [self._documents.read(row) for row in rows[:limit]],
            cursors.write("verdict", rows[limit - 1].sequence) if more else None,
        )

    def standings(self) -> Sequence[Standing]:
        """The newest verdict of each (model, stage), by name.

        One that was changed after it was stored is an error there, and hides no other.
        """
        newest = select(func.max(verdicts.c.sequence)).group_by(verdicts.c.model_name, verdicts.c.stage)
        columns = (verdicts.c[name] for name in _OF_A_STANDING)
        rows = self._rows(select(*columns).where(verdicts.c.sequence.in_(newest)))
        documents = {row.id: self._documents.kept(row.id, row.digest) for row in rows}
        unread = [verdict_id for verdict_id, document in documents.items() if document is None]
        for begin in range(0, len(unread), _AT_ONCE):
            some = _SHOWN.where(verdicts.c.id.in_(unread[begin : begin + _AT_ONCE]))
            documents |= {row.id: self._kept(row) for row in self._rows(some)}
        standings = [
            Standing(
                row.model_name,
                row.stage,
                row.id,
                _TRIGGERS.get(row.trigger, Trigger.API),
                document or damaged_document(row),
            )
            for row in rows
            if (document := documents[row.id]) is not None  # else it was purged a moment ago: a newer one is there
        ]
        return sorted(standings, key=lambda standing: (standing.model_name, standing.stage))

    def evaluation_of(self, verdict_id: str) -> str | None:
        """The evaluation that a verdict came from; None for one that was made in process."""
        if not is_storable(verdict_id):
            return None
        with self._database.reading() as connection:
            found: str | None = connection.scalar(
                select(verdicts.c.evaluation_id).where(verdicts.c.id == verdict_id)
            )  # fmt: skip
        return found

    def report_names(self, verdict_id: str) -> Sequence[str]:
        """The names of the files of a verdict's report; empty if none was kept, or it was purged."""
        if not is_storable(verdict_id):
            return []
        with self._database.reading() as connection:
            return reports.names(connection, verdict_id)

    def report_file(self, verdict_id: str, name: str) -> bytes | None:
        """One file of a verdict's report."""
        if not is_storable(verdict_id + name):
            return None
        with self._database.reading() as connection:
            return reports.read(connection, verdict_id, name)

    def totals(self) -> Mapping[tuple[str, str, str], int]:
        """Verdicts ever stored, by (stage, promote or the cause of the hold, trigger). Never shrinks."""
        rows = self._rows(select(verdict_totals))
        return {(row.stage, row.word, row.trigger): row.number for row in rows}

    def backlog(self) -> Backlog:
        """How much work waits now."""
        waiting = (State.QUEUED, State.RUNNING)
        query = (
            select(
                evaluations.c.state, func.count().label("number"), func.min(evaluations.c.created_at).label("oldest")
            )
            .where(evaluations.c.state.in_([str(state) for state in waiting]))
            .group_by(evaluations.c.state)
        )
        with self._database.reading() as connection:
            found = {State(row.state): row for row in connection.execute(query)}
        counts = {state: int(found[state].number) if state in found else 0 for state in waiting}
        oldest = found[State.QUEUED].oldest if State.QUEUED in found else None
        return Backlog(counts, oldest and from_text(oldest))

    def see(self, served_now: Served) -> None:
        """Remember which version an alias names now."""
        require_storable(
            model=served_now.model_name, alias=served_now.alias, policy=served_now.policy, stage=served_now.stage
        )
        seen = {
            "version": served_now.version,
            "policy": served_now.policy,
            "stage": served_now.stage,
            "seen_at": to_text(served_now.seen_at),
        }
        with self._database.writing() as connection:
            row = {"model_name": served_now.model_name, "alias": served_now.alias, **seen}
            put(connection, served, row, **seen)

    def served(self) -> Sequence[Served]:
        """Which version each alias named when it was last looked at."""
        query = select(served).order_by(served.c.model_name, served.c.alias)
        rows = self._rows(query)
        return [
            Served(row.model_name, row.alias, row.version, row.policy, row.stage, from_text(row.seen_at))
            for row in rows
        ]

    def forget_served(self, before: datetime) -> int:
        """Forget the aliases that were not looked at since a moment; how many."""
        with self._database.writing() as connection:
            return forget_served(connection, before)

    def purge(self, before: datetime) -> Mapping[str, int]:
        """Forget what ended before a moment: evaluations, events, reports, verdicts, aliases; how many of each went."""
        return purge(self._database, before)

    def ping(self) -> None:
        """Show that the database answers, and takes writes: it writes the time."""
        at = to_text(self._clock())
        with self._database.writing() as connection:
            put(connection, pulse, {"id": 1, "at": at}, at=at)

    # --- within ------------------------------------------------------------------------------------------------------

    def _pack(self, report: Mapping[str, bytes]) -> reports.Packed:
        """Compress what is new of a report, before the database is locked."""
        if not report:
            return reports.Packed({}, {})
        with self._database.reading() as connection:
            stored = reports.stored_among(connection, reports.digests(report))
        return reports.pack(report, stored)

    def _finish(self, connection: Connection, evaluation: str, verdict: Verdict) -> None:
        """End the evaluation as done if it still runs; else there is no verdict."""
        now = self._clock()
        done = (
            update(evaluations)
            .where(evaluations.c.id == evaluation, evaluations.c.state == str(State.RUNNING))
            .values(state=str(State.DONE), verdict_id=verdict.id, finished_at=to_text(now))
        )
        if connection.execute(done).rowcount == 0:
            raise _not_running(connection, evaluation)
        cause = str(verdict.cause) if verdict.cause else None
        said = {"verdict_id": verdict.id, "decision": str(verdict.decision), "cause": cause}
        append(connection, evaluation, str(State.DONE), said, now)

    def _begins(self, prefix: str) -> Any:
        """Ids that begin so: a range, byte by byte, which an index answers, and `%` means nothing in it."""
        bytewise = collate(verdicts.c.id, "BINARY" if self._place.startswith("sqlite") else "C")
        return and_(bytewise >= prefix, bytewise < prefix + _AFTER_ANY_ID)

    def _kept(self, row: Row[Any]) -> Mapping[str, Any]:
        """Read a document and keep it; an empty one, if it is damaged, which is logged once."""
        try:
            return self._documents.keep(row)
        except DamagedError as wrong:
            if row.id not in self._told:
                self._told.add(row.id)
                _log.error("%s", wrong)
            return {}

    def _found(self, query: Select[Any]) -> list[Mapping[str, Any]]:
        return [self._documents.read(row) for row in self._rows(query)]

    def _rows(self, query: Select[Any]) -> Sequence[Row[Any]]:
        with self._database.reading() as connection:
            return connection.execute(query).all()


_SHOWN = select(
    verdicts.c.sequence, verdicts.c.id, verdicts.c.decision, verdicts.c.digest, verdicts.c.document
)  # fmt: skip


def _row(verdict: Verdict, document: Mapping[str, Any], evaluation: str | None, trigger: Trigger) -> dict[str, Any]:
    require_storable(
        id=verdict.id, model=verdict.model.name, version=verdict.model.version, digest=verdict.model.digest,
        stage=verdict.stage, inputs=verdict.inputs_digest,
    )  # fmt: skip
    return {
        "id": verdict.id,
        "model_name": verdict.model.name,
        "model_version": verdict.model.version,
        "model_digest": verdict.model.digest,
        "stage": verdict.stage,
        "decision": str(verdict.decision),
        "cause": str(verdict.cause) if verdict.cause else None,
        "enforced": verdict.enforced,
        "attempt": verdict.attempt,
        "inputs_digest": verdict.inputs_digest,
        "evaluated_at": document["evaluated_at"],
        "valid_until": to_text(from_text(document["valid_until"])),
        "digest": document["digest"],
        "document": json.dumps(document, allow_nan=False),
        "evaluation_id": evaluation,
        "trigger": str(trigger),
    }


def _insert(connection: Connection, row: Mapping[str, Any]) -> None:
    if not add(connection, verdicts, row, unique="id"):
        raise StoreError(f"verdict {row['id']} is stored already; a verdict never changes")


def _attempt(connection: Connection, model_digest: str, stage: str, inputs_digest: str) -> tuple[int, bool]:
    """The number of an attempt, and whether it is a new one."""
    ours = (attempts.c.model_digest == model_digest, attempts.c.stage == stage)
    known = select(attempts.c.number).where(*ours, attempts.c.inputs_digest == inputs_digest).scalar_subquery()
    most = select(func.max(attempts.c.number)).where(*ours).scalar_subquery()
    same, last = connection.execute(select(known, most)).one()
    return (int(last or 0) + 1, True) if same is None else (int(same), False)


def _take_attempt(connection: Connection, verdict: Verdict) -> None:
    """Make sure that the number is still right, and keep it. A verdict that could not decide uses none."""
    if verdict.cause == Cause.ERROR:
        return
    if connection.dialect.name == "postgresql":  # SQLite holds its write lock already
        connection.execute(
            text("SELECT pg_advisory_xact_lock(:key)"), {"key": _attempt_lock(verdict.model.digest, verdict.stage)}
        )
    number, is_new = _attempt(connection, verdict.model.digest, verdict.stage, verdict.inputs_digest)
    if number != verdict.attempt:
        raise AttemptTakenError(
            f"verdict {verdict.id}: it says attempt {verdict.attempt}, but it is attempt {number} by now"
        )
    if is_new:
        connection.execute(
            insert(attempts).values(
                model_digest=verdict.model.digest, stage=verdict.stage, inputs_digest=verdict.inputs_digest,
                number=number,
            )
        )  # fmt: skip


def _attempt_lock(model_digest: str, stage: str) -> int:
    """The key of a PostgreSQL advisory lock: 64 bits, signed."""
    named = hashlib.sha256(f"gate attempt\0{model_digest}\0{stage}".encode()).digest()
    return int.from_bytes(named[:8], "big", signed=True)


def _count(connection: Connection, verdict: Verdict, trigger: Trigger) -> None:
    """Count the verdict. Last of all: other verdicts of the same kind wait for this row."""
    word = str(verdict.cause) if verdict.cause else str(verdict.decision)
    row = {"stage": verdict.stage, "word": word, "trigger": str(trigger), "number": 1}
    put(connection, verdict_totals, row, number=verdict_totals.c.number + 1)


def _not_running(connection: Connection, evaluation: str) -> StoreError:
    """Why an evaluation gets no verdict."""
    query = select(evaluations.c.state, evaluations.c.verdict_id).where(evaluations.c.id == evaluation)
    row = connection.execute(query).first()
    if row is None:
        return StoreError(f"evaluation {evaluation}: there is none, so it gets no verdict")
    if row.state == State.DONE:
        return SupersededError(f"evaluation {evaluation} is done: its verdict is {row.verdict_id}, and stays so")
    if State(row.state).is_over:
        return SupersededError(f"evaluation {evaluation} has ended as {row.state}: its verdict is not stored")
    return StoreError(f"evaluation {evaluation} is {row.state}: only a running one gets a verdict")
