"""What a process counts, and the two formats it is written in."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import prometheus_client.openmetrics.parser as openmetrics_parser
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from prometheus_client.parser import text_string_to_metric_families

from gate.errors import UsageError
from gate.telemetry.metrics import Metrics


@pytest.fixture
def metrics() -> Metrics:
    return Metrics({})


@pytest.fixture
def scrape(metrics, make):
    return lambda: make["scrape"](metrics)


# --- counting ---------------------------------------------------------------------------------------------------------


def test_an_evaluation_is_counted_timed_and_split_into_phases(metrics, scrape):
    metrics.evaluation("ci", "hold", 3.0, {"registry": 0.2, "judge": 0.01, "a new one": 1.0}, 40.0, "e-1")
    now = scrape()
    assert now.value("gate_evaluations_total", trigger="ci", outcome="hold") == 1
    assert sum(now.series("gate_evaluations_total").values()) == 1
    assert now.value("gate_evaluation_duration_seconds_sum", outcome="hold") == 3.0
    phases = now.series("gate_evaluation_phase_duration_seconds_sum")
    assert {name: seconds for (name,), seconds in phases.items() if seconds} == {
        "queue_wait": 40.0, "registry": 0.2, "judge": 0.01, "other": 1.0,
    }  # fmt: skip


def test_a_check_is_counted_once_by_its_worst_finding_and_a_note_is_no_check(metrics, scrape):
    said = [
        ("a", "feature_drift", "pass"),
        ("a", "feature_drift", "fail"),
        ("a", "feature_drift", "error"),
        ("b", "feature_drift", "insufficient"),
        ("b", "feature_drift", "warn"),
        ("w", "waivers", "warn"),
    ]
    metrics.checks(
        {"check": check, "kind": kind, "dimension": "technical", "status": status} for check, kind, status in said
    )
    counted = {labels: number for labels, number in scrape().series("gate_checks_total").items() if number}
    assert counted == {("feature_drift", "technical", "fail"): 1, ("feature_drift", "technical", "insufficient"): 1}


def test_findings_that_do_not_name_their_check_are_told_apart_by_kind(metrics, scrape):
    metrics.checks([{"kind": "row_count", "dimension": "risk", "status": "pass"}] * 3)
    assert scrape().value("gate_checks_total", check_type="row_count", dimension="risk", result="pass") == 1


@pytest.mark.parametrize(("result", "worked"), [("ok", True), ("not_found", True), ("timeout", False)])
def test_mlflow_worked_when_it_answered_as_it_should(metrics, scrape, result, worked):
    assert scrape().series("gate_mlflow_last_success_timestamp_seconds") == {}
    metrics.mlflow("get_model", result, 0.1)
    assert bool(scrape().series("gate_mlflow_last_success_timestamp_seconds")) is worked
    assert scrape().value("gate_mlflow_requests_total", operation="get_model", result=result) == 1


def test_a_failed_reload_keeps_the_time_of_the_policies_in_force(metrics, scrape):
    assert scrape().series("gate_policy_reload_success") == {}
    read = datetime(2026, 11, 22, tzinfo=UTC)
    metrics.policy_reload(True, read)
    metrics.policy_reload(False, read)
    assert scrape().value("gate_policy_reload_success") == 0
    assert scrape().value("gate_policy_last_reload_timestamp_seconds") == read.timestamp()


def test_sums_and_states_of_the_process(metrics, scrape):
    assert (scrape().value("gate_evaluations_swept_total"), scrape().value("gate_worker_slots")) == (0, None)
    metrics.swept(2)
    metrics.scanned(500)
    metrics.in_progress(1)
    metrics.in_progress(1)
    metrics.in_progress(-1)
    metrics.slots(0)
    now = scrape()
    assert now.value("gate_evaluations_swept_total") == 2
    assert now.value("gate_rows_scanned_total") == 500
    assert now.value("gate_evaluations_in_progress") == 1
    assert now.value("gate_worker_slots") == 0


def test_a_worker_that_stops_takes_its_places_along(metrics, scrape):
    places = [2]
    metrics.slots(lambda: places[0])
    assert scrape().value("gate_worker_slots") == 2
    places[0] = 0
    assert scrape().value("gate_worker_slots") == 0


def test_care_that_fails_is_counted_by_task(metrics, scrape):
    tasks = ("reload", "sweep", "reconcile", "watch", "schedule", "purge", "other")
    assert scrape().series("gate_care_failures_total") == dict.fromkeys([(task,) for task in tasks], 0)
    metrics.care_failed("sweep")
    metrics.care_failed("a new one")
    counted = scrape().series("gate_care_failures_total")
    assert {task: number for (task,), number in counted.items() if number} == {"sweep": 1, "other": 1}


def test_work_that_begins_again_has_no_wait_yet(metrics, scrape):
    metrics.evaluation("ci", "retried", 3.0, {}, None, "e-1")
    assert scrape().value("gate_evaluation_phase_duration_seconds_count", phase="queue_wait") == 0


# --- bounds -----------------------------------------------------------------------------------------------------------


def test_nobody_can_make_up_series(metrics, scrape):
    before = scrape().count()
    for number in range(500):
        word = f"word{number}"
        metrics.http(word, f"/{word}", 1000 + number, 0.1)
        metrics.evaluation(word, word, 1.0, {word: 1.0}, 0.0, None)
        metrics.mlflow(word, word, 0.1)
    grown = scrape()
    assert len({route for _, _, route in grown.series("gate_http_requests_total")}) == 61  # 60, and `other`
    assert {(code, method) for code, method, _ in grown.series("gate_http_requests_total")} == {("other", "other")}
    # 61 routes, one outcome, one operation, each of a counter and a histogram of 12 buckets; phases have their `other`.
    assert grown.count() - before == (61 + 1 + 1) * (1 + 15)


@settings(max_examples=25)
@given(st.lists(st.tuples(st.text(max_size=20), st.text(max_size=20), st.integers(), st.floats(0, 1e6)), max_size=30))
def test_whatever_is_counted_can_be_read(requests):
    metrics = Metrics({})
    for method, route, code, seconds in requests:
        metrics.http(method, route.encode("utf-8", "replace").decode(), code, seconds)
    total = sum(
        sample.value
        for family in text_string_to_metric_families(metrics.render()[0].decode())
        for sample in family.samples
        if sample.name == "gate_http_requests_total"
    )
    assert total == len(requests)


# --- formats ----------------------------------------------------------------------------------------------------------

PROMETHEUS = (
    "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,"
    "text/plain;version=0.0.4;q=0.5,*/*;q=0.1"
)


def test_prometheus_gets_openmetrics_with_the_evaluation_as_exemplar(metrics):
    metrics.evaluation("ci", "promote", 3.0, {}, None, "7d3f0c52-9a41-4a53-8f0e-2f8b4f2c9a10")
    body, kind = metrics.render(PROMETHEUS)
    assert kind.startswith("application/openmetrics-text; version=1.0.0")
    text = body.decode()
    assert text.endswith("# EOF\n")
    exemplars = re.findall(r'^(\S+)\{le="(\S+)",outcome="promote"\} \S+ # (\{.*\}) 3\.0 ', text, re.MULTILINE)
    assert exemplars == [
        ("gate_evaluation_duration_seconds_bucket", "5.0", '{evaluation_id="7d3f0c52-9a41-4a53-8f0e-2f8b4f2c9a10"}')
    ]
    assert list(openmetrics_parser.text_string_to_metric_families(text))


@pytest.mark.parametrize("accept", ["", "*/*", "text/html", "text/plain;version=0.0.4"])
def test_others_get_the_classic_text_without_exemplars(metrics, accept):
    metrics.evaluation("ci", "promote", 3.0, {}, None, "e-1")
    body, kind = metrics.render(accept)
    assert kind == "text/plain; version=0.0.4; charset=utf-8"
    assert b"evaluation_id" not in body


@settings(max_examples=25)
@given(st.one_of(st.text(), st.text().map(lambda tail: f"application/openmetrics-text;version={tail}")))
def test_no_accept_header_breaks_a_scrape(accept):
    body, _ = _SHARED.render(accept)
    assert b"gate_build_info" in body


_SHARED = Metrics({})


def test_no_series_tells_when_it_was_created(metrics):
    assert b"_created" not in metrics.render()[0]
    assert b"_created" not in metrics.render(PROMETHEUS)[0]


def test_the_process_describes_itself(metrics, scrape):
    assert scrape().value("process_resident_memory_bytes") > 0
    assert {"python_info", "python_gc_collections"} <= set(scrape().families)


def test_two_processes_worth_of_metrics_live_side_by_side(metrics, make):
    other = Metrics({})
    other.swept(5)
    assert make["scrape"](metrics).value("gate_evaluations_swept_total") == 0


@pytest.mark.parametrize("name", ["PROMETHEUS_MULTIPROC_DIR", "prometheus_multiproc_dir"])
def test_the_multi_process_mode_is_refused(name):
    with pytest.raises(UsageError) as caught:
        Metrics({name: "/tmp/somewhere"})
    assert str(caught.value) == (
        f"{name} is set: gate exports from one process each and would lose metrics in this mode; unset it, and scale "
        "by more processes, each scraped by itself"
    )


def test_the_build_is_named():
    text = Metrics({"GATE_REVISION": "0f3c2a1"}).render()[0].decode()
    (line,) = re.findall(r"^gate_build_info\{.*\} 1\.0$", text, re.MULTILINE)
    assert 'revision="0f3c2a1"' in line
    assert re.search(r'evidently="0\.7\.\d+",mlflow="3\.\d+\.\d+",python="3\.\d+\.\d+"', line)
