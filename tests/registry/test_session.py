"""Opening a registry: MLflow is made impatient and silent, and no database is made or changed."""

from __future__ import annotations

import sqlite3

import pytest

from gate.errors import RegistryError, UsageError
from gate.registry.session import load_mlflow, open_client, prepare


@pytest.mark.parametrize(
    ("given", "kept"),
    [({}, "2"), ({"MLFLOW_HTTP_REQUEST_MAX_RETRIES": "7"}, "2"), ({"MLFLOW_HTTP_REQUEST_MAX_RETRIES": "0"}, "0")],
)
def test_a_user_may_have_less_patience_and_not_more(given, kept):
    environment = dict(given)
    prepare(environment)
    assert environment == {
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "MLFLOW_ENABLE_PROXY_MULTIPART_DOWNLOAD": "false",
        "MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR": "1",
        "MLFLOW_HTTP_REQUEST_MAX_RETRIES": kept,
        "MLFLOW_HTTP_REQUEST_TIMEOUT": "5",
    }


@pytest.mark.parametrize("text", ["0.5", "-1", "soon", "²"])
def test_a_patience_that_mlflow_cannot_read_is_a_usage_error(text):
    with pytest.raises(UsageError) as caught:
        prepare({"MLFLOW_HTTP_REQUEST_TIMEOUT": text})
    assert str(caught.value) == f"MLFLOW_HTTP_REQUEST_TIMEOUT must be a whole number, got {text!r}"


def opened(uri: str) -> str:
    with pytest.raises(RegistryError) as caught:
        open_client(load_mlflow(databases=True), uri, uri)
    return str(caught.value)


def test_a_file_that_is_not_there_is_not_made(tmp_path):
    uri = f"sqlite:///{tmp_path}/sub/mlflow.db"
    assert opened(uri) == f"{uri}: there is no such file"
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_no_database_is_refused(tmp_path):
    (tmp_path / "a ?#.db").write_text("not a database, but long enough to hold what a header would be" * 20)
    (tmp_path / "b.db").write_text("not a database, but long enough to hold what a header would be" * 20)
    uri = f"sqlite:///{tmp_path}/b.db"
    assert opened(uri) == f"{uri}: cannot be read as an SQLite database (file is not a database)"


@pytest.mark.parametrize("statement", ["SELECT 1", "CREATE TABLE pets (name)"])
def test_a_database_of_something_else_is_not_filled_with_tables(tmp_path, statement):
    with sqlite3.connect(tmp_path / "other.db") as database:
        database.execute(statement)
    database.close()
    before = (tmp_path / "other.db").read_bytes()
    uri = f"sqlite:///{tmp_path}/other.db"
    assert opened(uri) == f"{uri}: this database holds no MLflow registry"
    assert (tmp_path / "other.db").read_bytes() == before


def test_a_registry_of_an_older_release_is_not_migrated(altered):
    uri = altered("DROP TABLE webhook_events")
    assert opened(uri) == (
        f"{uri}: it was written by an older release of MLflow (no table 'webhook_events'); "
        f"run `mlflow db upgrade {uri}` once its owner agrees, for gate does not change a registry"
    )
