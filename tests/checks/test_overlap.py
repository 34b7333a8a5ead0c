"""Training data that comes back as evidence."""

from __future__ import annotations

import pytest

from gate.domain.evidence import Missing
from gate.domain.finding import Status
from gate.domain.need import Limit, Overlap
from gate.domain.scope import Roles
from gate.testing import a_check, a_number, a_scope, judge_one


@pytest.mark.parametrize(("share", "status"), [(0.01, "pass"), (0.0101, "fail")])
def test_the_edge(bike, share, status):
    (judgement,) = judge_one("overlap", {"max": 0.01}, a_number(share), bike)
    assert judgement.status == status


def test_says_what_the_rows_were_compared_on(bike):
    (judgement,) = judge_one("overlap", {"max": 0.01}, a_number(0.4), bike)
    assert judgement.reason == (
        "40 % of the current rows are also in the reference (compared on temp, hum, weathersit), limit at most 1 %"
    )
    assert judgement.remedy == "take current data that the model was not trained on"
    assert judgement.flip == "bring the current rows that are in the reference from 40 % to at most 1 %"


def test_takes_the_features_that_can_be_compared():
    scope = a_scope({"a": "DOUBLE", "geo": "STRUCT(x INT)", "y": "DOUBLE"}, roles=Roles(target="y"))
    assert a_check("overlap", {"max": 0}).needs(scope) == (Overlap(Limit(max=0.0), ("a",)),)


def test_one_column_that_is_absent_makes_the_rows_incomparable():
    scope = a_scope({"a": "DOUBLE", "b": "DOUBLE"}, current={"a": "DOUBLE"})
    (judgement,) = judge_one("overlap", {"max": 1}, a_number(0), scope)
    assert judgement.status is Status.INSUFFICIENT
    assert judgement.reason == "rows cannot be compared: column b is absent from the current data"


def test_without_features_and_without_evidence_it_is_insufficient(bike):
    (nothing,) = judge_one("overlap", {"max": 1}, a_number(0), a_scope({"y": "DOUBLE"}, roles=Roles(target="y")))
    (missing,) = judge_one("overlap", {"max": 1}, Missing("another type on each side"), bike)
    assert nothing.reason == "there is no feature to compare the rows of the two sides on"
    assert nothing.status is missing.status is Status.INSUFFICIENT
