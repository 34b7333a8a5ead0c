from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import create_engine, text

from gate.domain.evaluation import Evaluation, State, Submission, Trigger
from gate.domain.finding import Dimension, Finding, Judgement, Severity, Status
from gate.domain.verdict import Cause, DataIdentity, Decision, ModelIdentity, PolicyIdentity, Verdict
from gate.flow.document import document_of
from gate.store import Store, open_store
from gate.store.database import open_database
from gate.store.evaluations import SqlEvaluations
from gate.store.tables import metadata
from gate.store.verdicts import SqlVerdictStore

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


def make(verdict_id: str = "11111111-aaaa", **changes) -> Verdict:
    """A verdict with a name nobody expects."""
    judgement = Judgement(Status.FAIL, "'; DROP TABLE verdicts; --", {"column": "'\"\x00鬱"}, 0.1 + 0.2)
    finding = Finding("drift", "feature_drift", Dimension.TECHNICAL, Severity.MAJOR, judgement)
    verdict = Verdict(
        id=verdict_id, decision=Decision.HOLD, cause=Cause.FAILED, enforced=True, stage="pilot", store="local",
        model=ModelIdentity("bike", "2", "models:/bike/2", "sha256:aa", "run"), champion=None,
        policy=PolicyIdentity("bike", "sha256:bb", "policies/bike.yaml"),
        reference=DataIdentity("r", "sha256:cc", 10), current=DataIdentity("c", "sha256:dd", 20, labelled=19),
        predictions="bound", overridden=False, findings=(finding,), flip=(), evaluated_at=NOW,
        valid_until=NOW + timedelta(days=14), attempt=1, inputs_digest="sha256:ee", engine={"gate": "0.1.0"},
    )  # fmt: skip
    return replace(verdict, **changes)


@pytest.fixture
def new_verdict():
    """Make a verdict that is not stored yet."""
    return make


def make_evaluation(evaluation_id: str = "e-1", **changes) -> Evaluation:
    """An evaluation that was just accepted."""
    evaluation = Evaluation(
        id=evaluation_id, principal="anonymous", key="k", submission=Submission("models:/bike/2"), model_name="bike",
        state=State.QUEUED, created_at=NOW, expires_at=NOW + timedelta(hours=1),
    )  # fmt: skip
    return replace(evaluation, **changes)


@pytest.fixture
def new_evaluation():
    """Make an evaluation that is not stored yet."""
    return make_evaluation


@pytest.fixture
def sqlite_url(tmp_path) -> str:
    """A SQLite database that is not there yet."""
    return f"sqlite:///{tmp_path / 'gate.db'}"


@pytest.fixture
def fresh() -> None:
    """Ask for a database without tables, or for one that the test may spoil."""


@pytest.fixture(scope="session")
def shared_postgres_url(postgres) -> str:
    """A PostgreSQL database with gate's tables, which tests empty instead of making one each."""
    url = postgres.new_database()
    open_database(url).dispose()
    return url


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request) -> str:
    """A database without rows, on each of the two systems in turn."""
    if request.param == "sqlite":
        return request.getfixturevalue("sqlite_url")
    if "fresh" in request.fixturenames:
        return request.getfixturevalue("postgres_url")
    shared = request.getfixturevalue("shared_postgres_url")
    engine = create_engine(shared)
    with engine.begin() as connection:
        connection.execute(text(f"TRUNCATE {', '.join(metadata.tables)} RESTART IDENTITY"))
    engine.dispose()
    return shared


@pytest.fixture
def gate(url) -> Iterator[Store]:
    """Verdicts and evaluations in one database."""
    opened = open_store(url)
    yield opened
    opened.close()


@pytest.fixture
def store(gate) -> SqlVerdictStore:
    return gate.verdicts


@pytest.fixture
def evaluations(gate) -> SqlEvaluations:
    return gate.evaluations


@pytest.fixture
def running(evaluations):
    """Accept an evaluation and begin it; its id."""

    def do(evaluation_id: str = "e-1", **changes) -> str:
        evaluations.accept(make_evaluation(evaluation_id, **changes))
        evaluations.start(evaluation_id, "worker-1", NOW, NOW + timedelta(hours=1))
        return evaluation_id

    return do


@pytest.fixture
def edit(url):
    """Change the database behind the store's back; how many rows."""

    def do(statement: str, **values) -> int:
        engine = create_engine(url)
        with engine.begin() as connection:
            changed = connection.execute(text(statement), values).rowcount
        engine.dispose()
        return changed

    return do


@pytest.fixture
def save(store):
    """Store a verdict; the verdict and its document."""

    def do(verdict_id: str = "11111111-aaaa", *, evaluation=None, report=None, trigger=Trigger.API, **changes):
        verdict = make(verdict_id, **changes)
        document = document_of(verdict)
        store.save(verdict, document, evaluation=evaluation, report=report, trigger=trigger)
        return verdict, document

    return do
