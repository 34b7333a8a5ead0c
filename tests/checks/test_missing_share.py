"""Missing values."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from gate.domain.dataset import Side
from gate.domain.evidence import Missing
from gate.domain.finding import Status
from gate.domain.need import Limit, MissingShare
from gate.domain.scope import Roles
from gate.testing import a_check, a_number, a_scope, judge_one

OCCUPATION = a_scope({"occupation": "VARCHAR"})


def judged(share, **fields):
    (judgement,) = judge_one("missing_share", {"max": 0.05, **fields}, a_number(share), OCCUPATION)
    return judgement


def test_passes_at_exactly_the_limit():
    judgement = judged(0.05)
    assert judgement.status is Status.PASS
    assert judgement.reason == "occupation is missing in 5 % of rows, limit at most 5 %"
    assert judgement.remedy == judgement.flip == ""


def test_fails_one_row_past_the_limit_and_says_so_though_both_round_to_the_same():
    judgement = judged(0.05001)
    assert judgement.status is Status.FAIL
    assert judgement.reason == "occupation is missing in 5 % of rows, just beyond the limit at most 5 %"


def test_a_fault_is_a_sentence_with_its_numbers():
    judgement = judged(0.301)
    assert judgement.status is Status.FAIL
    assert judgement.reason == "occupation is missing in 30.1 % of rows, limit at most 5 %"
    assert judgement.remedy == "find out where the feed loses occupation, or let the model and the limit expect it"
    assert judgement.flip == "occupation: bring the missing share from 30.1 % to at most 5 %"
    assert (judgement.subject, judgement.measured, judgement.limit) == (
        {"column": "occupation"}, 0.301, Limit(max=0.05),
    )  # fmt: skip


def test_missing_evidence_is_insufficient_and_broken_evidence_an_error():
    for broken, status in ((False, Status.INSUFFICIENT), (True, Status.ERROR)):
        (judgement,) = judge_one("missing_share", {"max": 1}, Missing("the scan stopped", broken=broken), OCCUPATION)
        assert (judgement.status, judgement.reason) == (status, "the scan stopped")
        assert judgement.flip == "occupation: the scan stopped"


def test_a_column_that_current_lacks_is_insufficient_and_named():
    scope = a_scope({"occupation": "VARCHAR", "age": "BIGINT"}, current={"age": "BIGINT"})
    gone, age = judge_one("missing_share", {"max": 0.05}, a_number(0.0), scope)
    assert gone.status is Status.INSUFFICIENT
    assert gone.reason == "column occupation is absent from the current data"
    assert age.status is Status.PASS


def test_takes_features_and_predictions_unless_columns_are_listed(bike):
    assert a_check("missing_share", {"max": 0}).needs(bike) == tuple(
        MissingShare(Limit(max=0.0), column, Side.CURRENT) for column in ("temp", "hum", "weathersit", "predicted")
    )
    assert a_check("missing_share", {"max": 0, "columns": ["at"]}).needs(bike) == (
        MissingShare(Limit(max=0.0), "at", Side.CURRENT),
    )


def test_without_any_column_it_is_insufficient():
    (judgement,) = judge_one(
        "missing_share", {"max": 0}, a_number(0), a_scope({"y": "DOUBLE"}, roles=Roles(target="y"))
    )
    assert judgement.status is Status.INSUFFICIENT
    assert judgement.reason == "there is no column for missing_share to look at"


@pytest.mark.parametrize("bad", [{}, {"max": 1.1}, {"max": -0.1}, {"max": 0, "columns": []}, {"max": "5%"}])
def test_refuses_limits_and_columns_that_say_nothing(bad):
    with pytest.raises(ValidationError):
        a_check("missing_share", bad)


def test_refuses_a_column_that_is_listed_twice():
    with pytest.raises(ValidationError, match="got 'a' twice, allowed is each one once"):
        a_check("missing_share", {"max": 0, "columns": ["a", "b", "a"]})
