from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from gate.domain.finding import Dimension, Finding, Judgement, Severity, Status
from gate.domain.verdict import Cause, DataIdentity, Decision, ModelIdentity, PolicyIdentity, Verdict
from gate.flow.document import document_of
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


@pytest.fixture
def url(tmp_path) -> str:
    return f"sqlite:///{tmp_path / 'gate.db'}"


@pytest.fixture
def store(url) -> SqlVerdictStore:
    return SqlVerdictStore(url)


@pytest.fixture
def save(store):
    """Store a verdict; the verdict and its document."""

    def do(verdict_id: str = "11111111-aaaa", **changes):
        verdict = make(verdict_id, **changes)
        document = document_of(verdict)
        store.save(verdict, document)
        return verdict, document

    return do
