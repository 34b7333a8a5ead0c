"""The verdict: promote or hold, and everything that it rests on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from gate.domain.finding import Finding, Status


class Decision(StrEnum):
    """The answer."""

    PROMOTE = "promote"
    HOLD = "hold"


class Cause(StrEnum):
    """Why a verdict holds: the first that applies, in this order."""

    FAILED = "failed"
    ERROR = "error"
    AWAITING = "awaiting"
    INSUFFICIENT = "insufficient"


EXIT_CODES: Mapping[Cause | None, int] = {
    None: 0,
    Cause.FAILED: 1,
    Cause.AWAITING: 3,
    Cause.INSUFFICIENT: 3,
    Cause.ERROR: 4,
}


def decide(findings: Iterable[Finding]) -> tuple[Decision, Cause | None]:
    """Fold findings into one decision. Nothing that decides means hold: silence promotes nobody."""
    deciding = [finding for finding in findings if finding.decides]
    if not deciding:
        return Decision.HOLD, Cause.INSUFFICIENT
    held = {finding.status for finding in deciding if not finding.lets_through}
    if not held:
        return Decision.PROMOTE, None
    if Status.FAIL in held:
        return Decision.HOLD, Cause.FAILED
    if Status.ERROR in held:
        return Decision.HOLD, Cause.ERROR
    return Decision.HOLD, Cause.INSUFFICIENT


@dataclass(frozen=True, slots=True)
class ModelIdentity:
    """A model version as the verdict pins it."""

    name: str
    version: str
    uri: str
    digest: str
    run_id: str | None = None


@dataclass(frozen=True, slots=True)
class PolicyIdentity:
    """The policy as the verdict pins it."""

    name: str
    digest: str
    source: str


@dataclass(frozen=True, slots=True)
class DataIdentity:
    """One side of the data as the verdict pins it."""

    uri: str
    digest: str
    rows: int
    since: datetime | None = None
    until: datetime | None = None
    labelled: int | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """The decision about one candidate under one policy on one pair of datasets. Never changes once made."""

    id: str
    decision: Decision
    cause: Cause | None
    enforced: bool
    stage: str
    store: str
    model: ModelIdentity
    champion: ModelIdentity | None
    policy: PolicyIdentity
    reference: DataIdentity
    current: DataIdentity
    predictions: str
    overridden: bool
    findings: tuple[Finding, ...]
    flip: tuple[str, ...]
    evaluated_at: datetime
    valid_until: datetime
    attempt: int
    inputs_digest: str
    engine: Mapping[str, str] = field(hash=False)
    timings_seconds: Mapping[str, float] = field(default_factory=dict, hash=False)

    @property
    def is_promotion(self) -> bool:
        """Whether this verdict lets the candidate through. A report-only verdict never does."""
        return self.decision is Decision.PROMOTE and self.enforced

    @property
    def exit_code(self) -> int:
        """The exit code of the command that waited: report-only forgives 1 and 3, never 4."""
        code = EXIT_CODES[self.cause]
        return 0 if not self.enforced and code in (1, 3) else code

    @property
    def summary(self) -> dict[str, int]:
        """How many findings ended in each status, and how many of them were waived."""
        counts = Counter(str(finding.status) for finding in self.findings)
        waived = sum(finding.waiver is not None for finding in self.findings)
        return {str(status): counts[status] for status in Status} | {"waived": waived}
