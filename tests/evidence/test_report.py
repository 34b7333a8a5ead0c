from __future__ import annotations

import json
from datetime import UTC, datetime
from html.parser import HTMLParser

import pandas as pd
import pytest
from evidently.core.report import ReferenceMetricNotFound, Snapshot
from evidently.ui.workspace import Workspace

from gate.domain.evidence import Measured, Missing
from gate.domain.need import Drift, Limit, MissingShare, NewCategories
from gate.domain.picture import Distribution
from gate.errors import EvidenceError
from gate.evidence.measurement import Measurement
from gate.evidence.metrics import METRIC_CLASSES, metric_of
from gate.evidence.report import run_report

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
LIMIT = Limit(max=0.1)


def drift(column, value, bound=0.0):
    measured = Measured(value, 100, "psi", bound=bound)
    return Measurement("ProfileDrift", {"column": column, "method": "psi", "bins": "reference"}, lambda: measured)


def crashing(column, crash):
    def take():
        raise crash

    return Measurement("ProfileDrift", {"column": column, "method": "psi", "bins": "reference"}, take)


def test_the_number_of_the_verdict_is_the_number_of_the_snapshot():
    reported = run_report([drift("a", 0.25), drift("b", 0.5)], NOW)
    shown = {m["config"]["column"]: m["value"] for m in reported.snapshot.dict()["metrics"]}
    assert shown == {"a": 0.25, "b": 0.5}
    assert [reading.value for reading in reported.readings] == [0.25, 0.5]


def test_one_thing_measured_twice_has_one_number_the_closer_one():
    reported = run_report([drift("a", 0.25, bound=0.01), drift("a", 0.251)], NOW)
    assert [(reading.value, reading.bound) for reading in reported.readings] == [(0.251, 0.0), (0.251, 0.0)]
    assert len(reported.snapshot.dict()["metrics"]) == 1


@pytest.mark.parametrize(
    ("crash", "said"),
    [
        (KeyError("nope"), "KeyError: 'nope'"),
        (ReferenceMetricNotFound("abc"), "ReferenceMetricNotFound: Reference data not found for abc"),
    ],
)
def test_a_metric_that_raises_is_broken_and_the_report_is_made_without_it(crash, said):
    reported = run_report([drift("a", 0.25), crashing("bad", crash), drift("b", 0.5)], NOW)
    a, bad, b = reported.readings
    assert (a.value, b.value) == (0.25, 0.5)
    assert bad == Missing(f"Drift of bad (psi) could not be computed: {said}", broken=True)
    kept = json.loads(reported.snapshot.dumps())
    assert len(kept["metric_results"]) == 2
    assert kept["metadata"] == {"absent": [f"Drift of bad (psi): {bad.reason}"]}


def test_somebody_who_wants_to_stop_is_obeyed():
    with pytest.raises(KeyboardInterrupt):
        run_report([crashing("bad", KeyboardInterrupt())], NOW)


def test_metrics_that_run_alone_and_not_together_are_an_error():
    calls = []

    def take():
        calls.append(1)
        if len(calls) == 1:
            raise KeyError("only the first time")
        return Measured(1.0, 1, "psi")

    flaky = Measurement("ProfileDrift", {"column": "x", "method": "psi", "bins": "reference"}, take)
    with pytest.raises(
        EvidenceError, match=r"^the Evidently report failed as a whole: KeyError: 'only the first time'$"
    ):
        run_report([flaky], NOW)


def test_every_metric_is_named_profile_and_has_a_heading():
    values = {"side": "current", "columns": ["a", "b"], "low": None, "high": 3.0, "relative": True, "of": "increase",
              "sample_rows": 10, "seed": 1}  # fmt: skip
    for name, kind in METRIC_CLASSES.items():
        assert name.startswith("Profile")
        fields = [field for field in kind.__fields__ if field not in {"type", "tests", "share_tests"}]
        metric = metric_of(Measurement(name, {field: values.get(field, "{x}") for field in fields}, lambda: None))
        assert metric.title()
        assert "heading" not in fields


def test_a_drifted_column_is_drawn_in_evidentlys_report():
    picture = Distribution("a", numeric=True, labels=("0", "1", "2"), reference=(0.5, 0.5), current=(0.1, 0.9),
                           edges=(0.0, 1.0, 2.0))  # fmt: skip
    dumped = run_report([drift("a", 0.25)], NOW, {"a": picture}).snapshot.dumps()
    widgets = next(iter(json.loads(dumped)["metric_results"].values()))["widget"]
    assert [widget["title"] for widget in widgets] == ["Drift of a (psi)", "a: reference and current"]
    assert [bar["name"] for bar in widgets[1]["params"]["data"]] == ["reference", "current"]


HOSTILE = ["</script><img src=x onerror=alert(1)>", "<script>alert(2)</script>", '"><svg onload=alert(3)>', "{column}"]


class Elements(HTMLParser):
    """Every element that a browser would make of a page."""

    def __init__(self, text):
        super().__init__()
        self.found = []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.found.append((tag, dict(attributes)))


@pytest.fixture(scope="module")
def hostile(pair_of):
    reference = pd.DataFrame({name: ["plain", "</script><img src=x onerror=alert(4)>"] * 50 for name in HOSTILE})
    current = pd.DataFrame({name: ["plain"] * 90 + ["<iframe src=javascript:alert(5)>"] * 10 for name in HOSTILE})
    needs = [kind(LIMIT, name, *more) for name in HOSTILE
             for kind, more in ((Drift, ("tvd",)), (MissingShare, ()), (NewCategories, ()))]  # fmt: skip
    return pair_of(reference, current).gather(*needs, report=True)


def test_hostile_names_and_values_make_no_element_in_the_page(hostile, pair_of):
    harmless = pair_of(pd.DataFrame({"a": ["x", "y"] * 9}), pd.DataFrame({"a": ["x", "y"] * 9}))
    plain = harmless.gather(Drift(LIMIT, "a", "tvd"), report=True).report.files["evidently.html"].decode()
    page = hostile.report.files["evidently.html"].decode()
    expected = [tag for tag, _ in Elements(plain).found]
    assert [tag for tag, _ in Elements(page).found] == expected
    assert not any(name.startswith("on") for _, attributes in Elements(page).found for name in attributes)
    assert "\\u003c/script>\\u003cimg src=x onerror=alert(1)>" in page  # it is there, as data


def test_hostile_names_are_measured_like_any_other(hostile):
    assert all(isinstance(reading, Measured) for reading in hostile.evidence.values())
    assert {picture.column for picture in hostile.pictures.distributions} == set(HOSTILE)


def test_the_snapshot_opens_in_evidentlys_workspace(hostile, tmp_path):
    file = tmp_path / "evidently.json"
    file.write_bytes(hostile.report.files["evidently.json"])
    workspace = Workspace.create(str(tmp_path / "workspace"))
    project = workspace.create_project("pilot")
    workspace.add_run(project.id, Snapshot.load(str(file)))
    (run,) = workspace.list_runs(project.id)
    opened = workspace.get_run(project.id, run)
    assert len(opened.metric_results) == len(hostile.evidence)
