"""Whether there is a champion."""

from __future__ import annotations

import pytest

from gate.domain.evidence import Missing, Stated
from gate.domain.finding import Severity, Status
from gate.testing import a_check, a_scope, judge_one

HOLD, SKIP = a_scope({}), a_scope({}, champion_when_missing="skip")
NONE = Missing("the registry names no champion")


def judged(answer, scope):
    (judgement,) = judge_one("champion", {}, answer, scope)
    return judgement


@pytest.mark.parametrize("scope", [HOLD, SKIP])
def test_a_champion_passes_by_version(candidate, scope):
    judgement = judged(Stated(candidate, "registry"), scope)
    assert (judgement.status, judgement.reason) == (Status.PASS, "the champion is version 3")


def test_without_one_the_policy_decides():
    held, skipped = judged(NONE, HOLD), judged(NONE, SKIP)
    assert (held.status, held.reason) == (Status.INSUFFICIENT, "the registry names no champion")
    assert held.remedy == "give the version that serves today the champion's alias"
    assert skipped.status is Status.WARN
    assert skipped.reason == (
        "the registry names no champion: nothing is compared with it, as the policy allows (when_missing: skip)"
    )


@pytest.mark.parametrize("scope", [HOLD, SKIP])
@pytest.mark.parametrize(
    "answer", [Missing("it hung up", broken=True), Stated("version 3", "registry"), Stated(None, "")]
)
def test_what_broke_is_an_error_whatever_the_policy_allows(answer, scope):
    assert judged(answer, scope).status is Status.ERROR


def test_can_never_be_waived():
    assert a_check("champion", {}).kind_severity is Severity.BLOCKER
