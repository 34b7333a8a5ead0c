"""The income pilots: a classifier on census data, and three feeds that it is judged on.

The census has no time in it. So the training data is one random half, the pilot data comes from the other, and
whatever gate finds between the two beyond chance would be a false alarm; a fault that is planted must be found.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.metrics import roc_auc_score

from gate.demo import models
from gate.demo.sources import adult
from gate.demo.training import Trained, create_model, register
from gate.demo.workspace import Workspace

NAME = "income"
POSITIVE = ">50K"
FIRST_DAYS_ROWS = 3_000
FIRST_DAYS_LABELLED = 40


def prepare(workspace: Workspace) -> None:
    """Train and register two versions, and write the pilot data of both."""
    folder = workspace.data / NAME
    folder.mkdir()
    people = adult()
    half = len(people) // 2
    training, pilot = people[:half], people[half:].reset_index(drop=True)
    create_model(
        workspace, NAME, "Does a person earn more than 50,000 dollars a year? Preselects for a tax-advice pilot.",
        {"owner": "tax-advice-team", "lifecycle": "pilot"},
    )  # fmt: skip
    _boosted(folder, training, pilot)
    _logistic(folder, training, pilot)


def _boosted(folder: Path, training: pd.DataFrame, pilot: pd.DataFrame) -> None:
    """Version 1: its pilot data is logged on its own run, so that the predictions are bound to it."""
    model, known = _train(models.boosted_income(), training)
    paths = {"training": folder / "training-v1.parquet", "pilot": folder / "pilot-v1.parquet"}
    known.to_parquet(paths["training"], index=False)
    _predicted(model, pilot).to_parquet(paths["pilot"], index=False)
    version = _register(model, known, paths, "Gradient-boosted trees.", "preselection", "candidate")
    # The faulty feed was recorded by the service, which writes the version that answered beside each answer.
    faulty = _as_delivered(_predicted(model, _faulty(pilot))).assign(model_version=version)
    faulty.to_parquet(folder / "faulty-feed-v1.parquet", index=False)


def _logistic(folder: Path, training: pd.DataFrame, pilot: pd.DataFrame) -> None:
    """Version 2: its pilot is a few days old, and the truth is known of 40 people only."""
    model, known = _train(models.logistic_income(), training)
    paths = {"training": folder / "training-v2.parquet", "pilot": folder / "pilot-v2.parquet"}
    known.to_parquet(paths["training"], index=False)
    first_days = _predicted(model, pilot.head(FIRST_DAYS_ROWS))
    first_days.loc[FIRST_DAYS_LABELLED:, "income"] = None
    first_days.to_parquet(paths["pilot"], index=False)
    _register(model, known, paths, "Logistic regression, in its first days.", "first-days", "challenger")


def _train(model: Any, training: pd.DataFrame) -> tuple[Any, pd.DataFrame]:
    """Fit, and give back the training rows with predictions of models that had not seen them."""
    inputs = training[list(models.INCOME_INPUTS)]
    score = models.unseen(model, inputs, training["income"], "predict_proba")[:, 1]
    return model.fit(inputs, training["income"]), _with_answers(training, score)


def _predicted(model: Any, rows: pd.DataFrame) -> pd.DataFrame:
    return _with_answers(rows, model.predict_proba(rows[list(models.INCOME_INPUTS)])[:, 1])


def _with_answers(rows: pd.DataFrame, score: Any) -> pd.DataFrame:
    return rows.assign(p_over_50k=score, predicted=np.where(score >= 0.5, POSITIVE, "<=50K"))


def _faulty(pilot: pd.DataFrame) -> pd.DataFrame:
    """What reached the model after a careless change upstream: `hours_per_week` was renamed and so arrived empty."""
    lost = np.random.default_rng(models.SEED).random(len(pilot)) < 0.3
    return pilot.assign(
        occupation=pilot["occupation"].mask(lost, None),
        capital_gain=pilot["capital_gain"] * 100,  # cents
        hours_worked=pilot["hours_per_week"],
        hours_per_week=np.nan,
    )


def _as_delivered(rows: pd.DataFrame) -> pd.DataFrame:
    """The feed itself has the new name only."""
    return rows.drop(columns="hours_per_week")


def _register(model: Any, known: pd.DataFrame, paths: dict[str, Path], description: str, pilot: str, alias: str) -> str:
    inputs = known[list(models.INCOME_INPUTS)]
    return register(
        Trained(
            name=NAME,
            estimator=model,
            inputs=inputs,
            outputs=known["predicted"],
            datasets=paths,
            metrics={"roc_auc": float(roc_auc_score(known["income"] == POSITIVE, known["p_over_50k"]))},
            description=description,
            tags={"owner": "tax-advice-team", "pilot": pilot},
            alias=alias,
        )
    )
