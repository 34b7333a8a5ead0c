"""What the benchmark checks: `python bench/generate.py FOLDER ROWS`.

Two files of 25 columns (20 numeric of mixed shapes, 4 texts, 1 timestamp; 1 to 2 % nulls), a registered model whose
signature names them, and a policy with schema, quality and drift checks over all of them.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from sklearn.dummy import DummyRegressor

from gate.demo.training import Trained, create_model, embedded_registry, register
from gate.demo.workspace import Workspace

_CHUNK = 250_000  # rows made, and written as a row group, at a time
_START = np.datetime64("2026-01-01T00:00:00", "us")

MODEL = "bench"
POLICY = """\
policy: gate/v1
name: bench
owner: bench
applies_to: {models: [bench]}
task: none
data:
  reference: {mlflow: training}
  current: {uri: ../data/current.parquet}
  columns: {target: null, timestamp: at}
checks:
  - {check: schema_match}
  - {check: row_count, min: 1}
  - {check: missing_share, max: 0.05}
  - {check: duplicate_share, max: 0.01}
  - {check: constant_columns}
  - {check: new_categories, max_share: 0.001}
  - {check: feature_drift, max: 0.1, method: {numeric: wasserstein, categorical: jensenshannon}}
"""

Maker = Callable[[np.random.Generator, int], np.ndarray]


def _numeric() -> dict[str, Maker]:
    """Twenty shapes that features have: bells, long and heavy tails, counts, codes, prices, mostly zero."""
    makers: dict[str, Maker] = {}
    for i in range(8):
        makers[f"normal_{i}"] = lambda rng, n, i=i: rng.normal(i, 1 + i / 2, n)
    for i in range(4):
        makers[f"lognormal_{i}"] = lambda rng, n, i=i: rng.lognormal(0, 0.5 + i / 2, n)
    makers["student"] = lambda rng, n: rng.standard_t(2, n)
    makers["pareto"] = lambda rng, n: rng.pareto(1.2, n)
    makers["poisson"] = lambda rng, n: rng.poisson(4, n).astype(float)
    makers["code"] = lambda rng, n: rng.integers(0, 100_000, n).astype(float)
    makers["zipf"] = lambda rng, n: np.minimum(rng.zipf(1.5, n), 1_000_000).astype(float)
    makers["price"] = lambda rng, n: np.round(rng.gamma(2, 15, n), 2)
    makers["mostly_zero"] = lambda rng, n: np.where(rng.random(n) < 0.4, 0, np.round(rng.exponential(20, n), 2))
    makers["bounded"] = lambda rng, n: rng.beta(2, 5, n)
    return makers


_TEXTS = {"answer": 2, "channel": 6, "region": 20, "product": 300}  # name -> number of values


def write_side(path: Path, rows: int, *, seed: int, moved: float = 0.0) -> None:
    """Write one side as parquet. `moved` shifts two columns, in standard deviations, so that there is drift to find."""
    with pq.ParquetWriter(path, _schema(), compression="snappy") as writer:
        for number, start in enumerate(range(0, rows, _CHUNK)):
            rng = np.random.default_rng([seed, number])
            writer.write_table(_table(rng, start, min(_CHUNK, rows - start), moved))


def _schema() -> pa.Schema:
    fields = [pa.field(name, pa.float64()) for name in _numeric()]
    fields += [pa.field(name, pa.string()) for name in _TEXTS]
    return pa.schema([*fields, pa.field("at", pa.timestamp("us"))])


def _table(rng: np.random.Generator, start: int, rows: int, moved: float) -> pa.Table:
    columns: list[pa.Array] = []
    for name, make in _numeric().items():
        values = make(rng, rows)
        if name in ("normal_0", "price"):
            values = values + moved * values.std()
        columns.append(pa.array(values, mask=rng.random(rows) < 0.015))
    for name, distinct in _TEXTS.items():
        codes = np.minimum(rng.geometric(min(0.5, 4 / distinct), rows), distinct) - 1
        names = pa.array([f"{name}-{i}" for i in range(distinct)])
        indices = pa.array(codes.astype(np.int32), mask=rng.random(rows) < 0.02)
        columns.append(pa.DictionaryArray.from_arrays(indices, names).cast(pa.string()))
    columns.append(pa.array(_START + (start + np.arange(rows)) * np.timedelta64(2_000_000, "us")))
    return pa.Table.from_arrays(columns, schema=_schema())


def prepare(workspace: Workspace, rows: int) -> None:
    """Write both sides, register the model, and write the policy."""
    workspace.begin()
    reference = workspace.data / "reference.parquet"
    write_side(reference, rows, seed=1)
    write_side(workspace.data / "current.parquet", rows, seed=2, moved=0.3)
    (workspace.policies / "bench.yaml").write_text(POLICY, encoding="utf-8")
    inputs = next(pq.ParquetFile(reference).iter_batches(2_000)).to_pandas().drop(columns="at")
    with embedded_registry(workspace):
        create_model(workspace, MODEL, "What the benchmark checks.", {})
        register(
            Trained(
                name=MODEL, estimator=DummyRegressor().fit([[0]], [0]), inputs=inputs, outputs=inputs["normal_0"],
                datasets={"training": reference}, metrics={}, description="Predicts nothing.",
            )
        )  # fmt: skip


if __name__ == "__main__":
    prepare(Workspace(Path(sys.argv[1]).absolute()), int(sys.argv[2]))
