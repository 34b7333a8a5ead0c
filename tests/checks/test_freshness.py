"""Recent data."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from gate.domain.evidence import Missing
from gate.domain.finding import Status
from gate.domain.need import Age, Limit
from gate.testing import a_check, a_number, a_scope, judge_one

DAY = 86_400


def judged(bike, answer, **fields):
    (judgement,) = judge_one("freshness", {"max_age": "36h", **fields}, answer, bike)
    return judgement


@pytest.mark.parametrize(("age", "status"), [(1.5 * DAY, "pass"), (1.5 * DAY + 1, "fail"), (0, "pass"), (-1, "fail")])
def test_the_edges(bike, age, status):
    assert judged(bike, a_number(age)).status == status


def test_old_data_says_how_old(bike):
    judgement = judged(bike, a_number(9 * DAY))
    assert judgement.reason == "the newest row by at is 9 days old, limit 0 s to 36 h"
    assert judgement.flip == "at: bring the age from 9 days to at most 36 h"


def test_data_from_the_future_says_so(bike):
    judgement = judged(bike, a_number(-600))
    assert judgement.status is Status.FAIL
    assert judgement.reason == "the newest row by at is 10 min in the future, limit 0 s to 36 h"
    assert judgement.remedy == "correct the clock or the time zone of at"
    assert judgement.flip == "at: bring the newest time back by 10 min"


def test_takes_the_timestamp_of_the_policy_unless_a_column_is_named(bike):
    assert a_check("freshness", {"max_age": "1d"}).needs(bike) == (Age(Limit(0.0, float(DAY)), "at"),)


def test_without_a_time_column_it_is_insufficient():
    (judgement,) = judge_one("freshness", {"max_age": "1d"}, a_number(0), a_scope({"a": "DOUBLE"}))
    assert judgement.status is Status.INSUFFICIENT
    assert judgement.reason == "the age of the data is unknown: the policy names no time column"
    assert judgement.flip == "name the time of a row in data.columns.timestamp"


@pytest.mark.parametrize(
    ("column", "reason"),
    [
        ("temp", "column temp is numeric; only a column that is a time can be judged here"),
        ("when", "column when is absent from the current data"),
    ],
)
def test_a_column_that_is_no_time_is_insufficient(bike, column, reason):
    judgement = judged(bike, a_number(0), column=column)
    assert (judgement.status, judgement.reason) == (Status.INSUFFICIENT, reason)


def test_missing_is_insufficient(bike):
    assert judged(bike, Missing("every time is null")).status is Status.INSUFFICIENT


@pytest.mark.parametrize("age", ["1 day", "36", "-1d", "0h", 36])
def test_refuses_what_is_no_length_of_time(age):
    with pytest.raises(ValidationError):
        a_check("freshness", {"max_age": age})


def test_says_what_a_length_of_time_is():
    with pytest.raises(ValidationError, match="got '36', allowed is a length of time such as 28d, 36h, 30m or 45s"):
        a_check("freshness", {"max_age": "36"})
