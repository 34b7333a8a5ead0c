"""Evidence: numbers and records with where they came from, and no opinion."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from gate.domain.need import Need


@dataclass(frozen=True, slots=True)
class Measured:
    """A finite number.

    Attributes:
        value: the number that the report shows too.
        interval: sampling error at the confidence of the need, low to high; None for a census or a value judged as is.
        bound: error of binning, so that the exact value lies in value +- bound; 0.0 when exact.
        rows: the rows that the number rests on.
        method: how it was measured, as a person would name it ("wasserstein", "wilson").
        details: what a report may show besides: p-values, the two sides of a comparison, example values.
    """

    value: float
    rows: int
    method: str
    interval: tuple[float, float] | None = None
    bound: float = 0.0
    details: Mapping[str, Any] = field(default_factory=dict, hash=False)

    def __post_init__(self) -> None:
        numbers = (self.value, self.bound, *(self.interval or ()))
        if not all(math.isfinite(number) for number in numbers):
            raise ValueError(f"a measured value is finite, got {self}; say Missing instead")
        if self.bound < 0 or (self.interval is not None and self.interval[0] > self.interval[1]):
            raise ValueError(f"bound and interval must not be inverted, got {self}")

    @property
    def is_exact(self) -> bool:
        """Whether no binning stands between the rows and the number."""
        return self.bound == 0.0

    @property
    def low(self) -> float:
        """The lowest value that sampling and binning leave possible."""
        return (self.interval[0] if self.interval else self.value) - self.bound

    @property
    def high(self) -> float:
        """The highest value that sampling and binning leave possible."""
        return (self.interval[1] if self.interval else self.value) + self.bound


@dataclass(frozen=True, slots=True)
class Missing:
    """There is no number, and why.

    `broken` says that something failed (the finding is an error and may be retried) rather than that the data
    cannot answer (the finding is insufficient). `rows_missing` is how many more rows would help, where known.
    """

    reason: str
    broken: bool = False
    rows: int = 0
    rows_missing: int | None = None


@dataclass(frozen=True, slots=True)
class Stated:
    """A record rather than a number: a description, a schema, an owner."""

    value: Any = field(hash=False)
    source: str


@dataclass(frozen=True, slots=True)
class Grouped:
    """One reading for each group (segment, class), in a stable order. A group without data is Missing, never absent."""

    readings: tuple[tuple[str, Measured | Missing], ...]


Reading = Measured | Missing | Stated | Grouped
Evidence = Mapping[Need, Reading]
