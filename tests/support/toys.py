"""A folder with a registry of toy models, a policy, data, and the environment in which a server of gate judges them."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from toy import POLICY, ROWS, frame


@dataclass(frozen=True)
class Toys:
    """The folder, and what `gate` needs to know of it."""

    folder: Path
    registry_uri: str

    @property
    def environment(self) -> dict[str, str]:
        """The environment of a command that stands in the folder: nothing of the caller's own settings."""
        kept = {key: value for key, value in os.environ.items() if not key.startswith(("GATE_", "MLFLOW_", "CI"))}
        return kept | {
            "MLFLOW_TRACKING_URI": self.registry_uri,
            "MLFLOW_DISABLE_TELEMETRY": "true",
            "DO_NOT_TRACK": "true",
            "GATE_HOME": str(self.folder / "home"),
            "NO_COLOR": "1",
        }


def make_toys(folder: Path, registry_uri: str) -> Toys:
    """Make the folder of a pilot that is promoted as it stands."""
    write_pilot(folder)
    return Toys(folder, registry_uri)


def write_pilot(folder: Path) -> None:
    """Write the policy and the data of a pilot that is promoted as it stands."""
    (folder / "policies").mkdir(parents=True)
    (folder / "data").mkdir()
    (folder / "policies" / "toy.yaml").write_text(POLICY)
    frame(1).to_parquet(folder / "data" / "reference.parquet")
    frame(2, first_id=ROWS).to_parquet(folder / "data" / "current.parquet")


def register_toys(folder: Path, names: Sequence[str], alias: str | None = None) -> str:
    """Register one small model under each name, version 1, in a SQLite registry; the registry's address."""
    import mlflow
    from mlflow.models import ModelSignature
    from mlflow.types import ColSpec, Schema
    from sklearn.linear_model import LinearRegression

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
    for name in names:
        mlflow.register_model(info.model_uri, name)
        if alias is not None:
            mlflow.MlflowClient().set_registered_model_alias(name, alias, "1")
    mlflow.set_registry_uri(None)
    for name in ("MLFLOW_TRACKING_URI", "MLFLOW_REGISTRY_URI"):  # MLflow sets them, for every process that follows
        os.environ.pop(name, None)
    return uri
