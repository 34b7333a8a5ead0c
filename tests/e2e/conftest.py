"""A real registry with one small model, and a pilot on disk that may be broken in any way."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import pytest
from toy import POLICY, ROWS, Pilot, frame


@pytest.fixture(scope="session")
def registry_uri(tmp_path_factory) -> str:
    """One registered model `toy`, version 1, in a SQLite registry."""
    import mlflow
    from mlflow.models import ModelSignature
    from mlflow.types import ColSpec, Schema
    from sklearn.linear_model import LinearRegression

    folder = tmp_path_factory.mktemp("registry")
    uri = f"sqlite:///{folder / 'mlflow.db'}"
    mlflow.set_tracking_uri(uri)
    mlflow.set_registry_uri(uri)  # another test of this process may have named one
    mlflow.create_experiment("toy", artifact_location=(folder / "artifacts").as_uri())
    mlflow.set_experiment("toy")
    data = frame(0)
    signature = ModelSignature(
        inputs=Schema([ColSpec("double", "a"), ColSpec("double", "b"), ColSpec("string", "kind")]),
        outputs=Schema([ColSpec("double")]),
    )
    with mlflow.start_run():
        model = LinearRegression().fit(data[["a", "b"]], data["y"])
        info = mlflow.sklearn.log_model(model, name="model", signature=signature, pip_requirements=["scikit-learn"])
    mlflow.register_model(info.model_uri, "toy")
    mlflow.set_registry_uri(None)
    for name in ("MLFLOW_TRACKING_URI", "MLFLOW_REGISTRY_URI"):  # MLflow sets them, for every process that follows
        os.environ.pop(name, None)
    return uri


@pytest.fixture
def pilot(tmp_path: Path, registry_uri: str) -> Pilot:
    """A pilot that is promoted as it stands."""
    (tmp_path / "policies").mkdir()
    (tmp_path / "data").mkdir()
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("GATE_", "MLFLOW_", "CI"))}
    environment |= {
        "MLFLOW_TRACKING_URI": registry_uri,
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "DO_NOT_TRACK": "true",
        "GATE_HOME": str(tmp_path / "home"),
        "NO_COLOR": "1",
    }
    made = Pilot(tmp_path, environment)
    made.policy.write_text(POLICY)
    frame(1).to_parquet(made.reference)
    frame(2, first_id=ROWS).to_parquet(made.current)
    return made


@dataclass(frozen=True)
class Answer:
    """How a command ended, and what it wrote."""

    exit_code: int
    out: str
    err: str


@pytest.fixture
def gate(pilot: Pilot, monkeypatch, capfd):
    """Run `gate WORDS...` in this process, in the pilot's folder and environment."""
    from gate.cli.app import main

    def run(*words: str) -> Answer:
        for name in [name for name in os.environ if name.startswith(("GATE_", "MLFLOW_", "CI", "GITHUB_"))]:
            monkeypatch.delenv(name)
        for name, value in pilot.environment.items():
            monkeypatch.setenv(name, value)
        monkeypatch.chdir(pilot.folder)
        monkeypatch.setattr("sys.argv", ["gate", *words])
        capfd.readouterr()
        with pytest.raises(SystemExit) as end:
            main()
        out, err = capfd.readouterr()
        code = end.value.code
        return Answer(code if isinstance(code, int) else int(code is not None), out, err)

    return run
