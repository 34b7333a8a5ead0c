"""Something compared with itself."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from gate.datasets.duck import DuckDatasets
from gate.domain.candidate import Candidate
from gate.domain.dataset import LateLabels, Source
from gate.domain.evidence import Missing, Stated
from gate.domain.finding import Severity, Status
from gate.domain.need import ANY, DataDigests
from gate.flow.records import answer_records
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


def test_a_copy_under_another_name_and_with_labels_is_the_same_data(tmp_path):
    (tmp_path / "train.csv").write_text("id,x\n1,0.5\n2,0.7\n")
    (tmp_path / "pilot.csv").write_text("id,x\n1,0.5\n2,0.7\n")
    (tmp_path / "other.csv").write_text("id,x\n1,0.5\n2,0.8\n")
    (tmp_path / "labels.csv").write_text("id,y\n1,a\n")
    datasets = DuckDatasets(tmp_path / "home")
    labels = LateLabels(str(tmp_path / "labels.csv"), "id", timedelta(0))

    def opened(name: str, late: LateLabels | None = None):
        return datasets.open(Source(str(tmp_path / name), labels=late), now=datetime(2026, 11, 22, tzinfo=UTC))

    def compared(current) -> Status:
        need, candidate = DataDigests(ANY), Candidate("bike", "2", "sha256:aa", "run", "m-1", "models:/m-1")
        answers = answer_records([need], candidate, None, opened("train.csv"), current, Source("x"))
        return judged(answers[need]).status

    assert compared(opened("pilot.csv")) is Status.FAIL
    assert compared(opened("pilot.csv", labels)) is Status.FAIL
    assert compared(opened("other.csv")) is Status.PASS
