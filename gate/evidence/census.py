"""The delivered batch: rows, missing and repeated values, ranges, categories, patterns. Counts, judged as they are."""

from __future__ import annotations

from functools import partial
from typing import Any

from gate.domain.columns import Kind
from gate.domain.dataset import Side
from gate.domain.evidence import Measured, Missing
from gate.domain.need import (
    Distinct,
    DuplicateShare,
    LabelledShare,
    MissingShare,
    NewCategories,
    OutsideRange,
    Overlap,
    PatternShare,
    Rows,
)
from gate.domain.part import DistinctRows, OutsideCount, PatternCount, Values
from gate.evidence.asking import Ask, Unanswerable, ask, ask_both, ask_many
from gate.evidence.columns import Setting, bins_of, counts_of, missing_in, refuse_all_null
from gate.evidence.measurement import Answering, Measurement
from gate.statistics.parts import BinCounts, ValueCounts

_SHOWN_VALUES = 10  # new categories named in a finding


def rows(need: Rows, setting: Setting) -> Answering:
    """Count the rows of one side; an empty side has 0, which is a number and no gap in the evidence."""
    yield from ()  # needs no part: an opened dataset knows its rows
    count = setting.rows(need.side)
    return Measurement("ProfileRowCount", {"side": need.side.value}, partial(Measured, count, count, "count"))


def labelled_share(_: LabelledShare, setting: Setting) -> Answering:
    """Share of current rows with a target."""
    target = setting.scope.roles.target
    if target is None:
        raise Unanswerable("the policy names no target column (data.columns.target), so no row is labelled")
    setting.require(target)
    counts = yield from counts_of(setting, target, Side.CURRENT)
    labelled = counts.rows - missing_in(counts)
    return Measurement("ProfileLabelledShare", {"column": target},
                       partial(_share, labelled, counts.rows, labelled=labelled, total=counts.rows))  # fmt: skip


def missing_share(need: MissingShare, setting: Setting) -> Answering:
    """Share of rows of one side where a column is null or NaN."""
    setting.require(need.column, sides=(need.side,))
    counts = yield from counts_of(setting, need.column, need.side)
    return Measurement("ProfileMissingShare", {"column": need.column, "side": need.side.value},
                       partial(_share, missing_in(counts), counts.rows))  # fmt: skip


def duplicate_share(need: DuplicateShare, setting: Setting) -> Answering:
    """Share of current rows that repeat an earlier one."""
    setting.require(*need.columns)
    distinct = yield from ask(int, Side.CURRENT, DistinctRows(need.columns))
    total = setting.rows(Side.CURRENT)
    return Measurement("ProfileDuplicateShare", {"columns": list(need.columns)},
                       partial(_share, total - distinct, total))  # fmt: skip


def outside_range(need: OutsideRange, setting: Setting) -> Answering:
    """Share of values outside a range, infinities among them."""
    setting.require(need.column)
    setting.require_kind(need.column, Kind.NUMERIC, Side.CURRENT)
    request = yield from bins_of(setting, need.column)
    counts, outside = yield (Ask(Side.CURRENT, request),
                             Ask(Side.CURRENT, OutsideCount(need.column, need.low, need.high)))  # fmt: skip
    assert isinstance(counts, BinCounts)
    assert isinstance(outside, int)
    present = counts.finite + counts.infinite
    refuse_all_null(need.column, Side.CURRENT, present, counts.rows)
    smallest = "-inf" if counts.minus_inf else counts.smallest if counts.finite else "inf"
    largest = "inf" if counts.plus_inf else counts.largest if counts.finite else "-inf"
    return Measurement("ProfileOutsideRange", {"column": need.column, "low": need.low, "high": need.high},
                       partial(_share, outside, present, smallest=smallest, largest=largest))  # fmt: skip


def new_categories(need: NewCategories, setting: Setting) -> Answering:
    """Share of values that the reference never had.

    When the reference has more values than the list holds, those that are not in it are looked up by name: a value
    beyond the cap is rare there, not new.
    """
    both = (Side.REFERENCE, Side.CURRENT)
    setting.require(need.column, sides=both)
    setting.require_kind(need.column, Kind.CATEGORICAL, *both)
    reference, current = yield from ask_both(ValueCounts, Values(need.column))
    refuse_all_null(need.column, Side.REFERENCE, reference.total, reference.rows)
    refuse_all_null(need.column, Side.CURRENT, current.total, current.rows)
    refuse_cut(need.column, Side.CURRENT, current)
    known = set(reference.values.tolist())
    unknown = tuple(value for value in current.values.tolist() if value not in known)
    if unknown and reference.is_cut:
        named = yield from ask(ValueCounts, Side.REFERENCE, Values(need.column, len(unknown), only=unknown))
        known = {value for value, count in zip(named.values.tolist(), named.n.tolist(), strict=True) if count}
        unknown = tuple(value for value in unknown if value not in known)
    new = frozenset(unknown)
    count = sum(n for value, n in zip(current.values.tolist(), current.n.tolist(), strict=True) if value in new)
    return Measurement("ProfileNewCategories", {"column": need.column},
                       partial(_share, count, current.total, values=list(unknown[:_SHOWN_VALUES])))  # fmt: skip


def refuse_cut(column: str, side: Side, counts: ValueCounts) -> None:
    """End the question if the list of values was cut: what is left out has an unknown count, not zero."""
    if counts.is_cut:
        raise Unanswerable(
            f"{column} has {counts.distinct:,} distinct values in {side}, more than the {len(counts.values):,} that are "
            "counted; leave it out of this check, group its rare values, or list it under data.columns.ignore",
            rows=counts.total,
        )


def distinct(need: Distinct, setting: Setting) -> Answering:
    """Count distinct values up to two: enough to tell a constant column from one that varies."""
    setting.require(need.column)
    current = yield from counts_of(setting, need.column, Side.CURRENT)
    before: int | None = None
    if need.column in setting.scope.reference and setting.rows(Side.REFERENCE):
        before = _varieties((yield from counts_of(setting, need.column, Side.REFERENCE)))[0]
    count, value = _varieties(current)
    present = current.rows - missing_in(current)
    details = {"reference": before, "value": value}
    return Measurement("ProfileDistinct", {"column": need.column}, partial(Measured, count, present, "count",
                                                                          details=details))  # fmt: skip


def _varieties(counts: BinCounts | ValueCounts) -> tuple[int, str | float | None]:
    """Distinct values, at most 2, and the value if there is only one."""
    if isinstance(counts, ValueCounts):
        return min(counts.distinct, 2), counts.values[0] if counts.distinct == 1 else None
    found: list[str | float] = ["-inf"] * (counts.minus_inf > 0) + ["inf"] * (counts.plus_inf > 0)
    if counts.finite:
        found += [counts.smallest] if counts.smallest == counts.largest else [counts.smallest, counts.largest]
    return min(len(found), 2), found[0] if len(found) == 1 else None


def overlap(need: Overlap, setting: Setting) -> Answering:
    """Share of current rows that are also in the reference: training data that came back as evidence."""
    yield from ()  # a join of the datasets, not a part
    setting.require(*need.columns, sides=(Side.REFERENCE, Side.CURRENT))
    shared = setting.current.shared_rows(setting.reference, need.columns)
    if isinstance(shared, Missing):
        return shared
    return Measurement("ProfileOverlap", {"columns": list(need.columns)},
                       partial(_share, shared, setting.rows(Side.CURRENT)))  # fmt: skip


def pattern_share(need: PatternShare, setting: Setting) -> Answering:
    """Share of texts in which a pattern occurs."""
    setting.require(need.column)
    asks = (Ask(Side.CURRENT, Values(need.column)),)
    (values,) = yield from ask_many(ValueCounts, asks)
    if not values.total:
        # Nothing but nulls holds no pattern; unlike for a distance, this is an answer.
        return Measurement("ProfilePatternShare", {"column": need.column, "pattern": need.pattern},
                           partial(Measured, 0.0, 0, "count", details={"count": 0}))  # fmt: skip
    found = yield from ask(int, Side.CURRENT, PatternCount(need.column, need.pattern))
    return Measurement("ProfilePatternShare", {"column": need.column, "pattern": need.pattern},
                       partial(_share, found, values.total))  # fmt: skip


def _share(count: int, total: int, **details: Any) -> Measured:
    return Measured(count / total, total, "count", details={"count": count, **details})
