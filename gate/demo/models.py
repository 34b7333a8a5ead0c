"""The models of the demo: small, seeded, trained in seconds."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from sklearn.compose import make_column_transformer
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import KFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, StandardScaler

SEED = 7

INCOME_TEXTS = (
    "workclass",
    "education",
    "marital_status",
    "occupation",
    "relationship",
    "race",
    "sex",
    "native_country",
)
INCOME_NUMBERS = ("age", "education_num", "capital_gain", "capital_loss", "hours_per_week")
INCOME_INPUTS = (*INCOME_NUMBERS, *INCOME_TEXTS)
BIKE_INPUTS = ("hr", "weekday", "workingday", "weathersit", "temp", "hum", "windspeed")


def boosted_income() -> Any:
    """Gradient-boosted trees that take missing values as they are."""
    encode = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=np.nan, encoded_missing_value=np.nan)
    return make_pipeline(
        make_column_transformer((encode, list(INCOME_TEXTS)), ("passthrough", list(INCOME_NUMBERS))),
        HistGradientBoostingClassifier(
            max_iter=80, max_leaf_nodes=15, categorical_features=list(range(len(INCOME_TEXTS))), random_state=SEED
        ),
    )


def logistic_income() -> Any:
    """A logistic regression that a person can read."""
    encode = OneHotEncoder(handle_unknown="ignore", min_frequency=20)
    scale = make_pipeline(SimpleImputer(), StandardScaler())
    return make_pipeline(
        make_column_transformer((encode, list(INCOME_TEXTS)), (scale, list(INCOME_NUMBERS))),
        LogisticRegression(max_iter=300, random_state=SEED),
    )


def boosted_demand() -> Any:
    """Gradient-boosted trees for the rentals of an hour."""
    return HistGradientBoostingRegressor(max_iter=150, random_state=SEED)


def unseen(model: Any, rows: pd.DataFrame, target: pd.Series, method: str = "predict") -> Any:
    """Predict each training row by a model that did not see it (3 folds).

    What a model says of rows it learned from is too sure of itself; held against it, an honest pilot looks drifted.
    """
    folds = KFold(n_splits=3, shuffle=True, random_state=SEED)
    return cross_val_predict(model, rows, target, cv=folds, method=method)
