"""Whose predictions the data holds."""

from __future__ import annotations

import pytest

from gate.domain.evidence import Missing, Stated
from gate.domain.finding import Severity, Status
from gate.testing import a_check, a_number, a_scope, judge_one


def judged(answer):
    (judgement,) = judge_one("predictions", {}, answer, a_scope({}))
    return judgement


def test_bound_predictions_pass():
    judgement = judged(Stated("bound", "data"))
    assert (judgement.status, judgement.reason) == (Status.PASS, "the predictions are the candidate's own")


def test_unbound_predictions_warn_and_say_what_to_do():
    judgement = judged(Stated("unbound", "data"))
    assert judgement.status is Status.WARN
    assert judgement.reason == ("nothing says which model made the predictions: they are taken to be the candidate's")
    assert judgement.remedy == (
        "add a column model_version with the candidate's version to the current data, "
        "or log the dataset on the candidate's run"
    )


@pytest.mark.parametrize(
    ("versions", "named"),
    [(("2",), "'2'"), (("2", "4", "5", "6"), "'2', '4', '5' and 1 more"), (("",), "rows without a version")],
)
def test_predictions_of_another_version_fail_by_name(versions, named):
    judgement = judged(Stated(versions, "data"))
    assert judgement.status is Status.FAIL
    assert judgement.reason == (f"the column model_version holds predictions that are not the candidate's: {named}")
    assert judgement.flip == "replace the predictions of other models by the candidate's"


@pytest.mark.parametrize("nonsense", [Stated((), "data"), Stated("mine", "data"), Stated(None, "data"), a_number(1)])
def test_nonsense_is_an_error(nonsense):
    assert judged(nonsense).status is Status.ERROR


def test_missing_is_insufficient():
    assert judged(Missing("no current data")).status is Status.INSUFFICIENT


def test_can_never_be_waived():
    assert a_check("predictions", {}).kind_severity is Severity.BLOCKER
