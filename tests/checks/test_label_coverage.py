"""How many of the rows the metrics speak for."""

from __future__ import annotations

import pytest

from gate.domain.evidence import Grouped, Missing
from gate.domain.finding import Severity, Status
from gate.domain.need import ANY, LabelledShare
from gate.domain.scope import Roles
from gate.testing import a_check, a_number, a_scope, judge_one

SCOPE = a_scope({"y": "DOUBLE"}, roles=Roles(target="y"))


def judged(answer):
    (judgement,) = judge_one("label_coverage", {}, answer, SCOPE)
    return judgement


def test_says_how_many_rows_the_metrics_speak_for():
    judgement = judged(a_number(0.075, 2_000))
    assert (judgement.status, judgement.subject) == (Status.WARN, {"column": "y"})
    assert judgement.reason == (
        "150 of 2,000 rows are labelled (7.5 %): metrics speak for those rows only; labelled_share would require more"
    )
    assert judgement.remedy == "wait for more labels, or say in labelled_share how many of the rows need one"


@pytest.mark.parametrize(("share", "status"), [(1, "pass"), (0.9995, "warn"), (0, "warn")])
def test_the_edge(share, status):
    assert judged(a_number(share, 2_000)).status == status


def test_every_row_labelled_says_so():
    assert judged(a_number(1, 2_000)).reason == "all 2,000 rows are labelled"


def test_not_knowing_is_insufficient_and_a_wrong_answer_an_error():
    assert judged(Missing("absent")).status is Status.INSUFFICIENT
    assert judged(Missing("broke", broken=True)).status is Status.ERROR
    assert judged(Grouped(())).status is Status.ERROR


def test_asks_for_the_share_and_never_decides():
    check = a_check("label_coverage", {})
    assert check.needs(SCOPE) == (LabelledShare(ANY),)
    assert check.kind_severity is Severity.INFO
