"""Fine bins of numeric columns: one statement for many columns, each of which reads only its own.

Source of the formula: bin = floor(resolution * asinh((x - centre) / scale)). asinh is written out because engines
disagree about it for large negative values, and it is clamped so that no bin number overflows.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from sqlglot import exp

from gate.datasets.parts.answering import Arrays, Rows, by_group, group_of, is_null, plain
from gate.datasets.storage import holds_integers, number
from gate.datasets.template import double, whole
from gate.domain.part import Bins
from gate.statistics.parts import BinCounts, SplitParts

# Above every bin number that the clamp allows (720 * the finest resolution): the values that are in no bin.
_NULL, _MINUS_INF, _PLUS_INF, _NAN = -2_000_000_004, -2_000_000_003, 2_000_000_003, 2_000_000_004
_RESERVED = 2_000_000_000
MOST_RESOLUTION = 1_000_000

# A finite value first, since nearly all are; `d` is null for the others.
_BIN = f"""
CASE WHEN d IS NOT NULL THEN
          CAST(FLOOR(GREATEST(LEAST(SIGN(z) * LN(ABS(z) + SQRT(z * z + 1)), 720), -720) * $resolution) AS INT)
     WHEN x IS NULL THEN {_NULL} WHEN ISNAN(x) THEN {_NAN} WHEN x > 0 THEN {_PLUS_INF} ELSE {_MINUS_INF} END
"""
_FINITE = "CASE WHEN ABS(x) <= 1.7976931348623157e308 THEN x - $centre END"
# Cleaned in a subquery and then aggregated: a FILTER on every aggregate costs four times as much.
_ARM = f"""
SELECT $k AS k, b, COUNT(*) AS n, SUM(d) AS s, SUM(d * d) AS q, MIN(d) AS lo, MAX(d) AS hi
FROM (SELECT d, {_BIN} AS b FROM (SELECT x, d, d / $scale AS z
      FROM (SELECT x, {_FINITE} AS d FROM (SELECT $x AS x FROM data))))
GROUP BY b
"""  # noqa: S608  # constants of this module
_SPLIT_ARM = f"""
SELECT $k AS k, g, b, COUNT(*) AS n, SUM(d) AS s, SUM(d * d) AS q, MIN(d) AS lo, MAX(d) AS hi
FROM (SELECT g, d, {_BIN} AS b FROM (SELECT g, x, d, d / $scale AS z
      FROM (SELECT g, x, {_FINITE} AS d FROM (SELECT $x AS x, $g AS g FROM data))))
GROUP BY g, b
"""  # noqa: S608  # constants of this module


def bins_arm(rows: Rows, request: Bins, k: int) -> exp.Select:
    """The part of a statement that counts the bins of one column, marked with the number `k`."""
    grid = request.grid
    holes = {
        "k": whole(k),
        "x": number(rows.numeric(request.column)),
        "centre": double(grid.centre),
        "scale": double(grid.scale),
        "resolution": whole(min(grid.resolution, MOST_RESOLUTION)),
    }
    if request.split is None:
        return rows.select(_ARM, (request.column,), **holes)
    columns = (request.column, request.split.column)
    return rows.select(_SPLIT_ARM, columns, **holes, g=group_of(rows, request.split))


def read_bins(rows: Rows, request: Bins, arrays: Arrays) -> BinCounts | SplitParts:
    """Make the counts of one column from the rows that its arm gave."""
    is_integer = holds_integers(rows.numeric(request.column))

    def make(some: Arrays) -> BinCounts:
        b, n = plain(some["b"]).astype(np.int64), plain(some["n"]).astype(np.int64)
        reserved = np.abs(b) > _RESERVED
        outside = dict(zip(b[reserved].tolist(), n[reserved].tolist(), strict=True))
        order = np.argsort(b, kind="stable")
        order = order[np.abs(b[order]) < _RESERVED]
        s, q, lo, hi = (_doubles(some[name])[order] for name in ("s", "q", "lo", "hi"))
        return BinCounts(
            request.grid, b[order], n[order], s, q, lo, hi,
            nulls=outside.get(_NULL, 0), nans=outside.get(_NAN, 0), minus_inf=outside.get(_MINUS_INF, 0),
            plus_inf=outside.get(_PLUS_INF, 0), is_integer=is_integer,
        )  # fmt: skip

    return make(arrays) if request.split is None else by_group(arrays, make)


def cut_at_k(arrays: Arrays, count: int) -> Sequence[Arrays]:
    """Cut the rows of a statement of several arms into those of each arm."""
    k = plain(arrays["k"]).astype(np.int64)
    order = np.argsort(k, kind="stable")
    edges = np.searchsorted(k[order], np.arange(count + 1))
    return [
        {name: array[order[edges[i] : edges[i + 1]]] for name, array in arrays.items() if name != "k"}
        for i in range(count)
    ]


def _doubles(array: np.ndarray) -> np.ndarray:
    return np.where(is_null(array), 0.0, plain(array)).astype(np.float64)
