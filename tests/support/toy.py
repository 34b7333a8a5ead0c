"""A toy pilot: a folder with a policy and data that is promoted as it stands, and may be broken in any way."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

ROWS = 2_000


@dataclass(frozen=True)
class Pilot:
    """A folder with a policy and data, and the environment in which `gate` finds the registry."""

    folder: Path
    environment: dict[str, str]

    @property
    def policy(self) -> Path:
        return self.folder / "policies" / "toy.yaml"

    @property
    def current(self) -> Path:
        return self.folder / "data" / "current.parquet"

    @property
    def reference(self) -> Path:
        return self.folder / "data" / "reference.parquet"


POLICY = """\
policy: gate/v1
name: toy
owner: team-toy
applies_to: {models: ["toy*"]}
task: regression
data:
  reference: {uri: ../data/reference.parquet}
  current: {uri: ../data/current.parquet}
  columns: {target: y, prediction: predicted, timestamp: at, key: id, segments: [kind]}
defaults: {min_rows: 100}
checks:
  - {check: schema_match}
  - {check: row_count, min: 500}
  - {check: missing_share, max: 0.05}
  - {check: duplicate_share, max: 0.01}
  - {check: new_categories}
  - {check: feature_drift, max: 0.2}
  - {check: prediction_drift, max: 0.2}
  - {check: metric, metric: mae, max: 1.0, severity: blocker}
verdict: {valid_for: 14d}
"""


def frame(seed: int, rows: int = ROWS, first_id: int = 0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    a, b = rng.normal(size=rows), rng.gamma(2.0, size=rows)
    kind = rng.choice(["red", "green", "blue"], size=rows, p=[0.5, 0.3, 0.2])
    y = 2 * a + b + rng.normal(scale=0.5, size=rows)
    return pd.DataFrame(
        {
            "id": np.arange(first_id, first_id + rows),
            "at": pd.Timestamp("2026-10-01") + pd.to_timedelta(np.arange(rows), unit="min"),
            "a": a,
            "b": b,
            "kind": kind,
            "y": y,
            "predicted": 2 * a + b,
            "model_version": "1",
        }
    )
