"""The fleet: can we ship, which models, what is in the way, and whether gate itself is well."""

from __future__ import annotations

from grafana_foundation_sdk.builders.dashboard import Dashboard, Row

from dashboards.src.parts import (
    BLUE,
    GREEN,
    GREY,
    ORANGE,
    RED,
    VERDICTS,
    YELLOW,
    address_variable,
    annotation,
    as_words,
    bars_panel,
    base,
    lines_panel,
    quantile,
    query_variable,
    stat_panel,
    states_panel,
    table_panel,
    verdict_codes,
)

UID = "gate-fleet"
_JOB = 'job=~"$job"'
_STAGE = 'job=~"$job", stage=~"$stage"'
_BLOCKERS = f"max by (model, stage, dimension) (gate_model_blockers{{{_STAGE}}})"
_MAY_GO_ON = (
    f'max by (model, stage) (gate_model_verdict{{{_STAGE}, verdict="promote"}}) '
    f"* on (model, stage) min by (model, stage) (gate_model_verdict_enforced{{{_STAGE}}}) "
    "* on (model, stage) "
    f"(max by (model, stage) (gate_verdict_valid_until_timestamp_seconds{{{_STAGE}}}) > bool time())"
)
_PROMOTED = f"max by (model) ({_MAY_GO_ON}) == 1"
_LATE = f"time() - min by (model) (gate_pilot_target_timestamp_seconds{{{_JOB}}})"
_AGE = f"time() - max by (model, stage) (gate_current_data_timestamp_seconds{{{_STAGE}}})"
_GIVEN = f"max by (stage, verdict, trigger) (increase(gate_verdicts_total{{{_STAGE}}}[1d]))"
_RATE = "$__rate_interval"
_COLOURS = {word: colour for word, (_, colour) in VERDICTS.items()}
_FAULTS = 'result!~"ok|not_found"'


def fleet() -> Dashboard:
    """Build the dashboard of all models."""
    dashboard = (
        base("gate: fleet", UID, "Every model that gate judges: may it go on, what is in the way, and is gate well.")
        .with_variable(
            query_variable("stage", "Stage", f"label_values(gate_model_verdict{{{_JOB}}}, stage)", every=True)
        )
        .with_variable(address_variable())
        .annotation(
            annotation(
                "New verdict",
                f"max by (model, stage) (changes(gate_model_verdict_timestamp_seconds{{{_STAGE}}}[2m])) > 0",
                BLUE,
            )
        )
        .annotation(
            annotation(
                "New build of gate",
                f"count by (version, revision) (gate_build_info{{{_JOB}}}) "
                f"unless count by (version, revision) (gate_build_info{{{_JOB}}} offset 5m)",
                ORANGE,
            )
        )
    )
    _can_we_ship(dashboard)
    _in_the_way(dashboard)
    _data(dashboard)
    _gate_itself(dashboard)
    return dashboard


def _can_we_ship(dashboard: Dashboard) -> None:
    dashboard.with_row(Row("Can we ship?"))
    for panel in (
        stat_panel(
            "May go on",
            "Models, by stage, whose newest verdict is a promotion that is enforced and valid.",
            f"sum({_MAY_GO_ON}) or vector(0)",
            steps=((None, GREY), (1, GREEN)),
        ),
        stat_panel(
            "Held",
            "A check failed, people are awaited, or there is not enough evidence. That is the product working.",
            "sum(max by (model, stage, verdict) "
            f'(gate_model_verdict{{{_STAGE}, verdict=~"failed|awaiting|insufficient"}})) or vector(0)',
            steps=((None, GREEN), (1, YELLOW)),
        ),
        stat_panel(
            "Could not decide",
            "Held because of an error: the registry, the data or gate itself.",
            f'sum(max by (model, stage) (gate_model_verdict{{{_STAGE}, verdict="error"}})) or vector(0)',
            steps=((None, GREEN), (1, RED)),
        ),
        stat_panel(
            "Serve without promotion",
            "Versions that an alias serves and that have no promotion that is valid.",
            f"count(max by (model, alias) (gate_served_promoted{{{_JOB}}}) == 0) or vector(0)",
            steps=((None, GREEN), (1, RED)),
        ),
        stat_panel(
            "Pilots past their date",
            "Pilots whose decide_by has passed, and that are not promoted.",
            f"count({_LATE} > 0 unless on (model) {_PROMOTED}) or vector(0)",
            steps=((None, GREEN), (1, ORANGE)),
        ),
        stat_panel(
            "Waivers in force",
            "Exceptions that newest verdicts rest on.",
            f"sum(max by (model, dimension) (gate_waivers_active{{{_JOB}}})) or vector(0)",
            steps=((None, GREEN), (1, YELLOW)),
        ),
        stat_panel(
            "Evaluations waiting",
            "Queued now.",
            f'max(gate_queue_jobs{{{_JOB}, state="queued"}})',
            steps=((None, GREEN), (50, YELLOW)),
        ),
        stat_panel(
            "Age of this state",
            "Since gate last read its database. When this is old, so is all that is said of models here.",
            f"min(time() - gate_state_last_success_timestamp_seconds{{{_JOB}}})",
            unit="s",
            steps=((None, GREEN), (60, YELLOW), (300, RED)),
        ),
    ):
        dashboard.with_panel(panel)
    name, stage = "${__data.fields.Model:percentencode}", "${__data.fields.Stage:percentencode}"
    here = f"/d/gate-model?var-model={name}&var-stage={stage}&${{datasource:queryparam}}"
    dashboard.with_panel(
        table_panel(
            "Models",
            "The newest verdict on each model in each stage. The name leads to what is behind it.",
            {
                "is": f"max by (model, stage, verdict) (gate_model_verdict{{{_STAGE}}}) == 1",
                "known": f"max by (model, stage, version, tier, owner) (gate_model_info{{{_STAGE}}})",
                "Blockers": f"sum by (model, stage) ({_BLOCKERS})",
                "Drifted": f"max by (model, stage) (gate_dataset_drift_ratio{{{_STAGE}}})",
                "Rows": f"max by (model, stage) (gate_current_data_rows{{{_STAGE}}})",
                "Data age": _AGE,
                "Evaluated": f"time() - max by (model, stage) (gate_model_verdict_timestamp_seconds{{{_STAGE}}})",
                "Valid for": f"max by (model, stage) (gate_verdict_valid_until_timestamp_seconds{{{_STAGE}}}) - time()",
                "Pilot age": f"0 * max by (model, stage) (gate_model_verdict_timestamp_seconds{{{_STAGE}}})"
                f" + on (model) group_left () (time() - min by (model) (gate_pilot_start_timestamp_seconds{{{_JOB}}}))",
            },
            labels={
                "model": "Model",
                "stage": "Stage",
                "verdict": "Verdict",
                "version": "Version",
                "tier": "Tier",
                "owner": "Owner",
            },
            units={"Drifted": "percentunit", "Data age": "s", "Evaluated": "s", "Valid for": "s", "Pilot age": "s"},
            steps={"Blockers": ((None, GREEN), (1, RED)), "Valid for": ((None, RED), (1, GREY))},
            hide=("is", "known"),
            sort="Blockers",
            height=10,
            links={
                "Model": (
                    ("What is behind it", here),
                    ("gate's page", f"${{gate}}/models/{name}"),
                )
            },
        )
    )


def _in_the_way(dashboard: Dashboard) -> None:
    dashboard.with_row(Row("What is in the way?"))
    dashboard.with_panel(
        states_panel(
            "Verdicts",
            "The newest verdict over time: the 30 models with the most in their way.",
            f"{verdict_codes(_STAGE)} and on (model, stage) topk(30, sum by (model, stage) ({_BLOCKERS}))",
            "{{model}} ({{stage}})",
            as_words(),
            width=16,
            height=9,
        )
    )
    dashboard.with_panel(
        bars_panel(
            "Blockers by dimension",
            "Checks that stand in the way of a promotion and are not waived.",
            {"{{dimension}}": f"sum by (dimension) ({_BLOCKERS})"},
            steps=((None, GREEN), (1, RED)),
            height=9,
        )
    )
    dashboard.with_panel(
        lines_panel(
            "Verdicts in a day",
            "Given in the 24 hours before each moment.",
            {"{{verdict}}": f"sum by (verdict) ({_GIVEN})"},
            width=12,
            colours=_COLOURS,
        )
    )
    dashboard.with_panel(
        table_panel(
            "Pilots",
            "By age, with what is in their way. A pilot that will not get there can be ended.",
            {
                "Age": f"time() - min by (model) (gate_pilot_start_timestamp_seconds{{{_JOB}}})",
                "Time left": f"min by (model) (gate_pilot_target_timestamp_seconds{{{_JOB}}}) - time()",
                "Blockers": f"sum by (model) ({_BLOCKERS})",
            },
            labels={"model": "Model"},
            units={"Age": "s", "Time left": "s"},
            width=12,
            height=8,
            sort="Age",
            steps={
                "Time left": ((None, RED), (0, YELLOW), (1_209_600, GREEN)),
                "Age": ((None, GREEN), (7_776_000, ORANGE)),
            },
        )
    )


def _data(dashboard: Dashboard) -> None:
    dashboard.with_row(Row("Data"))
    dashboard.with_panel(
        bars_panel(
            "Age of the current data",
            "Since the end of the window that the newest verdict looked at. Data without a window has none.",
            {"{{model}} ({{stage}})": f"topk(10, {_AGE})"},
            unit="s",
        )
    )
    dashboard.with_panel(
        bars_panel(
            "Drifted share of the features",
            "The ten highest.",
            {"{{model}} ({{stage}})": f"topk(10, max by (model, stage) (gate_dataset_drift_ratio{{{_STAGE}}}))"},
            unit="percentunit",
            most=1,
            steps=((None, GREEN), (0.2, YELLOW), (0.5, RED)),
        )
    )
    dashboard.with_panel(
        bars_panel(
            "Rows behind the verdict",
            "The ten models with the fewest rows of current data.",
            {"{{model}} ({{stage}})": f"bottomk(10, max by (model, stage) (gate_current_data_rows{{{_STAGE}}}))"},
        )
    )


def _gate_itself(dashboard: Dashboard) -> None:
    row = Row("gate itself")
    for panel in (
        lines_panel(
            "Evaluations a minute",
            "By how they ended. Refused: the request, the policy or the registry's entry is wrong.",
            {"{{outcome}}": f"60 * sum by (outcome) (rate(gate_evaluations_total{{{_JOB}}}[{_RATE}]))"},
        ),
        lines_panel(
            "Time of an evaluation",
            "From the start of the work to its end.",
            {
                "half": quantile(0.5, "gate_evaluation_duration_seconds", _JOB),
                "95 %": quantile(0.95, "gate_evaluation_duration_seconds", _JOB),
            },
            unit="s",
            exemplars=True,
        ),
        lines_panel(
            "Time by phase, 95 %",
            "queue_wait is no work; evidence spans profile, import and report.",
            {"{{phase}}": quantile(0.95, "gate_evaluation_phase_duration_seconds", _JOB, by="phase")},
            unit="s",
        ),
        lines_panel(
            "Queue",
            "Evaluations that wait or are worked on, and how many may be worked on at once.",
            {
                "{{state}}": f"max by (state) (gate_queue_jobs{{{_JOB}}})",
                "places": f"sum(gate_worker_slots{{{_JOB}}})",
                "worked on, by the workers": f"sum(gate_evaluations_in_progress{{{_JOB}}})",
            },
        ),
        lines_panel(
            "Longest wait",
            "Of what is queued now.",
            {"oldest": f"time() - min(gate_queue_oldest_job_timestamp_seconds{{{_JOB}}}) or vector(0)"},
            unit="s",
        ),
        lines_panel(
            "Ended for being overdue",
            "Evaluations past their deadline of which nobody said why, in the last hour.",
            {"swept": f"sum(increase(gate_evaluations_swept_total{{{_JOB}}}[1h]))"},
        ),
        lines_panel(
            "Care that failed",
            "What gate does by itself and could not, in whole or for some models, in the last hour.",
            {"{{task}}": f"sum by (task) (increase(gate_care_failures_total{{{_JOB}}}[1h]))"},
        ),
        lines_panel(
            "Failed questions to MLflow",
            "Share of all; what is not found is an answer.",
            {
                "failed": f"sum(rate(gate_mlflow_requests_total{{{_JOB}, {_FAULTS}}}[{_RATE}])) / "
                f"sum(rate(gate_mlflow_requests_total{{{_JOB}}}[{_RATE}]))"
            },
            unit="percentunit",
        ),
        lines_panel(
            "Time of MLflow's answers, 95 %",
            "Retries included.",
            {"{{operation}}": quantile(0.95, "gate_mlflow_request_duration_seconds", _JOB, by="operation")},
            unit="s",
        ),
        lines_panel(
            "Rows read a second",
            "By the statements of evaluations.",
            {"rows": f"sum(rate(gate_rows_scanned_total{{{_JOB}}}[{_RATE}]))"},
            unit="rowsps",
        ),
        lines_panel(
            "Requests a second",
            "By code of the answer.",
            {"{{code}}": f"sum by (code) (rate(gate_http_requests_total{{{_JOB}}}[{_RATE}]))"},
            unit="reqps",
        ),
        lines_panel(
            "Failed requests",
            "Share of answers that are a 5xx.",
            {
                "{{job}}": f'(sum by (job) (rate(gate_http_requests_total{{{_JOB}, code=~"5.."}}[{_RATE}])) or '
                f"0 * sum by (job) (rate(gate_http_requests_total{{{_JOB}}}[{_RATE}]))) / "
                f"sum by (job) (rate(gate_http_requests_total{{{_JOB}}}[{_RATE}]))"
            },
            unit="percentunit",
        ),
        lines_panel(
            "Time of an answer, 95 %",
            "By route. A request that waits for an evaluation takes as long as it waits.",
            {"{{route}}": quantile(0.95, "gate_http_request_duration_seconds", _JOB, by="route")},
            unit="s",
        ),
        lines_panel(
            "Time to read the state",
            "From the database, at a scrape.",
            {"{{instance}}": f"max by (instance) (gate_state_read_duration_seconds{{{_JOB}}})"},
            unit="s",
        ),
        lines_panel(
            "Series left out",
            "Of models, for there are too many. What is left out raises no alert.",
            {"{{job}}": f"max by (job) (gate_metrics_series_dropped{{{_JOB}}})"},
        ),
        lines_panel(
            "Memory",
            "Of each process; those of running evaluations come on top.",
            {"{{job}} {{instance}}": f"max by (job, instance) (process_resident_memory_bytes{{{_JOB}}})"},
            unit="bytes",
        ),
        lines_panel(
            "Checks judged a minute",
            "By the worst of their findings.",
            {"{{result}}": f"60 * sum by (result) (rate(gate_checks_total{{{_JOB}}}[{_RATE}]))"},
        ),
        table_panel(
            "Builds",
            "What runs, and with which libraries that decide.",
            {"Processes": f"count by (job, version, revision, python, evidently, mlflow) (gate_build_info{{{_JOB}}})"},
            labels={
                "job": "Job",
                "version": "gate",
                "revision": "Revision",
                "python": "Python",
                "evidently": "Evidently",
                "mlflow": "MLflow",
            },
            units={},
            width=8,
            height=8,
        ),
        table_panel(
            "Policies",
            "In force, and the first characters of their digests.",
            {"is": f"max by (policy, digest) (gate_policy_info{{{_JOB}}})"},
            labels={"policy": "Policy", "digest": "Digest"},
            units={},
            width=8,
            height=8,
            hide=("is",),
        ),
    ):
        row.with_panel(panel)
    dashboard.with_row(row)
