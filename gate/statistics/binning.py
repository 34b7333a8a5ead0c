"""Which bins a numeric column is cut into, and how many rows each holds."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from gate.domain.part import Grid
from gate.statistics.parts import BinCounts, Floats, Ints

QUANTILE_BINS = 10
"""Bins of `bins: reference`: deciles, the convention that the usual limits of the PSI (0.1 and 0.25) come from.
The number is fixed, so that a limit means the same when the reference grows."""

FEW_VALUES = 20
"""Up to this many values in the reference, each has a bin of its own. Source: Evidently 0.7 (`get_binned_data`)."""

PICTURE_BINS = 30


@dataclass(frozen=True, eq=False)
class BinnedPair:
    """Rows of both sides in the same bins, shape (k,). The first and the last bin hold the infinities.

    `farthest` are the current rows with every doubt decided the other way; None when there is none.
    """

    reference: Floats
    current: Floats
    farthest: Floats | None = None


def reference_bins(reference: BinCounts, current: BinCounts) -> BinnedPair:
    """Cut both sides as `bins: reference` says; the reference alone decides where.

    A reference of at most FEW_VALUES values has a bin for each, and one for every other value. Otherwise the edges are
    its quantiles, moved to the nearest boundary of a fine bin so that counts are exact, with open ends; a fine bin
    that holds more than a whole bin's share of rows (zeros, a default) stands alone.
    """
    if len(reference.b) <= FEW_VALUES and bool(np.all(reference.lo == reference.hi)):
        return _by_value(reference, current)
    cuts = _cuts(reference)
    return BinnedPair(_with_infinities(reference, _between(reference, cuts)),
                      _with_infinities(current, _between(current, cuts)))  # fmt: skip


def quantile_edges(reference: BinCounts) -> tuple[float, ...]:
    """The edges of `bins: reference` as values of the column, -inf and inf at the ends; ascending."""
    return (-math.inf, *(boundary(reference.grid, int(cut)) for cut in _cuts(reference)), math.inf)


def picture_edges(reference: BinCounts, current: BinCounts, bins: int = PICTURE_BINS) -> tuple[float, ...]:
    """Edges for drawing both sides: `bins` of equal width over the middle 99 % of either side.

    So an outlier cannot squeeze the picture; rows outside the edges are not drawn. A single value gets one bin around
    it. At least one side must have a finite value.
    """
    sides = [side for side in (reference, current) if side.finite]
    low = min(_quantile(side, 0.005, upper=False) for side in sides)
    high = max(_quantile(side, 0.995, upper=True) for side in sides)
    width = (high / bins) - (low / bins)  # halves first: high - low may overflow
    if not width > 0 or low + width <= low or high - width >= high:
        reach = max(abs(low) * 1e-3, 0.5)
        return (low - reach, high + reach)
    return (low, *(low + width * step for step in range(1, bins)), high)


def shares(counts: BinCounts, edges: tuple[float, ...]) -> tuple[float, ...]:
    """The share of rows with a value that lies between each pair of edges, for drawing; empty without such rows.

    Each fine bin is spread evenly between its smallest and largest value, so shares between edges that are no
    boundaries of fine bins are approximate. Rows outside the edges, and infinities, count in the denominator only.
    """
    valued = counts.finite + counts.infinite
    if not valued:
        return ()
    inner = np.array([below(counts, edge) for edge in edges])
    return tuple(float(max(b - a, 0.0)) / valued for a, b in pairwise(inner))


def below(counts: BinCounts, edge: float) -> float:
    """How many finite values lie below `edge`, interpolated inside the fine bin that holds it; `edge` may be +-inf."""
    if math.isinf(edge):
        return float(counts.finite) if edge > 0 else 0.0
    d = edge - counts.grid.centre
    width = counts.hi - counts.lo
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        inside = np.where(width > 0, (d - counts.lo) / np.where(width > 0, width, 1.0), 0.0)
    whole = counts.hi < d
    part = ~whole & (counts.lo < d)
    return float(counts.n[whole].sum() + (counts.n[part] * np.clip(np.nan_to_num(inside[part]), 0.0, 1.0)).sum())


def sturges_edges(reference: BinCounts, current: BinCounts, *, values: int | None = None) -> tuple[float, ...]:
    """The edges that Evidently uses: numpy's 'sturges' over the finite values of both sides together.

    ceil(range / width) bins of equal width over min..max with width = range / (log2(n) + 1), at least 1 for integers.
    `values` replaces the number of rows n: Evidently's Hellinger distance counts the distinct values of both sides.
    An integer column with nulls is a float column to pandas, hence to Evidently.

    Smallest and largest are known only as differences from the grid's centre, to a rounding error. They are taken for
    the shortest decimal within it, since columns of decimals have many values that lie on an inner edge exactly; and
    the outermost edges are moved out by it, so that no row is lost.

    Source: numpy 2.4 (`_hist_bin_sturges`, `_get_bin_edges`).
    """
    sides = (reference, current)
    low = min(side.smallest for side in sides if side.finite)
    high = max(side.largest for side in sides if side.finite)
    if low == high:
        return (low - 0.5, high + 0.5)
    slack = 2 * float(np.spacing(max(abs(low), abs(high), abs(reference.grid.centre))))
    low, high = _shortest_decimal(low, slack), _shortest_decimal(high, slack)
    width = (high - low) / (math.log2(values or sum(side.finite for side in sides)) + 1)
    if all(side.is_integer and not side.missing for side in sides):
        width = max(width, 1.0)
    edges = np.linspace(low, high, math.ceil((high - low) / width) + 1)
    edges[0], edges[-1] = edges[0] - 2 * slack, edges[-1] + 2 * slack
    return tuple(map(float, edges))


def boundary(grid: Grid, bin_number: int) -> float:
    """The lower edge of a fine bin as a value of the column."""
    with np.errstate(over="ignore"):
        edge = grid.centre + grid.scale * float(np.sinh(bin_number / grid.resolution))
    return float(np.clip(edge, -np.finfo(float).max, np.finfo(float).max))


def _shortest_decimal(value: float, error: float) -> float:
    """The number with the fewest digits within value +- error."""
    shorter = (float(f"{value:.{digits}g}") for digits in range(1, 17))
    return next((number for number in shorter if abs(number - value) <= error), value)


def _cuts(reference: BinCounts) -> Ints:
    """Bin numbers at which a new bin begins, ascending."""
    b, n = reference.b, reference.n
    ends, per_bin = np.cumsum(n), n.sum() / QUANTILE_BINS
    targets = per_bin * np.arange(1, QUANTILE_BINS)
    at = np.searchsorted(ends, targets)
    last_below = np.where(ends[at] - targets <= targets - (ends[at] - n[at]), at, at - 1)  # the nearer boundary
    last_below = last_below[(last_below >= 0) & (last_below < len(b) - 1)]
    heavy = b[n > per_bin]
    return np.unique(np.concatenate([b[last_below] + 1, heavy, heavy + 1]))


def _between(counts: BinCounts, cuts: Ints) -> Floats:
    where = np.searchsorted(cuts, counts.b, side="right")
    return np.bincount(where, weights=counts.n, minlength=len(cuts) + 1).astype(float)


def _by_value(reference: BinCounts, current: BinCounts) -> BinnedPair:
    """One bin for each value of the reference, and one, the last, for all others.

    A fine bin of current that holds one of these values and others besides is in doubt: its rows count as that value,
    and `farthest` counts them as others.
    """
    at = np.minimum(np.searchsorted(reference.b, current.b), len(reference.b) - 1)
    value, same_bin = reference.lo[at], reference.b[at] == current.b
    possible = same_bin & (current.lo <= value) & (value <= current.hi)
    certain = possible & (current.lo == current.hi)
    others = len(reference.b)

    def counted(held: NDArray[np.bool_]) -> Floats:
        rows = np.bincount(np.where(held, at, others), weights=current.n, minlength=others + 1).astype(float)
        return _with_infinities(current, rows)

    rows = _with_infinities(reference, np.append(reference.n, 0).astype(float))
    return BinnedPair(rows, counted(possible), None if np.array_equal(possible, certain) else counted(certain))


def _with_infinities(counts: BinCounts, rows: Floats) -> Floats:
    return np.concatenate([[counts.minus_inf], rows, [counts.plus_inf]])


def _quantile(counts: BinCounts, share: float, *, upper: bool) -> float:
    """The edge of the fine bin that holds a quantile of the finite values."""
    at = int(np.searchsorted(np.cumsum(counts.n), share * counts.finite))
    return counts.grid.centre + float((counts.hi if upper else counts.lo)[min(at, len(counts.b) - 1)])
