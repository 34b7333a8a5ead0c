"""Parts of two files, or of two days, into the part of both: by adding."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from gate.domain.part import DistinctRows, PartRequest, ScoreBins, Timeline
from gate.statistics.parts import (
    BinCounts,
    ConfusionCounts,
    ErrorMoments,
    ExactCounts,
    Ints,
    LossSums,
    Part,
    ScoreCounts,
    SplitParts,
    TimelineCounts,
    ValueCounts,
)

S = TypeVar("S", LossSums, ErrorMoments)


def merge(request: PartRequest, parts: Sequence[Part]) -> Part:  # noqa: C901  # one case for each type of part
    """Merge the answers that one request got from disjoint rows.

    Raises:
        ValueError: they do not merge: grids and distinct counts never do, bins of two grids, or lists of values of
            which one was cut (a value that it left out has an unknown count, not zero).
    """
    match parts[0]:
        case SplitParts():
            return _merge_groups(request, [p for p in parts if isinstance(p, SplitParts)])
        case BinCounts():
            return _merge_bins([p for p in parts if isinstance(p, BinCounts)])
        case ValueCounts():
            return _merge_values([p for p in parts if isinstance(p, ValueCounts)])
        case ExactCounts():
            some = [p for p in parts if isinstance(p, ExactCounts)]
            x, n = _grouped(np.concatenate([p.x for p in some]), np.concatenate([p.n for p in some]))
            return ExactCounts(x, n)
        case TimelineCounts() if isinstance(request, Timeline):
            return _merge_timelines(request, [p for p in parts if isinstance(p, TimelineCounts)])
        case ConfusionCounts():
            return _merge_confusions([p for p in parts if isinstance(p, ConfusionCounts)])
        case ScoreCounts() if isinstance(request, ScoreBins):
            return _merge_scores(request, [p for p in parts if isinstance(p, ScoreCounts)])
        case LossSums():
            return _merge_sums([p for p in parts if isinstance(p, LossSums)])
        case ErrorMoments():
            return _merge_sums([p for p in parts if isinstance(p, ErrorMoments)])
        case np.ndarray():
            total: Ints = np.sum([p for p in parts if isinstance(p, np.ndarray)], axis=0)
            return total
        case int() if not isinstance(request, DistinctRows):
            return sum(p for p in parts if isinstance(p, int))
        case _:
            raise ValueError(f"answers to {type(request).__name__} do not merge")


def _merge_groups(request: PartRequest, parts: Sequence[SplitParts]) -> SplitParts:
    names = sorted({name for part in parts for name in part.groups})
    return SplitParts({name: merge(request, [p.groups[name] for p in parts if name in p.groups]) for name in names})


def _merge_bins(parts: Sequence[BinCounts]) -> BinCounts:
    if any(part.grid != parts[0].grid for part in parts):
        raise ValueError("bins of two grids do not merge")
    b, at = np.unique(np.concatenate([p.b for p in parts]), return_inverse=True)
    n, s, q = (_added(at, len(b), [getattr(p, name) for p in parts]) for name in ("n", "s", "q"))
    lo, hi = np.full(len(b), np.inf), np.full(len(b), -np.inf)
    np.minimum.at(lo, at, np.concatenate([p.lo for p in parts]))
    np.maximum.at(hi, at, np.concatenate([p.hi for p in parts]))
    return BinCounts(
        parts[0].grid,
        b,
        n,
        s,
        q,
        lo,
        hi,
        nulls=sum(p.nulls for p in parts),
        nans=sum(p.nans for p in parts),
        minus_inf=sum(p.minus_inf for p in parts),
        plus_inf=sum(p.plus_inf for p in parts),
        is_integer=all(p.is_integer for p in parts),
    )


def _merge_values(parts: Sequence[ValueCounts]) -> ValueCounts:
    if any(part.is_cut for part in parts):
        raise ValueError("lists of values of which one was cut do not merge")
    values, n = _grouped(np.concatenate([p.values for p in parts]), np.concatenate([p.n for p in parts]))
    order = np.argsort(-n, kind="stable")  # the values are sorted already: ties stay in the order of the text
    total, nulls = sum(p.total for p in parts), sum(p.nulls for p in parts)
    return ValueCounts(values[order], n[order], total=total, distinct=len(values), nulls=nulls)


def _merge_timelines(request: Timeline, parts: Sequence[TimelineCounts]) -> TimelineCounts:
    first, last = (np.concatenate([getattr(p, name) for p in parts]) for name in ("first", "last"))
    stretch, at = np.unique(np.floor(first / request.width_seconds), return_inverse=True)
    lo, hi = np.full(len(stretch), np.inf), np.full(len(stretch), -np.inf)
    np.minimum.at(lo, at, first)
    np.maximum.at(hi, at, last)
    n = _added(at, len(stretch), [p.n for p in parts])
    return TimelineCounts(lo, hi, n, nulls=sum(p.nulls for p in parts))


def _merge_confusions(parts: Sequence[ConfusionCounts]) -> ConfusionCounts:
    counts: dict[tuple[str, str, str | None], int] = {}
    for part in parts:
        champion = [None] * len(part.n) if part.champion is None else part.champion
        for target, prediction, other, n in zip(part.target, part.prediction, champion, part.n, strict=True):
            pair = (target, prediction, other)
            counts[pair] = counts.get(pair, 0) + int(n)
    target, prediction, other = (np.array([pair[i] for pair in counts], dtype=object) for i in range(3))
    return ConfusionCounts(
        target,
        prediction,
        None if parts[0].champion is None else other,
        np.array(list(counts.values()), dtype=np.int64),
        unlabelled=sum(p.unlabelled for p in parts),
        unpredicted=sum(p.unpredicted for p in parts),
        thresholded=parts[0].thresholded,
        positive=parts[0].positive,
    )


def _merge_scores(request: ScoreBins, parts: Sequence[ScoreCounts]) -> ScoreCounts:
    score = np.concatenate([p.score for p in parts])
    rows = [p.positives + p.negatives for p in parts]
    b, at = np.unique(np.floor(score * request.resolution), return_inverse=True)
    positives, negatives = (
        _added(at, len(b), [getattr(p, name) for p in parts]) for name in ("positives", "negatives")
    )
    weighted = _added(at, len(b), [p.score * n for p, n in zip(parts, rows, strict=True)])
    lo, hi = np.full(len(b), np.inf), np.full(len(b), -np.inf)
    np.minimum.at(lo, at, score)
    np.maximum.at(hi, at, score)
    return ScoreCounts(
        np.clip(weighted / (positives + negatives), lo, hi),
        positives,
        negatives,
        is_exact=all(p.is_exact for p in parts) and bool(np.array_equal(lo, hi)),
        log_loss=sum(p.log_loss for p in parts),
        squared=sum(p.squared for p in parts),
        unlabelled=sum(p.unlabelled for p in parts),
        invalid=sum(p.invalid for p in parts),
    )


def _merge_sums(parts: Sequence[S]) -> S:
    """Add field by field; a field that no part has stays None."""
    sums: dict[str, Any] = {}
    for field in fields(parts[0]):
        values = [getattr(part, field.name) for part in parts]
        sums[field.name] = None if None in values else sum(values)
    return type(parts[0])(**sums)


def _grouped(values: NDArray[Any], n: Ints) -> tuple[NDArray[Any], Ints]:
    """Distinct values, ascending, with their counts added."""
    distinct, at = np.unique(values, return_inverse=True)
    return distinct, _added(at, len(distinct), [n])


def _added(at: NDArray[np.intp], size: int, arrays: Sequence[NDArray[Any]]) -> NDArray[Any]:
    """Add up the numbers that belong to the same place; counts stay whole."""
    numbers = np.concatenate(arrays)
    total = np.zeros(size, dtype=numbers.dtype)
    np.add.at(total, at, numbers)
    return total
