"""The doctor looks at a setup: each thing is a line, and what is wrong comes with what to do."""

from __future__ import annotations

import pytest
from click.testing import CliRunner

from gate.cli import doctor
from gate.cli.app import cli
from gate.cli.doctor import Line, examine
from gate.errors import RegistryError, UsageError

GOOD = """\
policy: gate/v1
name: toy
owner: team
applies_to: {models: [toy]}
task: none
data: {reference: {uri: r.parquet}, current: {uri: c.parquet}}
checks: [{check: schema_match}]
"""


@pytest.fixture
def setup(tmp_path, monkeypatch):
    """An empty setup: a home, no registry, no policies."""
    for name in ("GATE_CONFIG", "GATE_POLICIES", "GATE_DATA_HOSTS", "MLFLOW_TRACKING_URI", "MLFLOW_REGISTRY_URI"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("GATE_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("MLFLOW_DISABLE_TELEMETRY", "true")
    monkeypatch.setenv("DO_NOT_TRACK", "true")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def found(subject: str) -> Line:
    return next(line for line in examine() if line.subject == subject)


def test_without_a_registry_nothing_can_be_judged(setup):
    line = found("registry")
    assert (line.mark, line.text) == ("fail", "no registry is named")
    assert line.remedy == "set MLFLOW_TRACKING_URI to your MLflow server"
    assert CliRunner().invoke(cli, ["doctor"]).exit_code == 2


@pytest.mark.parametrize(
    ("content", "mark", "text"),
    [
        (None, "warn", "policies does not exist"),
        ({}, "warn", "policies holds none"),
        ({"a.yaml": GOOD}, "ok", "policies: 1 file, all right"),
        ({"a.yaml": GOOD, "b.yaml": "policy: gate/v1\n"}, "fail", "policies/b.yaml has 1 problem"),
    ],
)
def test_policies_are_loaded(setup, content, mark, text):
    if content is not None:
        (setup / "policies").mkdir()
        for name, policy in content.items():
            (setup / "policies" / name).write_text(policy)
    line = found("policy files")
    assert (line.mark, line.text) == (mark, text)


def test_each_setting_shows_its_value_and_where_it_comes_from(setup, monkeypatch):
    (setup / "gate.yaml").write_text("memory_limit: 1GB\n")
    monkeypatch.setenv("GATE_THREADS", "3")
    assert found("gate.yaml").text == str(setup / "gate.yaml")
    assert found("memory_limit").text == f"1GB ({setup / 'gate.yaml'})"
    assert found("threads").text == "3 (GATE_THREADS)"
    assert found("home").text == f"{setup / 'home'} (GATE_HOME)"


def test_a_password_in_a_uri_is_never_shown(setup, monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://user:geheim@127.0.0.1:9")
    monkeypatch.setenv("GATE_REGISTRY_SECONDS", "1")
    answer = CliRunner().invoke(cli, ["doctor"])
    assert "geheim" not in answer.stdout + answer.stderr
    assert "http://***@127.0.0.1:9 (MLFLOW_TRACKING_URI)" in answer.stdout
    assert answer.exit_code == 4


def test_a_wrong_setting_is_a_line_and_not_the_end(setup, monkeypatch):
    monkeypatch.setenv("GATE_THREADS", "many")
    line = found("settings")
    assert line.mark == "fail"
    assert line.text == "GATE_THREADS: threads must be a whole number from 1 to 9999, got 'many'"
    assert CliRunner().invoke(cli, ["doctor"]).exit_code == 2


def test_a_damaged_store_is_found(setup):
    (setup / "home").mkdir()
    (setup / "home" / "gate.db").write_bytes(b"no database" * 1000)
    line = found("store")
    assert (line.mark, line.exit_code) == ("fail", 4)
    assert line.text.endswith("file is not a database")


@pytest.mark.parametrize(
    ("variables", "marks"),
    [
        ({"MLFLOW_DISABLE_TELEMETRY": "true", "DO_NOT_TRACK": "1"}, ["ok", "ok"]),
        ({"MLFLOW_DISABLE_TELEMETRY": "1"}, ["warn", "warn"]),
        ({}, ["warn", "warn"]),
    ],
)
def test_telemetry_that_may_be_on_is_named(variables, marks):
    assert [line.mark for line in doctor._telemetry(variables)] == marks


@pytest.mark.parametrize(
    ("error", "code"),
    [(RegistryError("down"), 4), (UsageError("wrong"), 2), (KeyError("bug"), 4),
     (ModuleNotFoundError("x", name="mlflow"), 2)],
)  # fmt: skip
def test_a_look_that_dies_is_its_line(error, code):
    def _registry(_settings):
        raise error

    line = doctor._survive(_registry, None)
    assert (line.mark, line.subject, line.exit_code) == ("fail", "registry", code)


def test_a_missing_library_names_the_command_that_installs_it(monkeypatch):
    monkeypatch.setattr(doctor, "_version", lambda name: None if name in ("duckdb", "scikit-learn") else "1")
    lines = {line.subject: line for line in doctor._installation()}
    evaluate, demo = lines["extra evaluate"], lines["extra demo"]
    assert (evaluate.mark, evaluate.text) == ("fail", "not installed: duckdb")
    assert evaluate.remedy == "pip install 'readiness-gate[evaluate]'"
    assert (demo.mark, demo.remedy) == ("warn", "pip install 'readiness-gate[demo]'")


def test_every_line_fits_in_80_columns(setup):
    answer = CliRunner().invoke(cli, ["doctor"])
    assert max(len(line) for line in answer.stdout.splitlines() if str(setup) not in line) <= 80
