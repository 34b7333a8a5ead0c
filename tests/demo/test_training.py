from __future__ import annotations

import os

import mlflow
import pytest

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
