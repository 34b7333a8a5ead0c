"""The delivered batch: rows, missing and repeated values, ranges, categories, patterns. Counts, judged as they are."""

from __future__ import annotations

from collections.abc import Mapping
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
from gate.evidence.asking import Ask, Unanswerable, ask, ask_both
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
    (counts,) = yield from counts_of(setting, target, Side.CURRENT)
    labelled = counts.rows - missing_in(counts)
    return _share(
        "ProfileLabelledShare",
        {"column": target},
        labelled,
        counts.rows,
        details={"labelled": labelled, "total": counts.rows},
    )


def missing_share(need: MissingShare, setting: Setting) -> Answering:
    """Share of rows of one side where a column is null or NaN."""
    setting.require(need.column, sides=(need.side,))
    (counts,) = yield from counts_of(setting, need.column, need.side)
    return _share(
        "ProfileMissingShare", {"column": need.column, "side": need.side.value}, missing_in(counts), counts.rows
    )


def duplicate_share(need: DuplicateShare, setting: Setting) -> Answering:
    """Share of current rows that repeat an earlier one."""
    setting.require(*need.columns)
    distinct = yield from ask(int, Side.CURRENT, DistinctRows(need.columns))
    total = setting.rows(Side.CURRENT)
    return _share("ProfileDuplicateShare", {"columns": list(need.columns)}, total - distinct, total)


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
    return _share(
        "ProfileOutsideRange",
        {"column": need.column, "low": need.low, "high": need.high},
        outside,
        present,
        details={"smallest": smallest, "largest": largest},
    )


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
    return _share(
        "ProfileNewCategories",
        {"column": need.column},
        count,
        current.total,
        details={"values": list(unknown[:_SHOWN_VALUES])},
    )


def refuse_cut(column: str, side: Side, counts: ValueCounts) -> None:
    """End the question if the list of values was cut: what is left out has an unknown count, not zero."""
    if counts.is_cut:
        raise Unanswerable(
            f"{column} has {counts.distinct:,} distinct values in {side}, more than the {len(counts.values):,} that "
            "are counted; leave it out of this check, group its rare values, or list it under data.columns.ignore",
            rows=counts.total,
        )


def distinct(need: Distinct, setting: Setting) -> Answering:
    """Count distinct values up to two: enough to tell a constant column from one that varies."""
    setting.require(need.column)
    compared = need.column in setting.scope.reference and setting.rows(Side.REFERENCE) > 0
    sides = (Side.CURRENT, Side.REFERENCE) if compared else (Side.CURRENT,)
    counts = yield from counts_of(setting, need.column, *sides)
    (found, value), *before = (_varieties(side) for side in counts)
    present = counts[0].rows - missing_in(counts[0])
    details = {"reference": before[0][0] if before else None, "value": value}
    take = partial(Measured, found, present, "count", details=details)
    return Measurement("ProfileDistinct", {"column": need.column}, take)


def _varieties(counts: BinCounts | ValueCounts) -> tuple[int, str | float | None]:
    """Distinct values, at most 2, and the value if there is only one."""
    if isinstance(counts, ValueCounts):
        return min(counts.distinct, 2), counts.values[0] if counts.distinct == 1 else None
    found: list[str | float] = [*["-inf"] * (counts.minus_inf > 0), *["inf"] * (counts.plus_inf > 0)]
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
    return _share("ProfileOverlap", {"columns": list(need.columns)}, shared, setting.rows(Side.CURRENT))


def pattern_share(need: PatternShare, setting: Setting) -> Answering:
    """Share of texts in which a pattern occurs."""
    setting.require(need.column)
    values, found = yield (Ask(Side.CURRENT, Values(need.column)),
                           Ask(Side.CURRENT, PatternCount(need.column, need.pattern)))  # fmt: skip
    assert isinstance(values, ValueCounts)
    assert isinstance(found, int)
    return _share("ProfilePatternShare", {"column": need.column, "pattern": need.pattern}, found, values.total)


def _share(
    metric: str, fields: dict[str, Any], count: int, total: int, details: Mapping[str, Any] | None = None
) -> Measurement:
    """A count as a share. Of nothing it is 0: a column of nulls holds no pattern, which is an answer."""
    share = count / total if total else 0.0
    return Measurement(
        metric, fields, partial(Measured, share, total, "count", details={"count": count} | dict(details or {}))
    )
