"""Columns that nothing looks at."""

from __future__ import annotations

from gate.domain.evidence import Missing
from gate.domain.finding import Severity, Status
from gate.domain.scope import Roles
from gate.testing import a_check, a_scope, judge_one


def judged(scope):
    (judgement,) = judge_one("skipped_columns", {}, Missing("not asked"), scope)
    return judgement


def test_names_them_with_their_types():
    judgement = judged(a_scope({"a": "DOUBLE", "geo": "STRUCT(x INT)"}, current={"a": "DOUBLE", "raw": "BLOB"}))
    assert judgement.status is Status.WARN
    assert judgement.reason == "not measured, because of the type: raw (BLOB), geo (STRUCT(x INT))"
    assert judgement.remedy == "take them apart into plain columns, or list them under data.columns.ignore"


def test_ignored_ones_are_known_to_be_skipped():
    judgement = judged(a_scope({"raw": "BLOB"}, roles=Roles(ignore=("raw",))))
    assert (judgement.status, judgement.reason) == (Status.PASS, "every column has a type that can be measured")


def test_never_decides():
    assert a_check("skipped_columns", {}).kind_severity is Severity.INFO
