"""How far the answers have moved."""

from __future__ import annotations

import pytest

from gate.domain.evidence import Missing
from gate.domain.finding import Status
from gate.domain.scope import Roles
from gate.testing import a_check, a_number, a_scope, judge_one


@pytest.mark.parametrize(("distance", "status"), [(0.1, "pass"), (0.11, "fail")])
def test_the_edge(bike, distance, status):
    (judgement,) = judge_one("prediction_drift", {"max": 0.1}, a_number(distance), bike)
    assert judgement.status == status


def test_a_fault_says_where_to_look(bike):
    (judgement,) = judge_one("prediction_drift", {"max": 0.1}, a_number(0.8), bike)
    assert judgement.reason == (
        "predicted moved 0.8 reference standard deviations (Wasserstein), limit at most 0.1, judged on the value"
    )
    assert judgement.remedy == (
        "compare with the drift of the features: if they are still, look at how the model is served"
    )


def test_looks_at_every_output():
    roles = Roles(prediction="said", scores={"a": "p_a", "b": "p_b"})
    scope = a_scope({"said": "VARCHAR", "p_a": "DOUBLE", "p_b": "DOUBLE"}, roles=roles)
    needs = a_check("prediction_drift", {"max": 0.1}).needs(scope)
    assert [(need.column, need.method) for need in needs] == [
        ("said", "jensenshannon"), ("p_a", "wasserstein"), ("p_b", "wasserstein"),
    ]  # fmt: skip


def test_a_reference_without_predictions_is_insufficient():
    scope = a_scope({"a": "DOUBLE"}, current={"a": "DOUBLE", "p": "DOUBLE"}, roles=Roles(prediction="p"))
    (judgement,) = judge_one("prediction_drift", {"max": 0.1}, a_number(0), scope)
    assert (judgement.status, judgement.reason) == (
        Status.INSUFFICIENT, "column p is absent from the reference data",
    )  # fmt: skip


def test_without_outputs_and_without_evidence_it_is_insufficient(bike):
    (nothing,) = judge_one("prediction_drift", {"max": 9}, a_number(0), a_scope({"a": "DOUBLE"}))
    (missing,) = judge_one("prediction_drift", {"max": 9}, Missing("all null"), bike)
    assert nothing.reason == "the drift of the predictions is unknown: the policy names no prediction and no score"
    assert nothing.status is missing.status is Status.INSUFFICIENT
