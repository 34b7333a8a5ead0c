"""Enough labelled rows."""

from __future__ import annotations

import pytest

from gate.domain.evidence import Missing
from gate.domain.finding import Status
from gate.testing import a_number, judge_one


@pytest.mark.parametrize(("share", "status"), [(0.8, "pass"), (0.799, "fail"), (1, "pass")])
def test_the_edge(bike, share, status):
    (judgement,) = judge_one("labelled_share", {"min": 0.8}, a_number(share), bike)
    assert judgement.status == status


def test_says_how_much_is_labelled(bike):
    (judgement,) = judge_one("labelled_share", {"min": 0.8}, a_number(0.25), bike)
    assert judgement.reason == "25 % of the current rows are labelled, limit at least 80 %"
    assert judgement.flip == "bring the labelled share from 25 % to at least 80 %"
    assert judgement.subject == {"column": "cnt"}


def test_missing_is_insufficient(bike):
    (judgement,) = judge_one("labelled_share", {"min": 0}, Missing("the policy names no target"), bike)
    assert judgement.status is Status.INSUFFICIENT
