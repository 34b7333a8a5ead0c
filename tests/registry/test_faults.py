"""Registries that are down, slow, hostile or something else: one clear line, always in time."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import textwrap

import pytest

from gate.domain.candidate import ModelRef
from gate.errors import CandidateError, RegistryError
from gate.registry.mlflow import MlflowRegistry
from gate.registry.session import load_mlflow

CHURN = ModelRef("churn", version="1")


@pytest.fixture(autouse=True)
def _impatient(monkeypatch):
    load_mlflow(databases=False)  # its import is not the subject of these deadlines
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")


def message(uri: str, seconds: float = 30) -> str:
    with pytest.raises(RegistryError) as caught:
        MlflowRegistry(uri, deadline_seconds=seconds).find(CHURN)
    return str(caught.value)


@pytest.mark.parametrize(
    ("behaviour", "said"),
    [
        ("busy", "it keeps answering HTTP 503; try again later"),
        (
            "unauthenticated",
            "it refuses the user; set MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD, or MLFLOW_TRACKING_TOKEN",
        ),
        (
            "unauthenticated-json",
            "it refuses the user; set MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD, or MLFLOW_TRACKING_TOKEN",
        ),
        (
            "forbidden",
            "this user may not read it; ask for READ, or set MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD",
        ),
        ("page", "its answer is not MLflow's; is this the address of an MLflow server?"),
        ("garbage", "its answer is not MLflow's; is this the address of an MLflow server?"),
        ("missing", "it has no MLflow API (404); is this the address of an MLflow server, of version 3 or later?"),
        ("empty", "asked for model 'churn', was answered ''; is this an MLflow server?"),
        ("other", "asked for model 'churn', was answered 'somebody-else'; is this an MLflow server?"),
        ("circle", "it redirects in a circle"),
        ("hangs-up", "it breaks the connection off"),
    ],
)
def test_a_bad_answer_is_one_line_that_says_what_it_was(misbehaving, behaviour, said):
    uri = f"http://{misbehaving.place}/{behaviour}"
    assert message(uri) == f"{uri}: {said}"


@pytest.mark.parametrize("behaviour", ["slow", "trickle", "retry-in-an-hour"])
def test_no_way_of_being_slow_outlasts_the_deadline(misbehaving, behaviour, monkeypatch):
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "2")
    uri = f"http://{misbehaving.place}/{behaviour}"
    assert message(uri, 1) == f"{uri}: no answer within 1 s; is the registry up, and this its address?"


def test_a_server_that_is_always_busy_is_asked_three_times(misbehaving, monkeypatch):
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "9")  # more patience than gate has
    misbehaving.seen.clear()
    uri = f"http://{misbehaving.place}/busy"
    assert message(uri) == f"{uri}: it keeps answering HTTP 503; try again later"
    assert sum(behaviour == "busy" for behaviour, _ in misbehaving.seen) == 3


def test_a_registry_that_is_down_is_named_without_the_password():
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        place = f"127.0.0.1:{unused.getsockname()[1]}"
    said = message(f"http://somebody:s3cret@{place}")
    assert said == f"http://{place}: the connection is refused; is the server up?"


def test_a_host_that_does_not_exist_is_named():
    assert message("http://registry.invalid:5000") == "http://registry.invalid:5000: its host name does not resolve"


def test_credentials_are_not_taken_to_another_host(misbehaving, monkeypatch):
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "2")
    monkeypatch.setenv("MLFLOW_TRACKING_USERNAME", "somebody")
    monkeypatch.setenv("MLFLOW_TRACKING_PASSWORD", "s3cret")
    misbehaving.seen.clear()
    message(f"http://{misbehaving.place}/elsewhere")
    at_home, landed = (
        next(headers for name, headers in misbehaving.seen if name == n) for n in ("elsewhere", "landed")
    )
    assert "Authorization" in at_home
    assert "Authorization" not in landed


def test_the_credentials_are_in_no_message(misbehaving, monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_USERNAME", "somebody")
    monkeypatch.setenv("MLFLOW_TRACKING_PASSWORD", "s3cret")
    for behaviour in ("unauthenticated", "forbidden", "busy", "page"):
        assert "s3cret" not in message(f"http://{misbehaving.place}/{behaviour}")


def test_an_unknown_model_names_the_workspace_that_was_searched(misbehaving, monkeypatch):
    monkeypatch.setenv("MLFLOW_WORKSPACE", "team-a")
    uri = f"http://{misbehaving.place}/workspaces"
    with pytest.raises(CandidateError) as caught:
        MlflowRegistry(uri, deadline_seconds=30).find(CHURN)
    assert str(caught.value) == (
        f"{uri}: no model is called 'churn' (MLFLOW_WORKSPACE is 'team-a'; other workspaces are not searched)"
    )
    assert "team-a" in [headers.get("X-MLFLOW-WORKSPACE") for _, headers in misbehaving.seen]


@pytest.mark.slow
def test_a_process_that_gave_up_ends_at_once_and_says_nothing_else(misbehaving):
    program = """
        import sys
        from gate.domain.candidate import ModelRef
        from gate.errors import RegistryError
        from gate.registry.mlflow import MlflowRegistry
        try:
            MlflowRegistry(sys.argv[1], deadline_seconds=1.5).find(ModelRef("churn", version="1"))
        except RegistryError as error:
            print(error)
            sys.exit(error.exit_code)
    """
    uri = f"http://{misbehaving.place}/trickle"
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MLFLOW_")}
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program), uri],
        capture_output=True,
        check=False,
        text=True,
        timeout=100,  # the server trickles for as long as the tests run
        env=environment,
    )
    said = f"{uri}: no answer within 1.5 s; is the registry up, and this its address?\n"
    assert (done.returncode, done.stdout, done.stderr) == (4, said, "")
