"""Columns that stopped moving."""

from __future__ import annotations

import pytest

from gate.domain.evidence import Missing
from gate.domain.finding import Status
from gate.testing import a_check, a_number, a_scope, judge_one

SCOPE = a_scope({"temp": "DOUBLE"})


@pytest.mark.parametrize(
    ("now", "before", "value", "status", "reason"),
    [
        (2, 2, None, "pass", "temp varies, limit at least 2 distinct values"),
        (1, 2, 21.5, "fail", "temp is '21.5' in every row that has a value, limit at least 2 distinct values"),
        (0, 2, None, "fail", "temp has no value in any row, limit at least 2 distinct values"),
        (1, 1, 0, "pass", ("temp is '0' in every row that has a value, as in the reference, limit at "
         "least 1 distinct value")),
        (0, 1, None, "fail", "temp has no value in any row, limit at least 1 distinct value"),
        (2, 1, None, "pass", "temp varies, limit at least 1 distinct value"),
        (0, 0, None, "pass", "temp has no value in any row, as in the reference, limit at least 0 distinct values"),
        (1, None, 0, "fail", "temp is '0' in every row that has a value, limit at least 2 distinct values"),
    ],
)  # fmt: skip
def test_as_many_values_as_the_reference_up_to_two(now, before, value, status, reason):
    answer = a_number(now, details={"reference": before, "value": value})
    (judgement,) = judge_one("constant_columns", {}, answer, SCOPE)
    assert (judgement.status, judgement.reason) == (status, reason)


def test_without_details_a_single_value_fails():
    (judgement,) = judge_one("constant_columns", {}, a_number(1), SCOPE)
    assert judgement.status is Status.FAIL
    assert judgement.reason == "temp is the same in every row that has a value, limit at least 2 distinct values"
    assert judgement.flip == "temp: bring the distinct values from 1 distinct value to at least 2 distinct values"


def test_takes_numeric_and_categorical_features(bike):
    assert [need.column for need in a_check("constant_columns", {}).needs(bike)] == ["temp", "hum", "weathersit"]


def test_missing_and_absent_are_insufficient():
    (missing,) = judge_one("constant_columns", {}, Missing("no rows"), SCOPE)
    (absent,) = judge_one("constant_columns", {"columns": ["hum"]}, a_number(2), SCOPE)
    assert missing.status is absent.status is Status.INSUFFICIENT
    assert absent.reason == "column hum is absent from the reference and current data"
