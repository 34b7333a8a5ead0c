"""Every metric that gate exports, as data: the exporters, `docs/metrics.md` and the dashboards are held to it.

M models (at most 500), S stages (at most 4), F exported features (at most 50 of a model in a stage), D dimensions (4).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType

from gate.domain.evaluation import Trigger
from gate.domain.finding import Dimension, Status
from gate.domain.verdict import Cause, Decision


class Kind(StrEnum):
    """The type of a metric, by Prometheus' names. `info` is a gauge of value 1 in the classic text format."""

    COUNTER = "counter"
    GAUGE = "gauge"
    HISTOGRAM = "histogram"
    INFO = "info"


class Origin(StrEnum):
    """Where a metric's value comes from, and so how the series of several processes are put together.

    `state` is read from the database at each scrape and is the same in every process: `max by (...)`, never `sum`.
    `process` is counted by one process since it started: `sum(rate(...))`.
    """

    STATE = "state"
    PROCESS = "process"


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric, under the name that a query uses.

    Attributes:
        name: as in a scrape: a counter with `_total`, an info with `_info`; a histogram without `_bucket`.
        labels: in the order of the exporters.
        meaning: a sentence; it is the HELP text too.
        bound: how many series one process exports, in the letters of this module's first line.
        values: the closed lists that labels take their values from; a label without one is named by the users.
        buckets: of a histogram, in seconds.
    """

    name: str
    kind: Kind
    origin: Origin
    labels: tuple[str, ...]
    meaning: str
    bound: str
    values: Mapping[str, tuple[str, ...]] = field(default_factory=dict, hash=False)
    buckets: tuple[float, ...] = ()

    @property
    def family(self) -> str:
        """The name in a `# TYPE` line of the OpenMetrics format, and of the client library's families."""
        return self.name.removesuffix("_total").removesuffix("_info")


NONE = "none"
"""The word for a model that has no verdict in a stage."""
OTHER = "other"
"""What stands for a label value that is not on its list, so that nobody can make up series."""

VERDICTS = (str(Decision.PROMOTE), *map(str, Cause))
"""What a stored verdict says: promote, or the cause of the hold."""
DIMENSIONS = tuple(map(str, Dimension))
RESULTS = tuple(map(str, Status))
TRIGGERS = tuple(map(str, Trigger))

OUTCOMES = ("promote", "hold", "refused", "error", "cancelled", "retried")
"""How work on an evaluation ended: two decisions; `refused`: the request, the policy or the registry's entry is wrong
(exit code 2); `error`: gate could not decide (4), with a verdict that says so or without one; `cancelled`; `retried`:
the database was away, and the work begins again."""

PHASES = ("queue_wait", "registry", "data", "evidence", "profile", "import", "report", "judge", "store", "notify",
          OTHER)  # fmt: skip
"""`evidence` spans `profile`, `import` and `report`; `queue_wait` is no work."""

OPERATIONS = ("get_model", "get_version", "get_run", "get_logged_model", "get_location", "search", "read_files",
              "set_tag")  # fmt: skip
ANSWERS = ("ok", "timeout", "not_found", "denied", "rate_limited", "server_error", "bad_response")

CARE = ("reload", "sweep", "reconcile", "watch", "schedule", "purge")
"""What a server does by itself: read its policies, end what is overdue, put in line what is missing there, look at the
aliases, ask for evaluations that are due, forget what is old."""

JOB_STATES = ("queued", "running")
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", OTHER)

_STATE, _PROCESS = Origin.STATE, Origin.PROCESS
_MODEL = ("model", "stage")


def _gauge(
    name: str, origin: Origin, labels: tuple[str, ...], meaning: str, bound: str, **values: tuple[str, ...]
) -> Metric:
    return Metric(name, Kind.GAUGE, origin, labels, meaning, bound, values)


def _counter(
    name: str, origin: Origin, labels: tuple[str, ...], meaning: str, bound: str, **values: tuple[str, ...]
) -> Metric:
    return Metric(name, Kind.COUNTER, origin, labels, meaning, bound, values)


METRICS: tuple[Metric, ...] = (
    # --- what is running -----------------------------------------------------------------------------------------
    Metric(
        "gate_build_info", Kind.INFO, _PROCESS, ("version", "revision", "python", "evidently", "mlflow"),
        "The running build of gate and of the libraries that decide.", "1",
    ),
    _gauge("gate_policy_info", _STATE, ("policy", "digest"),
           "1 for each policy in force; digest is the first 8 characters of its digest.", "50"),
    _gauge("gate_policy_reload_success", _PROCESS, (),
           "1 if the policies were read without an error the last time, else 0: the last good ones are in force.", "1"),
    _gauge("gate_policy_last_reload_timestamp_seconds", _PROCESS, (),
           "When the policies were last read without an error.", "1"),
    # --- models --------------------------------------------------------------------------------------------------
    _gauge("gate_model_info", _STATE, (*_MODEL, "version", "tier", "owner", "pilot", "department"),
           "1 for each model: the version of its newest verdict, the name of its policy (pilot), and what that policy "
           "says: owner, department and risk (tier). To be joined by model and stage.", "M*S"),
    _gauge("gate_model_verdict", _STATE, (*_MODEL, "verdict"),
           "1 for what the newest verdict on any version of the model says: promote, or the cause of the hold; "
           "none if there is no verdict. 0 for the other words.", "M*S*6", verdict=(*VERDICTS, NONE)),
    _gauge("gate_model_verdict_enforced", _STATE, _MODEL,
           "0 if the newest verdict promotes nothing whatever it says, else 1: it is report-only, or on data that was "
           "named with the request.", "M*S"),
    _gauge("gate_model_verdict_timestamp_seconds", _STATE, _MODEL, "When the newest verdict was given.", "M*S"),
    _gauge("gate_verdict_valid_until_timestamp_seconds", _STATE, _MODEL,
           "Until when the newest verdict is valid.", "M*S"),
    _counter("gate_verdicts_total", _STATE, ("stage", "verdict", "trigger"),
             "Verdicts ever stored; purging old ones does not lower it.", "S*5*4",
             verdict=VERDICTS, trigger=TRIGGERS),
    _gauge("gate_model_blockers", _STATE, (*_MODEL, "dimension"),
           "Checks of the newest verdict that stand in the way of a promotion: failed, insufficient or in error, "
           "and not waived.", "M*S*D", dimension=DIMENSIONS),
    _gauge("gate_model_readiness_ratio", _STATE, (*_MODEL, "dimension"),
           "Share of the deciding checks of the newest verdict that let it through; absent for a dimension without "
           "one.", "M*S*D", dimension=DIMENSIONS),
    _gauge("gate_waivers_active", _STATE, ("model", "dimension"),
           "Waivers that the newest verdicts on the model rest on and that have not expired.", "M*D",
           dimension=DIMENSIONS),
    _gauge("gate_waiver_expiry_timestamp_seconds", _STATE, ("model", "dimension"),
           "When the first of these waivers expires.", "M*D", dimension=DIMENSIONS),
    _gauge("gate_pilot_start_timestamp_seconds", _STATE, ("model",),
           "When the pilot began, by pilot.started of the policy.", "M"),
    _gauge("gate_pilot_target_timestamp_seconds", _STATE, ("model",),
           "When the pilot should be decided, by pilot.decide_by of the policy: the end of that day.", "M"),
    # --- served models -------------------------------------------------------------------------------------------
    _gauge("gate_served_info", _STATE, ("model", "alias", "version"),
           "1 for the version that an alias of the registry names; absent while the alias is not set.", "M"),
    _gauge("gate_served_seen_timestamp_seconds", _STATE, ("model", "alias"),
           "When the alias was last looked at in the registry.", "M"),
    _gauge("gate_served_promoted", _STATE, ("model", "alias"),
           "1 if the newest promotion of the served version is still valid, else 0. Report-only verdicts and those on "
           "data that was named with the request are none. A newer hold does not end it: see "
           "gate_served_held_in_a_row. A version is known by its number.", "M"),
    _gauge("gate_served_held_in_a_row", _STATE, _MODEL,
           "How many of the newest verdicts on the served version are holds, in a row; at most 10 are counted. "
           "Errors, report-only verdicts and those on data that was named with the request neither count nor end the "
           "row.", "M*S"),
    _gauge("gate_served_evaluated_timestamp_seconds", _STATE, ("model", "alias"),
           "When the newest verdict on the served version was given, without errors, report-only verdicts and those on "
           "data that was named with the request; absent if there is none.", "M"),
    # --- data and drift ------------------------------------------------------------------------------------------
    _gauge("gate_feature_drift_score", _STATE, (*_MODEL, "feature", "method"),
           "Distance between reference and current data; what a number means depends on the method.", "M*S*F"),
    _gauge("gate_feature_drift_threshold", _STATE, (*_MODEL, "feature", "method"),
           "The largest distance that the policy allows.", "M*S*F"),
    _gauge("gate_feature_drift_detected", _STATE, (*_MODEL, "feature"),
           "1 if the feature certainly drifted past its threshold, waived or not, 0 if not; absent while the data "
           "does not decide.", "M*S*F"),
    _gauge("gate_dataset_drift_ratio", _STATE, _MODEL, "Share of the judged features that drifted.", "M*S"),
    _gauge("gate_drift_features_omitted", _STATE, ("model",),
           "Features of the newest verdicts that are not exported: of a model in a stage the 20 that are closest to "
           "or farthest past their threshold are, and all that drifted, at most 50.", "M"),
    _gauge("gate_output_drift_score", _STATE, (*_MODEL, "output", "method"),
           "Distance between the predictions, or the targets, of reference and current data.", "M*S*2",
           output=("prediction", "target")),
    _gauge("gate_output_drift_threshold", _STATE, (*_MODEL, "output", "method"),
           "The largest such distance that the policy allows.", "M*S*2", output=("prediction", "target")),
    _gauge("gate_reference_data_timestamp_seconds", _STATE, _MODEL,
           "End of the window of the reference data; absent without a window.", "M*S"),
    _gauge("gate_current_data_timestamp_seconds", _STATE, _MODEL,
           "End of the window of the current data; absent without a window.", "M*S"),
    _gauge("gate_current_data_rows", _STATE, _MODEL, "Rows of current data behind the newest verdict.", "M*S"),
    # --- evaluations ---------------------------------------------------------------------------------------------
    _counter("gate_evaluations_total", _PROCESS, ("trigger", "outcome"),
             "Evaluations that this process has worked on, by how that ended.", "4*6",
             trigger=TRIGGERS, outcome=OUTCOMES),
    Metric(
        "gate_evaluation_duration_seconds", Kind.HISTOGRAM, _PROCESS, ("outcome",),
        "From the start of the work to its end; the exemplar is the evaluation's id.", "6*14",
        {"outcome": OUTCOMES}, (0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600, 1200, 1800),
    ),
    Metric(
        "gate_evaluation_phase_duration_seconds", Kind.HISTOGRAM, _PROCESS, ("phase",),
        "One phase of an evaluation; queue_wait is the wait before the work.", "11*14",
        {"phase": PHASES}, (0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10, 30, 120, 600, 3600),
    ),
    _gauge("gate_evaluations_in_progress", _PROCESS, (), "Evaluations that this process works on now.", "1"),
    _gauge("gate_worker_slots", _PROCESS, (),
           "Evaluations that this process may work on at once; 0 for one that only answers, or whose worker has "
           "stopped.", "1"),
    _counter("gate_evaluations_swept_total", _PROCESS, (),
             "Evaluations that this process found past their deadline and ended as errors.", "1"),
    _counter("gate_care_failures_total", _PROCESS, ("task",),
             "Times that something that this process does by itself failed, in whole or for one model; it comes round "
             "again.", "7", task=(*CARE, OTHER)),
    _counter("gate_rows_scanned_total", _PROCESS, (), "Rows of data read by the evaluations of this process.", "1"),
    _counter("gate_checks_total", _PROCESS, ("dimension", "check_type", "result"),
             "Checks judged by this process, each by the worst of its findings.", "D*30*5",
             dimension=DIMENSIONS, result=RESULTS),
    _gauge("gate_evaluation_last_success_timestamp_seconds", _STATE, ("trigger",),
           "When an evaluation last ended with a verdict.", "4", trigger=TRIGGERS),
    _gauge("gate_queue_jobs", _STATE, ("state",), "Evaluations that wait or are worked on.", "2", state=JOB_STATES),
    _gauge("gate_queue_oldest_job_timestamp_seconds", _STATE, (),
           "Since when the oldest queued evaluation waits; absent when none does.", "1"),
    # --- the registry --------------------------------------------------------------------------------------------
    _counter("gate_mlflow_requests_total", _PROCESS, ("operation", "result"),
             "Questions to MLflow by their answer.", "56", operation=OPERATIONS, result=ANSWERS),
    Metric(
        "gate_mlflow_request_duration_seconds", Kind.HISTOGRAM, _PROCESS, ("operation",),
        "How long MLflow took to answer, retries included.", "8*14",
        {"operation": OPERATIONS}, (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30),
    ),
    _gauge("gate_mlflow_last_success_timestamp_seconds", _PROCESS, (),
           "When MLflow last answered this process as it should; absent before the first time.", "1"),
    # --- gate itself ---------------------------------------------------------------------------------------------
    _counter("gate_http_requests_total", _PROCESS, ("method", "route", "code"),
             "Requests answered; route is the template of the path.", "60 routes", method=METHODS),
    Metric(
        "gate_http_request_duration_seconds", Kind.HISTOGRAM, _PROCESS, ("method", "route"),
        "Time to the end of the answer.", "60 routes*14",
        {"method": METHODS}, (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30),
    ),
    _gauge("gate_state_read_success", _PROCESS, (),
           "1 if the state could be read from the database for this scrape, else 0: then all metrics of the state are "
           "absent.", "1"),
    _gauge("gate_state_last_success_timestamp_seconds", _PROCESS, (),
           "When the state was last read; absent before the first time.", "1"),
    _gauge("gate_state_read_duration_seconds", _PROCESS, (), "How long the last read of the state took.", "1"),
    _gauge("gate_metrics_series_dropped", _PROCESS, (),
           "Series of the state that this scrape leaves out, because there are too many.", "1"),
)  # fmt: skip

BY_NAME: Mapping[str, Metric] = MappingProxyType({metric.name: metric for metric in METRICS})
