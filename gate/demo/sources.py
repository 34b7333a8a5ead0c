"""The two datasets that gate ships (`gate/demo/data/README.md` names their authors and licences)."""

from __future__ import annotations

from importlib.resources import as_file, files

import pandas as pd


def _read(name: str) -> pd.DataFrame:
    with as_file(files("gate.demo") / "data" / name) as path:
        return pd.read_parquet(path)


def adult() -> pd.DataFrame:
    """32,561 people of the US census of 1994, in a fixed random order: the data has no time in it.

    Columns as published; `income` is `<=50K` or `>50K`, missing text is None.
    """
    return _read("adult.parquet").sample(frac=1, random_state=7).reset_index(drop=True)


def bike() -> pd.DataFrame:
    """17,379 hours of bike rental in Washington D.C., 2011 and 2012, oldest first, with `timestamp` added."""
    hours = _read("bike_sharing_hour.parquet")
    timestamp = pd.to_datetime(hours["dteday"]) + pd.to_timedelta(hours["hr"], unit="h")
    return hours.assign(timestamp=timestamp.astype("datetime64[us]"))


def between(hours: pd.DataFrame, since: str, until: str) -> pd.DataFrame:
    """The hours from `since` (included) to `until` (excluded)."""
    return hours[(hours["timestamp"] >= since) & (hours["timestamp"] < until)].reset_index(drop=True)
