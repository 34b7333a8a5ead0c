"""A fleet of verdicts in a real store, and a reader of what Prometheus would read."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from gate.domain.evaluation import Evaluation, Served, State, Submission, Trigger
from gate.domain.finding import Dimension, Finding, Judgement, Severity, Status
from gate.domain.need import Limit
from gate.domain.verdict import Cause, DataIdentity, Decision, ModelIdentity, PolicyIdentity, Verdict
from gate.flow.document import document_of
from gate.policy.match import PolicySet, load_set
from gate.store import Store, open_store
from gate.telemetry.metrics import Metrics
from gate.telemetry.state import StateCollector

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)

POLICY = """\
policy: gate/v1
name: {name}
owner: team {name}
pilot: {{started: 2026-09-01, decide_by: 2026-12-31, department: mobility, risk: medium}}
applies_to: {{models: [{models}]}}
task: none
data:
  reference: {{uri: reference.parquet}}
  current: {{uri: current.parquet}}
checks:
  - {{check: row_count, min: 500}}
"""


def drift(
    column: str, measured: float | None = 0.05, status: Status = Status.PASS, *, kind: str = "feature_drift",
    limit: float = 0.1, interval: tuple[float, float] | None = None, **finding,
) -> Finding:  # fmt: skip
    judgement = Judgement(
        status, f"{column} moved", {"column": column}, measured, interval, limit=Limit(max=limit), method="wasserstein"
    )
    said = {"check": kind, "kind": kind, "dimension": Dimension.TECHNICAL, "severity": Severity.MAJOR} | finding
    return Finding(**said, judgement=judgement)


def finding(check: str, status: Status = Status.PASS, dimension: Dimension = Dimension.BUSINESS, **rest) -> Finding:
    said = {"check": check, "kind": check, "severity": Severity.MAJOR} | rest
    return Finding(**said, dimension=dimension, judgement=Judgement(status, "because"))


def verdict(name: str = "bike", version: str = "2", *findings: Finding, **changes) -> Verdict:
    """A promotion at NOW, unless `changes` say otherwise; `cause` makes it a hold."""
    cause = changes.pop("cause", None)
    made = Verdict(
        id=f"{name}-{version}", decision=Decision.HOLD if cause else Decision.PROMOTE, cause=cause and Cause(cause),
        enforced=True, stage="pilot", store="server",
        model=ModelIdentity(name, version, f"models:/{name}/{version}", f"sha256:{name}{version}", "run"),
        champion=None,
        policy=PolicyIdentity("rides", "sha256:bb", "policies/rides.yaml"),
        reference=DataIdentity("r", "sha256:cc", 10, NOW - 90 * HOUR, NOW - 80 * HOUR),
        current=DataIdentity("c", "sha256:dd", 20, NOW - 9 * HOUR, NOW - 8 * HOUR), predictions="bound",
        overridden=False, findings=findings, flip=(), evaluated_at=NOW, valid_until=NOW + timedelta(days=14), attempt=0,
        inputs_digest="sha256:ee", engine={"gate": "0.1.0"},
    )  # fmt: skip
    return replace(made, **changes)


class Fleet:
    """A store to fill, and what is exported of it."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / "gate.db"
        self.store: Store = open_store(f"sqlite:///{self.file}")
        self.folder = folder / "policies"
        self.folder.mkdir()
        self.now = NOW
        self.made = 0

    def policy(self, name: str, *models: str) -> None:
        listed = ", ".join(f'"{model}"' for model in models)
        (self.folder / f"{name}.yaml").write_text(POLICY.format(name=name, models=listed))

    def policies(self) -> PolicySet:
        return load_set(self.folder)

    def keep(self, *verdicts: Verdict, trigger: Trigger = Trigger.CI) -> None:
        """Store verdicts, each later than the one before."""
        for one in verdicts:
            self.made += 1
            attempt = self.store.verdicts.attempt(one.model.digest, one.stage, one.inputs_digest)
            numbered = replace(one, id=f"{self.made:08d}", attempt=0 if one.cause is Cause.ERROR else attempt)
            self.store.verdicts.save(numbered, document_of(numbered), trigger=trigger)

    @contextmanager
    def damaged(self, verdict_id: str) -> Iterator[None]:
        """Change a stored verdict, until the block is left."""

        def write(text: str) -> str:
            with closing(sqlite3.connect(self.file)) as database, database:
                (before,) = database.execute("SELECT document FROM verdicts WHERE id = ?", [verdict_id]).fetchone()
                database.execute("UPDATE verdicts SET document = ? WHERE id = ?", [text, verdict_id])
            return before

        whole = write("{}")
        yield
        write(whole)

    def serve(self, name: str, version: str | None, **changes) -> None:
        served = Served(name, "champion", version, "policies/rides.yaml", "pilot", NOW)
        self.store.verdicts.see(replace(served, **changes))

    def queue(self, evaluation_id: str, **changes) -> None:
        waiting = Evaluation(
            id=evaluation_id, principal="anonymous", key=evaluation_id, submission=Submission("models:/bike/2"),
            model_name="bike", state=State.QUEUED, created_at=NOW - HOUR, expires_at=NOW + HOUR,
        )  # fmt: skip
        self.store.evaluations.accept(replace(waiting, **changes))

    def collector(self, **options) -> StateCollector:
        return StateCollector(
            self.store.verdicts, self.store.evaluations, self.policies, now=lambda: self.now,
            **({"timeout_seconds": 60} | options),
        )  # fmt: skip

    def scrape(self, **options) -> Scrape:
        """What Prometheus reads of a process that has just started."""
        metrics = Metrics({})
        metrics.register(self.collector(**options))
        return scrape_of(metrics)


class Scrape:
    """A scrape in the classic text format."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.families = {family.name: family for family in text_string_to_metric_families(text)}

    def series(self, name: str, **labels: str) -> dict[tuple[str, ...], float]:
        """The values of a metric's series, by the labels that were not asked for, in alphabetical order."""
        found = {}
        for family in self.families.values():
            for sample in family.samples:
                if sample.name == name and labels.items() <= sample.labels.items():
                    found[tuple(v for k, v in sorted(sample.labels.items()) if k not in labels)] = sample.value
        return found

    def value(self, name: str, **labels: str) -> float | None:
        """The value of one series, or None."""
        return self.series(name, **labels).get(())

    def count(self) -> int:
        return sum(len(family.samples) for family in self.families.values())


def scrape_of(metrics: Metrics) -> Scrape:
    return Scrape(metrics.render()[0].decode())


@pytest.fixture
def fleet(tmp_path) -> Iterator[Fleet]:
    made = Fleet(tmp_path)
    yield made
    made.store.close()


@pytest.fixture
def make() -> Mapping[str, Callable]:
    return {"verdict": verdict, "drift": drift, "finding": finding, "scrape": scrape_of}
