"""The README's way from a model of one's own to a verdict, with the README's own commands."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.dummy import DummyClassifier

from gate.demo.training import Trained, create_model, create_tables, embedded_registry, register
from gate.demo.workspace import Workspace

pytestmark = pytest.mark.slow

README = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
VERSIONS = 3  # the README asks about the third


def customers(seed: int) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    months, bill = rng.integers(1, 72, 2_000), rng.gamma(4, 15, 2_000)
    churned = np.where(rng.random(2_000) < 1 / (1 + np.exp(months / 12 - bill / 60)), "yes", "no")
    predicted = np.where(rng.random(2_000) < 0.9, churned, "no")
    plan = rng.choice(["basic", "family", "pro"], 2_000)
    return pd.DataFrame({"months": months, "bill": bill, "plan": plan, "churned": churned, "predicted": predicted})


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    workspace = Workspace(tmp_path_factory.mktemp("own"))
    workspace.begin()
    training = workspace.data / "training.parquet"
    frame = customers(1)
    frame.to_parquet(training, index=False)
    inputs = frame[["months", "bill", "plan"]]
    with embedded_registry(workspace):
        create_tables()
        create_model(workspace, "churn", "Who is about to leave?", {"owner": "customer-analytics"})
        for _ in range(VERSIONS):
            register(
                Trained(
                    name="churn", estimator=DummyClassifier().fit([[0]], ["no"]), inputs=inputs,
                    outputs=frame["predicted"], datasets={"training": training}, metrics={}, description="Third try.",
                )
            )  # fmt: skip
    return workspace


def told(command: str) -> list[str]:
    """The line of the README that starts with `command`, as words."""
    (line,) = re.findall(rf"^{command} .*$", README, re.MULTILINE)
    return shlex.split(line)


def run(words: list[str], folder: Path, registry: Workspace) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"MLFLOW_TRACKING_URI": registry.tracking_uri, "GATE_HOME": str(registry.home)}
    assert words[0] == "gate"
    return subprocess.run(
        [sys.executable, "-m", *words], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )


@pytest.fixture(scope="module")
def proposed(registry: Workspace, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of somebody who has just run `gate init`."""
    folder = tmp_path_factory.mktemp("stranger")
    (folder / "data").mkdir()
    customers(2).to_parquet(folder / "data" / "pilot.parquet", index=False)
    done = run(told("gate init"), folder, registry)
    assert done.returncode == 0, done.stderr
    assert (folder / "policies" / "churn.yaml").is_file()
    return folder


def test_a_stranger_gets_a_verdict_on_their_own_model(proposed: Path, registry: Workspace):
    checked = run(told("gate check"), proposed, registry)
    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert checked.stdout.startswith("PROMOTE churn version 3")
    assert (proposed / "report" / "index.html").is_file()


def test_and_is_told_when_the_pilot_is_unlike_the_training_data(proposed: Path, registry: Workspace):
    pilot = customers(2)
    pilot.assign(bill=pilot["bill"] * 1.5).to_parquet(proposed / "data" / "pilot.parquet", index=False)
    checked = run(told("gate check"), proposed, registry)
    assert checked.returncode == 1, checked.stdout + checked.stderr
    assert "feature_drift(bill)" in checked.stdout
