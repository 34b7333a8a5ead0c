from __future__ import annotations

import os

import mlflow
import pandas as pd
import pytest

from gate.demo.run import prepare
from gate.demo.training import embedded_registry
from gate.demo.workspace import Workspace


def test_the_settings_of_the_user_are_put_back(workspace: Workspace, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "https://registry.example")
    monkeypatch.setenv("MLFLOW_RUN_ID", "theirs")
    with embedded_registry(workspace):
        assert mlflow.get_tracking_uri() == workspace.tracking_uri
        assert "MLFLOW_RUN_ID" not in os.environ
    assert os.environ["MLFLOW_TRACKING_URI"] == "https://registry.example"
    assert os.environ["MLFLOW_RUN_ID"] == "theirs"


def test_they_are_put_back_after_a_crash_too(workspace: Workspace, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("MLFLOW_EXPERIMENT_NAME", "theirs")

    def crash():
        with embedded_registry(workspace):
            raise RuntimeError

    with pytest.raises(RuntimeError):
        crash()
    assert os.environ["MLFLOW_EXPERIMENT_NAME"] == "theirs"


@pytest.fixture(scope="module")
def client(prepared: Workspace) -> mlflow.MlflowClient:
    return mlflow.MlflowClient(prepared.tracking_uri, prepared.tracking_uri)


def test_the_registry_holds_what_a_careful_team_would_record(client: mlflow.MlflowClient):
    version = client.get_model_version_by_alias("income", "candidate")
    assert (str(version.version), version.tags["owner"]) == ("1", "tax-advice-team")
    assert version.description
    run = client.get_run(version.run_id)
    contexts = {tag.value for used in run.inputs.dataset_inputs for tag in used.tags}
    assert contexts == {"training", "pilot"}


def test_the_metric_is_linked_to_the_data_it_was_measured_on(client: mlflow.MlflowClient):
    version = client.get_model_version_by_alias("bike-demand", "challenger")
    (metric,) = client.get_logged_model(version.source.removeprefix("models:/")).metrics
    assert (metric.key, metric.dataset_name) == ("mae", "bike-demand-training-v2")
    assert 20 < metric.value < 40


def test_the_winter_model_serves_and_its_successor_challenges(client: mlflow.MlflowClient):
    assert client.get_registered_model("bike-demand").aliases == {"champion": 1, "challenger": 2}


def test_the_faulty_feed_has_its_three_faults(prepared: Workspace):
    known = pd.read_parquet(prepared.data / "income" / "pilot-v1.parquet")
    faulty = pd.read_parquet(prepared.data / "income" / "faulty-feed-v1.parquet")
    assert faulty["occupation"].isna().mean() == pytest.approx(0.3 + 0.7 * known["occupation"].isna().mean(), abs=0.01)
    assert (faulty["capital_gain"] == known["capital_gain"] * 100).all()
    assert set(known) - set(faulty) == {"hours_per_week"}
    assert set(faulty) - set(known) == {"hours_worked", "model_version"}


def test_the_truth_is_known_of_forty_people(prepared: Workspace):
    first_days = pd.read_parquet(prepared.data / "income" / "pilot-v2.parquet")
    assert (len(first_days), int(first_days["income"].notna().sum())) == (3_000, 40)


def test_the_champion_answered_the_same_hours(prepared: Workspace):
    shadow = pd.read_parquet(prepared.data / "bike-demand" / "pilot-v2.parquet")
    assert shadow[["predicted", "champion_predicted"]].notna().all(axis=None)
    assert (shadow["predicted"] != shadow["champion_predicted"]).any()


def test_a_second_time_nothing_is_trained(prepared: Workspace, heard):
    prepare(prepared, heard)
    assert heard.phases == ["use the models and data of the last demo"]


def test_the_training_data_has_predictions_of_models_that_had_not_seen_it(prepared: Workspace):
    """Otherwise an honest pilot would look worse than it is."""
    known = pd.read_parquet(prepared.data / "bike-demand" / "training-v1.parquet")
    error = (known["predicted"] - known["cnt"]).abs().mean()
    assert error > 10  # the model itself misses its own training rows by 7 on average
