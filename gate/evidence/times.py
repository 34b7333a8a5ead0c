"""Whether data arrived, and without holes: age, gaps, rows a day."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from gate.domain.columns import Kind
from gate.domain.dataset import Side
from gate.domain.evidence import Measured
from gate.domain.need import Age, LargestGap, RowsPerDay
from gate.domain.part import Timeline
from gate.evidence.asking import Asking, Unanswerable, ask
from gate.evidence.columns import Setting, refuse_all_null
from gate.evidence.measurement import Answering, Measurement
from gate.statistics.parts import TimelineCounts
from gate.statistics.timeline import DAY_SECONDS, fewest_rows_a_day, largest_gap

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_STRETCHES_IN_LIMIT = 4
"""A gap inside a stretch is not seen in full, so stretches are this much shorter than the longest gap allowed."""


def age(need: Age, setting: Setting) -> Answering:
    """Seconds from the newest row to now."""
    timeline = yield from _timeline(need.column, DAY_SECONDS, setting)
    newest = float(timeline.last.max())

    def take() -> Measured:
        return Measured(setting.now.timestamp() - newest, int(timeline.n.sum()), "age",
                        details={"newest": _iso(newest)})  # fmt: skip

    return Measurement("ProfileAge", {"column": need.column}, take)


def gap(need: LargestGap, setting: Setting) -> Answering:
    """The longest time without a row, on stretches short enough for the limit."""
    width = DAY_SECONDS
    if need.limit.max is not None:
        width = int(min(max(need.limit.max // _STRETCHES_IN_LIMIT, 1), DAY_SECONDS))
    timeline = yield from _timeline(need.column, width, setting)

    def take() -> Measured:
        found = largest_gap(timeline)
        details = {"from": _iso(found.start), "until": _iso(found.end)}
        return Measured(found.seconds, int(timeline.n.sum()), "gap", bound=found.bound, details=details)

    return Measurement("ProfileLargestGap", {"column": need.column}, take)


def rows_per_day(need: RowsPerDay, setting: Setting) -> Answering:
    """The fewest rows on a whole UTC day."""
    timeline = yield from _timeline(need.column, DAY_SECONDS, setting)

    def take() -> Measured:
        quiet = fewest_rows_a_day(timeline)
        day = (_EPOCH + timedelta(days=quiet.day)).date().isoformat()
        return Measured(quiet.rows, int(timeline.n.sum()), "count", details={"day": day})

    return Measurement("ProfileRowsPerDay", {"column": need.column}, take)


def _timeline(column: str, width_seconds: int, setting: Setting) -> Asking[TimelineCounts]:
    setting.require(column)
    stored = setting.scope.current.find(column)
    if stored is None or stored.kind is not Kind.TIMESTAMP:
        raise Unanswerable(f"{column} is stored as {stored.type if stored else 'nothing'} in current, not as a time")
    timeline = yield from ask(TimelineCounts, Side.CURRENT, Timeline(column, width_seconds))
    seen = int(timeline.n.sum())
    refuse_all_null(column, Side.CURRENT, seen, seen + timeline.nulls)
    return timeline


def _iso(seconds: float) -> str:
    """A moment as text; arithmetic from 1970 on, because `fromtimestamp` knows no years before it everywhere."""
    return (_EPOCH + timedelta(seconds=seconds)).isoformat().replace("+00:00", "Z")
