"""Says how many of the rows the metrics speak for."""

from __future__ import annotations

from gate.checks.contract import Check
from gate.checks.judging import judge_missing, percent
from gate.domain.evidence import Evidence, Measured, Missing
from gate.domain.finding import Judgement, Severity, Status
from gate.domain.need import ANY, LabelledShare
from gate.domain.scope import Scope


class LabelCoverage(Check):
    """Names the share of current rows with a label.

    Metrics look at labelled rows only, so this is how many of the rows they speak for. Shown, never decides;
    `labelled_share` requires. Judged for every policy with a target.

    Example:
        - {check: label_coverage}
    """

    kind_severity = Severity.INFO
    is_implicit = True

    def needs(self, scope: Scope) -> tuple[LabelledShare, ...]:  # noqa: ARG002  # the same in every scope
        """The share of rows with a target."""
        return (LabelledShare(ANY),)

    def judge(self, evidence: Evidence, scope: Scope) -> tuple[Judgement, ...]:
        """All labelled passes, fewer warn."""
        subject = {"column": scope.roles.target} if scope.roles.target else {}
        match evidence[LabelledShare(ANY)]:
            case Measured() as share:
                return (_covered(share, subject),)
            case Missing() as missing:
                return (judge_missing(missing, subject),)
            case other:
                reason = f"expected a share of rows, got {type(other).__name__}: this is a bug in gate"
                return (Judgement(Status.ERROR, reason, subject=subject),)


def _covered(share: Measured, subject: dict[str, str]) -> Judgement:
    status, remedy = Status.PASS, ""
    reason = f"all {share.rows:,} rows are labelled"
    if share.value < 1:
        status, remedy = Status.WARN, "wait for more labels, or say in labelled_share how many of the rows need one"
        labelled = f"{round(share.value * share.rows):,} of {share.rows:,} rows are labelled ({percent(share.value)})"
        reason = f"{labelled}: metrics speak for those rows only; labelled_share would require more"
    return Judgement(status, reason, subject=subject, measured=share.value, rows=share.rows, method=share.method,
                     remedy=remedy, details=share.details)  # fmt: skip
