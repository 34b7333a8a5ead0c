from __future__ import annotations

import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from gate.domain import need
from gate.domain.dataset import Side
from gate.domain.evidence import Measured, Missing
from gate.domain.need import ANY, Drift, MissingShare, Need, Quality, Record, Rows
from gate.evidence.gather import FAMILIES

FRAME = pd.DataFrame({"x": np.arange(20.0), "y": np.arange(20.0), "g": ["a", "b"] * 10})
ANSWERED_BY_THE_FLOW = {need.Record, need.ChampionRecord, need.PredictionsOf, need.DataDigests, need.UndatedRows}


@pytest.fixture(scope="module")
def pair(pair_of):
    return pair_of(FRAME, FRAME, target="y", prediction="x")


def test_every_need_has_a_family():
    kinds = {kind for kind in vars(need).values() if isinstance(kind, type) and issubclass(kind, Need)} - {Need}
    assert set(FAMILIES) == kinds - ANSWERED_BY_THE_FLOW


def test_every_need_has_an_answer_whatever_it_is(pair):
    needs = [Rows(ANY, Side.CURRENT), Record(ANY), Drift(ANY, "nope", "ks"), Quality(ANY, "mae", by="g")]
    evidence = pair.gather(*needs).evidence
    assert list(evidence) == needs
    assert evidence[needs[1]] == Missing("gate has no way to measure Record", broken=True)


def test_a_need_asked_twice_is_answered_once(pair):
    assert len(pair.gather(Rows(ANY, Side.CURRENT), Rows(ANY, Side.CURRENT)).evidence) == 1


def test_needs_that_differ_in_their_limit_only_have_the_same_number(pair):
    needs = [MissingShare(need.Limit(max=share), "x") for share in (0.1, 0.2)]
    first, second = pair.gather(*needs).evidence.values()
    assert first == second == Measured(0.0, 20, "count", details={"count": 0})


def test_nothing_asked_is_nothing_answered(pair):
    gathered = pair.gather(report=True)
    assert gathered.evidence == {}
    assert set(gathered.report.files) == {"evidently.json", "evidently.html"}


def test_the_work_is_timed(pair):
    assert set(pair.gather(Rows(ANY, Side.CURRENT)).timings_seconds) == {"profile", "import", "report"}


def test_what_a_finding_shows_is_plain_json(pair):
    import json

    needs = [Drift(ANY, "x", "ks"), Drift(ANY, "g", "tvd"), need.OutsideRange(ANY, "x", 1, 2), need.Distinct(ANY, "g"),
             need.NewCategories(ANY, "g"), Quality(ANY, "mae", confidence=0.9)]  # fmt: skip
    for reading in pair.gather(*needs).evidence.values():
        assert isinstance(reading, Measured), reading
        json.dumps([reading.value, reading.interval, reading.bound, dict(reading.details)], allow_nan=False)
        assert type(reading.value) is float


def test_importing_it_imports_no_evidently():
    code = "import sys, gate.evidence.gather; sys.exit(any(m in sys.modules for m in ('evidently', 'pandas', 'scipy')))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
