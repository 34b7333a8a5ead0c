"""The grid that fits a column, from its own quartiles."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from sqlglot import exp

from gate.datasets.parts.answering import Rows, is_null, plain
from gate.datasets.storage import number
from gate.datasets.template import whole
from gate.domain.part import Grid, GridOf, PartRequest
from gate.statistics.parts import Part

SAMPLE_ROWS = 100_000
_BLOCK = 2048  # rows that the engine reads as one vector: other blocks are skipped, not decoded
_LARGEST_CENTRE = 1e300  # beyond it x - centre could leave the range of a double

_FEW = "SELECT $x AS x FROM data"
_MANY = f"SELECT $x AS x FROM data WHERE ($position // {_BLOCK}) % $every = 0"  # noqa: S608  # a constant


def fit_grids(rows: Rows, requests: Sequence[GridOf], total: int) -> dict[PartRequest, Part]:
    """Fit the grids of several columns in one scan.

    Up to SAMPLE_ROWS rows quartiles are exact. Beyond, they come from every n-th block of rows, the same ones each
    time: a grid decides how fine the bins are where the values lie, never what is counted.
    """
    columns = tuple(request.column for request in requests)
    fields = [number(rows.numeric(name)).as_(f"x{i}", quoted=True) for i, name in enumerate(columns)]
    every = -(-total // SAMPLE_ROWS)
    template = _FEW
    holes: dict[str, exp.Expr] = {"x": exp.Null()}
    if every > 1:
        template = _MANY
        holes |= {"position": exp.column(rows.position, quoted=True), "every": whole(every)}
    statement = rows.select(template, columns, **holes).select(*fields, append=False)
    arrays = rows.fetch(statement)
    return {request: grid_of(_finite(arrays[f"x{i}"])) for i, request in enumerate(requests)}


def grid_of(x: np.ndarray) -> Grid:
    """Fit a grid to finite values: centre = median, scale = IQR / 1.349 (if 0: std; if 0: 1)."""
    if not len(x):
        return Grid()
    with np.errstate(over="ignore", invalid="ignore"):
        low, centre, high = (float(v) for v in np.quantile(x, (0.25, 0.5, 0.75)))
        for scale in ((high - low) / 1.349, float(np.std(x)), 1.0):
            if np.isfinite(scale) and scale > np.finfo(float).tiny:
                break
    return Grid(centre if abs(centre) <= _LARGEST_CENTRE else 0.0, scale)


def _finite(array: np.ndarray) -> np.ndarray:
    values = plain(array).astype(np.float64)
    return values[~is_null(array) & np.isfinite(values)]
