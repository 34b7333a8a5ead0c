"""Whether data arrived without holes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gate.statistics.errors import Undefined
from gate.statistics.parts import TimelineCounts

DAY_SECONDS = 86_400


@dataclass(frozen=True, slots=True)
class Gap:
    """The longest time without a row: it lasted `seconds`, at most `bound` more; times in seconds since 1970, UTC.

    `start` and `end` are the rows before and after it, or the stretch of time that it lies in.
    """

    seconds: float
    bound: float
    start: float
    end: float


@dataclass(frozen=True, slots=True)
class QuietDay:
    """The day with the fewest rows; `day` counts days since 1970-01-01, UTC."""

    rows: int
    day: int


def largest_gap(timeline: TimelineCounts) -> Gap:
    """Find the longest time without a row between the first and the last row.

    Between stretches the times are exact. Inside a stretch of n rows only the first and the last are known: the
    longest gap there lasts at least 1 / (n - 1) of the time between them, and at most all of it.

    Raises:
        Undefined: fewer than two rows have a time.
    """
    rows = int(timeline.n.sum())
    if rows < 2:
        raise Undefined(f"a gap needs at least 2 rows with a time, got {rows}", rows=rows)
    span = timeline.last - timeline.first
    least = np.where(timeline.n > 1, span / np.maximum(timeline.n - 1, 1), 0.0)
    most = np.where(timeline.n > 1, span, 0.0)
    starts = np.concatenate([timeline.last[:-1], timeline.first])
    ends = np.concatenate([timeline.first[1:], timeline.last])
    gaps = np.concatenate([timeline.first[1:] - timeline.last[:-1], least])
    longest = int(gaps.argmax())
    seconds = float(gaps[longest])
    return Gap(seconds, max(float(most.max()) - seconds, 0.0), float(starts[longest]), float(ends[longest]))


def fewest_rows_a_day(timeline: TimelineCounts) -> QuietDay:
    """Find the whole UTC day with the fewest rows; the first and the last day may be cut off and do not count.

    Raises:
        Undefined: there is no day between the first and the last.
        ValueError: a stretch reaches over midnight, so that its rows belong to no one day; a bug of the caller.
    """
    rows = int(timeline.n.sum())
    if not rows:
        raise Undefined("no rows with a time")
    days = np.floor(timeline.first / DAY_SECONDS).astype(np.int64)
    if not np.array_equal(days, np.floor(timeline.last / DAY_SECONDS)):
        raise ValueError("a stretch of the timeline reaches over midnight UTC")
    first, last = int(days[0]), int(days[-1])
    if last - first < 2:
        raise Undefined("no whole UTC day lies between the first and the last day with rows", rows=rows)
    inner = (days > first) & (days < last)
    seen, at = np.unique(days[inner], return_inverse=True)
    if len(seen) < last - first - 1:
        absent = seen != np.arange(first + 1, first + 1 + len(seen))
        return QuietDay(0, first + 1 + (int(absent.argmax()) if absent.any() else len(seen)))
    counts = np.bincount(at, weights=timeline.n[inner])
    return QuietDay(int(counts.min()), int(seen[counts.argmin()]))
