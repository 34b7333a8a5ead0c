"""Verdicts in SQL: stored verbatim, checked against their digest when read back."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cached_property
from typing import Any

from sqlalchemy import Engine, Row, Select, func, insert, select
from sqlalchemy.engine import make_url

from gate.domain.evaluation import Trigger
from gate.domain.verdict import Cause, Verdict
from gate.errors import StoreError, UsageError
from gate.flow.document import digest_of
from gate.store.database import open_database, translated
from gate.store.tables import verdicts

_SHORTEST_PREFIX = 4


class SqlVerdictStore:
    """A VerdictStore behind a SQLAlchemy URL. The database is opened, and migrated, when it is first needed.

    Every method raises StoreError if the database cannot do what was asked.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        self._place = make_url(url).render_as_string(hide_password=True)

    @cached_property
    def _engine(self) -> Engine:
        return open_database(self._url)

    def save(
        self, verdict: Verdict, document: Mapping[str, Any], *, evaluation: str | None = None,
        report: Mapping[str, bytes] | None = None, trigger: Trigger = Trigger.API,
    ) -> None:  # fmt: skip
        """Store a verdict with its document. When this returns, it is on disk."""
        if document.get("id") != verdict.id or document.get("digest") != digest_of(document):
            raise StoreError(f"verdict {verdict.id}: the document is not that of the verdict, or its digest is wrong")
        row = {
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
            "digest": document["digest"],
            "document": json.dumps(document, allow_nan=False),
        }
        known = select(verdicts.c.id).where(verdicts.c.id == verdict.id)
        with translated(self._place), self._engine.begin() as connection:  # holds the write lock from here on
            if connection.execute(known).first():
                raise StoreError(f"verdict {verdict.id} is stored already; a verdict never changes")
            connection.execute(insert(verdicts), row)

    def attempt(self, model_digest: str, stage: str, inputs_digest: str) -> int:
        """The number of this attempt: 1 for the first; equal inputs are the same attempt, an error uses none."""
        counted = (
            verdicts.c.model_digest == model_digest,
            verdicts.c.stage == stage,
            verdicts.c.cause.is_distinct_from(str(Cause.ERROR)),
        )
        same = select(func.min(verdicts.c.attempt)).where(*counted, verdicts.c.inputs_digest == inputs_digest)
        most = select(func.max(verdicts.c.attempt)).where(*counted)
        with translated(self._place), self._engine.connect() as connection:
            known = connection.execute(same).scalar()
            return int(known) if known is not None else int(connection.execute(most).scalar() or 0) + 1

    def find(self, verdict_id: str) -> Mapping[str, Any] | None:
        """The document of a verdict by its id, or by the beginning of it; UsageError if several begin so."""
        exact = self._documents(select(verdicts).where(verdicts.c.id == verdict_id))
        if exact or len(verdict_id) < _SHORTEST_PREFIX:
            return exact[0] if exact else None
        begins = verdicts.c.id.startswith(verdict_id, autoescape=True)
        found = self._documents(select(verdicts).where(begins).order_by(verdicts.c.sequence).limit(2))
        if len(found) > 1:
            raise UsageError(f"verdict {verdict_id!r}: several begin so; write more of the id")
        return found[0] if found else None

    def latest(self, model_name: str, *, other_than: str | None = None) -> Mapping[str, Any] | None:
        """The document of the newest verdict on any version of a model, leaving out one id."""
        newest = (
            select(verdicts).where(verdicts.c.model_name == model_name).order_by(verdicts.c.sequence.desc()).limit(1)
        )
        if other_than is not None:
            newest = newest.where(verdicts.c.id != other_than)
        found = self._documents(newest)
        return found[0] if found else None

    def _documents(self, query: Select[Any]) -> list[Mapping[str, Any]]:
        with translated(self._place), self._engine.connect() as connection:
            return [self._checked(row) for row in connection.execute(query)]

    def _checked(self, row: Row[Any]) -> Mapping[str, Any]:
        """Read a document back. One that is not what was stored is an error: a changed verdict is no verdict."""
        try:
            document: dict[str, Any] = json.loads(row.document)
            stated = (document["id"], document["decision"], document["digest"])
            intact = stated == (row.id, row.decision, row.digest) and digest_of(document) == row.digest
        except (ValueError, KeyError, TypeError):
            intact, document = False, {}
        if not intact:
            raise StoreError(
                f"{self._place}: verdict {row.id} was changed after it was stored (its digest does not match)"
            )
        return document
