"""What the HTTP server needs of the service behind it: one small protocol, fulfilled in `wiring`."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Protocol

from gate.domain.evaluation import Evaluation, Submission
from gate.flow.policies import Reloaded
from gate.flow.ports import Archive, Evaluations
from gate.policy.match import PolicySet
from gate.wiring.settings import Settings


class Check(Protocol):
    """One answer to "is it ready?"."""

    @property
    def ok(self) -> bool:
        """Whether all is well."""

    @property
    def text(self) -> str:
        """A sentence for whoever reads `/readyz`."""

    @property
    def needed(self) -> bool:
        """Whether the server can do nothing useful while this is not well."""


class Policies(Protocol):
    """The policies that the server judges by."""

    def current(self) -> PolicySet:
        """The last set that was right."""

    def status(self) -> Reloaded:
        """How the last look at the folder went."""


class Metrics(Protocol):
    """Counts, and says so to Prometheus."""

    def render(self, accept: str) -> tuple[bytes, str]:
        """Write all metrics in the format that `accept` prefers, with its content type. Reads the database."""

    def http(self, method: str, route: str, code: int, seconds: float) -> None:
        """Count a request: `route` is the template, never the path."""


class Worker(Protocol):
    """What a process that only works says about itself."""

    @property
    def metrics(self) -> Metrics:
        """The metrics."""

    def ready(self) -> Mapping[str, Check]:
        """Look at the database, the engine, the policies."""


class Service(Worker, Protocol):
    """Everything behind the HTTP server. Every method but `policies` and `metrics` may wait for the database."""

    @property
    def settings(self) -> Settings:
        """The settings it was built with."""

    @property
    def evaluations(self) -> Evaluations:
        """The record of evaluations."""

    @property
    def archive(self) -> Archive:
        """The verdicts."""

    @property
    def shelf(self) -> Policies:
        """The policies."""

    def submit(self, submission: Submission, *, principal: str, key: str, now: datetime) -> tuple[Evaluation, bool]:
        """Accept a request; the evaluation, and whether it is new. Errors as `gate.flow.submit.Desk.submit`."""

    def retry(self, evaluation_id: str, now: datetime) -> tuple[Evaluation, bool] | None:
        """Ask anew what ended without a verdict; None if there is no such evaluation, OverError if it cannot be."""

    def cancel(self, evaluation_id: str, now: datetime) -> Evaluation | None:
        """Cancel an evaluation; None if there is no such evaluation, OverError if it ended otherwise."""
