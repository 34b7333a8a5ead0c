"""A window must not lose rows unseen."""

from gate.domain.evidence import Missing, Stated
from gate.domain.finding import Status
from gate.testing import a_scope, judge_one

SCOPE = a_scope({"at": "TIMESTAMP"})


def judge(reading):
    return judge_one("undated_rows", {}, reading, SCOPE)


def test_passes_when_every_row_has_a_time():
    assert [(j.status, j.reason) for j in judge(Stated((0, 0), "data"))] == [(Status.PASS, "every row has a time")]


def test_one_row_without_a_time_fails_its_side():
    (judgement,) = judge(Stated((0, 1), "data"))
    assert judgement.status is Status.FAIL
    assert judgement.reason == "1 row has no time in the current data, so the window leaves them out unseen"
    assert judgement.subject == {"data": "current"}


def test_both_sides_are_told():
    assert [j.reason for j in judge(Stated((2, 1400), "data"))] == [
        "2 rows have no time in the reference data, so the window leaves them out unseen",
        "1,400 rows have no time in the current data, so the window leaves them out unseen",
    ]


def test_not_knowing_is_insufficient():
    assert [j.status for j in judge(Missing("nobody counted"))] == [Status.INSUFFICIENT]
