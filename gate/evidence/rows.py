"""Shares of rows that say how people use a pilot: overrides, exceptions, thumbs up."""

from __future__ import annotations

from typing import Any

from gate.domain.columns import Kind
from gate.domain.dataset import Side
from gate.domain.evidence import Measured
from gate.domain.need import RowShare
from gate.domain.part import Values
from gate.evidence.asking import Ask, Asking, ask, ask_many
from gate.evidence.columns import Setting, refuse_all_null
from gate.evidence.measurement import Answering, Measurement
from gate.statistics.intervals import wilson
from gate.statistics.parts import ValueCounts

_SHOWN = 10  # values that a person reads to see what it should have been


def row_share(need: RowShare, setting: Setting) -> Answering:
    """Share of non-null current rows where a column equals a value, with Wilson's interval.

    Of a value that no row has, the details say whether the reference has it, and what there is instead.
    """
    setting.require(need.column)
    counts = yield from ask(ValueCounts, Side.CURRENT, Values(need.column, 1, only=(need.equals,)))
    refuse_all_null(need.column, Side.CURRENT, counts.total, counts.rows)
    found = int(counts.n.sum())
    details = {"count": found} if found else {"count": 0, **(yield from _elsewhere(need, setting))}

    def take() -> Measured:
        interval = wilson(found, counts.total, need.confidence) if need.confidence is not None else None
        return Measured(found / counts.total, counts.total, "wilson" if interval else "share", interval,
                        details=details)  # fmt: skip

    return Measurement("ProfileRowShare", {"column": need.column, "equals": need.equals}, take)


def _elsewhere(need: RowShare, setting: Setting) -> Asking[dict[str, Any]]:
    """Whether the reference has the value that current lacks (`occurs`), and the `values` that the column has."""
    listing, only = Values(need.column, _SHOWN), Values(need.column, 1, only=(need.equals,))
    stored = setting.schema(Side.REFERENCE).find(need.column)
    if stored is None or stored.kind is Kind.OTHER or not setting.rows(Side.REFERENCE):
        current = yield from ask(ValueCounts, Side.CURRENT, listing)
        return {"occurs": False, "values": [str(value) for value in current.values]}
    asks = Ask(Side.CURRENT, listing), Ask(Side.REFERENCE, listing), Ask(Side.REFERENCE, only)
    current, reference, same = yield from ask_many(ValueCounts, asks)
    values = dict.fromkeys(str(value) for value in (*current.values, *reference.values))
    return {"occurs": bool(same.n.sum()), "values": list(values)[:_SHOWN]}
