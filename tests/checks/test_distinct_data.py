"""Something compared with itself."""

from __future__ import annotations

import pytest

from gate.domain.evidence import Missing, Stated
from gate.domain.finding import Severity, Status
from gate.testing import a_check, a_scope, judge_one


def judged(answer):
    (judgement,) = judge_one("distinct_data", {}, answer, a_scope({}))
    return judgement


def test_different_digests_pass():
    judgement = judged(Stated(("sha256:a", "sha256:b"), "data"))
    assert (judgement.status, judgement.reason) == (Status.PASS, "reference and current are different data")


def test_equal_digests_fail():
    judgement = judged(Stated(("sha256:a", "sha256:a"), "data"))
    assert judgement.status is Status.FAIL
    assert judgement.reason == "reference and current are the same data: nothing would be compared"
    assert judgement.flip == "point data.current at what the model saw in the pilot, not at what it was trained on"


@pytest.mark.parametrize("pair", [("none", "none"), ("none", "sha256:a"), ("sha256:a", "none")])
def test_a_side_without_a_digest_passes_and_says_that_nobody_knows(pair):
    judgement = judged(Stated(pair, "data"))
    assert judgement.status is Status.PASS
    assert judgement.reason == "a side has no digest, so whether the two are the same data cannot be told"


@pytest.mark.parametrize("nonsense", [Stated(("a",), ""), Stated("aa", ""), Stated((None, None), ""), Stated((), "")])
def test_nonsense_is_an_error(nonsense):
    assert judged(nonsense).status is Status.ERROR


def test_missing_is_insufficient():
    assert judged(Missing("no data")).status is Status.INSUFFICIENT


def test_can_never_be_waived():
    assert a_check("distinct_data", {}).kind_severity is Severity.BLOCKER
