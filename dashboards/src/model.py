"""One model: its verdict, what is in its way, its data, and how it got here."""

from __future__ import annotations

from grafana_foundation_sdk.builders.dashboard import Dashboard, DashboardLink, Row

from dashboards.src.parts import (
    BLUE,
    GREEN,
    ORANGE,
    RED,
    YELLOW,
    address_variable,
    annotation,
    as_words,
    bars_panel,
    base,
    history_panel,
    lines_panel,
    quantile,
    query_variable,
    stat_panel,
    states_panel,
    table_panel,
    verdict_codes,
    yes_no,
)

UID = "gate-model"
_JOB = 'job=~"$job"'
_MODEL = 'job=~"$job", model="$model"'
_HERE = 'job=~"$job", model="$model", stage="$stage"'


def model() -> Dashboard:
    """Build the dashboard of one model."""
    dashboard = (
        base("gate: model", UID, "One model in one stage: its verdict, what is in its way, its data over time.")
        .with_variable(query_variable("model", "Model", f"label_values(gate_model_verdict{{{_JOB}}}, model)"))
        .with_variable(query_variable("stage", "Stage", f"label_values(gate_model_verdict{{{_MODEL}}}, stage)"))
        .with_variable(
            query_variable("method", "Method", f"label_values(gate_feature_drift_score{{{_HERE}}}, method)", every=True)
        )
        .with_variable(address_variable())
        .link(
            DashboardLink("gate's page, with the drift reports")
            .url("${gate}/models/${model:percentencode}")
            .target_blank(True)
        )
        .annotation(
            annotation(
                "New verdict",
                f"max by (model, stage) (changes(gate_model_verdict_timestamp_seconds{{{_HERE}}}[2m])) > 0",
                BLUE,
            )
        )
        .annotation(
            annotation(
                "Another version serves",
                f"max by (alias, version) (gate_served_info{{{_MODEL}}}) "
                f"unless max by (alias, version) (gate_served_info{{{_MODEL}}} offset 5m)",
                ORANGE,
            )
        )
    )
    _verdict(dashboard)
    _in_the_way(dashboard)
    _drift(dashboard)
    _data(dashboard)
    return dashboard


def _verdict(dashboard: Dashboard) -> None:
    for panel in (
        stat_panel(
            "Verdict",
            "The newest, on any version: promote, or the cause of the hold.",
            verdict_codes(_HERE),
            mappings=as_words(),
        ),
        stat_panel(
            "Version",
            "That the newest verdict is on.",
            f"max by (version) (gate_model_info{{{_HERE}}})",
            legend="{{version}}",
        ),
        stat_panel(
            "Owner",
            "Who answers for the outcome, by the policy.",
            f"max by (owner) (gate_model_info{{{_HERE}}})",
            legend="{{owner}}",
        ),
        stat_panel(
            "In the way",
            "Checks that are not met and not waived.",
            f"sum(max by (dimension) (gate_model_blockers{{{_HERE}}}))",
            steps=((None, GREEN), (1, RED)),
        ),
        stat_panel(
            "Evaluated",
            "Time since the newest verdict.",
            f"time() - max(gate_model_verdict_timestamp_seconds{{{_HERE}}})",
            unit="s",
            steps=((None, GREEN), (604_800, YELLOW)),
        ),
        stat_panel(
            "Verdict valid for",
            "Then it stops to hold, and the model has to be evaluated again.",
            f"max(gate_verdict_valid_until_timestamp_seconds{{{_HERE}}}) - time()",
            unit="s",
            steps=((None, RED), (0, YELLOW), (172_800, GREEN)),
        ),
        stat_panel(
            "Pilot age",
            "Since pilot.started of the policy.",
            f"time() - min(gate_pilot_start_timestamp_seconds{{{_MODEL}}})",
            unit="s",
            steps=((None, GREEN), (7_776_000, ORANGE)),
            none="no pilot",
        ),
        stat_panel(
            "To be decided in",
            "pilot.decide_by of the policy.",
            f"min(gate_pilot_target_timestamp_seconds{{{_MODEL}}}) - time()",
            unit="s",
            steps=((None, RED), (0, YELLOW), (1_209_600, GREEN)),
            none="no pilot",
        ),
        stat_panel(
            "Counts",
            "A verdict that is report-only, or on data that was named with the request, promotes nothing.",
            f"min(gate_model_verdict_enforced{{{_HERE}}})",
            mappings=yes_no(("promotes nothing", ORANGE), ("enforced", GREEN)),
        ),
        stat_panel(
            "Serves",
            "The version that each alias names.",
            f"max by (alias, version) (gate_served_info{{{_MODEL}}})",
            legend="{{alias}}: {{version}}",
            none="nothing",
            width=5,
        ),
        stat_panel(
            "Serves with a promotion",
            "Whether what serves has a promotion that is valid. A later hold does not end it.",
            f"min by (alias) (gate_served_promoted{{{_MODEL}}})",
            mappings=yes_no(("no", RED), ("yes", GREEN)),
            none="nothing serves",
            width=5,
        ),
        stat_panel(
            "Held in a row",
            "How many of the newest verdicts on what serves are holds, in a row; errors and report-only ones left out.",
            f"max(gate_served_held_in_a_row{{{_HERE}}})",
            steps=((None, GREEN), (1, YELLOW), (2, RED)),
            none="nothing serves",
            width=5,
        ),
        stat_panel(
            "Next waiver ends in",
            "Without it the next verdict is a hold.",
            f"min(gate_waiver_expiry_timestamp_seconds{{{_MODEL}}}) - time()",
            unit="s",
            steps=((None, RED), (0, YELLOW), (1_209_600, GREEN)),
            none="no waiver",
            width=6,
        ),
    ):
        dashboard.with_panel(panel)


def _in_the_way(dashboard: Dashboard) -> None:
    dashboard.with_row(Row("What is in the way?"))
    dashboard.with_panel(
        table_panel(
            "Dimensions",
            "How much of each dimension is met.",
            {
                "Ready": f"max by (dimension) (gate_model_readiness_ratio{{{_HERE}}})",
                "Blockers": f"max by (dimension) (gate_model_blockers{{{_HERE}}})",
                "Waivers": f"max by (dimension) (gate_waivers_active{{{_MODEL}}})",
            },
            labels={"dimension": "Dimension"},
            units={"Ready": "percentunit"},
            width=10,
            height=8,
            sort="Blockers",
            steps={"Blockers": ((None, GREEN), (1, RED)), "Ready": ((None, RED), (1, GREEN))},
        )
    )
    dashboard.with_panel(
        states_panel(
            "Verdicts",
            "How it got here.",
            verdict_codes(_HERE),
            "{{stage}}",
            as_words(),
            width=14,
        )
    )


def _drift(dashboard: Dashboard) -> None:
    dashboard.with_row(Row("Drift of the features"))
    dashboard.with_panel(
        history_panel(
            "Drifted",
            "Whether a feature certainly drifted past its limit; blank while the data does not decide.",
            f"max by (feature) (gate_feature_drift_detected{{{_HERE}}})",
            "{{feature}}",
            yes_no(("within its limit", GREEN), ("drifted", RED)),
            width=14,
        )
    )
    dashboard.with_panel(
        bars_panel(
            "Distance, in parts of its limit",
            "1 is the limit. This way methods can stand side by side; their distances cannot.",
            {
                "{{feature}}": f"topk(20, max by (feature) (gate_feature_drift_score{{{_HERE}}}) / "
                f"max by (feature) (gate_feature_drift_threshold{{{_HERE}}}))"
            },
            width=10,
            height=10,
            steps=((None, GREEN), (0.8, YELLOW), (1, RED)),
        )
    )
    dashboard.with_panel(
        lines_panel(
            "Distance by $method",
            "The ten largest. Methods never share a panel: what a number means depends on the method.",
            {
                "{{feature}}": f'topk(10, max by (feature) (gate_feature_drift_score{{{_HERE}, method=~"$method"}}))',
                "limit": f'max(gate_feature_drift_threshold{{{_HERE}, method=~"$method"}})',
            },
            width=24,
            dashed="/^limit$/",
        )
        .repeat("method")
        .repeat_direction("h")
        .max_per_row(3)
    )
    dashboard.with_panel(
        lines_panel(
            "Predictions and targets",
            "Their distance from the reference, with its limit.",
            {
                "{{output}} ({{method}})": f"max by (output, method) (gate_output_drift_score{{{_HERE}}})",
                "{{output}}, limit": f"max by (output) (gate_output_drift_threshold{{{_HERE}}})",
            },
            width=12,
            dashed="/, limit$/",
        )
    )
    dashboard.with_panel(
        lines_panel(
            "Drifted share",
            "Of the features that were judged; and how many are not exported.",
            {"share": f"max by (model, stage) (gate_dataset_drift_ratio{{{_HERE}}})"},
            width=6,
            unit="percentunit",
        )
    )
    dashboard.with_panel(
        stat_panel(
            "Features not shown",
            "Far from their limits; the verdict has them all.",
            f"max(gate_drift_features_omitted{{{_MODEL}}}) or vector(0)",
            width=6,
            height=8,
        )
    )


def _data(dashboard: Dashboard) -> None:
    dashboard.with_row(Row("Data and work"))
    dashboard.with_panel(
        lines_panel(
            "Rows of current data",
            "Behind the newest verdict.",
            {"rows": f"max by (model) (gate_current_data_rows{{{_HERE}}})"},
        )
    )
    dashboard.with_panel(
        lines_panel(
            "Age of the data",
            "Since the end of its window; data without a window has none.",
            {
                "current": f"time() - max by (model) (gate_current_data_timestamp_seconds{{{_HERE}}})",
                "reference": f"time() - max by (model) (gate_reference_data_timestamp_seconds{{{_HERE}}})",
            },
            unit="s",
        )
    )
    dashboard.with_panel(
        lines_panel(
            "Time of an evaluation, 95 %",
            "Of all models: evaluations are counted by process.",
            {"{{outcome}}": quantile(0.95, "gate_evaluation_duration_seconds", _JOB, by="outcome")},
            unit="s",
            exemplars=True,
        )
    )
    dashboard.with_panel(
        table_panel(
            "Waivers",
            "By dimension: how many, and how long the first of them lasts.",
            {
                "In force": f"max by (dimension) (gate_waivers_active{{{_MODEL}}})",
                "Ends in": f"min by (dimension) (gate_waiver_expiry_timestamp_seconds{{{_MODEL}}}) - time()",
            },
            labels={"dimension": "Dimension"},
            units={"Ends in": "s"},
            width=24,
            height=6,
        )
    )
