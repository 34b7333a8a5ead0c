"""Parts of a profile, as asked for. A part is computed by one aggregation where the rows are.

The answers are arrays (`gate.statistics.parts`). Parts of two files, or of two days, merge by adding unless said
otherwise here. The grid of a numeric column is pinned by the reference, so that both sides share their bins.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Grid:
    """Where the fine bins of a column lie: bin number = floor(resolution * asinh((x - centre) / scale))."""

    centre: float = 0.0
    scale: float = 1.0
    resolution: int = 1000


@dataclass(frozen=True, slots=True)
class Split:
    """Compute a part once for each value of `column`, or for each UTC day of it.

    Rows without a value are the group NULL_GROUP, those without a day the group ''.
    """

    column: str
    unit: Literal["value", "day"] = "value"


NULL_GROUP = "(missing)"
"""The group of the rows without a value. The empty text is a value, and a group of its own."""


@dataclass(frozen=True, slots=True)
class GridOf:
    """The Grid that fits a column: centre = median, scale = IQR / 1.349 (if 0: std; if 0: 1). Reference only."""

    column: str


@dataclass(frozen=True, slots=True)
class Bins:
    """Fine bins of a numeric or timestamp column (timestamps in microseconds since 1970, UTC)."""

    column: str
    grid: Grid
    split: Split | None = None


@dataclass(frozen=True, slots=True)
class Values:
    """Counts of the values of a column, as text, most frequent first, at most `cap`; with the totals.

    `only` counts just these values (to learn the count of one that a capped list left out).
    """

    column: str
    cap: int = 1000
    only: tuple[str, ...] | None = None
    split: Split | None = None


@dataclass(frozen=True, slots=True)
class ExactValues:
    """Every finite value of a numeric column with its count, sorted. For close calls: costs a full grouping."""

    column: str


@dataclass(frozen=True, slots=True)
class Histogram:
    """Counts between the given edges, numpy's convention: half-open bins, the last one closed. For parity formulas."""

    column: str
    edges: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class DistinctRows:
    """The number of distinct rows over `columns` (empty: all). Does not merge."""

    columns: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class OutsideCount:
    """How many non-null values lie outside low..high; NaN is missing, an infinity is outside."""

    column: str
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True)
class PatternCount:
    """How many non-null texts contain a match of the RE2 `pattern`."""

    column: str
    pattern: str


@dataclass(frozen=True, slots=True)
class Timeline:
    """Rows by stretches of `width_seconds`, with the first and the last moment in each, from a timestamp column."""

    column: str
    width_seconds: int


@dataclass(frozen=True, slots=True)
class Confusion:
    """Counts of (target, prediction[, champion's prediction]), as text, over labelled rows.

    With `threshold` and `positive`, `prediction` and `champion` name score columns: at or above the threshold the
    prediction is `positive`, below it the empty text, which no target is ("not positive").
    """

    target: str
    prediction: str
    champion: str | None = None
    positive: str | None = None
    threshold: float | None = None
    split: Split | None = None


@dataclass(frozen=True, slots=True)
class ScoreBins:
    """Positives and negatives by score: bin floor(score * resolution), with the sums that losses need.

    A score outside 0..1, null or NaN on a labelled row is counted apart (`invalid`).
    """

    target: str
    positive: str
    score: str
    split: Split | None = None
    resolution: int = 10_000


@dataclass(frozen=True, slots=True)
class ClassLoss:
    """Log-loss and Brier sums of a multi-class model: `scores` are (class, column) pairs."""

    target: str
    scores: tuple[tuple[str, str], ...]
    split: Split | None = None


@dataclass(frozen=True, slots=True)
class ErrorSums:
    """Sums of errors (prediction - target) over labelled rows, for the candidate and, on the same rows, a champion."""

    target: str
    prediction: str
    champion: str | None = None
    split: Split | None = None


PartRequest = (
    GridOf | Bins | Values | ExactValues | Histogram | DistinctRows | OutsideCount | PatternCount | Timeline
    | Confusion | ScoreBins | ClassLoss | ErrorSums
)  # fmt: skip
