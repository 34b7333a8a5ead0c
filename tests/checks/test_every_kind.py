"""What every kind of check promises, whatever it looks at."""

from __future__ import annotations

import dataclasses
import json
from functools import cache
from pathlib import Path

import pytest
import yaml
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from gate.checks.catalog import check_kinds, policy_kinds
from gate.checks.explain import explain
from gate.domain.candidate import Artifact, Candidate
from gate.domain.evidence import Grouped, Measured, Missing, Stated
from gate.domain.finding import Dimension, Status
from gate.domain.need import ChampionRecord, DataDigests, PredictionsOf, Quality, Record
from gate.domain.scope import Roles
from gate.testing import a_scope

KINDS = tuple(check_kinds())
TYPES = {
    "temp": "DOUBLE", "hum": "DOUBLE", "windspeed": "DOUBLE", "weathersit": "VARCHAR", "season": "VARCHAR",
    "decision": "VARCHAR", "ride_id": "BIGINT", "timestamp": "TIMESTAMP", "cnt": "BIGINT", "predicted": "DOUBLE",
}  # fmt: skip
SCOPE = a_scope(TYPES, roles=Roles(target="cnt", prediction="predicted", timestamp="timestamp", key="ride_id"))
EMPTY = a_scope({})
CANDIDATE = Candidate("m", "1", "sha256:0", None, None, "s", artifacts=(Artifact("MLmodel", 10),))


@cache
def example(kind):
    (entry,) = yaml.safe_load(explain(check_kinds()[kind]).example)
    assert entry["check"] == kind
    return check_kinds()[kind].model_validate_json(json.dumps(entry))


def stated(need):
    """What a record says when all is well; None for a need that is measured."""
    match need:
        case Record() | ChampionRecord():
            return Stated(CANDIDATE, "registry")
        case PredictionsOf():
            return Stated("bound", "data")
        case DataDigests():
            return Stated(("a", "b"), "data")
        case _:
            return None


def measured(need, value, half_width=0.0, rows=1_000):
    number = Measured(value, rows, "test", interval=(value - half_width, value + half_width))
    return Grouped((("1", number),)) if isinstance(need, Quality) and need.by else number


def statuses(check, answers, scope=SCOPE):
    return [judgement.status for judgement in check.judge(answers, scope)]


@pytest.mark.parametrize("kind", KINDS)
def test_has_a_test_file_of_its_own(kind):
    assert (Path(__file__).parent / f"test_{kind}.py").is_file()


@pytest.mark.parametrize("kind", KINDS)
def test_its_example_loads_and_says_what_it_is(kind):
    assert example(kind).check == kind


@pytest.mark.parametrize("kind", KINDS)
def test_is_explained(kind):
    explanation = explain(check_kinds()[kind])
    assert explanation.text.split()[0] in {"Requires", "Names"}
    assert explanation.line.endswith(".")
    assert len(f"  {kind:<17}  {explanation.line}") <= 80
    assert explanation.dimension in Dimension


@pytest.mark.parametrize("kind", KINDS)
def test_can_be_a_key_and_is_equal_to_its_like(kind):
    assert {example(kind): 1}[example(kind)] == 1


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("scope", [SCOPE, EMPTY], ids=["columns", "no columns"])
def test_without_evidence_it_speaks_and_does_not_pass(kind, scope):
    check = example(kind)
    needs = check.needs(scope)
    judgements = check.judge({need: Missing("gone") for need in needs}, scope)
    assert judgements
    if needs:
        assert {one.status for one in judgements} != {Status.PASS}


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind not in ("skipped_columns", "forbidden_columns")])
def test_without_columns_and_evidence_nothing_passes(kind):
    check = example(kind)
    judgements = check.judge({need: Missing("gone") for need in check.needs(EMPTY)}, EMPTY)
    assert Status.PASS not in {one.status for one in judgements}


@pytest.mark.parametrize("kind", KINDS)
def test_broken_evidence_is_an_error_and_any_lost_answer_shows(kind):
    check = example(kind)
    needs = check.needs(SCOPE)
    fine = {need: stated(need) or measured(need, 0.0) for need in needs}
    for need in needs:
        assert Status.ERROR in statuses(check, fine | {need: Missing("broke", broken=True)})
        assert set(statuses(check, fine | {need: Missing("gone")})) != {Status.PASS}


@pytest.mark.parametrize("kind", KINDS)
def test_an_answer_of_the_wrong_sort_never_passes(kind):
    check = example(kind)
    for need in check.needs(SCOPE):
        answers = {other: stated(other) or measured(other, 0.0) for other in check.needs(SCOPE)}
        for wrong in (Stated(object(), "nowhere"), Grouped(())):
            if isinstance(need, ChampionRecord) and kind == "metric":
                continue  # whether there is one is all it asks; the comparison itself is another need
            assert set(statuses(check, answers | {need: wrong})) != {Status.PASS}


@pytest.mark.parametrize("kind", KINDS)
def test_subjects_tell_the_judgements_apart_and_every_hold_says_what_to_do(kind):
    check = example(kind)
    for answer in (Missing("gone"), None):
        answers = {need: answer or stated(need) or measured(need, 1e12) for need in check.needs(SCOPE)}
        judgements = check.judge(answers, SCOPE)
        subjects = [tuple(one.subject.items()) for one in judgements]
        assert len(set(subjects)) == len(subjects)
        for one in judgements:
            assert one.reason == one.reason.strip()
            if one.status in (Status.FAIL, Status.INSUFFICIENT):
                assert one.flip


NUMBERS = st.floats(-1e6, 1e6)
# What is not better when it is further from the limit on the same side: nothing.
WORSE = st.floats(0, 1e6)


@pytest.mark.parametrize("kind", sorted(policy_kinds()))
@settings(max_examples=25)
@given(value=NUMBERS, width=st.floats(0, 1e3), harm=WORSE, rows=st.integers(0, 5_000))
def test_a_worse_number_never_turns_a_hold_into_a_pass(kind, value, width, harm, rows):
    assume(kind != "row_share" or value != 0)  # a value that no row has is not known to be one at all: it holds
    check = example(kind)
    for need in check.needs(SCOPE):
        if stated(need) is not None:
            continue
        above = need.limit.max is not None and (need.limit.min is None or value > need.limit.min)
        worse = value + harm if above else value - harm
        if need.limit.min is not None and need.limit.max is not None and need.limit.holds(value):
            continue  # inside a two-sided limit neither way is worse
        fine = {other: stated(other) or measured(other, 0.0) for other in check.needs(SCOPE)}
        before = statuses(check, fine | {need: measured(need, value, width, rows)})
        after = statuses(check, fine | {need: measured(need, worse, width, rows)})
        assert after.count(Status.PASS) <= before.count(Status.PASS)


@pytest.mark.parametrize("kind", sorted(policy_kinds()))
@settings(max_examples=25)
@given(value=NUMBERS, bound=st.floats(0, 1e3), more=st.floats(0, 1e3))
def test_a_coarser_number_never_turns_a_hold_into_a_pass(kind, value, bound, more):
    check = example(kind)
    for need in check.needs(SCOPE):
        if stated(need) is not None or (isinstance(need, Quality) and need.by):
            continue
        fine = {other: stated(other) or measured(other, 0.0) for other in check.needs(SCOPE)}
        number = Measured(value, 1_000, "test", bound=bound)
        before = statuses(check, fine | {need: number})
        after = statuses(check, fine | {need: dataclasses.replace(number, bound=bound + more)})
        assert after.count(Status.PASS) <= before.count(Status.PASS)
