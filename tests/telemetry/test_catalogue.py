"""What a scrape of a seeded gate has is what the catalogue says: names, types and labels, no more and no less."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from gate.checks.catalog import check_kinds
from gate.domain.evaluation import Trigger
from gate.domain.finding import Status
from gate.telemetry.catalogue import (
    ANSWERS,
    BY_NAME,
    CARE,
    METRICS,
    OPERATIONS,
    OUTCOMES,
    PHASES,
    TRIGGERS,
    Kind,
    Metric,
    Origin,
)
from gate.telemetry.metrics import Metrics

ROOT = Path(__file__).parents[2]
NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
OPENMETRICS = "application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5"
SUFFIXES = re.compile(r"_(bucket|count|sum)$")


@pytest.fixture
def seeded(fleet, make) -> Metrics:
    """A process that has done everything that is counted, over a store that has everything that is shown."""
    waiver = "waived by A, approved by B, until 2026-12-01: new sensors (X-1)"
    findings = [
        make["drift"]("temp", 0.4, Status.FAIL, interval=(0.3, 0.5)),
        make["drift"]("cnt", 0.02, kind="prediction_drift"),
        make["finding"]("row_share", Status.FAIL, waiver=waiver),
    ]
    fleet.policy("rides", "bike")
    fleet.keep(make["verdict"]("bike", "2", *findings, cause="failed"), trigger=Trigger.SCHEDULE)
    fleet.serve("bike", "2")
    fleet.queue("e-1")
    metrics = Metrics({})
    metrics.register(fleet.collector())
    metrics.http("GET", "/v1/verdicts/{id}", 200, 0.01)
    metrics.evaluation("ci", "hold", 3.2, {"registry": 0.1}, 0.2, "e-1")
    metrics.checks([{"kind": "feature_drift", "dimension": "technical", "status": "fail"}])
    metrics.mlflow("get_model", "ok", 0.02)
    metrics.policy_reload(True, NOW)
    metrics.swept(1)
    metrics.care_failed("watch")
    metrics.scanned(5000)
    metrics.in_progress(1)
    metrics.slots(2)
    return metrics


def described(metric: Metric) -> tuple[str, tuple[str, ...]]:
    return str(metric.kind), tuple(sorted(metric.labels))


def scraped(text: str) -> dict[str, tuple[str, tuple[str, ...]]]:
    """Metric -> its type and the labels of its series, in an OpenMetrics text."""
    found: dict[str, set[tuple[str, tuple[str, ...]]]] = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            name = SUFFIXES.sub("", sample.name) if family.type == "histogram" else sample.name
            if name.startswith("gate_"):
                labels = tuple(sorted(set(sample.labels) - {"le"}))
                found.setdefault(name, set()).add((family.type, labels))
    assert [name for name, shapes in found.items() if len(shapes) > 1] == []
    return {name: shapes.pop() for name, shapes in found.items()}


def test_a_scrape_has_what_the_catalogue_says(seeded):
    assert scraped(seeded.render(OPENMETRICS)[0].decode()) == {name: described(one) for name, one in BY_NAME.items()}


def test_the_classic_format_has_the_same_metrics(seeded):
    typed = re.findall(r"^# TYPE (gate_\w+) (\w+)$", seeded.render()[0].decode(), re.MULTILINE)
    classic = {one.name: str(Kind.GAUGE if one.kind is Kind.INFO else one.kind) for one in METRICS}
    assert dict(typed) == classic


def test_label_values_are_on_their_lists(seeded):
    for family in text_string_to_metric_families(seeded.render(OPENMETRICS)[0].decode()):
        for sample in family.samples:
            metric = BY_NAME.get(SUFFIXES.sub("", sample.name)) or BY_NAME.get(sample.name)
            for label, allowed in metric.values.items() if metric else ():
                assert sample.labels[label] in allowed, sample


def test_no_label_is_without_bound():
    forbidden = {
        "run_id",
        "evaluation_id",
        "verdict_id",
        "user",
        "principal",
        "reason",
        "uri",
        "url",
        "path",
        "segment",
    }
    assert [one.name for one in METRICS if forbidden & set(one.labels)] == []
    versioned = {one.name for one in METRICS if "version" in one.labels}
    assert versioned == {"gate_build_info", "gate_model_info", "gate_served_info"}


def test_the_catalogue_keeps_prometheus_customs():
    for one in METRICS:
        assert re.fullmatch(r"gate(_[a-z0-9]+)+", one.name)
        assert (one.kind is Kind.COUNTER) == one.name.endswith("_total")
        assert (one.kind is Kind.HISTOGRAM) == bool(one.buckets)
        assert one.meaning.endswith((".", "else 0"))
        assert set(one.values) <= set(one.labels)
    assert len(BY_NAME) == len(METRICS)
    assert (len(OPERATIONS), len(ANSWERS), len(TRIGGERS), len(OUTCOMES), len(PHASES)) == (8, 7, 4, 6, 11)
    assert len(CARE) == 6


def test_every_process_metric_of_closed_lists_is_there_at_0_from_the_start():
    found = scraped(Metrics({}).render(OPENMETRICS)[0].decode())
    closed = {
        one.name
        for one in METRICS
        if one.origin is Origin.PROCESS and one.labels and set(one.values) == set(one.labels)
    }
    assert closed <= set(found)
    assert len(closed) == 6


def test_every_kind_of_check_is_counted_from_the_start():
    text = Metrics({}).render()[0].decode()
    kinds = re.findall(r'^gate_checks_total\{check_type="(\w+)".*,result="fail"\} 0\.0$', text, re.MULTILINE)
    assert set(kinds) == set(check_kinds())


def test_the_page_is_what_would_be_written():
    done = subprocess.run(
        [sys.executable, str(ROOT / "bench" / "metrics_reference.py"), "--check"], check=False, capture_output=True
    )
    assert done.returncode == 0, "docs/metrics.md is stale: run python bench/metrics_reference.py"


def test_promtool_has_nothing_to_say(seeded):
    promtool = shutil.which("promtool")
    if promtool is None:
        if os.environ.get("REQUIRE_PROMETHEUS"):
            pytest.fail("REQUIRE_PROMETHEUS is set, and there is no promtool (Debian: prometheus)")
        pytest.skip("promtool is not installed (Debian: prometheus); the metrics were not linted")
    done = subprocess.run([promtool, "check", "metrics"], input=seeded.render()[0], capture_output=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
