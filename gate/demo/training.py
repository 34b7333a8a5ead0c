"""What a training pipeline does with MLflow: a run, metrics, a signature, logged datasets, a registered version."""

from __future__ import annotations

import hashlib
import json
import logging
import os
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from gate.demo.workspace import Workspace

_SAMPLE = 2_000  # rows that are enough to tell each column's type, and which ones have missing values


@dataclass(frozen=True, slots=True)
class Trained:
    """A trained model and everything the registry shall know about it.

    `datasets` maps a context (`training`, `pilot`) to the parquet file that is logged on the run in that context;
    `metrics` are linked to the training dataset.
    """

    name: str
    estimator: Any
    inputs: pd.DataFrame
    outputs: Any
    datasets: Mapping[str, Path]
    metrics: Mapping[str, float]
    description: str
    tags: Mapping[str, str] = field(default_factory=dict)
    alias: str | None = None


@contextmanager
def embedded_registry(workspace: Workspace) -> Iterator[None]:
    """Point MLflow's fluent interface at the demo's registry, and put the user's settings back afterwards.

    A user's MLFLOW_TRACKING_URI, MLFLOW_RUN_ID or MLFLOW_EXPERIMENT_NAME would otherwise reach into the demo, or the
    demo into their registry.
    """
    theirs = {name: value for name, value in os.environ.items() if name.startswith("MLFLOW_")}
    os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"  # read when mlflow is imported
    import mlflow

    before = mlflow.get_tracking_uri(), mlflow.get_registry_uri()
    for name in theirs:
        os.environ.pop(name)
    logging.getLogger("mlflow").setLevel(logging.ERROR)
    logging.getLogger("alembic").setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # hints about integers with missing values and pickled models
            mlflow.set_tracking_uri(workspace.tracking_uri)
            mlflow.set_registry_uri(workspace.tracking_uri)
            yield
    finally:
        mlflow.set_tracking_uri(before[0])
        mlflow.set_registry_uri(before[1])
        for name in [name for name in os.environ if name.startswith("MLFLOW_")]:
            del os.environ[name]
        os.environ.update(theirs)


def create_tables() -> None:
    """Create the registry's tables: MLflow does so at the first question."""
    import mlflow

    mlflow.MlflowClient().search_registered_models(max_results=1)


def create_model(workspace: Workspace, name: str, description: str, tags: Mapping[str, str]) -> None:
    """Create a registered model and the experiment its runs belong to."""
    import mlflow

    client = mlflow.MlflowClient()
    client.create_experiment(name, artifact_location=workspace.artifact_location(name))
    client.create_registered_model(name, tags=dict(tags), description=description)


def register(trained: Trained) -> str:
    """Log a run for `trained`, register its model as the next version, and return that version."""
    import mlflow
    import mlflow.sklearn
    from mlflow.models import infer_signature

    client = mlflow.MlflowClient()
    experiment = client.get_experiment_by_name(trained.name)
    with mlflow.start_run(experiment_id=experiment.experiment_id) as run:
        info = mlflow.sklearn.log_model(
            trained.estimator,
            name="model",
            signature=infer_signature(trained.inputs[:_SAMPLE], trained.outputs[:_SAMPLE]),
            serialization_format="cloudpickle",  # gate never loads it
            pip_requirements=["scikit-learn"],  # else mlflow loads the model in another process to find out
        )
        logged = {context: _dataset(trained.name, path) for context, path in trained.datasets.items()}
        inputs = [_in_context(dataset, context) for context, dataset in logged.items()]
        client.log_inputs(run.info.run_id, datasets=inputs)
        training = logged["training"]
        for key, value in trained.metrics.items():
            client.log_metric(
                run.info.run_id, key, value, model_id=info.model_id,
                dataset_name=training.name, dataset_digest=training.digest,
            )  # fmt: skip
    version = client.create_model_version(
        trained.name, info.model_uri, run_id=info.run_id, tags=dict(trained.tags), description=trained.description,
        model_id=info.model_id,
    ).version  # fmt: skip
    if trained.alias:
        client.set_registered_model_alias(trained.name, trained.alias, version)
    return str(version)


def _dataset(model: str, path: Path) -> Any:
    """Describe a parquet file as MLflow's own datasets do. MLflow would look at each value to tell a column's type."""
    from mlflow.entities import Dataset
    from mlflow.models import infer_signature

    rows = pd.read_parquet(path)
    schema = infer_signature(rows[:_SAMPLE]).inputs
    return Dataset(
        name=f"{model}-{path.stem}",
        digest=hashlib.sha256(path.read_bytes()).hexdigest()[:36],  # the longest that MLflow takes
        source_type="local",
        source=json.dumps({"uri": path.as_uri()}),
        schema=json.dumps({"mlflow_colspec": schema.to_dict()}),
        profile=json.dumps({"num_rows": len(rows), "num_elements": rows.size}),
    )


def _in_context(dataset: Any, context: str) -> Any:
    from mlflow.entities import DatasetInput, InputTag

    return DatasetInput(dataset=dataset, tags=[InputTag("mlflow.data.context", context)])
