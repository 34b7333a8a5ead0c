"""Pictures: what a report draws. Numbers only; drawing is the publisher's business."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Distribution:
    """One column on both sides, as shares that sum to at most 1.

    For a numeric column `labels` are the bin edges (one more than shares), else the category names.
    """

    column: str
    numeric: bool
    labels: tuple[str, ...]
    reference: tuple[float, ...]
    current: tuple[float, ...]
    edges: tuple[float, ...] = ()
    moved: tuple[tuple[str, float, float], ...] = ()  # categories that moved most: name, reference, current share


@dataclass(frozen=True, slots=True)
class Trail:
    """A distance followed over groups of the current rows: by day (labels are ISO dates) or by segment."""

    column: str
    method: str
    over: str  # "day", or the segment column
    labels: tuple[str, ...]
    distances: tuple[float | None, ...]  # None: too few rows in that group
    rows: tuple[int, ...]
    limit: float | None = None


@dataclass(frozen=True, slots=True)
class Pictures:
    """Everything there is to draw for one evaluation."""

    distributions: tuple[Distribution, ...] = ()
    trails: tuple[Trail, ...] = ()
