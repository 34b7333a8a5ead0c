"""Enough rows."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from gate.domain.dataset import Side
from gate.domain.evidence import Missing
from gate.domain.finding import Status
from gate.domain.need import Limit, Rows
from gate.testing import a_check, a_number, judge_one


def judged(bike, answer, **fields):
    (judgement,) = judge_one("row_count", fields, answer, bike)
    return judgement


@pytest.mark.parametrize(("rows", "status"), [(1000, "pass"), (999, "fail"), (2000, "pass"), (2001, "fail")])
def test_both_edges_belong_to_the_limit(bike, rows, status):
    assert judged(bike, a_number(rows, rows), min=1000, max=2000).status == status


def test_says_how_many_there_are_and_what_would_do(bike):
    judgement = judged(bike, a_number(999, 999), min=1000, side="reference")
    assert judgement.reason == "the reference data has 999 rows, limit at least 1,000"
    assert judgement.remedy == "check the window and the feed of the reference data"
    assert judgement.flip == "bring the rows of the reference data from 999 to at least 1,000"


def test_no_rows_fail(bike):
    assert judged(bike, a_number(0, 0), min=1).status is Status.FAIL


def test_missing_is_insufficient(bike):
    assert judged(bike, Missing("the file is gone"), min=1).status is Status.INSUFFICIENT


def test_looks_at_current_unless_told(bike):
    assert a_check("row_count", {"min": 1}).needs(bike) == (Rows(Limit(min=1.0), Side.CURRENT),)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({}, "min and max are missing; a check without a limit would let everything through"),
        ({"min": 2, "max": 1}, "min: 2 is above max: 1"),
        ({"min": 1.5}, "valid integer"),
        ({"min": 1, "side": "both"}, "'reference' or 'current'"),
    ],
)
def test_refuses_what_decides_nothing(fields, message):
    with pytest.raises(ValidationError, match=message):
        a_check("row_count", fields)
