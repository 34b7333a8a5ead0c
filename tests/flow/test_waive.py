"""Waivers: the longest one counts, what covers nothing is told, and no verdict outlives the waiver it needs."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from gate.domain.finding import Dimension, Finding, Judgement, Severity, Status
from gate.domain.waiver import Waiver
from gate.flow.waive import waive

NOW = datetime(2026, 10, 2, 12, tzinfo=UTC)
MODEL = "sha256:aa"


def waiver(days: int, *, check: str = "drift", model: str = MODEL, column: str | None = None) -> Waiver:
    return Waiver(check, model, "new prices", f"T-{days}", "ann", "bob", NOW - timedelta(days=20),
                  NOW + timedelta(days=days), column=column)  # fmt: skip


def finding(status: Status = Status.FAIL, severity: Severity = Severity.MAJOR) -> Finding:
    return Finding("drift", "feature_drift", Dimension.TECHNICAL, severity, Judgement(status, "moved", {"column": "a"}))


def test_a_live_waiver_marks_the_finding_and_bounds_the_verdict():
    (marked,), ends = waive([finding()], [waiver(9)], MODEL, NOW)
    assert marked.waiver == "waived by ann, approved by bob, until 2026-10-11: new prices (T-9)"
    assert ends == NOW + timedelta(days=9)


def test_the_longest_of_several_counts_and_none_of_them_is_stale():
    found, ends = waive([finding()], [waiver(9), waiver(3), waiver(23)], MODEL, NOW)
    assert len(found) == 1
    assert ends == NOW + timedelta(days=23)


def test_the_verdict_ends_with_the_first_finding_that_loses_its_waiver():
    other = Finding("missing", "missing_share", Dimension.TECHNICAL, Severity.MAJOR, Judgement(Status.FAIL, "gone"))
    _, ends = waive([finding(), other], [waiver(23), waiver(5, check="missing")], MODEL, NOW)
    assert ends == NOW + timedelta(days=5)


@pytest.mark.parametrize(
    ("found", "given"),
    [
        (finding(), waiver(-1)),
        (finding(), waiver(9, column="b")),
        (finding(severity=Severity.BLOCKER), waiver(9)),
        (finding(Status.ERROR), waiver(9)),
        (finding(), waiver(9, check="other")),
    ],
)
def test_what_it_does_not_cover_stays_and_the_waiver_is_told_to_be_stale(found: Finding, given: Waiver):
    (kept, told), ends = waive([found], [given], MODEL, NOW)
    assert kept == found
    assert ends is None
    assert (told.severity, told.status) == (Severity.INFO, Status.WARN)
    assert told.judgement.reason.startswith(f"the waiver of {given.check} ({given.ticket}) ")


def test_a_waiver_of_another_model_is_not_our_business():
    assert waive([finding()], [waiver(9, model="sha256:bb")], MODEL, NOW) == ((finding(),), None)
