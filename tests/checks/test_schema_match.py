"""The columns that the model was made for."""

from __future__ import annotations

import pytest

from gate.domain.candidate import Signature, SignatureColumn
from gate.domain.evidence import Missing
from gate.domain.finding import Status
from gate.domain.scope import Roles
from gate.testing import a_check, a_scope, judge_one

REFERENCE = {"age": "BIGINT", "occupation": "VARCHAR", "member": "BOOLEAN", "at": "TIMESTAMP"}


def judged(current, reference=None, *, fields=None, **scope):
    made = a_scope(REFERENCE if reference is None else reference, current=current, **scope)
    return judge_one("schema_match", fields or {}, Missing("not asked"), made)


def without(*names, **more):
    return {name: type_ for name, type_ in REFERENCE.items() if name not in names} | more


def reasons(judgements):
    return [(str(one.status), one.reason) for one in judgements]


def test_the_same_columns_pass():
    assert reasons(judged(REFERENCE)) == [
        ("pass", "the current data has every column of the reference, with its type (4 in all)")
    ]


def test_needs_no_evidence(bike):
    assert a_check("schema_match", {}).needs(bike) == ()


def test_a_missing_column_fails_by_name():
    (missing,) = judged(without("occupation"))
    assert missing.status is Status.FAIL
    assert missing.subject == {"column": "occupation"}
    assert missing.reason == "occupation is missing from the current data; the reference has it"
    assert missing.flip == "occupation: deliver occupation again"


def test_a_renamed_column_names_both_the_missing_and_the_new_one():
    assert reasons(judged(without("occupation", Occupation_="VARCHAR"))) == [
        ("fail", ("occupation is missing from the current data; the reference has it; did you mean "
         "renamed to Occupation_?")),
        ("fail", ("Occupation_ (VARCHAR) is new in the current data, perhaps a column that was "
         "renamed; nobody expects it")),
    ]  # fmt: skip


def test_a_single_new_column_of_like_type_may_be_the_renamed_one_whatever_its_name():
    missing, _ = judged(without("occupation", job="VARCHAR"))
    assert missing.reason.endswith("; did you mean renamed to job?")
    missing, _ = judged(without("occupation", job="DOUBLE"))
    assert "renamed" not in missing.reason


def test_two_strange_columns_are_not_guessed_at():
    assert not any("renamed" in one.reason for one in judged(without("occupation", job="VARCHAR", zip="VARCHAR")))


def test_an_extra_column_fails_unless_allowed_and_then_is_named():
    (extra,) = judged(without(zip="VARCHAR"))
    assert extra.reason == "zip (VARCHAR) is new in the current data; nobody expects it"
    assert reasons(judged(without(zip="VARCHAR"), fields={"allow_extra": True})) == [
        ("pass", "the current data has every column of the reference, with its type (4 in all); beside them zip")
    ]


def test_allowing_extra_columns_still_misses_a_renamed_one():
    (missing,) = judged(without("occupation", job="VARCHAR"), fields={"allow_extra": True})
    assert missing.status is Status.FAIL


@pytest.mark.parametrize(
    ("column", "type_", "reason"),
    [
        ("age", "VARCHAR", "age holds numbers (BIGINT) by the reference, but text (VARCHAR) in the current data"),
        ("age", "BOOLEAN", "age holds numbers (BIGINT) by the reference, but booleans (BOOLEAN) in the current data"),
        ("occupation", "BIGINT", ("occupation holds text (VARCHAR) by the reference, but numbers "
         "(BIGINT) in the current data")),
        ("member", "VARCHAR", ("member holds booleans (BOOLEAN) by the reference, but text (VARCHAR) "
         "in the current data")),
        ("at", "VARCHAR", "at holds times (TIMESTAMP) by the reference, but text (VARCHAR) in the current data"),
        ("age", "STRUCT(a INT)", ("age holds numbers (BIGINT) by the reference, but other values "
         "(STRUCT(a INT)) in the current data")),
    ],
)  # fmt: skip
def test_a_changed_type_fails(column, type_, reason):
    assert reasons(judged(REFERENCE | {column: type_})) == [("fail", reason)]


@pytest.mark.parametrize(("before", "now"), [("BIGINT", "DOUBLE"), ("DOUBLE", "BIGINT")])
def test_whole_and_decimal_numbers_replace_each_other(before, now):
    (judgement,) = judged({"age": now}, {"age": before})
    assert judgement.status is Status.PASS


def test_the_signature_is_held_against_both_sides():
    signature = Signature((SignatureColumn("age", "long"), SignatureColumn("income", "double")))
    assert reasons(judged({"age": "BIGINT"}, {"age": "VARCHAR"}, signature=signature)) == [
        ("fail", "age holds text (VARCHAR) by the reference, but numbers (BIGINT) in the current data"),
        ("fail", "income is missing from the current data; the model's signature has it"),
        ("fail", "age holds numbers (long) by the model's signature, but text (VARCHAR) in the reference"),
        ("fail", "income is in the model's signature but not in the reference"),
    ]  # fmt: skip


def test_an_optional_input_may_be_absent():
    signature = Signature((SignatureColumn("age", "long"), SignatureColumn("note", "string", required=False)))
    (judgement,) = judged({"age": "BIGINT"}, {"age": "BIGINT"}, signature=signature)
    assert judgement.status is Status.PASS
    assert judgement.reason.startswith("the current data has every column of the reference and the model's signature, ")


def test_columns_with_a_role_are_expected_in_current_and_not_extra():
    roles = Roles(target="y", prediction="predicted", champion_prediction="old")
    missing, prediction = judged(
        {"a": "DOUBLE", "old": "DOUBLE", "model_version": "VARCHAR"}, {"a": "DOUBLE", "y": "DOUBLE"}, roles=roles
    )
    assert missing.reason == "y is missing from the current data; the reference has it"
    assert (
        prediction.reason == "predicted is missing from the current data; data.columns.prediction of the policy has it"
    )
    (right,) = judged(
        {"a": "DOUBLE", "y": "DOUBLE", "predicted": "DOUBLE"}, {"a": "DOUBLE", "y": "DOUBLE"}, roles=roles
    )
    assert right.status is Status.PASS


def test_ignored_columns_are_left_out():
    (judgement,) = judged(without("age", "at", note="VARCHAR"), roles=Roles(ignore=("age", "at", "note")))
    assert judgement.status is Status.PASS


def test_columns_of_unmeasured_types_are_named():
    (judgement,) = judged(REFERENCE | {"geo": "STRUCT(a INT)"}, REFERENCE | {"geo": "STRUCT(a INT)"})
    assert judgement.status is Status.PASS
    assert judgement.reason.endswith("; of a type that is not measured: geo")


@pytest.mark.parametrize(("reference", "current"), [({}, {}), ({}, {"a": "DOUBLE"}), ({"a": "DOUBLE"}, {})])
def test_nothing_to_compare_never_passes(reference, current):
    (judgement,) = judged(current, reference)
    assert judgement.status is Status.INSUFFICIENT
    assert judgement.reason.startswith("there is nothing to compare: the ")
