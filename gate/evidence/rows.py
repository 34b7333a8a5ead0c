"""Shares of rows that say how people use a pilot: overrides, exceptions, thumbs up."""

from __future__ import annotations

from gate.domain.dataset import Side
from gate.domain.evidence import Measured
from gate.domain.need import RowShare
from gate.domain.part import Values
from gate.evidence.asking import ask
from gate.evidence.columns import Setting, refuse_all_null
from gate.evidence.measurement import Answering, Measurement
from gate.statistics.intervals import wilson
from gate.statistics.parts import ValueCounts


def row_share(need: RowShare, setting: Setting) -> Answering:
    """Share of non-null current rows where a column equals a value, with Wilson's interval."""
    setting.require(need.column)
    counts = yield from ask(ValueCounts, Side.CURRENT, Values(need.column, 1, only=(need.equals,)))
    refuse_all_null(need.column, Side.CURRENT, counts.total, counts.rows)
    found = int(counts.n.sum())

    def take() -> Measured:
        interval = wilson(found, counts.total, need.confidence) if need.confidence is not None else None
        return Measured(found / counts.total, counts.total, "wilson" if interval else "share", interval,
                        details={"count": found})  # fmt: skip

    return Measurement("ProfileRowShare", {"column": need.column, "equals": need.equals}, take)
