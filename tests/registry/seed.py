"""Fill an SQLite registry with real models, the way training code does; prints their ids as JSON.

Run as a program (`python seed.py FOLDER`), so that the tests' own process stays free of MLflow's global state.
"""

import json
import sys
from pathlib import Path

import mlflow
import numpy as np
import pandas as pd
from mlflow.models import infer_signature
from sklearn.linear_model import LogisticRegression

FEATURES = ["age", "income", "visits"]


def main(root: Path) -> None:
    uri = f"sqlite:///{root}/mlflow.db"
    mlflow.set_tracking_uri(uri)
    client = mlflow.MlflowClient()
    experiment = client.create_experiment("churn", artifact_location=(root / "artifacts").as_uri())
    rng = np.random.default_rng(7)
    rows = pd.DataFrame(
        {"age": rng.normal(40, 9, 300), "income": rng.normal(size=300), "visits": rng.integers(0, 9, 300)}
    )
    rows["left"] = (rows["age"] > 40).astype(int)
    (root / "data").mkdir()
    rows.to_parquet(root / "data" / "eval set.parquet")
    ids = {}

    for number in ("1", "2"):
        with mlflow.start_run(experiment_id=experiment) as run:
            train = mlflow.data.from_pandas(rows.head(200), source="data/train.parquet", name="churn-train")
            held_out = mlflow.data.from_pandas(
                rows, source=(root / "data" / "eval set.parquet").as_uri(), name="churn-eval", targets="left"
            )
            mlflow.log_input(train, context="training")
            mlflow.log_input(held_out, context="evaluation")
            mlflow.set_tag("team", "retention")
            mlflow.log_metric("train_seconds", 1.5)  # before the model: belongs to the run alone
            model = LogisticRegression().fit(rows[FEATURES], rows["left"])
            info = mlflow.sklearn.log_model(
                model,
                name="model",
                signature=infer_signature(rows[FEATURES], model.predict(rows[FEATURES])),
                pip_requirements=["scikit-learn"],
            )
            for key, value in {"accuracy": 0.5, "accuracy2": 0.75, "bias": 0.0, "broken": float("nan")}.items():
                mlflow.log_metric(key, value, model_id=info.model_id, dataset=held_out)
            mlflow.log_metric("accuracy", 0.875, model_id=info.model_id, dataset=held_out, step=1)
            mlflow.log_metric("diverged", float("inf"))
            mlflow.log_metric("fell", float("-inf"))
            mlflow.log_metric("lost", float("nan"))
            mlflow.log_text("one,two\n1,2\n", "gate/predictions.csv")
            mlflow.log_text("# card", "gate/deep/model card.md")
        version = mlflow.register_model(info.model_uri, "churn", tags={"lifecycle": "pilot"})
        ids[number] = {"run": run.info.run_id, "model": info.model_id, "version": version.version}
    client.update_model_version("churn", "2", description="Second try.")
    client.update_registered_model("churn", description="Who leaves next month.")
    client.set_registered_model_tag("churn", "owner", "retention")
    client.set_registered_model_alias("churn", "champion", "1")
    client.set_registered_model_alias("churn", "challenger", "2")
    client.set_registered_model_alias("churn", "Champion", "2")  # aliases are case-sensitive
    client.copy_model_version("models:/churn/2", "churn-production")

    # As MLflow 2 registered: files of the run, no logged model, no signature.
    with mlflow.start_run(experiment_id=experiment) as run:
        mlflow.log_text("flavors: {}\n", "old/MLmodel")
        mlflow.log_text("weights", "old/data/model.bin")
    client.create_registered_model("it's old")
    client.create_model_version("it's old", f"runs:/{run.info.run_id}/old", run.info.run_id)
    ids["old"] = {"run": run.info.run_id}
    mlflow.genai.register_prompt("greeting", "Dear {{name}}")
    (root / "ids.json").write_text(json.dumps(ids))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
