"""Drift distances of one column, from its profile parts.

All are 0 for equal sides and bigger for worse. Rules that hold for every numeric distance:

- Nulls and NaN are not values; the checks count them apart. An infinity is a value, and it cannot hide: it is an
  extreme rank to `ks` and has a bin of its own in the binned distances. To `wasserstein` it lies at the farthest
  finite value of either side, at least INFINITY_REACH reference standard deviations from the reference mean; an
  infinity of a sign that the reference never had is infinitely far, and the distance is BEYOND.
- A reference with one single value makes any other value in current a fail: the distance is then the largest that
  the method knows, or BEYOND. Without one it is exactly 0.
- A side without finite values has no distance: Undefined.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from gate.domain.columns import Kind
from gate.domain.distances import METHODS, method_names
from gate.statistics import cumulative
from gate.statistics.binning import FEW_VALUES, picture_edges, quantile_edges, reference_bins, shares, sturges_edges
from gate.statistics.cumulative import BEYOND, common_unit
from gate.statistics.divergences import BOUNDED, DIVERGENCES
from gate.statistics.errors import Undefined
from gate.statistics.parts import BinCounts, ExactCounts, Floats, Ints, ValueCounts

__all__ = [
    "BEYOND", "FEW_VALUES", "METHODS", "Distance", "Undefined", "category_distance", "exact_distance",
    "histogram_distance", "numeric_distance", "picture_edges", "quantile_edges", "shares", "sturges_edges",
    "value_distance",
]  # fmt: skip

Rows = Floats | Ints


@dataclass(frozen=True, slots=True)
class Distance:
    """A distance; the exact value lies in value +- bound. `value` is finite, `bound` at least 0 and 0 when exact."""

    value: float
    bound: float = 0.0

    def __post_init__(self) -> None:
        if not (math.isfinite(self.value) and math.isfinite(self.bound) and self.bound >= 0):
            raise ValueError(f"a distance is finite and its bound is not negative, got {self}")


def numeric_distance(method: str, reference: BinCounts, current: BinCounts) -> Distance:
    """Measure how far a numeric column moved, from fine bins on the same grid.

    Args:
        method: one of the eight distances. `wasserstein` is in population standard deviations of the reference;
            `ks` is the statistic D; the others are computed on `bins: reference` (see `reference_bins`).
        reference: the side that sets the unit and the bins.
        current: the side that is judged.

    Raises:
        Undefined: a side has no finite value.
        ValueError: the grids differ or there is no such method, which is a bug of the caller.

    Source: docstrings of `cumulative.py`, `binning.py` and `divergences.py`.
    """
    if reference.grid != current.grid:
        raise ValueError(f"the sides lie on different grids, {reference.grid} and {current.grid}")
    _must_be_defined(method, Kind.NUMERIC)
    _must_have_values(reference.finite, reference.rows, "reference", "finite value")
    _must_have_values(current.finite, current.rows, "current", "finite value")
    if not math.isfinite(common_unit(reference, current)):
        raise Undefined("values too far apart to measure: their difference overflows a double", rows=current.rows)
    smallest, largest = reference.lo.min(), reference.hi.max()
    if smallest == largest and not reference.infinite:
        same = current.lo.min() == smallest and current.hi.max() == largest and not current.infinite
        return Distance(0.0 if same else METHODS[method].largest or BEYOND)
    if method == "ks":
        value, greatest = cumulative.ks(reference, current)
        return Distance(value, greatest - value)
    if method == "wasserstein":
        least, value, greatest = cumulative.wasserstein(reference, current)
        return Distance(value, max(greatest - value, value - least))
    pair = reference_bins(reference, current)
    value = _divergence(method, pair.reference, pair.current)
    if pair.farthest is None:
        return Distance(value)
    return Distance(value, abs(_divergence(method, pair.reference, pair.farthest) - value))


def exact_distance(
    method: str, reference: ExactCounts, current: ExactCounts, *, bins: tuple[BinCounts, BinCounts]
) -> Distance:
    """Measure `wasserstein` or `ks` without an error of binning, to refine a close call.

    `bins` are the fine bins of (reference, current), which know the infinities that exact values leave out.

    Raises:
        Undefined: a side has no finite value.
        ValueError: another method; or the two passes over the rows do not agree on how many there are.
    """
    if method not in {"wasserstein", "ks"}:
        raise ValueError(f"only wasserstein and ks are refined by exact values, got {method!r}")
    values = np.union1d(reference.x, current.x)
    exact = []
    for counts, binned, side in ((reference, bins[0], "reference"), (current, bins[1], "current")):
        if int(counts.n.sum()) != binned.finite:
            raise ValueError(f"{side} has {counts.n.sum():,} exact values but {binned.finite:,} binned ones")
        d = counts.x - binned.grid.centre
        with np.errstate(over="ignore"):  # of squares, which are then not used
            s, q = d * counts.n, d * d * counts.n
        exact.append(
            BinCounts(
                grid=binned.grid,
                b=np.searchsorted(values, counts.x),
                n=counts.n,
                s=s,
                q=q,
                lo=d,
                hi=d,
                minus_inf=binned.minus_inf,
                plus_inf=binned.plus_inf,
            )
        )
    return numeric_distance(method, *exact)


def value_distance(method: str, reference: ExactCounts, current: ExactCounts) -> Distance:
    """Measure a binned distance with every value as a bin of its own.

    This is `bins: evidently` where the reference has at most FEW_VALUES values (all distances but Hellinger).
    """
    _must_be_binned(method)
    _must_have_values(len(reference.x), len(reference.x), "reference")
    _must_have_values(len(current.x), len(current.x), "current")
    values = np.union1d(reference.x, current.x)

    def spread(counts: ExactCounts) -> Floats:
        rows = np.zeros(len(values))
        rows[np.searchsorted(values, counts.x)] = counts.n
        return rows

    return Distance(_divergence(method, spread(reference), spread(current)))


def histogram_distance(method: str, reference: Ints, current: Ints) -> Distance:
    """Measure a binned distance from rows in the same bins, as Evidently does (`bins: evidently`).

    Args:
        method: a binned distance.
        reference: shape (k,), rows of each bin, with the edges of `sturges_edges`.
        current: shape (k,), likewise.

    Raises:
        Undefined: no row of a side lies in the bins.
    """
    _must_be_binned(method)
    for rows, side in ((reference, "reference"), (current, "current")):
        if not rows.sum():
            raise Undefined(f"no row of {side} in the bins")
    # Bins that are empty on both sides stay in: Evidently fills them too, and PSI and KL see the filling.
    return Distance(DIVERGENCES[method](reference / reference.sum(), current / current.sum()))


def category_distance(method: str, reference: ValueCounts, current: ValueCounts) -> Distance:
    """Measure how far a categorical column moved; null is not a category.

    A list that was cut leaves counts unknown. Merging what is unknown gives the least possible distance, and taking
    the unknown parts of the two sides for different categories the greatest; the value is the former, and the bound
    reaches the latter. (Both follow from the data-processing inequality, which these distances obey.)

    Raises:
        Undefined: the method is for numeric columns; a side has no value; or a list was cut and the greatest
            distance is infinite (`psi`, `kl`).
    """
    _must_be_defined(method, Kind.CATEGORICAL)
    _must_have_values(reference.total, reference.rows, "reference")
    _must_have_values(current.total, current.rows, "current")
    r, c = (dict(zip(side.values.tolist(), side.n.tolist(), strict=True)) for side in (reference, current))
    # Sorted, because the order of a set differs between runs, and with it the rounding of a sum.
    known = sorted(v for v in r | c if (v in r or not reference.is_cut) and (v in c or not current.is_cut))
    r_known, c_known = np.array([r.get(v, 0) for v in known]), np.array([c.get(v, 0) for v in known])
    r_rest, c_rest = reference.total - r_known.sum(), current.total - c_known.sum()
    in_doubt = min(r_rest, c_rest) > 0
    if in_doubt and method not in BOUNDED:
        categories, counted = max((side.distinct, len(side.values)) for side in (reference, current) if side.is_cut)
        raise Undefined(
            f"{categories:,} categories, of which only the {counted:,} most frequent are counted, and then "
            f"{method} has no upper bound; use one of {', '.join(sorted(BOUNDED))}, or leave the column out",
            rows=current.rows,
        )
    least = _divergence(method, np.append(r_known, r_rest), np.append(c_known, c_rest))
    if not in_doubt:
        return Distance(least)
    greatest = _divergence(method, np.append(r_known, (r_rest, 0)), np.append(c_known, (0, c_rest)))
    return Distance(least, max(greatest - least, 0.0))


def _divergence(method: str, reference: Rows, current: Rows) -> float:
    """A binned distance over the bins that hold a row of either side."""
    held = (reference > 0) | (current > 0)
    return DIVERGENCES[method](reference[held] / reference.sum(), current[held] / current.sum())


def _must_be_defined(method: str, kind: Kind) -> None:
    if method not in METHODS:
        raise ValueError(f"there is no distance {method!r}; there are {', '.join(METHODS)}")
    if not METHODS[method].applies_to(kind):
        allowed = ", ".join(method_names(kind))
        raise Undefined(f"{method} is not defined for a {kind} column; use one of {allowed}")


def _must_be_binned(method: str) -> None:
    if method not in DIVERGENCES:
        raise ValueError(f"{method!r} is not a distance over bins; there are {', '.join(DIVERGENCES)}")


def _must_have_values(values: int, rows: int, side: str, kind: str = "value") -> None:
    if not rows:
        raise Undefined(f"no rows in {side}")
    if not values:
        raise Undefined(f"no {kind} in any of the {rows:,} rows of {side}", rows=rows)
