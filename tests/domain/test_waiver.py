from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from gate.domain.finding import Dimension, Finding, Judgement, Severity, Status
from gate.domain.moments import parse_moment
from gate.domain.waiver import Waiver

DIGEST = "sha256:" + "0" * 64
NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
WAIVER = Waiver(
    check="feature_drift",
    model_digest=DIGEST,
    reason="new sensors since 1 November",
    ticket="BIKE-412",
    by="j.chen",
    approved_by="a.roy",
    granted=datetime(2026, 11, 20, tzinfo=UTC),
    expires=parse_moment("2026-12-15"),
    column="temp",
)


def finding(status=Status.FAIL, severity=Severity.MAJOR, check="feature_drift", subject=None):
    judgement = Judgement(status, "temp moved", subject={"column": "temp"} if subject is None else subject)
    return Finding(check, "feature_drift", Dimension.TECHNICAL, severity, judgement)


@pytest.mark.parametrize("status", [Status.FAIL, Status.INSUFFICIENT])
def test_covers_what_holds_on_the_column_it_names(status):
    assert WAIVER.covers(finding(status), DIGEST, NOW)


@pytest.mark.parametrize("status", [Status.PASS, Status.WARN, Status.ERROR])
def test_covers_no_other_status(status):
    assert not WAIVER.covers(finding(status), DIGEST, NOW)


def test_never_covers_a_blocker():
    assert not WAIVER.covers(finding(severity=Severity.BLOCKER), DIGEST, NOW)


@pytest.mark.parametrize("subject", [{"column": "hum"}, {}, {"segment": "temp"}])
def test_covers_nothing_but_its_column(subject):
    assert not WAIVER.covers(finding(subject=subject), DIGEST, NOW)


def test_covers_nothing_but_its_segment():
    waiver = replace(WAIVER, column=None, segment="season=1")
    assert waiver.covers(finding(subject={"segment": "season=1"}), DIGEST, NOW)
    assert not waiver.covers(finding(subject={"segment": "season=2"}), DIGEST, NOW)


def test_covers_every_subject_when_it_names_none():
    waiver = replace(WAIVER, column=None)
    assert waiver.covers(finding(subject={"column": "hum"}), DIGEST, NOW)
    assert waiver.covers(finding(subject={}), DIGEST, NOW)


def test_covers_no_other_check_and_no_other_model():
    assert not WAIVER.covers(finding(check="missing_share"), DIGEST, NOW)
    assert not WAIVER.covers(finding(), "sha256:" + "1" * 64, NOW)


def test_covers_from_the_day_it_was_granted_through_the_day_it_expires():
    assert WAIVER.covers(finding(), DIGEST, WAIVER.granted)
    assert not WAIVER.covers(finding(), DIGEST, WAIVER.granted - timedelta(microseconds=1))
    assert WAIVER.covers(finding(), DIGEST, datetime(2026, 12, 15, 23, 59, 59, tzinfo=UTC))
    assert not WAIVER.covers(finding(), DIGEST, datetime(2026, 12, 16, tzinfo=UTC))


def test_says_who_why_and_until_when():
    assert WAIVER.sentence == (
        "waived by j.chen, approved by a.roy, until 2026-12-15: new sensors since 1 November (BIKE-412)"
    )
