"""The verdict document: plain JSON, and a digest that covers all of it but the timings."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from gate.domain.finding import Dimension, Finding, Judgement, Severity, Status
from gate.domain.need import Limit
from gate.domain.verdict import Cause, DataIdentity, Decision, ModelIdentity, PolicyIdentity, Verdict
from gate.flow.document import digest_of, document_of, to_json

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
FINDING = Finding(
    "drift", "feature_drift", Dimension.TECHNICAL, Severity.MAJOR,
    Judgement(Status.FAIL, "temp moved", {"column": "temp"}, 0.41, (0.38, 0.44), 0.0002, exact=False,
              limit=Limit(max=0.1), rows=5000, method="wasserstein", details={"p": math.nan, "big": 2**60}),
    policy_file="base.yaml",
    policy_line=23,
)  # fmt: skip
VERDICT = Verdict(
    id="id-1", decision=Decision.HOLD, cause=Cause.FAILED, enforced=True, stage="pilot", store="local",
    model=ModelIdentity("bike", "2", "models:/bike/2", "sha256:aa", "run"), champion=None,
    policy=PolicyIdentity("bike", "sha256:bb", "policies/bike.yaml"),
    reference=DataIdentity("r.parquet", "sha256:cc", 10),
    current=DataIdentity("c.parquet", "sha256:dd", 20, labelled=19),
    predictions="bound", overridden=False, findings=(FINDING,), flip=("temp: less",), evaluated_at=NOW,
    valid_until=NOW + timedelta(days=14), attempt=1, inputs_digest="sha256:ee", engine={"gate": "0.1.0"},
    timings_seconds={"judge": 0.1},
)  # fmt: skip


def test_the_document_has_the_shape_of_the_contract():
    document = document_of(VERDICT)
    assert document["schema"] == "gate.verdict/v1"
    assert document["findings"][0] == {
        "check": "drift", "kind": "feature_drift", "dimension": "technical", "status": "fail", "severity": "major",
        "waived": False, "waiver": None, "subject": {"column": "temp"}, "measured": 0.41, "interval": [0.38, 0.44],
        "bound": 0.0002, "exact": False, "limit": {"max": 0.1}, "rows": 5000, "rows_missing": None,
        "method": "wasserstein", "reason": "temp moved", "remedy": "", "flip": "", "owner": "",
        "policy_file": "base.yaml", "policy_line": 23, "reproduce": "", "details": {"p": None, "big": float(2**60)},
    }  # fmt: skip
    assert document["summary"] == {"pass": 0, "warn": 0, "fail": 1, "insufficient": 0, "error": 0, "waived": 0}
    assert document["data"]["current"]["labelled"] == 19
    assert document["evaluated_at"] == "2026-11-22T12:00:00Z"


def test_the_document_survives_json_and_keeps_its_digest():
    document = document_of(VERDICT)
    assert json.loads(to_json(document)) == document
    assert digest_of(json.loads(to_json(document))) == document["digest"]


def test_timings_do_not_change_the_digest():
    slower = replace(VERDICT, timings_seconds={"judge": 99.0})
    assert document_of(slower)["digest"] == document_of(VERDICT)["digest"]


@pytest.mark.parametrize(
    "change", [{"decision": Decision.PROMOTE}, {"enforced": False}, {"attempt": 2}, {"flip": ()}, {"stage": "full"}]
)
def test_anything_else_changes_the_digest(change):
    assert document_of(replace(VERDICT, **change))["digest"] != document_of(VERDICT)["digest"]


@pytest.mark.parametrize(
    ("cause", "enforced", "code"),
    [
        (None, True, 0), (Cause.FAILED, True, 1), (Cause.INSUFFICIENT, True, 3), (Cause.AWAITING, True, 3),
        (Cause.ERROR, True, 4), (None, False, 0), (Cause.FAILED, False, 0), (Cause.INSUFFICIENT, False, 0),
        (Cause.ERROR, False, 4),
    ],
)  # fmt: skip
def test_exit_codes(cause, enforced, code):
    assert replace(VERDICT, cause=cause, enforced=enforced).exit_code == code


def test_a_report_only_verdict_is_never_a_promotion():
    assert not replace(VERDICT, decision=Decision.PROMOTE, cause=None, enforced=False).is_promotion
