"""Parts of a profile, as computed: small arrays, one row for each bin, category, stretch or pair."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gate.domain.part import Grid

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Texts = NDArray[np.object_]


@dataclass(frozen=True, eq=False)
class BinCounts:
    """Fine bins of one column on one side, ascending by `b`. `d` below is x - grid.centre.

    Attributes:
        grid: where the bins lie.
        b: shape (k,), bin numbers of the finite values.
        n: shape (k,), rows in each bin, > 0.
        s, q: shape (k,), sums of d and of d squared.
        lo, hi: shape (k,), smallest and largest d in each bin.
        nulls, nans, minus_inf, plus_inf: rows that are in no bin.
        is_integer: whether the storage type holds integers only (or booleans).
    """

    grid: Grid
    b: Ints
    n: Ints
    s: Floats
    q: Floats
    lo: Floats
    hi: Floats
    nulls: int = 0
    nans: int = 0
    minus_inf: int = 0
    plus_inf: int = 0
    is_integer: bool = False

    @property
    def finite(self) -> int:
        """Rows with a finite value."""
        return int(self.n.sum())

    @property
    def missing(self) -> int:
        """Rows that are null or NaN."""
        return self.nulls + self.nans

    @property
    def infinite(self) -> int:
        """Rows that are minus or plus infinity."""
        return self.minus_inf + self.plus_inf

    @property
    def rows(self) -> int:
        """All rows of the side."""
        return self.finite + self.missing + self.infinite

    @property
    def mean(self) -> float:
        """Mean of the finite values; NaN without any."""
        return self.grid.centre + float(self.s.sum()) / self.finite if self.finite else float("nan")

    @property
    def std(self) -> float:
        """Population standard deviation of the finite values; NaN without any."""
        if not self.finite:
            return float("nan")
        mean = float(self.s.sum()) / self.finite
        return float(np.sqrt(max(float(self.q.sum()) / self.finite - mean * mean, 0.0)))

    @property
    def smallest(self) -> float:
        """Smallest finite value; NaN without any."""
        return self.grid.centre + float(self.lo.min()) if len(self.lo) else float("nan")

    @property
    def largest(self) -> float:
        """Largest finite value; NaN without any."""
        return self.grid.centre + float(self.hi.max()) if len(self.hi) else float("nan")


@dataclass(frozen=True, eq=False)
class ValueCounts:
    """Counts of the values of one column as text, most frequent first. Null (and NaN) is not a value.

    `total` is all non-null rows and `distinct` all values, also those that a cut list leaves out.
    """

    values: Texts
    n: Ints
    total: int
    distinct: int
    nulls: int

    @property
    def is_cut(self) -> bool:
        """Whether the list left values out: a value that is not in it then has an unknown count, not zero."""
        return self.distinct > len(self.values)

    @property
    def rows(self) -> int:
        """All rows of the side."""
        return self.total + self.nulls


@dataclass(frozen=True, eq=False)
class ExactCounts:
    """Every finite value of a numeric column, ascending, with its count."""

    x: Floats
    n: Ints


@dataclass(frozen=True, eq=False)
class TimelineCounts:
    """Rows by stretch of time, ascending; times in seconds since 1970, UTC. `nulls` rows have no time."""

    first: Floats
    last: Floats
    n: Ints
    nulls: int


@dataclass(frozen=True, eq=False)
class ConfusionCounts:
    """Labelled rows by target, prediction and (else None) the champion's prediction, as text.

    `unpredicted` labelled rows have a null prediction (or champion's prediction): they make a metric Missing.
    When `thresholded`, predictions come from scores: `positive`, or the empty text for "not positive". Otherwise every
    text is a class like any other, the empty one too.
    """

    target: Texts
    prediction: Texts
    champion: Texts | None
    n: Ints
    unlabelled: int
    unpredicted: int
    thresholded: bool = False
    positive: str | None = None


@dataclass(frozen=True, eq=False)
class ScoreCounts:
    """Labelled rows by score bin, ascending. `score` is the mean score of a bin.

    Attributes:
        score: shape (k,), in 0..1.
        positives, negatives: shape (k,).
        is_exact: every bin holds one single score, so that ranks are exact.
        log_loss: sum over rows of -ln(probability given to the true class), floored at 2.2e-16.
        squared: sum over rows of (score - truth) squared.
        invalid: labelled rows whose score is null, NaN or outside 0..1.
    """

    score: Floats
    positives: Ints
    negatives: Ints
    is_exact: bool
    log_loss: float
    squared: float
    unlabelled: int
    invalid: int


@dataclass(frozen=True, eq=False)
class LossSums:
    """Sums over labelled rows of a multi-class model: rows, log-loss, squared error over all classes."""

    n: int
    log_loss: float
    squared: float
    unlabelled: int
    invalid: int


@dataclass(frozen=True, eq=False)
class ErrorMoments:
    """Sums of e = prediction - target over labelled rows, y the target; `champion_` likewise on the same rows.

    `difference` and `difference_squared` are sums of |e| - |champion e| and of its square: the paired comparison.
    `square_difference(_squared)` likewise of e squared - champion e squared; `percent_difference(_squared)` of the
    absolute percentage errors, and `signed_difference(_squared)` of e - champion e.
    `percent` sums |e| / |y| and `zeros` counts the rows with y = 0, which leave it undefined.
    """

    n: int
    error: float
    absolute: float
    squared: float
    fourth: float
    target: float
    target_squared: float
    percent: float
    percent_squared: float
    zeros: int
    unlabelled: int
    invalid: int
    champion_error: float | None = None
    champion_absolute: float | None = None
    champion_squared: float | None = None
    champion_percent: float | None = None
    difference: float | None = None
    difference_squared: float | None = None
    square_difference: float | None = None
    square_difference_squared: float | None = None
    percent_difference: float | None = None
    percent_difference_squared: float | None = None
    signed_difference: float | None = None
    signed_difference_squared: float | None = None


@dataclass(frozen=True, eq=False)
class SplitParts:
    """The same part for each group of a Split, by the group's text (a day as `2026-11-22`). See Split for null."""

    groups: dict[str, Part]


Part = (
    Grid | BinCounts | ValueCounts | ExactCounts | Ints | int | TimelineCounts | ConfusionCounts | ScoreCounts
    | LossSums | ErrorMoments | SplitParts
)  # fmt: skip
