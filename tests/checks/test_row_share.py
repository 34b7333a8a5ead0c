"""How often something happened."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from gate.domain.evidence import Missing
from gate.domain.finding import Dimension, Status
from gate.domain.need import Limit, RowShare
from gate.policy.merge import loosened
from gate.testing import a_check, a_number, a_scope, judge_one

SCOPE = a_scope({"decision": "VARCHAR"}, min_rows=500)
FIELDS = {"column": "decision", "equals": "overridden", "max": 0.1}


def judged(answer, scope=SCOPE, **fields):
    (judgement,) = judge_one("row_share", FIELDS | fields, answer, scope)
    return judgement


@pytest.mark.parametrize(
    ("interval", "status"),
    [((0.04, 0.1), "pass"), ((0.04, 0.11), "insufficient"), ((0.1, 0.2), "insufficient"), ((0.1001, 0.2), "fail")],
)
def test_the_interval_decides(interval, status):
    assert judged(a_number(sum(interval) / 2, interval=interval)).status == status


def test_a_fault_shows_the_interval():
    judgement = judged(a_number(0.3, interval=(0.27, 0.33)))
    assert judgement.reason == (
        "decision is 'overridden' in 30 % of rows (95 % interval 27 % to 33 %), limit at most 10 %"
    )
    assert judgement.remedy == "find out with the people who use the model why decision is 'overridden' so often"
    assert judgement.flip == "bring the share of rows where decision is 'overridden' from 30 % to at most 10 %"


def test_too_close_to_call_says_how_many_rows_would_do():
    judgement = judged(a_number(0.08, interval=(0.06, 0.11)))
    assert judgement.reason == (
        "decision is 'overridden' in 8 % of rows (95 % interval 6 % to 11 %), limit at most 10 %: "
        "too close to call; about 2,250 rows would decide it, 1,250 more than now"
    )
    assert (judgement.rows_missing, judgement.flip) == (1250, "collect about 1,250 more rows")


def test_too_few_rows_are_not_judged():
    judgement = judged(a_number(0, rows=499, details={"occurs": True}))
    assert judgement.status is Status.INSUFFICIENT
    assert judgement.reason.endswith(", but on 499 rows only; 500 are needed, 1 more")


@pytest.mark.parametrize(("equals", "text"), [("yes", "yes"), (1, "1"), (True, "true"), (False, "false")])
def test_compares_as_text(equals, text):
    assert a_check("row_share", FIELDS | {"equals": equals}).needs(SCOPE) == (
        RowShare(Limit(max=0.1), "decision", text, 0.95),
    )


@pytest.mark.parametrize(
    ("type_", "equals", "text"),
    [
        ("BOOLEAN", True, "true"), ("BOOLEAN", "False", "false"), ("BIGINT", 1, "1"), ("DOUBLE", 1, "1"),
        ("DOUBLE", "1.0", "1"), ("DOUBLE", "0.50", "0.5"), ("DOUBLE", "1e20", "1e+20"), ("BIGINT", "-0", "0"),
        ("VARCHAR", "1.0", "1.0"), ("TIMESTAMP", "2026-11-22 12:00:00", "2026-11-22 12:00:00"),
    ],
)  # fmt: skip
def test_is_spelled_as_the_column_spells_it(type_, equals, text):
    (need,) = a_check("row_share", FIELDS | {"equals": equals}).needs(a_scope({"decision": type_}))
    assert need.equals == text


@pytest.mark.parametrize(
    ("type_", "equals"),
    [("BIGINT", True), ("BIGINT", "Yes"), ("BIGINT", "0.5"), ("DOUBLE", "nan"), ("BOOLEAN", 1), ("BOOLEAN", "Yes"),
     ("TIMESTAMP", 1), ("STRUCT", "a")],
)  # fmt: skip
def test_what_the_type_cannot_hold_is_insufficient(type_, equals):
    judgement = judged(a_number(0), a_scope({"decision": type_}), equals=equals)
    assert judgement.status is Status.INSUFFICIENT
    assert judgement.reason == f"column decision is {type_}: none of its values can be '{equals}'"
    assert judgement.flip


def test_a_value_that_nobody_has_is_insufficient_and_shows_what_there_is():
    nobody = a_number(0, details={"occurs": False, "values": ["yes", "no"]})
    judgement = judged(nobody, equals="Yes")
    assert judgement.status is Status.INSUFFICIENT
    assert judgement.reason == "'Yes' is no value of decision on either side; it has: yes, no"
    only_current = judged(nobody, a_scope({}, current={"decision": "VARCHAR"}), equals="Yes")
    assert only_current.reason == "'Yes' is no value of decision in the current data; it has: yes, no"


def test_a_value_that_nobody_is_known_to_have_is_insufficient():
    assert judged(a_number(0)).status is Status.INSUFFICIENT


def test_a_value_that_the_reference_has_or_that_may_be_absent_passes():
    assert judged(a_number(0, details={"occurs": True})).status is Status.PASS
    nobody = a_number(0, details={"occurs": False, "values": ["kept"]})
    assert judged(nobody, values=["overridden"]).status is Status.PASS
    assert judged(nobody, values=["Overridden"]).status is Status.INSUFFICIENT
    numbers = a_scope({"decision": "DOUBLE"})
    assert judged(nobody, numbers, equals=1, values=["1.0"]).status is Status.PASS


def test_what_may_be_absent_is_fixed_once_a_base_leaves_it_out():
    base, child = (a_check("row_share", FIELDS | more) for more in ({}, {"values": ["overridden"]}))
    assert [loose.path for loose in loosened(base, child)] == [("values",)]


def test_an_absent_column_and_missing_evidence_are_insufficient():
    absent = judged(a_number(0), column="gone")
    assert (absent.status, absent.reason) == (Status.INSUFFICIENT, "column gone is absent from the current data")
    assert judged(Missing("all null")).status is Status.INSUFFICIENT


def test_asks_the_business():
    assert a_check("row_share", FIELDS).kind_dimension is Dimension.BUSINESS


@pytest.mark.parametrize(
    "bad", [{"max": None}, {"min": 0.2}, {"equals": 0.5}, {"equals": ""}, {"max": 10}, {"values": []}]
)
def test_refuses_what_decides_nothing(bad):
    with pytest.raises(ValidationError):
        a_check("row_share", FIELDS | bad)
