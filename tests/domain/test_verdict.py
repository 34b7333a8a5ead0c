"""The decision: silence promotes nobody, and nothing that is added to a hold turns it into a promotion."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from gate.domain.finding import Dimension, Finding, Judgement, Severity, Status
from gate.domain.verdict import Cause, Decision, decide


def finding(status: Status, severity: Severity = Severity.MAJOR, waiver: str | None = None) -> Finding:
    return Finding("c", "k", Dimension.TECHNICAL, severity, Judgement(status, "because"), waiver=waiver)


findings = st.builds(finding, st.sampled_from(Status), st.sampled_from(Severity), st.sampled_from([None, "waived"]))


def test_no_findings_hold():
    assert decide([]) == (Decision.HOLD, Cause.INSUFFICIENT)


def test_findings_that_only_inform_hold():
    assert decide([finding(Status.PASS, Severity.INFO)]) == (Decision.HOLD, Cause.INSUFFICIENT)


def test_pass_and_warn_promote():
    assert decide([finding(Status.PASS), finding(Status.WARN)]) == (Decision.PROMOTE, None)


def test_a_waived_failure_promotes():
    assert decide([finding(Status.PASS), finding(Status.FAIL, waiver="by a person")]) == (Decision.PROMOTE, None)


def test_a_failure_is_certain_and_names_the_cause_before_an_error():
    assert decide([finding(Status.ERROR), finding(Status.FAIL)]) == (Decision.HOLD, Cause.FAILED)


def test_an_error_names_the_cause_before_missing_evidence():
    assert decide([finding(Status.INSUFFICIENT), finding(Status.ERROR)]) == (Decision.HOLD, Cause.ERROR)


def test_a_failed_blocker_holds():
    assert decide([finding(Status.PASS), finding(Status.FAIL, Severity.BLOCKER)]) == (Decision.HOLD, Cause.FAILED)


@given(st.lists(findings, max_size=6), findings)
def test_one_more_decisive_finding_never_turns_hold_into_promote(before: list[Finding], more: Finding):
    if any(f.decides for f in before) and decide(before)[0] is Decision.HOLD:
        assert decide([*before, more])[0] is Decision.HOLD


@given(st.lists(findings, max_size=6))
def test_only_pass_warn_or_a_waiver_let_a_verdict_through(found: list[Finding]):
    if decide(found)[0] is Decision.PROMOTE:
        deciding = [f for f in found if f.severity is not Severity.INFO]
        assert deciding
        assert all(f.status in (Status.PASS, Status.WARN) or f.waiver for f in deciding)
