"""What gate promises whatever the data: harm and absence never turn hold into promote, and order means nothing."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from toy import POLICY, ROWS, Pilot, frame

from gate.datasets.duck import DuckDatasets
from gate.domain.candidate import ModelRef
from gate.domain.dataset import Source
from gate.domain.evidence import Evidence, Measured, Missing, Reading
from gate.domain.finding import Severity
from gate.domain.need import Need
from gate.domain.scope import Scope
from gate.domain.verdict import Decision, decide
from gate.evidence.gather import EvidentlyEvidence
from gate.flow.judge import Needs, implicit_checks, judge_all, needs_of
from gate.flow.records import answer_records
from gate.flow.scope import scope_of
from gate.policy.load import LoadedPolicy, load_policy
from gate.registry.mlflow import MlflowRegistry

NOW = datetime(2026, 10, 10, tzinfo=UTC)


@dataclass(frozen=True)
class Case:
    """A judged pilot, opened up: the evidence can be changed and judged again."""

    policy: LoadedPolicy
    scope: Scope
    needs: Needs
    evidence: Evidence

    @property
    def deciding(self) -> list[Need]:
        """The needs of the checks that take part in the decision."""
        asked = [needed for check, needed in self.needs.items()
                 if check.kind_severity is not Severity.INFO and isinstance(needed, tuple)]  # fmt: skip
        return list(dict.fromkeys(need for needed in asked for need in needed))

    def decision(self, evidence: Evidence) -> Decision:
        return decide(judge_all(self.needs, evidence, self.scope, self.policy, ""))[0]


def judged(folder: Path, registry_uri: str, reference: pd.DataFrame, current: pd.DataFrame | list[Path]) -> Case:
    """Gather real evidence about two frames; the current side may be a list of files."""
    (folder / "policies").mkdir(exist_ok=True)
    (folder / "policies" / "toy.yaml").write_text(POLICY)
    reference.to_parquet(folder / "reference.parquet")
    if isinstance(current, pd.DataFrame):
        current.to_parquet(folder / "current.parquet")
    place = str(folder / "current.parquet") if isinstance(current, pd.DataFrame) else str(current[0].parent)
    candidate = MlflowRegistry(registry_uri).find(ModelRef("toy", "1"))
    policy = load_policy(folder / "policies" / "toy.yaml")
    datasets = DuckDatasets(folder / "home", folder=folder)
    before, now = Source(str(folder / "reference.parquet")), Source(place)
    sides = datasets.open(before, now=NOW), datasets.open(now, now=NOW)
    scope = scope_of(policy.policy, candidate, None, sides[0].facts.schema, sides[1].facts.schema)
    needs = needs_of((*implicit_checks(policy, scope), *policy.checks), scope)
    wanted = list(dict.fromkeys(need for asked in needs.values() if isinstance(asked, tuple) for need in asked))
    records = answer_records(wanted, candidate, None, *sides, now)
    measured = [need for need in wanted if need not in records]
    gathered = EvidentlyEvidence().gather(measured, scope, *sides, now=NOW, report=False)
    return Case(policy, scope, needs, {**gathered.evidence, **records})


@pytest.fixture(scope="module")
def case(tmp_path_factory, registry_uri: str) -> Case:
    return judged(tmp_path_factory.mktemp("case"), registry_uri, frame(1), frame(2, first_id=ROWS))


def harmed(need: Need, reading: Reading, size: float) -> Reading:
    """Move a number the way its limit forbids."""
    if not isinstance(reading, Measured):
        return reading
    away = size if need.limit.max is not None else -size if need.limit.min is not None else 0.0
    interval = reading.interval and (reading.interval[0] + away, reading.interval[1] + away)
    return replace(reading, value=reading.value + away, interval=interval)


def test_the_case_is_promoted_as_it_stands(case: Case):
    assert case.decision(case.evidence) is Decision.PROMOTE


def test_each_piece_of_evidence_is_needed(case: Case):
    for need in case.deciding:
        without = {**case.evidence, need: Missing("nobody knows")}
        assert case.decision(without) is Decision.HOLD, need


@given(st.data())
def test_more_harm_never_turns_hold_into_promote(case: Case, data: st.DataObject):
    sizes = st.dictionaries(st.sampled_from(list(case.evidence)), st.floats(0, 1e4), max_size=6)
    first, more = data.draw(sizes), data.draw(sizes)
    some = {need: harmed(need, reading, first.get(need, 0.0)) for need, reading in case.evidence.items()}
    worse = {need: harmed(need, reading, more.get(need, 0.0)) for need, reading in some.items()}
    if case.decision(some) is Decision.HOLD:
        assert case.decision(worse) is Decision.HOLD


@given(st.data())
def test_losing_evidence_never_turns_hold_into_promote(case: Case, data: st.DataObject):
    names = case.deciding
    sizes = data.draw(st.dictionaries(st.sampled_from(names), st.floats(0, 1e4), max_size=4))
    lost = data.draw(st.sets(st.sampled_from(names), max_size=4))
    broken = data.draw(st.booleans())
    some = {need: harmed(need, reading, sizes.get(need, 0.0)) for need, reading in case.evidence.items()}
    less = {need: Missing("lost", broken=broken) if need in lost else reading for need, reading in some.items()}
    if lost or case.decision(some) is Decision.HOLD:
        assert case.decision(less) is Decision.HOLD


HARMS: Mapping[str, Callable[[pd.DataFrame, float], pd.DataFrame]] = {
    "shift": lambda f, size: f.assign(a=f.a + size),
    "scale": lambda f, size: f.assign(b=f.b * (1 + size)),
    "missing": lambda f, size: f.assign(a=f.a.where(np.arange(len(f)) >= size / 4 * len(f))),
    "new category": lambda f, size: f.assign(kind=f.kind.where(np.arange(len(f)) >= size / 4 * len(f), "violet")),
    "worse predictions": lambda f, size: f.assign(predicted=f.predicted + size),
    "fewer rows": lambda f, size: f.head(int(len(f) * (1 - size / 4))),
    "doubled rows": lambda f, size: pd.concat([f, f.head(int(size / 4 * len(f)))]),
}


@settings(max_examples=6, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from(sorted(HARMS)), st.floats(0.05, 1.5), st.floats(1.0, 2.5))
def test_more_harm_in_the_rows_never_turns_hold_into_promote(
    tmp_path_factory, registry_uri: str, harm: str, size: float, more: float
):
    decisions = []
    for amount in (size, min(size * more, 3.9)):
        made = HARMS[harm](frame(2, first_id=ROWS), amount)
        case = judged(tmp_path_factory.mktemp("harm"), registry_uri, frame(1), made)
        decisions.append(case.decision(case.evidence))
    assert decisions != [Decision.HOLD, Decision.PROMOTE]


@settings(max_examples=4)
@given(st.integers(0, 2**32 - 1), st.integers(2, 5))
def test_file_splits_and_row_order_change_nothing(
    tmp_path_factory, case: Case, registry_uri: str, seed: int, files: int
):
    shuffled = frame(2, first_id=ROWS).sample(frac=1.0, random_state=seed)
    folder = tmp_path_factory.mktemp("split")
    (folder / "parts").mkdir()
    paths = [folder / "parts" / f"{number}.parquet" for number in range(files)]
    for path, rows in zip(paths, np.array_split(np.arange(len(shuffled)), files), strict=True):
        shuffled.iloc[rows].to_parquet(path, index=False)
    other = judged(folder, registry_uri, frame(1), paths)
    for need, reading in case.evidence.items():
        if isinstance(reading, Measured):
            again = other.evidence[need]
            assert isinstance(again, Measured)
            assert again.rows == reading.rows
            assert again.value == pytest.approx(reading.value, rel=1e-9, abs=1e-12), need
    assert other.decision(other.evidence) is Decision.PROMOTE


def test_equal_inputs_are_the_same_attempt_with_the_same_findings(gate, pilot: Pilot):
    first, second = (json.loads(gate("check", "models:/toy/1", "--format", "json").out) for _ in range(2))
    assert first["inputs_digest"] == second["inputs_digest"]
    assert first["findings"] == second["findings"]
    assert first["attempt"] == second["attempt"] == 1


def test_other_data_is_another_attempt(gate, pilot: Pilot):
    gate("check", "models:/toy/1", "--format", "json")
    frame(3, first_id=2 * ROWS).to_parquet(pilot.current)
    assert json.loads(gate("check", "models:/toy/1", "--format", "json").out)["attempt"] == 2
