"""`Metrics`: what one process counts, and the text that Prometheus reads."""

from __future__ import annotations

import itertools
import os
import platform
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    GCCollector,
    Histogram,
    PlatformCollector,
    ProcessCollector,
    disable_created_metrics,
)
from prometheus_client.core import GaugeMetricFamily, InfoMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4, generate_latest
from prometheus_client.metrics_core import Metric as Family
from prometheus_client.openmetrics import exposition as openmetrics
from prometheus_client.registry import Collector

import gate
from gate.checks.catalog import check_kinds
from gate.domain.finding import Status
from gate.errors import UsageError
from gate.telemetry.catalogue import BY_NAME, DIMENSIONS, OTHER, RESULTS, Metric

_MOST_ROUTES = 60
_OF_LIBRARIES = ("evidently", "mlflow")
_MULTIPROCESS = ("PROMETHEUS_MULTIPROC_DIR", "prometheus_multiproc_dir")
_WORST_FIRST = (Status.FAIL, Status.ERROR, Status.INSUFFICIENT, Status.WARN, Status.PASS)

# Absent until they are known: a zero would be a moment in 1970, or a claim that something failed.
_LATER = (
    "gate_policy_reload_success",
    "gate_policy_last_reload_timestamp_seconds",
    "gate_mlflow_last_success_timestamp_seconds",
    "gate_worker_slots",
)


class Metrics:
    """Everything that one process counts since it started, in a registry of its own. Threads may share it.

    Every label set of a closed list is there at 0 from the start: the increase of a counter that is born at 1 is 0.
    A label value that is on no list becomes `other`.
    """

    def __init__(self, environment: Mapping[str, str] = os.environ) -> None:
        """Begin to count.

        Raises:
            UsageError: the environment asks for the client library's multi-process mode.
        """
        _refuse_multiprocess(environment)
        disable_created_metrics()  # type: ignore[no-untyped-call]
        self._registry = CollectorRegistry()
        for collector in (ProcessCollector, PlatformCollector, GCCollector):
            collector(registry=self._registry)
        self._later = _Later()
        self._registry.register(_Build(environment.get("GATE_REVISION", "")))
        self._registry.register(self._later)
        self._evaluations = self._counter("gate_evaluations_total")
        self._duration = self._histogram("gate_evaluation_duration_seconds")
        self._phase = self._histogram("gate_evaluation_phase_duration_seconds")
        self._in_progress = self._gauge("gate_evaluations_in_progress")
        self._swept = self._counter("gate_evaluations_swept_total")
        self._care_failures = self._counter("gate_care_failures_total")
        self._rows = self._counter("gate_rows_scanned_total")
        self._checks = self._counter("gate_checks_total")
        self._calls = self._counter("gate_mlflow_requests_total")
        self._call_duration = self._histogram("gate_mlflow_request_duration_seconds")
        self._requests = self._counter("gate_http_requests_total")
        self._request_duration = self._histogram("gate_http_request_duration_seconds")
        self._routes: set[str] = set()
        self._routes_lock = threading.Lock()
        for kind, check in check_kinds().items():
            for result in RESULTS:
                self._checks.labels(str(check.kind_dimension), kind, result)

    def register(self, collector: Collector) -> None:
        """Export what a collector collects at each scrape, too."""
        self._registry.register(collector)

    # --- what others tell -----------------------------------------------------------------------------------------

    def http(self, method: str, route: str, code: int, seconds: float) -> None:
        """Count an HTTP request. `route` is the template of the path; after 60 of them, others are one."""
        with self._routes_lock:
            if route not in self._routes:
                if len(self._routes) < _MOST_ROUTES:
                    self._routes.add(route)
                else:
                    route = OTHER
        labels = _listed("gate_http_requests_total", "method", method), route
        self._requests.labels(*labels, str(code) if 100 <= code <= 599 else OTHER).inc()
        self._request_duration.labels(*labels).observe(seconds)

    def evaluation(
        self, trigger: str, outcome: str, seconds: float, phases: Mapping[str, float], queue_wait: float | None,
        evaluation_id: str | None = None,
    ) -> None:  # fmt: skip
        """Count work on an evaluation that is over. `phases` are its timings; `queue_wait` seconds went before them."""
        outcome = _listed("gate_evaluations_total", "outcome", outcome)
        self._evaluations.labels(_listed("gate_evaluations_total", "trigger", trigger), outcome).inc()
        self._duration.labels(outcome).observe(seconds, {"evaluation_id": evaluation_id} if evaluation_id else None)
        waits = {} if queue_wait is None else {"queue_wait": max(0.0, queue_wait)}
        for phase, length in {**phases, **waits}.items():
            self._phase.labels(_listed("gate_evaluation_phase_duration_seconds", "phase", phase)).observe(length)

    def checks(self, findings: Iterable[Mapping[str, Any]]) -> None:
        """Count the checks behind the findings of a verdict, each by its worst; what is no check does not count."""
        worst: dict[tuple[str, str, str], Status] = {}
        for finding in findings:
            check = str(finding["dimension"]), str(finding["kind"]), str(finding.get("check", finding["kind"]))
            status = Status(finding["status"])
            worst[check] = min(status, worst.get(check, status), key=_WORST_FIRST.index)
        for (dimension, kind, _), status in worst.items():
            if kind in check_kinds():
                self._checks.labels(dimension if dimension in DIMENSIONS else OTHER, kind, status).inc()

    def mlflow(self, operation: str, result: str, seconds: float) -> None:
        """Count a question to MLflow."""
        operation = _listed("gate_mlflow_requests_total", "operation", operation)
        self._calls.labels(operation, _listed("gate_mlflow_requests_total", "result", result)).inc()
        self._call_duration.labels(operation).observe(seconds)
        if result in ("ok", "not_found"):
            self._later.set("gate_mlflow_last_success_timestamp_seconds", time.time())

    def scanned(self, rows: int) -> None:
        """Count rows that were read."""
        self._rows.inc(rows)

    def swept(self, number: int) -> None:
        """Count evaluations that were ended for being past their deadline."""
        self._swept.inc(number)

    def care_failed(self, task: str) -> None:
        """Count that a task of `catalogue.CARE` failed, in whole or for one model."""
        self._care_failures.labels(_listed("gate_care_failures_total", "task", task)).inc()

    def policy_reload(self, ok: bool, at: datetime) -> None:
        """Note how reading the policies went; `at` is when those in force were read."""
        self._later.set("gate_policy_reload_success", float(ok))
        self._later.set("gate_policy_last_reload_timestamp_seconds", at.timestamp())

    def in_progress(self, change: int) -> None:
        """Note that one evaluation more (+1) or less (-1) is worked on."""
        self._in_progress.inc(change)

    def slots(self, number: int | Callable[[], int]) -> None:
        """Note how many evaluations this process may work on at once, or what says so at each scrape."""
        self._later.set("gate_worker_slots", number)

    # --- what Prometheus asks -------------------------------------------------------------------------------------

    def render(self, accept: str = "") -> tuple[bytes, str]:
        """Write all metrics in the format that an Accept header prefers, with its content type.

        The state of the database is among them, so this may take as long as its collector waits; call it on a thread.
        """
        if any(part.split(";")[0].strip() == "application/openmetrics-text" for part in accept.split(",")):
            text = openmetrics.generate_latest(self._registry)  # type: ignore[no-untyped-call]
            return text, openmetrics.CONTENT_TYPE_LATEST
        return generate_latest(self._registry), CONTENT_TYPE_PLAIN_0_0_4

    # --- building -------------------------------------------------------------------------------------------------

    def _counter(self, name: str) -> Counter:
        metric = BY_NAME[name]
        counter = Counter(metric.family, metric.meaning, metric.labels, registry=self._registry)
        for labels in _all_labels(metric):
            counter.labels(*labels)
        return counter

    def _gauge(self, name: str) -> Gauge:
        metric = BY_NAME[name]
        return Gauge(metric.name, metric.meaning, metric.labels, registry=self._registry)

    def _histogram(self, name: str) -> Histogram:
        metric = BY_NAME[name]
        histogram = Histogram(
            metric.name, metric.meaning, metric.labels, registry=self._registry, buckets=metric.buckets
        )
        for labels in _all_labels(metric):
            histogram.labels(*labels)
        return histogram


class _Later:
    """Gauges without labels that are absent until somebody knows their value."""

    def __init__(self) -> None:
        self._values: dict[str, float | Callable[[], float]] = {}

    def set(self, name: str, value: float | Callable[[], float]) -> None:
        """Set one of them, or what is asked for it at each scrape."""
        self._values[name] = value

    def collect(self) -> Iterator[Family]:
        """Give all of them, with or without a value."""
        for name in _LATER:
            value = self._values.get(name)
            yield GaugeMetricFamily(name, BY_NAME[name].meaning, value=value() if callable(value) else value)


class _Build:
    """Which build this is."""

    def __init__(self, revision: str) -> None:
        installed = {name: _version(name) for name in _OF_LIBRARIES}
        own = {"version": gate.__version__, "revision": revision, "python": platform.python_version()}
        self._said = own | installed

    def collect(self) -> Iterator[Family]:
        """Give the one series."""
        metric = BY_NAME["gate_build_info"]
        yield InfoMetricFamily(metric.family, metric.meaning, value=self._said)


@cache
def _version(library: str) -> str:
    for distribution in (library, f"{library}-skinny"):
        try:
            return version(distribution)
        except PackageNotFoundError:
            continue
    return ""


def _listed(metric: str, label: str, value: str) -> str:
    return value if value in BY_NAME[metric].values[label] else OTHER


def _all_labels(metric: Metric) -> Iterator[tuple[str, ...]]:
    """Every label set, if all labels take their values from closed lists; else none, for nobody knows them yet."""
    if metric.labels and set(metric.labels) == set(metric.values):
        yield from itertools.product(*(metric.values[label] for label in metric.labels))


def _refuse_multiprocess(environment: Mapping[str, str]) -> None:
    """In that mode collectors, infos and exemplars vanish without an error, and dead workers leave files behind."""
    for name in _MULTIPROCESS:
        if environment.get(name):
            raise UsageError(
                f"{name} is set: gate exports from one process each and would lose metrics in this mode; unset it, and "
                "scale by more processes, each scraped by itself"
            )
