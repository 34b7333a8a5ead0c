"""Data without holes."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from gate.domain.evidence import Missing
from gate.domain.finding import Status
from gate.domain.need import LargestGap, RowsPerDay
from gate.testing import a_check, a_number, a_scope, judge_one

HOUR = 3_600
BOTH = {"max_gap": "6h", "min_rows_per_day": 20}


def answering(gap, rows):
    def answer(need):
        if isinstance(need, LargestGap):
            return a_number(gap, details={"from": "2026-11-01T00:00:00Z", "until": "2026-11-01T07:00:00Z"})
        assert isinstance(need, RowsPerDay)
        return a_number(rows, details={"day": "2026-11-03"})

    return answer


@pytest.mark.parametrize(
    ("gap", "rows", "statuses"),
    [(6 * HOUR, 20, ["pass", "pass"]), (6 * HOUR + 1, 20, ["fail", "pass"]), (6 * HOUR, 19, ["pass", "fail"])],
)
def test_the_edges(bike, gap, rows, statuses):
    assert [one.status for one in judge_one("continuity", BOTH, answering(gap, rows), bike)] == statuses


def test_a_hole_says_from_when_to_when(bike):
    gap, day = judge_one("continuity", BOTH, answering(7 * HOUR, 3), bike)
    assert gap.reason == (
        "the longest stretch without a row by at is 7 h (2026-11-01T00:00:00Z to "
        "2026-11-01T07:00:00Z), limit at most 6 h"
    )
    assert gap.flip == "at: bring the longest gap from 7 h to at most 6 h"
    assert day.reason == "the thinnest whole day by at (2026-11-03) has 3 rows, limit at least 20"
    assert gap.subject != day.subject


def test_only_what_is_limited_is_judged(bike):
    assert len(judge_one("continuity", {"max_gap": "6h"}, answering(0, 0), bike)) == 1


def test_without_a_time_column_it_is_insufficient():
    (judgement,) = judge_one("continuity", BOTH, a_number(0), a_scope({"a": "DOUBLE"}))
    assert judgement.status is Status.INSUFFICIENT
    assert judgement.reason == "gaps in the data are unknown: the policy names no time column"


def test_a_column_that_is_no_time_makes_each_limit_insufficient(bike):
    judgements = judge_one("continuity", {**BOTH, "column": "weathersit"}, a_number(0), bike)
    assert [one.status for one in judgements] == [Status.INSUFFICIENT] * 2
    assert {one.reason for one in judgements} == {
        "column weathersit is categorical; only a column that is a time can be judged here"
    }


def test_missing_is_insufficient(bike):
    judgements = judge_one("continuity", BOTH, Missing("one row has no stretches"), bike)
    assert [one.status for one in judgements] == [Status.INSUFFICIENT] * 2


def test_refuses_to_limit_nothing():
    with pytest.raises(
        ValidationError, match="max_gap and min_rows_per_day are missing; without a limit nothing could fail"
    ):
        a_check("continuity", {"column": "at"})
