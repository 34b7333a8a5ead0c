from __future__ import annotations

import copy
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gate.flow.diff import diff

DOCUMENTS = {
    path.stem: json.loads(path.read_text(encoding="utf-8"))
    for path in sorted((Path(__file__).parents[1] / "cli" / "documents").glob("*.json"))
}
HOLD = DOCUMENTS["hold-failed"]


def changed(**findings):
    """The hold, with the first finding about `temp` changed."""
    document = copy.deepcopy(HOLD)
    next(f for f in document["findings"] if f["subject"] == {"column": "temp"}).update(findings)
    return document


@pytest.mark.parametrize("name", DOCUMENTS)
def test_a_verdict_does_not_differ_from_itself(name):
    difference = diff(DOCUMENTS[name], DOCUMENTS[name])
    assert difference["same_decision"]
    assert difference["inputs"] == difference["findings"] == []


@pytest.mark.parametrize(
    ("after", "change"),
    [
        ({"status": "pass"}, "status"),
        ({"waived": True}, "status"),
        ({"severity": "info"}, "status"),
        ({"limit": {"max": 0.5}, "measured": 0.3}, "limit"),
        ({"measured": 0.39}, "measured"),
    ],
)
def test_a_changed_finding_says_what_changed(after, change):
    [found] = diff(HOLD, changed(**after))["findings"]
    assert (found["change"], found["check"], found["subject"]) == (change, "feature_drift", {"column": "temp"})
    assert found["before"]["measured"] == 0.41


def test_a_new_subject_appeared_and_the_old_one_vanished():
    changes = diff(HOLD, changed(subject={"column": "atemp"}))["findings"]
    assert [(c["change"], c["subject"]["column"]) for c in changes] == [("appeared", "atemp"), ("vanished", "temp")]
    assert changes[0]["before"] is None
    assert changes[1]["after"] is None


def test_another_wording_is_no_change():
    assert diff(HOLD, changed(reason="said otherwise"))["findings"] == []


def test_two_findings_on_the_same_subject_are_both_compared():
    twice = copy.deepcopy(HOLD)
    twice["findings"].append(copy.deepcopy(twice["findings"][3]))
    [found] = diff(HOLD, twice)["findings"]
    assert found["change"] == "appeared"


@given(st.permutations(HOLD["findings"]))
def test_the_order_of_findings_does_not_matter(findings):
    assert diff(HOLD, HOLD | {"findings": findings})["findings"] == []


@given(st.sampled_from(sorted(DOCUMENTS)), st.sampled_from(sorted(DOCUMENTS)))
def test_backwards_the_same_things_changed(one, other):
    there, back = diff(DOCUMENTS[one], DOCUMENTS[other]), diff(DOCUMENTS[other], DOCUMENTS[one])
    assert [i["what"] for i in there["inputs"]] == [i["what"] for i in back["inputs"]]
    assert sorted(str(c["subject"]) for c in there["findings"]) == sorted(str(c["subject"]) for c in back["findings"])
