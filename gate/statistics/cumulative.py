"""How far the distribution functions of two sides lie apart, from fine bins of known rows, sum, smallest and largest.

Inside a fine bin the functions are not known, but they cannot part by more than its rows allow. So every number here
comes with what it may be at least and at most.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gate.statistics.parts import BinCounts, Floats, Ints

BEYOND = 1e9
"""Stands for an infinite distance: finite, and beyond every sensible limit."""

INFINITY_REACH = 10.0
"""Where an infinity lies at least, in reference standard deviations: 1 % more of them move a column by 0.1."""

_SUM_ERROR = 1e-12
"""Relative error of sums of doubles whose order the engine chooses; 3e-13 was measured between two engines."""

_LEAST_SQUARE = 1e-290
"""Squares below lose digits, as doubles end at 1e-308."""


@dataclass(frozen=True, eq=False)
class _Aligned:
    """Both sides over the union of their fine bins: shares of the rows with a value, sums per such row, d ranges.

    `below` is the difference of the shares of minus infinity, where that of the distribution functions starts.
    """

    r: Floats
    c: Floats
    r_sum: Floats
    c_sum: Floats
    lo: Floats
    hi: Floats
    below: float

    @classmethod
    def of(cls, reference: BinCounts, current: BinCounts, unit: float) -> _Aligned:
        """Align two sides of the same grid; d is divided by `unit`."""
        b = _union(reference.b, current.b)
        r_rows, c_rows = (side.finite + side.infinite for side in (reference, current))
        at_r, at_c = np.searchsorted(b, reference.b), np.searchsorted(b, current.b)
        lo, hi = np.full(len(b), np.inf), np.full(len(b), -np.inf)
        r, c, r_sum, c_sum = np.zeros((4, len(b)))
        for side, at, rows, share, total in ((reference, at_r, r_rows, r, r_sum), (current, at_c, c_rows, c, c_sum)):
            low, high = side.lo / unit, side.hi / unit
            share[at] = side.n / rows
            total[at] = np.clip(side.s / unit, side.n * low, side.n * high) / rows  # a sum may have overflowed
            lo[at], hi[at] = np.minimum(lo[at], low), np.maximum(hi[at], high)
        return cls(r, c, r_sum, c_sum, lo, hi, reference.minus_inf / r_rows - current.minus_inf / c_rows)

    @property
    def after(self) -> Floats:
        """F_reference - F_current behind each bin."""
        return self.below + np.cumsum(self.r - self.c)

    def inside(self, after: Floats) -> tuple[Floats, Floats, Floats]:
        """The difference before each bin, and the least and the greatest that it may be inside it."""
        before = np.concatenate([[self.below], after[:-1]])
        several = self.hi > self.lo  # a bin with one single value is exact
        return before, np.where(several, before - self.c, after), np.where(several, before + self.r, after)


def ks(reference: BinCounts, current: BinCounts) -> tuple[float, float]:
    """The Kolmogorov-Smirnov statistic D, as (least, greatest): the least is seen between the bins.

    Infinities are extreme ranks. Both sides must have finite values, here and below.
    """
    sides = _Aligned.of(reference, current, common_unit(reference, current))
    after = sides.after
    _, least, greatest = sides.inside(after)
    statistic = max(float(np.abs(after).max()), abs(sides.below))
    return min(statistic, 1.0), min(max(statistic, float(greatest.max()), float(-least.min())), 1.0)


def wasserstein(reference: BinCounts, current: BinCounts) -> tuple[float, float, float]:
    """The area between the distribution functions in population standard deviations of the reference.

    Returns:
        (least, value, greatest), each at most BEYOND. `value` is the least area by the most likely deviation; the
        three differ only where bins or sums leave something open.
    """
    if (current.minus_inf and not reference.minus_inf) or (current.plus_inf and not reference.plus_inf):
        return (BEYOND,) * 3
    own_unit, unit = _unit(reference), common_unit(reference, current)
    sides = _Aligned.of(reference, current, unit)
    mean, std_low, std, std_high = _spread(reference, own_unit)
    if not std > 0:  # one finite value, and infinities: any change of the shares is beyond measure
        unchanged = len(sides.lo) == 1 and sides.lo[0] == sides.hi[0] and not sides.below and not sides.after[0]
        return (0.0 if unchanged else BEYOND,) * 3
    low, high = _area(sides, mean * (own_unit / unit), std * (own_unit / unit))
    with np.errstate(over="ignore"):
        least, value, greatest = (min(float(np.float64(area) / by * (unit / own_unit)), BEYOND)
                                  for area, by in ((low, std_high), (low, std), (high, std_low)))  # fmt: skip
    return least, value, greatest


def _area(sides: _Aligned, mean: float, std: float) -> tuple[float, float]:
    """The least and the greatest area between the distribution functions."""
    after = sides.after
    before, least, greatest = sides.inside(after)
    width = sides.hi - sides.lo
    # The exact signed integral of the difference over a bin: the sums know where in the bin the rows lie.
    signed = np.abs(before * width + (sides.r * sides.hi - sides.r_sum) - (sides.c * sides.hi - sides.c_sum))
    signed = np.where(width > 0, signed, 0.0)
    keeps_sign = (least >= 0) | (greatest <= 0)
    doubt = np.where(keeps_sign, 0.0, np.maximum(width * np.maximum(greatest, -least) - signed, 0.0))
    gaps = float((np.abs(after[:-1]) * (sides.lo[1:] - sides.hi[:-1])).sum())
    infinities = abs(sides.below) * max(sides.lo[0] - (mean - INFINITY_REACH * std), 0.0)
    infinities += abs(float(after[-1])) * max((mean + INFINITY_REACH * std) - sides.hi[-1], 0.0)
    low = float(signed.sum()) + gaps + infinities
    return low, low + float(doubt.sum())


def _unit(counts: BinCounts) -> float:
    """The largest distance of a finite value from the grid's centre.

    Divided by it, the squares of very large or very small values neither overflow nor vanish.
    """
    return float(max(abs(counts.lo.min()), abs(counts.hi.max()))) or 1.0


def common_unit(reference: BinCounts, current: BinCounts) -> float:
    """The largest difference of a finite value of either side from the grid's centre; infinite if that overflows."""
    return max(_unit(reference), _unit(current))


def _spread(counts: BinCounts, unit: float) -> tuple[float, float, float, float]:
    """Mean, and population standard deviation as (least, value, greatest), of d / unit.

    Squares are summed inside each bin around the bin's own mean, kept to what smallest, largest and number of rows
    allow, so that values far from the grid's centre cost no more precision than they must.
    """
    n, lo, hi = counts.n, counts.lo / unit, counts.hi / unit
    means = np.clip(counts.s / unit / n, lo, hi)
    mean = float((n * means).sum() / n.sum())
    fewest = np.where(n > 1, np.square(hi - lo) / 2, 0.0)
    most = np.maximum(n * (means - lo) * (hi - means), fewest)
    held = (counts.q < np.inf) & (counts.q > _LEAST_SQUARE)  # beyond these, squares overflow or vanish
    q = np.where(held, counts.q, 0.0) / unit / unit
    inside = np.where(held, q - n * means * means, most)
    error = np.where(held, _SUM_ERROR * q, most)
    between = (n * np.square(means - mean)).sum()
    low, value, high = (float(np.sqrt((between + np.clip(inside + slack, fewest, most).sum()) / n.sum()))
                        for slack in (-error, 0.0, error))  # fmt: skip
    if high - low < 1e-9 * value:  # no more than rounding
        return mean, value, value, value
    return mean, low, value, high


def _union(one: Ints, other: Ints) -> Ints:
    """The ascending union of two ascending lists; a stable sort merges them in linear time, `np.union1d` does not."""
    both: Ints = np.concatenate([one, other])
    both.sort(kind="stable")
    first = np.concatenate([[True], both[1:] != both[:-1]])
    return np.asarray(both[first])
