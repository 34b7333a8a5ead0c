"""A gate server over a real store and real policies; only its line remembers instead of working."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

from gate.domain.evaluation import Evaluation, State, Submission, Trigger, Trouble
from gate.domain.finding import Dimension, Finding, Judgement, Severity, Status
from gate.domain.verdict import Cause, DataIdentity, Decision, ModelIdentity, PolicyIdentity, Verdict
from gate.flow.document import document_of
from gate.flow.policies import PolicyShelf
from gate.flow.submit import Desk
from gate.store.open import Store, open_store
from gate.wiring.settings import Settings, load_settings

POLICY = """\
policy: gate/v1
name: toy
owner: team-toy
applies_to: {models: ["toy*"]}
task: none
data: {reference: {mlflow: training}, current: {uri: now.parquet}}
evaluate: {every: 1d}
checks:
  - {check: missing_share, max: 0.05}
"""
SHA = "sha256:" + "ab" * 32


@dataclass
class Line:
    """A queue that works on nothing, and remembers who asked for what."""

    submitted: list[tuple[str, str]] = field(default_factory=list)
    cancelled: list[str] = field(default_factory=list)

    def submit(self, evaluation_id, model_name):
        self.submitted.append((evaluation_id, model_name))

    def cancel(self, evaluation_id):
        self.cancelled.append(evaluation_id)

    def purge(self, before):
        return 0


@dataclass
class Counts:
    """Metrics that remember the requests that they were told of."""

    answered_to: list[tuple[str, str, int]] = field(default_factory=list)
    text: bytes = b"# HELP gate_up One.\ngate_up 1\n"

    def render(self, accept: str) -> tuple[bytes, str]:
        return self.text, "text/plain; version=0.0.4; charset=utf-8"

    def http(self, method: str, route: str, code: int, seconds: float) -> None:
        self.answered_to.append((method, route, code))


@dataclass
class Check:
    ok: bool
    text: str
    needed: bool = True


@dataclass
class ServedService:
    """What `gate.wiring.service.Service` is, with the line that remembers."""

    settings: Settings
    store: Store
    shelf: PolicyShelf
    line: Line = field(default_factory=Line)
    metrics: Counts = field(default_factory=Counts)
    checks: dict[str, Check] = field(default_factory=lambda: {"database": Check(True, "answers")})

    def __post_init__(self) -> None:
        self.evaluations = self.store.evaluations
        self.archive = self.store.verdicts
        self.desk = Desk(self.evaluations, self.archive, self.line, self.shelf, 3600)

    def submit(self, submission: Submission, *, principal: str, key: str, now: datetime) -> tuple[Evaluation, bool]:
        return self.desk.submit(submission, principal=principal, key=key, now=now)

    def retry(self, evaluation_id: str, now: datetime) -> tuple[Evaluation, bool] | None:
        return self.desk.retry(evaluation_id, now)

    def cancel(self, evaluation_id: str, now: datetime) -> Evaluation | None:
        return self.desk.cancel(evaluation_id, now)

    def ready(self) -> Mapping[str, Check]:
        return self.checks

    # --- what a worker would do --------------------------------------------------------------------------------------

    def begin(self, evaluation_id: str) -> None:
        """Begin to work on an evaluation."""
        now = datetime.now(UTC)
        assert self.evaluations.start(evaluation_id, "worker", now, now + timedelta(hours=1))

    def note(self, evaluation_id: str, kind: str, **data: object) -> None:
        """Tell of progress."""
        self.evaluations.note(evaluation_id, kind, data, datetime.now(UTC))

    def fail(self, evaluation_id: str, kind: str = "registry-unreachable", **fields: Any) -> None:
        """End an evaluation in error."""
        trouble = Trouble(kind, fields.pop("detail", "the registry did not answer within 15 s"), **fields)
        assert self.evaluations.end(evaluation_id, State.ERROR, datetime.now(UTC), trouble)

    def judge(self, evaluation_id: str | None = None, **changes: Any) -> dict[str, Any]:
        """Store a verdict, which ends the evaluation; its document."""
        verdict = a_verdict(**changes)
        document = document_of(verdict)
        self.archive.save(verdict, document, evaluation=evaluation_id, report={"index.html": b"<p>drawn</p>"},
                          trigger=Trigger.CI)  # fmt: skip
        return document


def a_verdict(name: str = "toy", version: str = "2", **changes: Any) -> Verdict:
    """A verdict that holds since temp drifted."""
    now = datetime(2026, 11, 22, 12, tzinfo=UTC)
    judgement = Judgement(Status.FAIL, "temp moved 0.41, limit 0.1", {"column": "temp"}, 0.41)
    finding = Finding("drift", "feature_drift", Dimension.TECHNICAL, Severity.MAJOR, judgement, policy_line=3)
    verdict = Verdict(
        id=str(uuid4()), decision=Decision.HOLD, cause=Cause.FAILED, enforced=True, stage="pilot", store="server",
        model=ModelIdentity(name, version, f"models:/{name}/{version}", "sha256:" + uuid4().hex * 2, "run"),
        champion=None,
        policy=PolicyIdentity("toy", SHA, "policies/toy.yaml"),
        reference=DataIdentity("r", SHA, 10), current=DataIdentity("c", SHA, 20, labelled=19),
        predictions="bound", overridden=False, findings=(finding,), flip=("temp: bring it to at most 0.1",),
        evaluated_at=now, valid_until=now + timedelta(days=14), attempt=1,
        inputs_digest="sha256:" + uuid4().hex * 2, engine={"gate": "0.1.0"},
    )  # fmt: skip
    if changes.get("decision") is Decision.PROMOTE:
        changes = {"cause": None, "flip": (), "findings": (), **changes}
    return replace(verdict, **changes)


@contextlib.contextmanager
def a_service(folder: Path, url: str | None = None, **environment: str) -> Iterator[ServedService]:
    """A service that keeps everything in a folder, or in the database behind `url`."""
    policies = folder / "policies"
    policies.mkdir(exist_ok=True)
    (policies / "toy.yaml").write_text(POLICY, encoding="utf-8")
    settings = load_settings({"GATE_HOME": str(folder), "GATE_POLICIES": str(policies), **environment}, folder)
    store = open_store(url or settings.database_url)
    try:
        shelf = PolicyShelf(policies, datetime(2026, 11, 22, 8, tzinfo=UTC), client_policies=settings.client_policies)
        yield ServedService(settings, store, shelf)
    finally:
        store.close()
