"""Columns that nothing looks at."""

from __future__ import annotations

import pytest

from gate.checks.skipped_columns import skipped
from gate.domain.candidate import Signature, SignatureColumn
from gate.domain.evidence import Missing
from gate.domain.finding import Severity, Status
from gate.domain.scope import Roles
from gate.testing import a_check, a_scope, judge_one


def judged(scope):
    return judge_one("skipped_columns", {}, Missing("not asked"), scope)


def test_names_each_with_its_type():
    scope = a_scope({"a": "DOUBLE", "geo": "STRUCT(x INT)"}, current={"a": "DOUBLE", "raw": "BLOB"})
    geo, raw = judged(scope)
    assert geo.status is raw.status is Status.WARN
    assert geo.reason == "geo (STRUCT(x INT)) has a type that is not measured"
    assert raw.reason == "raw (BLOB) has a type that is not measured"
    assert (geo.subject, raw.subject) == ({"column": "geo"}, {"column": "raw"})
    assert raw.remedy == "take it apart into plain columns, or list it under data.columns.ignore"


def test_a_feature_that_is_a_time_is_named():
    (due,) = judged(a_scope({"a": "DOUBLE", "at": "TIMESTAMP", "due": "TIMESTAMP"}, roles=Roles(timestamp="at")))
    assert (due.status, due.reason) == (Status.WARN, "due (TIMESTAMP) is a time, whose drift is not measured")
    assert due.remedy == "derive plain columns from it, such as an hour or an age"


def test_an_input_of_the_model_is_called_that_and_no_other_time_is_a_feature():
    signature = Signature((SignatureColumn("due", "datetime"), SignatureColumn("geo", "any")))
    types = {"due": "TIMESTAMP", "geo": "STRUCT(x INT)", "seen": "TIMESTAMP", "raw": "BLOB"}
    assert [one.reason for one in judged(a_scope(types, signature=signature))] == [
        "due (TIMESTAMP), an input of the model, is a time, whose drift is not measured",
        "geo (STRUCT(x INT)), an input of the model, has a type that is not measured",
        "raw (BLOB) has a type that is not measured",
    ]


@pytest.mark.parametrize("column", [{"raw": "BLOB"}, {"at": "TIMESTAMP"}])
def test_ignored_ones_are_known_to_be_skipped(column):
    (judgement,) = judged(a_scope(column, roles=Roles(ignore=tuple(column))))
    assert (judgement.status, judgement.reason) == (Status.PASS, "every column has a type that can be measured")


def test_an_absent_input_is_left_to_schema_match():
    assert skipped(a_scope({"a": "DOUBLE"}, signature=Signature((SignatureColumn("due", "datetime"),)))) == ()


def test_never_decides():
    assert a_check("skipped_columns", {}).kind_severity is Severity.INFO
