"""Needs: what a check asks for, with the limits that the answer will be held against.

A need is a frozen, hashable value and the key of its answer. Because it carries its limit, evidence can be refined
until it decides, before anything is judged. `census` needs describe the delivered batch itself; the others infer
something about the population behind it and get an interval where one is known.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from gate.domain.dataset import Side


@dataclass(frozen=True, slots=True)
class Limit:
    """What a number must not go below or above; both inclusive. Without either it is only shown."""

    min: float | None = None
    max: float | None = None

    def holds(self, value: float) -> bool:
        """Whether `value` is within the limit, the edge included."""
        return (self.min is None or value >= self.min) and (self.max is None or value <= self.max)

    def __str__(self) -> str:
        match self.min, self.max:
            case None, None:
                return "no limit"
            case None, high:
                return f"at most {high:g}"
            case low, None:
                return f"at least {low:g}"
            case low, high:
                return f"{low:g} to {high:g}"


ANY = Limit()


@dataclass(frozen=True, slots=True)
class Need:
    """Base of all needs."""

    census: ClassVar[bool] = True
    limit: Limit


# --- the delivered batch: counts, judged as they are -----------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Rows(Need):
    """The number of rows of one side."""

    side: Side


@dataclass(frozen=True, slots=True)
class LabelledShare(Need):
    """The share of current rows that have a target, 0 to 1. details: labelled (rows), total (rows)."""


@dataclass(frozen=True, slots=True)
class MissingShare(Need):
    """The share of rows of `side` where `column` is null or NaN, 0 to 1. details: count."""

    column: str
    side: Side = Side.CURRENT


@dataclass(frozen=True, slots=True)
class DuplicateShare(Need):
    """The share of current rows that repeat an earlier one on `columns` (empty: all columns), 0 to 1."""

    columns: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class OutsideRange(Need):
    """The share of non-null current values of `column` outside low..high (inclusive; infinities are outside).

    details: count, smallest, largest.
    """

    column: str
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True)
class NewCategories(Need):
    """The share of non-null current rows of a category new to the reference. details: values (10 at most), count."""

    column: str


@dataclass(frozen=True, slots=True)
class Distinct(Need):
    """The number of distinct non-null values in current, counted up to 2. details: reference (the same), value."""

    column: str


@dataclass(frozen=True, slots=True)
class Age(Need):
    """Seconds from the newest current value of the timestamp `column` to the moment of the evaluation (may be < 0)."""

    column: str


@dataclass(frozen=True, slots=True)
class LargestGap(Need):
    """Seconds of the longest stretch of current without a row, by `column`. details: from, until (ISO times)."""

    column: str


@dataclass(frozen=True, slots=True)
class RowsPerDay(Need):
    """The fewest rows on a whole day between the first and the last day of current, by `column`. details: day."""

    column: str


@dataclass(frozen=True, slots=True)
class Overlap(Need):
    """The share of current rows that are also in the reference, compared on `columns`, 0 to 1. details: count."""

    columns: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PatternShare(Need):
    """The share of non-null current values of the text `column` in which the RE2 `pattern` occurs. details: count."""

    column: str
    pattern: str


# --- the population behind it ----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Drift(Need):
    """The distance between reference and current in `column`: bigger is worse.

    `method` is one of the eight distances; `bins` matters for binned distances of numeric columns only.
    details: reference and current (short descriptions such as the means), p_value and its test where one exists,
    moved (categories that moved most, as [name, reference share, current share]).
    """

    census: ClassVar[bool] = False
    column: str
    method: str
    bins: Literal["reference", "evidently"] = "reference"
    confidence: float | None = None


@dataclass(frozen=True, slots=True)
class RowShare(Need):
    """The share of non-null current rows where `column` equals `equals` (compared as text).

    details: count; if it is 0 also occurs (whether the reference has the value) and values (10 at most, of both sides).
    """

    census: ClassVar[bool] = False
    column: str
    equals: str
    confidence: float | None = None


@dataclass(frozen=True, slots=True)
class Quality(Need):
    """A quality metric on the labelled current rows.

    `of`: the candidate's value, the champion's, or the increase (candidate - champion, divided by the champion's
    absolute value when `relative`). `average` is for multi-class metrics. With `by` the answer is Grouped by the
    values of that column; a value that the reference has and current lacks is Missing there.
    details of an increase: candidate, champion, paired (bool). Always: unlabelled (rows left out).
    """

    census: ClassVar[bool] = False
    metric: str
    of: Literal["candidate", "champion", "increase"] = "candidate"
    relative: bool = False
    average: Literal["macro", "micro", "weighted"] | None = None
    by: str | None = None
    confidence: float | None = None


@dataclass(frozen=True, slots=True)
class EvidentlyMetric(Need):
    """Any Evidently metric on a seeded sample of rows. `parameters` is canonical JSON; `field` picks part of a value.

    details: sample (rows used of each side), seed.
    """

    census: ClassVar[bool] = False
    metric: str
    parameters: str
    field: str | None
    sample_rows: int
    seed: int


# --- records: answered from the registry and the schemas, no rows read ------------------------------------------------


@dataclass(frozen=True, slots=True)
class Record(Need):
    """What the registry holds: Stated(Candidate)."""


@dataclass(frozen=True, slots=True)
class ChampionRecord(Need):
    """The champion that the registry names: Stated(Candidate), or Missing."""


@dataclass(frozen=True, slots=True)
class PredictionsOf(Need):
    """Whose predictions the current data holds: Stated("bound" | "unbound"), or Stated(tuple of foreign versions)."""


@dataclass(frozen=True, slots=True)
class UndatedRows(Need):
    """The rows that a window left out because they have no time: Stated((reference, current))."""


@dataclass(frozen=True, slots=True)
class DataDigests(Need):
    """The digests of the two sides' bytes and windows, whatever they are named: Stated((reference, current))."""
