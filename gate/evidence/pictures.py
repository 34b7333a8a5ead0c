"""What the report draws of a column: both distributions, and where and since when it drifted."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from gate.domain.columns import Kind
from gate.domain.dataset import Side
from gate.domain.distances import METHODS
from gate.domain.need import Drift
from gate.domain.part import Bins, Split, Values
from gate.domain.picture import Distribution, Trail
from gate.evidence.asking import Ask, Asking, Unanswerable, ask, ask_both, ask_many
from gate.evidence.columns import Setting, bins_of
from gate.evidence.drift import moved
from gate.statistics.binning import picture_edges, shares
from gate.statistics.distances import category_distance, numeric_distance
from gate.statistics.errors import Undefined
from gate.statistics.parts import BinCounts, Part, SplitParts, ValueCounts

_TOP_CATEGORIES = 12
_FEWEST_ROWS = 20  # a distance of fewer rows is mostly noise; hourly data has 24 a day
_MOST_DAYS = 92
_MOST_SEGMENTS = 50


def distribution(column: str, setting: Setting) -> Asking[Distribution]:
    """Both sides of a column as shares."""
    setting.require(column, sides=(Side.REFERENCE, Side.CURRENT))
    if setting.kind(column) is Kind.NUMERIC:
        request = yield from bins_of(setting, column)
        numbers = yield from ask_both(BinCounts, request)
        if not any(side.finite for side in numbers):
            raise Unanswerable(f"{column} has no finite value to draw")
        edges = picture_edges(*numbers)
        before, after = (shares(side, edges) or (0.0,) * (len(edges) - 1) for side in numbers)
        return Distribution(column, numeric=True, labels=tuple(f"{edge:.4g}" for edge in edges), reference=before,
                            current=after, edges=edges)  # fmt: skip
    reference, current = yield from ask_both(ValueCounts, Values(column))
    before_of, after_of = _shares_by_name(reference), _shares_by_name(current)
    names = sorted(before_of.keys() | after_of.keys(),
                   key=lambda name: (-before_of.get(name, 0.0) - after_of.get(name, 0.0), name))  # fmt: skip
    top = tuple(names[:_TOP_CATEGORIES])
    return Distribution(
        column, numeric=False, labels=top,
        reference=tuple(before_of.get(name, 0.0) for name in top),
        current=tuple(after_of.get(name, 0.0) for name in top),
        moved=tuple((name, before, after) for name, before, after in moved(reference, current)),
    )  # fmt: skip


def trails(need: Drift, setting: Setting) -> Asking[tuple[Trail, ...]]:
    """The distance of a drifted column by day, against the whole reference, and by segment, against the same segment.

    Only for distances on the reference's bins: Sturges bins would have to be laid anew for every group.
    """
    if need.bins == "evidently" and METHODS[need.method].binned:
        return ()
    numeric = setting.kind(need.column) is Kind.NUMERIC
    request: Bins | Values = (yield from bins_of(setting, need.column)) if numeric else Values(need.column)
    drawn: list[Trail] = []
    time = setting.scope.roles.timestamp
    if time is not None and _is_time(setting, time):
        whole = yield from (ask(BinCounts, Side.REFERENCE, request) if numeric else
                            ask(ValueCounts, Side.REFERENCE, request))  # fmt: skip
        days = yield from ask(SplitParts, Side.CURRENT, _split(request, Split(time, "day")))
        last = sorted(day for day in days.groups if day)[-_MOST_DAYS:]
        drawn.append(_trail(need, "day", last, dict.fromkeys(last, whole), days.groups))
    for segment in setting.scope.roles.segments:
        if segment == need.column or setting.scope.absent(segment):
            continue
        split = _split(request, Split(segment))
        before, after = yield from ask_many(SplitParts, (Ask(Side.REFERENCE, split), Ask(Side.CURRENT, split)))
        largest = sorted(after.groups, key=lambda name: (-_rows(after.groups[name]), name))[:_MOST_SEGMENTS]
        drawn.append(_trail(need, segment, sorted(largest), before.groups, after.groups))
    return tuple(drawn)


def _is_time(setting: Setting, column: str) -> bool:
    stored = setting.scope.current.find(column)
    return stored is not None and stored.kind is Kind.TIMESTAMP


def _split(request: Bins | Values, split: Split) -> Bins | Values:
    if isinstance(request, Bins):
        return Bins(request.column, request.grid, split)
    return Values(request.column, request.cap, split=split)


def _trail(
    need: Drift, over: str, labels: Iterable[str], reference: Mapping[str, Part], current: Mapping[str, Part]
) -> Trail:
    names = tuple(labels)
    return Trail(
        need.column, need.method, over, names,
        distances=tuple(_distance(need.method, reference.get(name), current[name]) for name in names),
        rows=tuple(_rows(current[name]) for name in names),
        limit=need.limit.max,
    )  # fmt: skip


def _distance(method: str, reference: Part | None, current: Part) -> float | None:
    """The distance of one group; None where it has too few rows on a side, or none at all."""
    if reference is None or min(_rows(reference), _rows(current)) < _FEWEST_ROWS:
        return None
    try:
        match reference, current:
            case BinCounts(), BinCounts():
                return numeric_distance(method, reference, current).value
            case ValueCounts(), ValueCounts():
                return category_distance(method, reference, current).value
            case _:
                return None
    except Undefined:
        return None


def _rows(part: Part) -> int:
    """Rows with a value."""
    match part:
        case BinCounts():
            return part.finite + part.infinite
        case ValueCounts():
            return part.total
        case _:
            return 0


def _shares_by_name(counts: ValueCounts) -> dict[str, float]:
    if not counts.total:
        return {}
    return dict(zip(counts.values.tolist(), (counts.n / counts.total).tolist(), strict=True))
