"""How far the truth has moved."""

from __future__ import annotations

import pytest

from gate.domain.evidence import Missing
from gate.domain.finding import Status
from gate.testing import a_number, a_scope, judge_one


@pytest.mark.parametrize(("distance", "status"), [(0.1, "pass"), (0.11, "fail")])
def test_the_edge(bike, distance, status):
    (judgement,) = judge_one("target_drift", {"max": 0.1}, a_number(distance), bike)
    assert judgement.status == status


def test_a_fault_names_the_distance(bike):
    fields = {"max": 0.1, "method": {"numeric": "ks"}}
    (judgement,) = judge_one("target_drift", fields, a_number(0.25), bike)
    assert judgement.reason == "cnt moved 0.25 (Kolmogorov-Smirnov D), limit at most 0.1, judged on the value"
    assert judgement.flip == "cnt: bring Kolmogorov-Smirnov D from 0.25 to at most 0.1"


def test_without_a_target_and_without_evidence_it_is_insufficient(bike):
    (nothing,) = judge_one("target_drift", {"max": 9}, a_number(0), a_scope({"a": "DOUBLE"}))
    (missing,) = judge_one("target_drift", {"max": 9}, Missing("no labels"), bike)
    assert nothing.reason == "the drift of the target is unknown: the policy names none"
    assert nothing.status is missing.status is Status.INSUFFICIENT
