"""Addresses: what can be read, and how it is shown."""

from __future__ import annotations

import pytest

from gate.errors import UsageError
from gate.registry.address import registry_address, shown, without_userinfo
from gate.registry.session import sqlite_path

HOW = (
    "set MLFLOW_TRACKING_URI to a server (http://HOST:5000) or an SQLite registry (sqlite:////ABSOLUTE/PATH/mlflow.db)"
)


@pytest.mark.parametrize(
    ("uri", "safe"),
    [
        ("http://somebody:s3cret@host:5000/mlflow?token=s3cret#x", "http://host:5000/mlflow"),
        ("https://a:b@c@host", "https://host"),
        ("sqlite:////data/mlflow.db", "sqlite:////data/mlflow.db"),
        ("mlflow-artifacts:/1/x", "mlflow-artifacts:/1/x"),
        ("./mlruns", "./mlruns"),
    ],
)
def test_an_address_is_shown_without_secrets(uri, safe):
    assert shown(uri) == safe


def test_a_text_of_others_is_shown_without_their_passwords():
    assert without_userinfo("at http://a:b@host/x and ftp://c@other") == "at http://host/x and ftp://other"


@pytest.mark.parametrize(
    ("given", "environment", "chosen"),
    [
        ("http://a:1", {"MLFLOW_REGISTRY_URI": "http://b:1"}, "http://a:1"),
        (None, {"MLFLOW_REGISTRY_URI": "http://b:1", "MLFLOW_TRACKING_URI": "http://c:1"}, "http://b:1"),
        (None, {"MLFLOW_REGISTRY_URI": "", "MLFLOW_TRACKING_URI": "http://c:1"}, "http://c:1"),
    ],
)
def test_the_given_address_wins_over_the_variables(given, environment, chosen):
    assert registry_address(given, ("MLFLOW_REGISTRY_URI", "MLFLOW_TRACKING_URI"), environment) == chosen


@pytest.mark.parametrize(
    ("uri", "said"),
    [
        (None, f"no model registry is configured; {HOW}"),
        ("http://", f"the registry address 'http://' names no host; {HOW}"),
        ("localhost:5000", f"gate cannot read a registry at 'localhost:5000' (localhost); {HOW}"),
        ("postgresql://u:s3cret@host/db", f"gate cannot read a registry at 'postgresql://host/db' (postgresql); {HOW}"),
        ("databricks", None),
        ("./mlruns", None),
        (
            "file:///srv/mlruns",
            (
                "the registry address 'file:///srv/mlruns' is a folder, which MLflow no longer keeps registries in; "
                f"convert it with `mlflow migrate-filestore`, then {HOW}"
            ),
        ),
        (" http://a:1", "the registry address ' http://a:1' contains white space around it or control characters"),
        ("http://a\n:1", "the registry address 'http://a\\n:1' contains white space around it or control characters"),
    ],
)
def test_an_address_that_cannot_be_read_says_what_can(uri, said):
    with pytest.raises(UsageError) as caught:
        registry_address(uri, ("MLFLOW_TRACKING_URI",), {})
    assert said is None or str(caught.value) == said


@pytest.mark.parametrize("uri", ["sqlite://", "sqlite:///", "sqlite:///:memory:", "sqlite:///a.db?mode=ro"])
def test_an_sqlite_registry_is_a_file(uri):
    with pytest.raises(UsageError, match=r"names no file; write sqlite:////ABSOLUTE/PATH/mlflow\.db"):
        sqlite_path(uri)
