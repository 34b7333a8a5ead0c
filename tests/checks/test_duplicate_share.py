"""Rows that came twice."""

from __future__ import annotations

import pytest

from gate.domain.evidence import Missing
from gate.domain.finding import Status
from gate.domain.need import DuplicateShare, Limit
from gate.testing import a_check, a_number, a_scope, judge_one


@pytest.mark.parametrize(("share", "status"), [(0.01, "pass"), (0.011, "fail"), (0, "pass")])
def test_the_edge(bike, share, status):
    (judgement,) = judge_one("duplicate_share", {"max": 0.01}, a_number(share), bike)
    assert judgement.status == status


def test_says_on_what_the_rows_were_compared(bike):
    (judgement,) = judge_one("duplicate_share", {"max": 0.01}, a_number(0.2), bike)
    assert judgement.reason == "20 % of the current rows repeat an earlier one on ride_id, limit at most 1 %"
    assert judgement.flip == "bring the repeated rows from 20 % to at most 1 %"
    (judgement,) = judge_one("duplicate_share", {"max": 0}, a_number(0), a_scope({"a": "DOUBLE"}))
    assert judgement.reason == "0 % of the current rows repeat an earlier one on all columns, limit at most 0 %"


def test_takes_the_listed_columns_else_the_key_else_all(bike):
    for fields, scope, columns in (
        ({"columns": ["temp", "at"]}, bike, ("temp", "at")),
        ({}, bike, ("ride_id",)),
        ({}, a_scope({"a": "DOUBLE"}), ()),
    ):
        assert a_check("duplicate_share", {"max": 0, **fields}).needs(scope) == (
            DuplicateShare(Limit(max=0.0), columns),
        )


def test_a_column_that_current_lacks_is_insufficient(bike):
    (judgement,) = judge_one("duplicate_share", {"max": 1, "columns": ["temp", "row"]}, a_number(0), bike)
    assert judgement.status is Status.INSUFFICIENT
    assert judgement.reason == "rows cannot be compared: row absent from the current data"


def test_missing_is_insufficient(bike):
    (judgement,) = judge_one("duplicate_share", {"max": 1}, Missing("no rows"), bike)
    assert judgement.status is Status.INSUFFICIENT
