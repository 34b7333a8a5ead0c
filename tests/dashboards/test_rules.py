"""The alert rules, by their own validators, and what those do not look at."""

from __future__ import annotations

import re

import pytest
import yaml
from prometheus import SHIPPED, run
from promql import uses

from gate.telemetry.catalogue import BY_NAME, Kind, Origin

ROOT = SHIPPED.parent
FOLDER = SHIPPED / "prometheus"
SEVERITIES = {"critical", "warning", "info"}
SUBJECTS = {"gate", "work", "model"}
SECTIONS = ("## Meaning", "## Impact", "## Diagnosis", "## Mitigation")


def test_promtool_accepts_the_configuration_and_its_rules():
    checked = run("promtool", "check", "config", FOLDER / "prometheus.yml")
    assert checked.returncode == 0, checked.stdout + checked.stderr
    linted = run("promtool", "check", "rules", "--lint=all", "--lint-fatal", FOLDER / "rules.yml")
    assert linted.returncode == 0, linted.stdout + linted.stderr


def test_the_tests_of_the_rules_pass():
    tested = run("promtool", "test", "rules", "rules_test.yml", cwd=FOLDER)
    assert tested.returncode == 0, tested.stdout + tested.stderr


def test_a_rule_that_is_broken_fails_them(tmp_path):
    text = (FOLDER / "rules.yml").read_text()
    assert ">= 2\n" in text
    (tmp_path / "rules.yml").write_text(text.replace(">= 2\n", ">= 3\n"))
    (tmp_path / "rules_test.yml").write_text((FOLDER / "rules_test.yml").read_text())
    assert run("promtool", "test", "rules", "rules_test.yml", cwd=tmp_path).returncode == 1


def test_every_alert_is_seen_firing_and_not_firing_yet(alerts, rule_tests):
    fires = {test["alertname"] for world in rule_tests for test in world["alert_rule_test"] if test["exp_alerts"]}
    silent = {test["alertname"] for world in rule_tests for test in world["alert_rule_test"] if not test["exp_alerts"]}
    assert fires == set(alerts)
    assert silent == set(alerts)


def test_a_world_full_of_holds_is_asked_for_every_alert(alerts, rule_tests):
    (world,) = [world for world in rule_tests if world["name"].startswith("A world full of holds")]
    assert {test["alertname"] for test in world["alert_rule_test"]} == set(alerts)
    assert all(test["exp_alerts"] == [] for test in world["alert_rule_test"])


def test_an_alert_about_models_survives_a_gap_in_scraping(alerts):
    """What the database says is bridged for a quarter of an hour, in the alert or in what it is recorded from."""
    for alert in alerts.values():
        if alert["labels"]["about"] != "model":
            continue
        for use in uses(alert["expr"]):
            assert BY_NAME[use.metric].origin is Origin.STATE
            assert use.window == "15m", (alert["alert"], use.metric)


def test_what_is_recorded_of_the_state_is_bridged_too(rules):
    for name, rule in rules.items():
        if "record" not in rule:
            continue
        for use in uses(rule["expr"]):
            if BY_NAME[use.metric].origin is Origin.STATE:
                assert use.window == "15m", (name, use.metric)


def test_every_alert_says_how_bad_it_is_and_what_to_do(alerts):
    for name, alert in alerts.items():
        assert re.fullmatch(r"Gate[A-Z][A-Za-z]+", name)
        assert alert["labels"]["severity"] in SEVERITIES, name
        assert alert["labels"]["about"] in SUBJECTS, name
        assert re.fullmatch(r"\d+[mh]", alert["for"]), name
        assert set(alert["annotations"]) == {"summary", "description", "runbook_url", "dashboard_url"}, name
        assert alert["annotations"]["runbook_url"] == "{{ $externalLabels.runbooks }}/" + name + ".md"
        assert re.match(
            r"\{\{ \$externalLabels\.grafana \}\}/d/gate-(fleet|model)\b", alert["annotations"]["dashboard_url"]
        )


def test_only_what_stops_gate_from_deciding_is_critical(alerts):
    assert {name for name, alert in alerts.items() if alert["labels"]["severity"] == "critical"} == {
        "GateDown", "GateWorkerDown", "GateStateStale", "GateErrorBudgetBurn", "GateCannotDecide",
    }  # fmt: skip
    assert all(
        alert["labels"]["about"] == "model" for alert in alerts.values() if alert["labels"]["severity"] == "info"
    )


def test_every_alert_has_a_runbook_and_every_runbook_an_alert(alerts):
    folder = ROOT / "docs" / "runbooks"
    assert {path.stem for path in folder.glob("*.md")} - {"README"} == set(alerts)
    for name in alerts:
        text = (folder / f"{name}.md").read_text()
        assert text.startswith(f"# {name}\n"), name
        places = [text.index(section) for section in SECTIONS]
        assert places == sorted(places), name
        for section, following in zip(places, [*places[1:], len(text)], strict=True):
            assert len(text[section:following].split("\n", 1)[1].strip()) > 40, (name, text[section:following])


def test_where_alerts_lead_is_said_once_and_is_no_label_of_them():
    config = yaml.safe_load((FOLDER / "prometheus.yml").read_text())
    assert (ROOT / config["global"]["external_labels"]["runbooks"]).is_dir()
    assert config["alerting"]["alert_relabel_configs"] == [
        {"action": "labeldrop", "regex": "|".join(config["global"]["external_labels"])}
    ]


def test_amtool_accepts_the_routes():
    checked = run("amtool", "check-config", SHIPPED / "alertmanager.yml")
    assert checked.returncode == 0, checked.stdout + checked.stderr


@pytest.mark.parametrize(("severity", "receiver"), [("critical", "page"), ("warning", "team"), ("info", "daily")])
def test_severity_decides_who_hears_of_it(severity, receiver):
    config = f"--config.file={SHIPPED / 'alertmanager.yml'}"
    routed = run("amtool", "config", "routes", "test", config, f"severity={severity}", "alertname=Gate", "owner=x")
    assert routed.stdout.strip() == receiver


def test_work_on_models_is_told_once_a_day_to_each_owner():
    route = yaml.safe_load((SHIPPED / "alertmanager.yml").read_text())["route"]
    (daily,) = [each for each in route["routes"] if each["receiver"] == "daily"]
    assert daily["group_by"] == ["owner"]
    assert daily["group_interval"] == daily["repeat_interval"] == "24h"


def test_what_is_inhibited_names_alerts_that_exist(alerts):
    config = yaml.safe_load((SHIPPED / "alertmanager.yml").read_text())
    for rule in config["inhibit_rules"]:
        for matcher in (*rule["source_matchers"], *rule["target_matchers"]):
            label, values = re.fullmatch(r'(\w+)=~?"([\w|]+)"', matcher).groups()
            assert set(values.split("|")) <= (set(alerts) if label == "alertname" else SUBJECTS), matcher


def test_recorded_names_say_level_metric_and_operation(rules):
    for name, rule in rules.items():
        if "record" in rule:
            assert re.fullmatch(r"[a-z_]+:gate_[a-z_]+:[a-z0-9_]+", name)
            assert "_total" not in name


def test_every_metric_of_the_rules_is_in_the_catalogue_with_its_labels(rules, rule_tests):
    expressions = [rule["expr"] for rule in rules.values()]
    series = [each["series"] for world in rule_tests for each in world["input_series"]]
    for expression in (*expressions, *series):
        for use in uses(expression):
            metric = BY_NAME[use.metric]
            for label, operator, value in use.matchers:
                assert label in (*metric.labels, "job", "instance"), (use.metric, label)
                if label in metric.values:
                    wanted = value.split("|") if "~" in operator else [value]
                    assert set(wanted) <= set(metric.values[label]), (use.metric, label, value)
            if expression in expressions:
                assert set(use.by) <= {*metric.labels, "job"}, (use.metric, use.by)


def test_state_is_never_added_up_over_replicas_and_counters_are_never_read_raw(rules):
    for name, rule in rules.items():
        for use in uses(rule["expr"]):
            metric = BY_NAME[use.metric]
            if metric.origin is Origin.STATE:
                assert use.aggregator in ("max", "min"), (name, use.metric)
            if metric.kind is Kind.COUNTER:
                assert use.function in ("rate", "increase"), (name, use.metric)
