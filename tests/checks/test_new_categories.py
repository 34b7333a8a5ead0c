"""Values that the model has never seen."""

from __future__ import annotations

import pytest

from gate.domain.evidence import Missing
from gate.domain.finding import Status
from gate.domain.need import Limit, NewCategories
from gate.testing import a_check, a_number, a_scope, judge_one


@pytest.mark.parametrize(("share", "status"), [(0, "pass"), (0.001, "pass"), (0.0011, "fail")])
def test_the_edge(bike, share, status):
    (judgement,) = judge_one("new_categories", {"max_share": 0.001}, a_number(share), bike)
    assert judgement.status == status


def test_no_new_value_is_allowed_by_default_and_new_ones_are_named(bike):
    values = ["hail", "a" * 50, "fog", "sleet"]
    (judgement,) = judge_one("new_categories", {}, a_number(0.0002, details={"values": values}), bike)
    assert judgement.status is Status.FAIL
    assert judgement.reason == (
        "weathersit has a value that the reference never had in 0.02 % of rows "
        f"('hail', '{'a' * 39}…', 'fog' and 1 more), limit at most 0 %"
    )
    assert judgement.flip == "weathersit: bring the rows with new values from 0.02 % to at most 0 %"


def test_takes_categorical_features(bike):
    assert a_check("new_categories", {}).needs(bike) == (NewCategories(Limit(max=0.0), "weathersit"),)


def test_a_column_that_is_no_category_or_absent_from_a_side_is_insufficient(bike):
    (number,) = judge_one("new_categories", {"columns": ["temp"]}, a_number(0), bike)
    assert number.reason == "column temp is numeric; only a column that is categorical can be judged here"
    scope = a_scope({"a": "VARCHAR"}, current={"a": "VARCHAR", "b": "VARCHAR"})
    (absent,) = judge_one("new_categories", {"columns": ["b"]}, a_number(0), scope)
    assert absent.reason == "column b is absent from the reference data"
    assert number.status is absent.status is Status.INSUFFICIENT


def test_without_categories_it_is_insufficient():
    (judgement,) = judge_one("new_categories", {}, a_number(0), a_scope({"a": "DOUBLE"}))
    assert judgement.reason == "there is no column for new_categories to look at"


def test_missing_is_insufficient(bike):
    (judgement,) = judge_one("new_categories", {}, Missing("too many values"), bike)
    assert judgement.status is Status.INSUFFICIENT
