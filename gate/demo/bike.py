"""The bike pilots: a forecaster that saw one winter, its successor that saw a full year, and what came next."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd

from gate.demo import models
from gate.demo.sources import between, bike
from gate.demo.training import Trained, create_model, register
from gate.demo.workspace import Workspace

NAME = "bike-demand"
_COLUMNS = ("instant", "timestamp", "season", *models.BIKE_INPUTS, "cnt")


def prepare(workspace: Workspace) -> None:
    """Train and register both versions, and write their pilot data."""
    folder = workspace.data / NAME
    folder.mkdir()
    hours = bike()[list(_COLUMNS)]
    create_model(
        workspace, NAME, "Rentals of the coming hour; the van drivers plan by it.",
        {"owner": "mobility-analytics", "lifecycle": "pilot"},
    )  # fmt: skip
    winter = _winter(folder, hours)
    _full_year(folder, hours, winter)


def _winter(folder: Path, hours: pd.DataFrame) -> Any:
    """Version 1 saw January to March 2011. The service writes one growing file with the version beside each answer."""
    model, known = _train(between(hours, "2011-01-01", "2011-04-01"))
    path = folder / "training-v1.parquet"
    known.to_parquet(path, index=False)
    version = _register(model, known, {"training": path}, "Trained on the first winter.", "first-winter", "champion")
    rest = between(hours, "2011-04-01", "2012-01-01")
    rest.assign(predicted=_answer(model, rest), model_version=version).to_parquet(
        folder / "served-v1.parquet", index=False
    )
    return model


def _full_year(folder: Path, hours: pd.DataFrame, champion: Any) -> None:
    """Version 2 saw all of 2011, and ran in shadow beside the champion for the first half of 2012."""
    model, known = _train(between(hours, "2011-01-01", "2012-01-01"))
    paths = {"training": folder / "training-v2.parquet", "pilot": folder / "pilot-v2.parquet"}
    known.to_parquet(paths["training"], index=False)
    shadow = between(hours, "2012-01-01", "2012-07-01")
    both = shadow.assign(predicted=_answer(model, shadow), champion_predicted=_answer(champion, shadow))
    both.to_parquet(paths["pilot"], index=False)
    _register(model, known, paths, "Trained on the whole of 2011.", "full-year", "challenger")


def _train(known: pd.DataFrame) -> tuple[Any, pd.DataFrame]:
    """Fit, and give back the training rows with predictions of models that had not seen them."""
    inputs = known[list(models.BIKE_INPUTS)]
    predicted = models.unseen(models.boosted_demand(), inputs, known["cnt"]).clip(min=0)
    return models.boosted_demand().fit(inputs, known["cnt"]), known.assign(predicted=predicted)


def _answer(model: Any, rows: pd.DataFrame) -> Any:
    """The service never answers with fewer than no rentals."""
    return model.predict(rows[list(models.BIKE_INPUTS)]).clip(min=0)


def _register(
    model: Any, known: pd.DataFrame, paths: dict[str, Path], description: str, pilot: str, alias: str
) -> str:  # fmt: skip
    return register(
        Trained(
            name=NAME,
            estimator=model,
            inputs=known[list(models.BIKE_INPUTS)],
            outputs=known["predicted"],
            datasets=paths,
            metrics={"mae": float((known["predicted"] - known["cnt"]).abs().mean())},
            description=description,
            tags={"owner": "mobility-analytics", "pilot": pilot},
            alias=alias,
        )
    )
