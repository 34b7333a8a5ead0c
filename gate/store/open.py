"""The store: verdicts and evaluations in one database."""

from __future__ import annotations

from dataclasses import dataclass

from gate.store.database import Database
from gate.store.evaluations import SqlEvaluations
from gate.store.verdicts import SqlVerdictStore


@dataclass(frozen=True, slots=True)
class Store:
    """Verdicts and evaluations that share one database, and its connections."""

    verdicts: SqlVerdictStore
    evaluations: SqlEvaluations
    database: Database

    def close(self) -> None:
        """Close the connections; the next use opens them again."""
        self.database.close()


def open_store(url: str) -> Store:
    """The store behind a SQLAlchemy URL, opened when it is first needed; UsageError if it is no URL of ours."""
    database = Database(url)
    return Store(SqlVerdictStore(database), SqlEvaluations(database), database)
