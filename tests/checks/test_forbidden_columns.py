"""What must not be there."""

from __future__ import annotations

import pytest
import re2
from pydantic import ValidationError

from gate.checks.patterns import BUILT_IN
from gate.domain.candidate import Signature, SignatureColumn
from gate.domain.evidence import Missing
from gate.domain.finding import Status
from gate.domain.need import Limit, PatternShare
from gate.domain.scope import Roles
from gate.testing import a_check, a_number, a_scope, judge_one

SCOPE = a_scope(
    {"age": "BIGINT", "note": "VARCHAR"}, current={"age": "BIGINT", "note": "VARCHAR", "User_SSN": "VARCHAR"}
)


def test_a_forbidden_name_fails_wherever_it_is():
    scope = a_scope({"gender": "VARCHAR"}, current={}, signature=Signature((SignatureColumn("gender", "string"),)))
    (judgement,) = judge_one("forbidden_columns", {"names": ["gen*"]}, a_number(0), scope)
    assert judgement.status is Status.FAIL
    assert judgement.reason == "gender is a forbidden name (gen*) and is in the reference, the model's signature"
    assert judgement.flip == "gender: remove it"


def test_globs_ignore_case_and_ignored_columns_are_looked_at_too():
    scope = a_scope({"User_SSN": "VARCHAR"}, roles=Roles(ignore=("User_SSN",)))
    (judgement,) = judge_one("forbidden_columns", {"names": ["*ssn"]}, a_number(0), scope)
    assert judgement.status is Status.FAIL


def test_no_forbidden_name_passes_and_no_column_does_not():
    (judgement,) = judge_one("forbidden_columns", {"names": ["ssn", "*_password"]}, a_number(0), SCOPE)
    assert judgement.status is Status.PASS
    assert judgement.reason == "none of 3 columns has a forbidden name (ssn, *_password)"
    (judgement,) = judge_one("forbidden_columns", {"names": ["ssn"]}, a_number(0), a_scope({}))
    assert judgement.status is Status.INSUFFICIENT


def test_patterns_are_looked_for_in_every_text_column():
    check = a_check("forbidden_columns", {"patterns": {"email": None, "staff": "EMP-[0-9]{6}"}})
    none = Limit(max=0.0)
    assert check.needs(SCOPE) == tuple(
        PatternShare(none, column, pattern)
        for column in ("note", "User_SSN")
        for pattern in (BUILT_IN["email"], "EMP-[0-9]{6}")
    )


@pytest.mark.parametrize(("share", "status"), [(0.01, "pass"), (0.011, "fail")])
def test_the_edge(share, status):
    fields = {"patterns": {"email": None}, "max_share": 0.01, "columns": ["note"]}
    (judgement,) = judge_one("forbidden_columns", fields, a_number(share), SCOPE)
    assert judgement.status == status


def test_a_match_says_how_often_and_never_what():
    fields = {"patterns": {"email": None}, "columns": ["note"]}
    (judgement,) = judge_one("forbidden_columns", fields, a_number(0.02), SCOPE)
    assert judgement.reason == "note looks like email in 2 % of its values, limit at most 0 %"
    assert judgement.remedy == "remove or mask what looks like email in note"
    assert judgement.subject == {"column": "note", "pattern": "email"}


def test_a_column_without_text_passes_only_if_nobody_asked_for_it():
    (nothing,) = judge_one("forbidden_columns", {"patterns": {"iban": None}}, a_number(0), a_scope({"a": "DOUBLE"}))
    assert (nothing.status, nothing.reason) == (
        Status.PASS, "there is no text column in the current data that could hold iban",
    )  # fmt: skip
    fields = {"patterns": {"iban": None}, "columns": ["age", "gone"]}
    judgements = judge_one("forbidden_columns", fields, a_number(0), SCOPE)
    assert [(one.status, one.reason) for one in judgements] == [
        (Status.INSUFFICIENT, "column age holds numbers, no text to look into"),
        (Status.INSUFFICIENT, "column gone is absent from the current data"),
    ]
    (empty,) = judge_one("forbidden_columns", {"patterns": {"iban": None}}, a_number(0), a_scope({}))
    assert empty.status is Status.INSUFFICIENT


def test_missing_is_insufficient():
    fields = {"patterns": {"email": None}, "columns": ["note"]}
    (judgement,) = judge_one("forbidden_columns", fields, Missing("the scan stopped"), SCOPE)
    assert judgement.status is Status.INSUFFICIENT


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({}, "names and patterns are missing; nothing would be forbidden"),
        ({"patterns": {"phone": "(a"}}, r"got '\(a', allowed is an RE2 regular expression \(missing \): \(a\)"),
        ({"patterns": {"x": "(?=lookahead)"}}, "allowed is an RE2 regular expression"),
        (
            {"patterns": {"zip": None}},
            "patterns.zip: got null, allowed is an RE2 regular expression; only email, phone, iban",
        ),
    ],
)
def test_refuses_what_forbids_nothing(fields, message):
    with pytest.raises(ValidationError, match=message):
        a_check("forbidden_columns", fields)


@pytest.mark.parametrize(
    ("pattern", "text", "found"),
    [
        ("email", "write to Ada.L+x@mail.example.org!", True),
        ("email", "a@b", False),
        ("email", "10 @ 2.50", False),
        ("phone", "call +49 (0)30 901820", True),
        ("phone", "0049301234567", True),
        ("phone", "(555) 123-4567", True),
        ("phone", "2011-01-01 12:00", False),
        ("phone", "ticket 12345678901", False),
        ("phone", "1.0053e+08", False),
        ("iban", "DE89 3704 0044 0532 0130 00", True),
        ("iban", "NO9386011117947", True),
        ("iban", "GB29NWBK60161331926819", True),
        ("iban", "Private-house", False),
        ("iban", "AB12", False),
    ],
)
def test_built_in_patterns(pattern, text, found):
    assert (re2.search(BUILT_IN[pattern], text) is not None) == found
