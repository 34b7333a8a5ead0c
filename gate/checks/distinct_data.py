"""Notices a comparison of something with itself."""

from __future__ import annotations

from gate.checks.contract import Check
from gate.checks.judging import judge_missing
from gate.domain.evidence import Evidence, Missing, Stated
from gate.domain.finding import Judgement, Severity, Status
from gate.domain.need import ANY, DataDigests
from gate.domain.scope import Scope

_NO_DIGEST = "none"


class DistinctData(Check):
    """Requires that reference and current are not the same data: nothing would be compared. Judged for every policy.

    Compares the bytes of the two sides and their windows: a copy under another name, or with labels joined to it, is
    still the same data. A source without bytes of its own (a query) cannot be compared.

    Example:
        - {check: distinct_data}
    """

    kind_severity = Severity.BLOCKER
    is_implicit = True

    def needs(self, scope: Scope) -> tuple[DataDigests, ...]:  # noqa: ARG002  # the same in every scope
        """The digests of the two sides."""
        return (DataDigests(ANY),)

    def judge(self, evidence: Evidence, scope: Scope) -> tuple[Judgement, ...]:  # noqa: ARG002  # as above
        """Equal digests fail."""
        match evidence[DataDigests(ANY)]:
            case Stated(value=(str() as reference, str() as current)):
                return (_compared(reference, current),)
            case Missing() as missing:
                return (judge_missing(missing, {}),)
            case other:
                return (Judgement(Status.ERROR, f"expected two digests, got {type(other).__name__}: a bug in gate"),)


def _compared(reference: str, current: str) -> Judgement:
    if _NO_DIGEST in (reference, current):
        return Judgement(Status.PASS, "a side has no digest, so whether the two are the same data cannot be told")
    if reference == current:
        remedy = "point data.current at what the model saw in the pilot, not at what it was trained on"
        reason = "reference and current are the same data: nothing would be compared"
        return Judgement(Status.FAIL, reason, remedy=remedy, flip=remedy)
    return Judgement(Status.PASS, "reference and current are different data")
