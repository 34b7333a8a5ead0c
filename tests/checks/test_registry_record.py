"""What the registry says."""

from __future__ import annotations

from dataclasses import replace

import pytest
from pydantic import ValidationError

from gate.domain.evidence import Missing, Stated
from gate.domain.finding import Dimension, Status
from gate.domain.need import ANY, Record
from gate.testing import a_check, a_number, a_scope, judge_one

SCOPE = a_scope({"a": "DOUBLE"})
ALL = ["owner", "description", "signature", "lineage"]


def judged(candidate, scope=SCOPE, **fields):
    return judge_one("registry_record", fields, Stated(candidate, "registry"), scope)


def reasons(judgements):
    return [(str(one.status), one.reason) for one in judgements]


def test_a_full_record_passes_and_says_what_is_there(candidate):
    assert reasons(judged(candidate, requires=ALL)) == [
        ("pass", "owner: mobility"),
        ("pass", "description: 'Hourly demand.'"),
        ("pass", "signature: temp"),
        ("pass", "lineage: run r1 logged bikes (training)"),
    ]


def test_an_empty_record_fails_everywhere(candidate):
    empty = replace(candidate, tags={"owner": " "}, model_tags={}, description="\n", signature=None, datasets=())
    judgements = judged(empty, requires=ALL)
    assert reasons(judgements) == [("fail", f"the registry has no {what} for bike-demand") for what in ALL]
    assert [one.remedy for one in judgements] == [
        "set the tag owner on models:/bike-demand/3, or owner in the policy, to who answers for the outcome",
        "describe models:/bike-demand/3 in the registry: what it is for and its limits",
        "log the model with a signature that names its inputs",
        "register the model from a run that logs its training data (mlflow.log_input)",
    ]
    assert all(one.flip for one in judgements)


def test_the_owner_of_the_policy_and_the_description_of_the_model_count(candidate):
    bare = replace(candidate, tags={}, model_tags={}, description="", model_description="Demand.")
    owned = a_scope({"a": "DOUBLE"}, owner="mobility-analytics")
    assert {one.status for one in judged(bare, owned, requires=["owner", "description"])} == {Status.PASS}


def test_a_run_without_datasets_is_no_lineage(candidate):
    for loss in ({"run_id": None}, {"datasets": ()}):
        (judgement,) = judged(replace(candidate, **loss), requires=["lineage"])
        assert judgement.status is Status.FAIL


@pytest.mark.parametrize(
    ("tags", "status", "reason"),
    [
        ({"risk": "low|medium"}, "pass", "the tag risk is 'low'"),
        ({"risk": None}, "pass", "the tag risk is 'low'"),
        ({"risk": "lo"}, "fail", "the tag risk is 'low', allowed is lo"),
        ({"data_protection": "DP-[0-9]+"}, "pass", "the tag data_protection is 'DP-7'"),
        ({"review": None}, "fail", "the tag review is not set"),
    ],
)
def test_a_tag_is_there_and_matches_throughout(candidate, tags, status, reason):
    assert reasons(judged(candidate, tags=tags)) == [(status, reason)]


def test_the_tag_of_the_version_speaks_before_the_model_s(candidate):
    both = replace(candidate, model_tags={"risk": "high"})
    assert reasons(judged(both, tags={"risk": "low"})) == [("pass", "the tag risk is 'low'")]


def test_no_record_is_insufficient_and_nonsense_an_error():
    (missing,) = judge_one("registry_record", {"requires": ["owner"]}, Missing("no such version"), SCOPE)
    (nonsense,) = judge_one("registry_record", {"requires": ["owner"]}, a_number(1), SCOPE)
    assert (missing.status, nonsense.status) == (Status.INSUFFICIENT, Status.ERROR)


def test_is_about_the_organisation_and_reads_the_record():
    check = a_check("registry_record", {"requires": ["owner"]})
    assert check.kind_dimension is Dimension.ORGANISATION
    assert check.needs(SCOPE) == (Record(ANY),)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({}, "requires and tags are missing; nothing would be required"),
        ({"requires": ["ownership"]}, "'owner', 'description', 'signature' or 'lineage'"),
        ({"tags": {"risk": "(low"}}, "allowed is an RE2 regular expression"),
    ],
)
def test_refuses_what_requires_nothing(fields, message):
    with pytest.raises(ValidationError, match=message):
        a_check("registry_record", fields)
