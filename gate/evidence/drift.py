"""Drift: the distance between reference and current in one column."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from gate.domain.columns import Kind
from gate.domain.dataset import Side
from gate.domain.distances import METHODS
from gate.domain.evidence import Measured
from gate.domain.need import Drift, Limit
from gate.domain.part import ExactValues, Histogram, Values
from gate.evidence.asking import Asking, Unanswerable, ask_both
from gate.evidence.columns import Setting, bins_of, refuse_all_null
from gate.evidence.measurement import Answering, Measurement
from gate.statistics.binning import FEW_VALUES, sturges_edges
from gate.statistics.distances import (
    Distance,
    category_distance,
    exact_distance,
    histogram_distance,
    numeric_distance,
    value_distance,
)
from gate.statistics.divergences import BOUNDED
from gate.statistics.errors import Undefined
from gate.statistics.parts import BinCounts, ExactCounts, Ints, ValueCounts
from gate.statistics.significance import PValue, p_value

BOTH = (Side.REFERENCE, Side.CURRENT)
LONG_LIST = 100_000
"""Categories counted when the usual list was cut and the answer hangs on the rest: about 10 MB for a side."""

_OVERFLOWS = 1e300
"""The width of equal bins cannot be computed in doubles for values beyond."""

_MOVED = 10  # categories named in a finding


def drift(need: Drift, setting: Setting) -> Answering:
    """Measure how far a column moved, closer where the limit lies within the error of binning."""
    setting.require(need.column, sides=BOTH)
    kind = setting.kind(need.column)
    if kind is Kind.CATEGORICAL:
        return (yield from _categorical(need, setting))
    if kind is not Kind.NUMERIC:
        raise Unanswerable(f"{need.column} is {kind}; drift is measured on numeric and categorical columns")
    return (yield from _numeric(need, setting))


def _numeric(need: Drift, setting: Setting) -> Answering:
    _refuse_method(need, Kind.NUMERIC)
    setting.require_kind(need.column, Kind.NUMERIC, *BOTH)
    request = yield from bins_of(setting, need.column)
    reference, current = yield from ask_both(BinCounts, request)
    for side, counts in zip(BOTH, (reference, current), strict=True):
        refuse_all_null(need.column, side, counts.rows - counts.missing, counts.rows)
    if need.bins == "evidently" and METHODS[need.method].binned:
        distance = yield from _as_evidently(need, reference, current)
    else:
        distance = partial(numeric_distance, need.method, reference, current)
        if need.method in {"ks", "wasserstein"} and is_close_call(distance(), need.limit):
            values = yield from ask_both(ExactCounts, ExactValues(need.column))
            distance = partial(exact_distance, need.method, *values, bins=(reference, current))
    present = min(counts.finite + counts.infinite for counts in (reference, current))
    details = {"reference": _described(reference), "current": _described(current)}
    return _measurement(need, distance, present, details, partial(p_value, reference, current))


def _as_evidently(need: Drift, reference: BinCounts, current: BinCounts) -> Asking[Callable[[], Distance]]:
    """The parity formula: a bin for each value of a reference with few of them, else Sturges bins over both sides.

    Evidently drops infinities before; so do ExactValues and Histogram.
    """
    if not (reference.finite and current.finite):
        return partial(numeric_distance, need.method, reference, current)  # Undefined, in its words
    if not max(abs(edge) for side in (reference, current) for edge in (side.smallest, side.largest)) < _OVERFLOWS:
        raise Unanswerable(f"{need.column} has values too large for bins of equal width; use bins: reference")
    by_value = len(reference.b) <= FEW_VALUES
    if need.method == "hellinger":
        values = yield from ask_both(ExactCounts, ExactValues(need.column))
        distinct = len(np.union1d(values[0].x, values[1].x))
        edges = sturges_edges(reference, current, values=distinct)
    else:
        if by_value:
            values = yield from ask_both(ExactCounts, ExactValues(need.column))
            if len(values[0].x) <= FEW_VALUES:
                return partial(value_distance, need.method, *values)
        edges = sturges_edges(reference, current)
    counts: tuple[Ints, Ints] = yield from ask_both(np.ndarray, Histogram(need.column, edges))
    return partial(histogram_distance, need.method, *counts)


def _categorical(need: Drift, setting: Setting) -> Answering:
    _refuse_method(need, Kind.CATEGORICAL)
    setting.require_kind(need.column, Kind.CATEGORICAL, *BOTH)
    reference, current = yield from ask_both(ValueCounts, Values(need.column))
    for side, counts in zip(BOTH, (reference, current), strict=True):
        refuse_all_null(need.column, side, counts.total, counts.rows)
    if (reference.is_cut or current.is_cut) and (
        need.method not in BOUNDED or is_close_call(category_distance(need.method, reference, current), need.limit)
    ):
        reference, current = yield from ask_both(ValueCounts, Values(need.column, LONG_LIST))
    details = {"reference": _most_often(reference), "current": _most_often(current), "moved": moved(reference, current)}
    take = partial(category_distance, need.method, reference, current)
    test = partial(p_value, reference, current)
    return _measurement(need, take, min(reference.total, current.total), details, test)


def _refuse_method(need: Drift, kind: Kind) -> None:
    method = METHODS.get(need.method)
    if method is None or not method.applies_to(kind):
        raise Unanswerable(f"{need.column} is {kind}, and {need.method} is no distance for {kind} columns")


def is_close_call(distance: Distance, limit: Limit) -> bool:
    """Whether the limit lies within the error of binning, so that the exact value may fall on either side of it."""
    low, high = distance.value - distance.bound, distance.value + distance.bound
    return distance.bound > 0 and limit.holds(low) != limit.holds(high)


def _measurement(
    need: Drift, distance: Callable[[], Distance], rows: int, details: dict[str, Any], test: Callable[[], PValue]
) -> Measurement:
    """`rows` are those with a value on the smaller side."""

    def take() -> Measured:
        taken = distance()
        return Measured(taken.value, rows, need.method, bound=taken.bound, details=details | _tested(test))

    fields = {"column": need.column, "method": need.method, "bins": need.bins}
    return Measurement("ProfileDrift", fields, take)


def _tested(test: Callable[[], PValue]) -> dict[str, Any]:
    """The p-value to be shown beside the distance, where the data has one."""
    try:
        tested = test()
    except Undefined:
        return {}
    return {"p_value": tested.value, "test": tested.test}


def _described(counts: BinCounts) -> str:
    infinite = f", {counts.infinite:,} infinite" if counts.infinite else ""
    if not counts.finite:
        return f"no finite value{infinite}"
    return f"mean {counts.mean:.4g}, standard deviation {counts.std:.4g}{infinite}"


def _most_often(counts: ValueCounts) -> str:
    share = counts.n[0] / counts.total
    return f"{counts.distinct:,} categories, most often {counts.values[0]} ({share:.1%})"


def moved(reference: ValueCounts, current: ValueCounts, at_most: int = _MOVED) -> list[list[Any]]:
    """The categories whose share moved most: [name, reference share, current share], the largest move first.

    A category that a cut list leaves out counts as 0 there, which is nearly right: it is rarer than all listed ones.
    """
    before, after = _shares(reference), _shares(current)
    names = sorted(before.keys() | after.keys(), key=lambda n: (-abs(after.get(n, 0.0) - before.get(n, 0.0)), n))
    changed = [[n, before.get(n, 0.0), after.get(n, 0.0)] for n in names[:at_most]]
    return [entry for entry in changed if entry[1] != entry[2]]


def _shares(counts: ValueCounts) -> dict[str, float]:
    return {value: n / counts.total for value, n in zip(counts.values.tolist(), counts.n.tolist(), strict=True)}
