"""The doctor looks at a setup: each thing is a line, and what is wrong comes with what to do."""

from __future__ import annotations

import pytest
from click.testing import CliRunner
from wire import Pretender, http
from wire import wire as opened

import gate
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
    for name in ("GATE_CONFIG", "GATE_POLICIES", "GATE_DATA_HOSTS", "MLFLOW_TRACKING_URI", "MLFLOW_REGISTRY_URI",
                 "GATE_URL", "GATE_DATABASE"):  # fmt: skip
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


# --- with a server ---------------------------------------------------------------------------------------------------


@pytest.fixture
def served(setup, monkeypatch):
    """A setup whose GATE_URL names a server that answers what the test wants."""
    with opened() as wire:
        monkeypatch.setenv("GATE_URL", wire.url)
        yield wire


def checks(*, needed: bool, ok: bool = False) -> dict:
    return {"policies": {"ok": ok, "needed": needed, "detail": "p.yaml:3: no such key"}}


@pytest.mark.parametrize(
    ("answer", "status", "mark", "text", "code"),
    [
        ({"ready": True, "checks": checks(needed=False, ok=True)}, 200, "ok", "{0} is ready, gate {1}", 0),
        ({"ready": True, "checks": checks(needed=False)}, 200, "warn",
         "{0} answers, gate {1}; policies: p.yaml:3: no such key", 0),
        ({"ready": False, "checks": checks(needed=True)}, 503, "fail",
         "{0} is not ready: policies: p.yaml:3: no such key", 4),
        ("<html>", 200, "fail", ("{0}: answered with something that gate does not say: Invalid JSON: expected value "
                                 "at line 1 column 1"), 4),
    ],
)  # fmt: skip
def test_the_server_is_looked_at_instead_of_what_it_has(served, answer, status, mark, text, code):
    pretender = Pretender()
    wanted = answer
    served.answer = lambda asked: http(wanted, status) if asked.path == "/readyz" else pretender(asked)
    lines = list(examine())
    assert not {"registry", "store", "policy files"} & {line.subject for line in lines}
    line = next(line for line in lines if line.subject == "server")
    assert (line.mark, line.text) == (mark, text.format(served.url, gate.__version__))
    assert CliRunner().invoke(cli, ["doctor"]).exit_code == code


def test_another_version_on_the_server_is_worth_a_line(served):
    pretender = Pretender()
    served.answer = lambda asked: (
        http({"info": {"version": "9.9"}}) if asked.path.endswith("openapi.json") else pretender(asked)
    )
    assert found("server") == Line(
        "warn", "server", f"{served.url} is ready, but runs gate 9.9", "run the same version here"
    )


def test_a_server_that_is_not_there_is_exit_4_and_asked_once(setup, monkeypatch):
    monkeypatch.setenv("GATE_URL", "http://user:geheim@127.0.0.1:9")
    ended = CliRunner().invoke(cli, ["doctor"])
    assert ended.exit_code == 4
    assert "geheim" not in ended.output
    assert found("server").text == "http://***@127.0.0.1:9: cannot be reached: [Errno 111] Connection refused"


def test_with_a_server_the_extras_may_be_missing(monkeypatch):
    monkeypatch.setattr(doctor, "_version", lambda name: None)
    assert [line.mark for line in doctor._installation(needed=())] == ["ok", "warn", "warn", "warn"]
    assert [line.mark for line in doctor._installation()] == ["ok", "fail", "warn", "warn"]


@pytest.mark.parametrize(
    "url",
    ["postgresql+psycopg://gate:geheim@db/gate", "postgresql+psycopg://gate:ge@heim/x@db/gate",
     "postgresql+psycopg://db/gate?user=gate&password=geheim&sslmode=require"],
)  # fmt: skip
def test_no_form_of_a_database_address_shows_its_password(setup, monkeypatch, url):
    monkeypatch.setenv("GATE_DATABASE", url)
    text = found("database").text
    assert "heim" not in text
    assert text.startswith("postgresql+psycopg://")
    assert text.endswith(" (GATE_DATABASE)")


def test_zero_and_off_are_values(setup, monkeypatch):
    monkeypatch.setenv("GATE_WORKERS", "0")
    monkeypatch.setenv("GATE_METRICS_STATE", "off")
    monkeypatch.setenv("GATE_DATA_ROOTS", f"{setup}/b,{setup}/a")
    assert found("workers").text == "0 (GATE_WORKERS)"
    assert found("metrics_state").text == "off (GATE_METRICS_STATE)"
    assert found("data_roots").text == f"{setup}/a, {setup}/b (GATE_DATA_ROOTS)"
    assert found("database").text == "not set (not set)"
