"""The committed dashboards: built from the code, complete, and by the rules that Grafana's own linter has."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from itertools import combinations

import pytest
import yaml
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.cog.plugins import register_default_plugins
from grafana_foundation_sdk.models.dashboard import Dashboard
from panels import panels, queries
from prometheus import SHIPPED
from promql import uses

from gate.telemetry.catalogue import BY_NAME, Kind, Origin

NAMES = ("fleet", "model")
PROCESS = {"process_resident_memory_bytes"}
"""What the client library exports of each process; no metric of gate."""
OF_HISTOGRAMS = re.compile(r"_(bucket|sum|count)$")


@pytest.fixture(params=NAMES)
def dashboard(request, dashboards) -> dict:
    return dashboards[request.param]


def test_there_are_two(dashboards):
    assert tuple(dashboards) == NAMES
    assert [each["uid"] for each in dashboards.values()] == ["gate-fleet", "gate-model"]


def test_building_them_again_gives_the_committed_bytes(tmp_path):
    subprocess.run([sys.executable, "-m", "dashboards.src", str(tmp_path)], cwd=SHIPPED.parent, check=True, timeout=120)
    for name in NAMES:
        built, committed = tmp_path / f"{name}.json", SHIPPED / "grafana" / f"{name}.json"
        assert built.read_bytes() == committed.read_bytes(), f"{name}.json is old: python -m dashboards.src"


def test_nothing_is_lost_when_grafana_s_own_schema_reads_them(dashboard):
    """A field that the schema does not know, a misspelt one say, would not come back."""
    once = read(dashboard)
    assert read(once) == once
    assert _lost(dashboard, once) == []


def read(content: dict) -> dict:
    """What the schema makes of a dashboard."""
    register_default_plugins()
    return json.loads(json.dumps(Dashboard.from_json(content), cls=JSONEncoder))


def _lost(before, after, path="$") -> list[str]:
    """What `before` has and `after` has not; defaults may have been added."""
    if isinstance(before, dict):
        if not isinstance(after, dict):
            return [path]
        return [
            lost
            for key, value in before.items()
            for lost in (_lost(value, after[key], f"{path}.{key}") if key in after else [f"{path}.{key}"])
        ]
    if isinstance(before, list):
        if not isinstance(after, list) or len(before) != len(after):
            return [path]
        return [
            lost for i, (a, b) in enumerate(zip(before, after, strict=True)) for lost in _lost(a, b, f"{path}[{i}]")
        ]
    return [] if before == after else [path]


def test_a_misspelt_field_would_be_seen(dashboard):
    misspelt = json.loads(json.dumps(dashboard))
    next(panels(misspelt))["descriptoin"] = "What?"
    assert [path.rsplit(".", 1)[1] for path in _lost(misspelt, read(misspelt))] == ["descriptoin"]


def test_they_can_be_provisioned_as_they_are(dashboard):
    """grafana/grafana#10786: a provisioned dashboard with inputs finds no data source."""
    assert "__inputs" not in dashboard
    assert dashboard.get("id") is None
    assert dashboard["editable"] is False
    assert dashboard["timezone"] == "utc"
    assert dashboard["refresh"] == "1m"
    assert dashboard["tags"] == ["gate"]


def test_the_data_source_and_the_job_are_chosen_on_the_page(dashboard):
    variables = {each["name"]: each for each in dashboard["templating"]["list"]}
    assert variables["datasource"]["type"] == "datasource"
    assert variables["datasource"]["query"] == "prometheus"
    assert variables["job"]["multi"] is True
    for variable in variables.values():
        if variable["type"] == "query":
            assert variable["datasource"]["uid"] == "${datasource}"
            assert variable["refresh"] == 2, "a new model shows when the time range moves on"


def test_each_panel_says_what_it_shows(dashboard):
    titles = [panel["title"] for panel in panels(dashboard)]
    assert len(titles) == len(set(titles))
    for panel in panels(dashboard):
        assert panel["title"], panel
        assert len(panel["description"]) > 10, panel["title"]
        assert panel["fieldConfig"]["defaults"]["unit"], panel["title"]
        assert panel["targets"], panel["title"]
        for part in (panel, *panel["targets"]):
            assert part["datasource"] == {"type": "prometheus", "uid": "${datasource}"}, panel["title"]
        references = [target["refId"] for target in panel["targets"]]
        assert len(references) == len(set(references)), panel["title"]


def test_panels_have_ids_and_do_not_overlap(dashboard):
    every = [*dashboard["panels"], *(inner for panel in dashboard["panels"] for inner in panel.get("panels", []))]
    assert len({panel["id"] for panel in every}) == len(every)
    for panel in every:
        assert panel["gridPos"]["x"] + panel["gridPos"]["w"] <= 24, panel["title"]
    for one, other in combinations(every, 2):
        a, b = one["gridPos"], other["gridPos"]
        apart = (
            a["x"] + a["w"] <= b["x"]
            or b["x"] + b["w"] <= a["x"]
            or a["y"] + a["h"] <= b["y"]
            or b["y"] + b["h"] <= a["y"]
        )
        assert apart, (one["title"], other["title"])


def test_every_metric_is_in_the_catalogue_with_its_labels(dashboard):
    for place, query in queries(dashboard):
        for use in uses(query):
            if use.metric in PROCESS:
                continue
            metric = BY_NAME.get(use.metric) or BY_NAME[OF_HISTOGRAMS.sub("", use.metric)]
            allowed = {*metric.labels, "job", "instance", *(("le",) if metric.kind is Kind.HISTOGRAM else ())}
            assert set(use.by) <= allowed, (place, use)
            for label, operator, value in use.matchers:
                assert label in allowed, (place, use)
                if label in metric.values:
                    wanted = value.split("|") if "~" in operator else [value]
                    assert set(wanted) <= set(metric.values[label]), (place, use)


def test_every_selector_keeps_to_the_chosen_job(dashboard):
    for place, query in queries(dashboard):
        assert list(uses(query)), place
        for use in uses(query):
            assert ("job", "=~", "$job") in use.matchers, (place, use)


def test_state_is_never_added_up_over_replicas(dashboard):
    for place, query in queries(dashboard):
        for use in uses(query):
            metric = BY_NAME.get(use.metric)
            if metric and metric.origin is Origin.STATE:
                assert use.aggregator in ("max", "min"), (place, use)


def test_counters_are_read_as_rates_over_a_window_that_fits(dashboard):
    for place, query in queries(dashboard):
        for use in uses(query):
            metric = BY_NAME.get(use.metric)
            is_counter = OF_HISTOGRAMS.search(use.metric) if metric is None else metric.kind is Kind.COUNTER
            if is_counter and use.metric not in PROCESS:
                assert use.function in ("rate", "increase"), (place, use)
            if use.function == "rate":
                assert use.window == "$__rate_interval", (place, use)


def test_legends_name_labels_that_are_there(dashboard):
    for panel in panels(dashboard):
        for target in panel["targets"]:
            named = set(re.findall(r"\{\{(\w+)\}\}", target.get("legendFormat", "")))
            kept = {label for use in uses(target["expr"]) for label in use.by}
            kept |= {label for by in re.findall(r"by \(([^)]*)\)", target["expr"]) for label in by.split(", ")}
            assert named <= kept, (panel["title"], target["expr"])


def test_features_of_different_methods_share_no_panel(dashboards):
    for panel in panels(dashboards["model"]):
        for target in panel["targets"]:
            for use in uses(target["expr"]):
                if use.metric == "gate_feature_drift_score" and "/" not in target["expr"]:
                    assert ("method", "=~", "$method") in use.matchers
                    assert panel["repeat"] == "method"


def test_links_lead_to_dashboards_and_pages_that_exist(dashboards, alerts):
    uids = {each["uid"] for each in dashboards.values()}
    text = json.dumps(dashboards) + json.dumps(alerts)
    linked = set(re.findall(r"/d/([\w-]+)", text))
    assert linked == uids
    for uid, names in re.findall(r"/d/([\w-]+)\?((?:&?var-\w+=[^&\"]+)+)", text):
        (target,) = [each for each in dashboards.values() if each["uid"] == uid]
        variables = {each["name"] for each in target["templating"]["list"]}
        assert set(re.findall(r"var-(\w+)=", names)) <= variables
    assert set(re.findall(r"\$\{gate\}(/[a-z]+/)", text)) == {"/models/"}


def test_what_is_provisioned_is_what_they_use():
    sources = yaml.safe_load((SHIPPED / "provisioning" / "datasources" / "prometheus.yaml").read_text())["datasources"]
    (prometheus,) = [each for each in sources if each["type"] == "prometheus"]
    assert (prometheus["uid"], prometheus["isDefault"], prometheus["editable"]) == ("prometheus", True, False)
    scrape = yaml.safe_load((SHIPPED / "prometheus" / "prometheus.yml").read_text())["global"]["scrape_interval"]
    assert prometheus["jsonData"]["timeInterval"] == scrape, "$__rate_interval is made of it"
    (provider,) = yaml.safe_load((SHIPPED / "provisioning" / "dashboards" / "gate.yaml").read_text())["providers"]
    assert (provider["disableDeletion"], provider["allowUiUpdates"]) == (True, False)
    compose = yaml.safe_load((SHIPPED.parent / "docker-compose.yml").read_text())
    assert f"./dashboards/grafana:{provider['options']['path']}:ro" in compose["services"]["grafana"]["volumes"]
