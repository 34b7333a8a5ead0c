"""Numbers in their range."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from gate.domain.evidence import Missing
from gate.domain.finding import Status
from gate.domain.need import Limit, OutsideRange
from gate.testing import a_check, a_number, judge_one

FIELDS = {"ranges": {"temp": {"min": -30, "max": 50}}, "max_share": 0.001}


@pytest.mark.parametrize(("share", "status"), [(0, "pass"), (0.001, "pass"), (0.0011, "fail")])
def test_the_edge(bike, share, status):
    (judgement,) = judge_one("value_range", FIELDS, a_number(share), bike)
    assert judgement.status == status


def test_without_a_share_no_row_may_be_outside(bike):
    (judgement,) = judge_one("value_range", {"ranges": {"hum": {"min": 0}}}, a_number(0.00001), bike)
    assert judgement.status is Status.FAIL
    assert judgement.reason == "hum is outside (at least 0) in 0.001 % of rows, limit at most 0 %"


def test_a_fault_says_what_the_column_holds(bike):
    (judgement,) = judge_one("value_range", FIELDS, a_number(0.3, details={"smallest": -4.5, "largest": "inf"}), bike)
    assert (
        judgement.reason == "temp is outside -30 to 50 in 30 % of rows (it goes from -4.5 to inf), limit at most 0.1 %"
    )
    assert judgement.flip == "temp: bring the rows outside -30 to 50 from 30 % to at most 0.1 %"


def test_asks_for_each_column_with_its_edges(bike):
    check = a_check("value_range", {"ranges": {"temp": {"max": 50}, "hum": {"min": 0}}})
    assert check.needs(bike) == (
        OutsideRange(Limit(max=0.0), "temp", None, 50.0), OutsideRange(Limit(max=0.0), "hum", 0.0, None),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("column", "reason"),
    [
        ("weathersit", "column weathersit is categorical; only a column that is numeric can be judged here"),
        ("wind", "column wind is absent from the current data"),
    ],
)
def test_a_column_without_numbers_is_insufficient(bike, column, reason):
    (judgement,) = judge_one("value_range", {"ranges": {column: {"min": 0}}, "max_share": 1}, a_number(0), bike)
    assert (judgement.status, judgement.reason) == (Status.INSUFFICIENT, reason)


def test_missing_is_insufficient(bike):
    (judgement,) = judge_one("value_range", FIELDS, Missing("temp has no values"), bike)
    assert judgement.status is Status.INSUFFICIENT


@pytest.mark.parametrize(
    ("ranges", "message"),
    [
        ({}, "at least 1 item"),
        ({"temp": {}}, "min and max are missing"),
        ({"temp": {"min": 2, "max": 1}}, "min: 2 is above max: 1"),
        ({"temp": {"min": "0"}}, "valid number"),
        ({"temp": {"minimum": 0}}, "Extra inputs"),
    ],
)
def test_refuses_ranges_that_say_nothing(ranges, message):
    with pytest.raises(ValidationError, match=message):
        a_check("value_range", {"ranges": ranges})
