"""docker-compose.yml, by docker-compose itself (which needs no engine to read it), and what that does not look at."""

from __future__ import annotations

import ast
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
ONE_SHOT = {"prepare", "seed"}
OURS = {"gate", "worker", "prepare", "seed"}


@pytest.fixture(scope="module")
def compose() -> dict:
    return yaml.safe_load((ROOT / "docker-compose.yml").read_text())


@pytest.fixture(scope="module")
def services(compose) -> dict[str, dict]:
    return compose["services"]


def docker_compose() -> str:
    found = shutil.which("docker-compose")
    if found is None:
        reason = "needs docker-compose, which is not installed: apt-get install --no-install-recommends docker-compose"
        if os.environ.get("REQUIRE_DOCKER_COMPOSE"):
            pytest.fail(reason)
        pytest.skip(reason)
    return found


def config(*arguments: str, folder: Path = ROOT) -> subprocess.CompletedProcess[str]:
    command = [docker_compose(), "--project-directory", str(ROOT), *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120, check=False)


def test_docker_compose_accepts_it():
    checked = config("--file", "docker-compose.yml", "config", "--quiet")
    assert (checked.returncode, checked.stdout, checked.stderr) == (0, "", "")


def test_a_field_that_does_not_exist_would_be_refused(tmp_path):
    broken = (ROOT / "docker-compose.yml").read_text().replace("stop_grace_period", "stop_grace_periode")
    (tmp_path / "broken.yml").write_text(broken)
    checked = config("--file", str(tmp_path / "broken.yml"), "config", "--quiet")
    assert checked.returncode == 1
    assert "stop_grace_periode" in checked.stderr


def test_everything_is_there(services):
    assert set(services) == {
        "postgres", "mlflow", "prepare", "gate", "worker", "seed", "prometheus", "alertmanager", "grafana",
    }  # fmt: skip


def test_ports_are_open_on_this_machine_only(services):
    ports = [port for service in services.values() for port in service.get("ports", [])]
    assert len(ports) == len(set(ports)) == 5
    assert all(re.fullmatch(r"127\.0\.0\.1:(\d+):\1", port) for port in ports)


def test_no_container_writes_into_itself_or_gains_rights(services):
    for name, service in services.items():
        assert service["read_only"] is True, name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert "/tmp" in service["tmpfs"], name
        assert not {"privileged", "network_mode", "pid", "user"} & set(service), name
    for name in (*OURS, "mlflow"):
        assert services[name]["cap_drop"] == ["ALL"], name


def test_all_restart_except_what_runs_once(services):
    for name, service in services.items():
        assert service["restart"] == ("no" if name in ONE_SHOT else "unless-stopped"), name


def test_images_are_ours_or_have_a_version(services):
    for name, service in services.items():
        if "build" in service:
            assert service["image"] == ("gate-mlflow" if name == "mlflow" else "gate")
        else:
            assert re.fullmatch(r"[a-z]+(/[a-z]+)?:v?\d+[\w.-]*", service["image"]), service["image"]


def test_secrets_come_as_files_and_nothing_secret_stands_in_the_file(compose, services):
    assert set(compose["secrets"]) == {"postgres_password", "gate_database", "grafana_password"}
    text = (ROOT / "docker-compose.yml").read_text()
    for variable in re.findall(r"^\s+(\w*(?:PASSWORD|TOKEN|SECRET|DATABASE)\w*):", text, re.MULTILINE):
        assert variable.endswith("_FILE") or variable == "GATE_SECRETS", variable
    for name, service in services.items():
        for variable, value in service.get("environment", {}).items():
            if variable.endswith("_FILE"):
                assert value.removeprefix("/run/secrets/") in service["secrets"], (name, variable)


def test_named_volumes_are_all_declared_and_used(compose, services):
    mounts = [volume for service in services.values() for volume in service.get("volumes", [])]
    named = {mount.split(":")[0] for mount in mounts if not mount.startswith("./")}
    assert named == set(compose["volumes"])
    for mount in mounts:
        if mount.startswith("./"):
            assert mount.endswith(":ro"), mount
            assert (ROOT / mount.split(":")[0]).exists(), mount


def test_data_is_written_by_prepare_only(services):
    mounts = {
        name: [m for m in service.get("volumes", []) if m.startswith("demo:")] for name, service in services.items()
    }
    assert {name: found for name, found in mounts.items() if found} == {
        "prepare": ["demo:/srv/gate"], "gate": ["demo:/srv/gate:ro"], "worker": ["demo:/srv/gate:ro"],
        "seed": ["demo:/srv/gate:ro"],
    }  # fmt: skip


def test_everything_starts_after_what_it_needs(services):
    needs = {name: {other: how["condition"] for other, how in service.get("depends_on", {}).items()}
             for name, service in services.items()}  # fmt: skip
    healthy, done = "service_healthy", "service_completed_successfully"
    assert needs == {
        "postgres": {}, "mlflow": {}, "alertmanager": {}, "prometheus": {},
        "prepare": {"mlflow": healthy},
        "gate": {"postgres": healthy, "mlflow": healthy, "prepare": done},
        "worker": {"gate": healthy},
        "seed": {"gate": healthy, "worker": healthy},
        "grafana": {"prometheus": healthy},
    }  # fmt: skip


def test_what_is_waited_for_has_a_health_check(services):
    dockerfile = (ROOT / "Dockerfile").read_text()
    for service in services.values():
        for other, how in service.get("depends_on", {}).items():
            if how["condition"] == "service_healthy":
                target = services[other].get("build", {}).get("target")
                built = re.search(rf"AS {target}\n.*?(?=\nFROM|\Z)", dockerfile, re.DOTALL) if target else None
                assert "healthcheck" in services[other] or (built and "HEALTHCHECK" in built[0]), other


def test_health_checks_use_what_the_images_have(services):
    programs = {name: service["healthcheck"]["test"][1] for name, service in services.items()
                if "test" in service.get("healthcheck", {})}  # fmt: skip
    assert programs == {
        "postgres": "pg_isready", "gate": "python", "prometheus": "promtool", "alertmanager": "amtool",
        "grafana": "wget",
    }  # fmt: skip
    ast.parse(services["gate"]["healthcheck"]["test"][3])
    assert "curl" not in (ROOT / "docker-compose.yml").read_text().replace("# ", "")


def test_settings_of_gate_are_settings(services):
    from gate.wiring.settings import _SETTINGS

    known = {setting.variable for setting in _SETTINGS.values()} | {"GATE_DATABASE_FILE", "GATE_CONFIG"}
    dockerfile = set(re.findall(r"\b(GATE_[A-Z_]+)=", (ROOT / "Dockerfile").read_text()))
    used = {key for name in OURS for key in services[name].get("environment", {}) if key.startswith("GATE_")}
    assert used | dockerfile <= known


def test_server_and_worker_share_database_policies_data_and_registry(services):
    server, worker = services["gate"]["environment"], services["worker"]["environment"]
    shared = ("GATE_DATABASE_FILE", "GATE_POLICIES", "GATE_DATA_ROOTS", "GATE_PUBLIC_URL", "MLFLOW_TRACKING_URI")
    assert [server[name] for name in shared] == [worker[name] for name in shared]
    assert (server["GATE_WORKERS"], worker["GATE_WORKERS"]) == ("0", "2")
    assert "GATE_METRICS_STATE" not in server
    assert f"127.0.0.1:{server['GATE_PUBLIC_URL'].rsplit(':', 1)[1]}:8484" in services["gate"]["ports"]


def test_prometheus_scrapes_services_that_exist(services):
    config = yaml.safe_load((ROOT / "dashboards" / "prometheus" / "prometheus.yml").read_text())
    hosts = set()
    for job in config["scrape_configs"]:
        hosts |= {name for found in job.get("dns_sd_configs", []) for name in found["names"]}
        hosts |= {target.split(":")[0] for found in job.get("static_configs", []) for target in found["targets"]}
    assert hosts - {"127.0.0.1"} <= set(services)
    assert {job["job_name"] for job in config["scrape_configs"]} >= {"gate", "gate-worker"}
