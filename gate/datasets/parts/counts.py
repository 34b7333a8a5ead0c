"""Single numbers and small arrays about the rows of one side."""

from __future__ import annotations

import numpy as np
from sqlglot import exp

from gate.datasets.parts.answering import Rows, Unanswered, is_null, plain
from gate.datasets.storage import canonical, key, microseconds, number, raw
from gate.datasets.template import double, fill, string, whole
from gate.domain.columns import Kind
from gate.domain.part import DistinctRows, ExactValues, Histogram, OutsideCount, PatternCount, Timeline
from gate.statistics.parts import ExactCounts, Ints, TimelineCounts

_FINITE = "ABS(x) <= 1.7976931348623157e308"  # false for NaN and infinities in every engine; isfinite is not in all

_TIMELINE = f"""
SELECT FLOOR(x / $width) AS stretch, COUNT(*) AS n, MIN(x) / 1e6 AS lo, MAX(x) / 1e6 AS hi
FROM (SELECT CASE WHEN {_FINITE} THEN x END AS x FROM (SELECT $x AS x FROM data))
GROUP BY stretch ORDER BY stretch
"""  # noqa: S608  # constants of this module


def count_exactly(rows: Rows, request: ExactValues) -> ExactCounts:
    """Count every finite value of a column."""
    statement = rows.select(
        f"SELECT x, COUNT(*) AS n FROM (SELECT $x AS x FROM data) WHERE {_FINITE} GROUP BY x ORDER BY x",  # noqa: S608  # a constant
        (request.column,),
        x=number(rows.numeric(request.column)),
    )
    arrays = rows.fetch(statement)
    return ExactCounts(plain(arrays["x"]).astype(np.float64), plain(arrays["n"]).astype(np.int64))


def count_between(rows: Rows, request: Histogram) -> Ints:
    """Count between edges as numpy.histogram does: as differences of how many values lie at or above each edge."""
    edges = np.asarray(request.edges, dtype=float)
    if len(edges) < 2 or not np.isfinite(edges).all() or (np.diff(edges) < 0).any():
        raise Unanswered("the edges of a histogram must be finite and ascending, two at least")
    counted = [fill("COUNT_IF(x >= $e)", e=double(edge)).as_(f"e{i}") for i, edge in enumerate(edges[:-1])]
    counted.append(fill("COUNT_IF(x > $e)", e=double(edges[-1])).as_("beyond"))
    statement = rows.select(
        f"SELECT 1 FROM (SELECT $x AS x FROM data) WHERE {_FINITE}",  # noqa: S608  # a constant
        (request.column,),
        x=number(rows.numeric(request.column)),
    ).select(*counted, append=False)
    arrays = rows.fetch(statement)
    at_least = np.array([int(plain(arrays[str(e.alias)])[0]) for e in counted], dtype=np.int64)
    return at_least[:-1] - at_least[1:]


def count_distinct_rows(rows: Rows, request: DistinctRows) -> int:
    """Count distinct rows by a 64-bit hash: below 3e-8 expected collisions at a million rows, 3e-4 at 100 million.

    Null equals null, NaN equals NaN and null.
    """
    names = request.columns or rows.schema.names
    columns = [rows.schema.find(name) for name in names]
    lost = [name for name, column in zip(names, columns, strict=True) if column is None]
    if lost:
        raise Unanswered(f"there is no column {lost[0]!r}")
    keys = [raw(c) if c.kind is Kind.OTHER else key(c) for c in columns if c is not None]
    if not keys:
        raise Unanswered("there are no columns to compare rows on")
    statement = rows.select(
        "SELECT COUNT(DISTINCT h) AS n FROM (SELECT $h AS h FROM data)", names, h=exp.func("HASH", *keys)
    )
    return int(plain(rows.fetch(statement)["n"])[0])


def count_outside(rows: Rows, request: OutsideCount) -> int:
    """Count values outside low..high."""
    limits = [fill("ABS(x) > 1.7976931348623157e308")]
    if request.low is not None:
        limits.append(fill("x < $low", low=double(request.low)))
    if request.high is not None:
        limits.append(fill("x > $high", high=double(request.high)))
    statement = rows.select(
        "SELECT COUNT_IF($outside) AS n FROM (SELECT $x AS x FROM data) WHERE NOT ISNAN(x)",
        (request.column,),
        x=number(rows.numeric(request.column)),
        outside=exp.or_(*limits),
    )
    return int(plain(rows.fetch(statement)["n"])[0])


def count_pattern(rows: Rows, request: PatternCount) -> int:
    """Count texts with a match. The engine's expressions are RE2 too: no pattern takes longer than linear time."""
    statement = rows.select(
        "SELECT COUNT_IF(REGEXP_MATCHES(v, $pattern)) AS n FROM (SELECT $v AS v FROM data)",
        (request.column,),
        v=canonical(rows.column(request.column)),
        pattern=string(request.pattern),
    )
    return int(plain(rows.fetch(statement)["n"])[0])


def count_over_time(rows: Rows, request: Timeline) -> TimelineCounts:
    """Count rows by stretches of time; a row with an infinite time has none."""
    if request.width_seconds < 1:
        raise Unanswered("a stretch of time is a second at least")
    statement = rows.select(
        _TIMELINE,
        (request.column,),
        x=microseconds(rows.timed(request.column)),
        width=whole(request.width_seconds * 1_000_000),
    )
    arrays = rows.fetch(statement)
    null, n = is_null(arrays["stretch"]), plain(arrays["n"]).astype(np.int64)
    first, last = (plain(arrays[name])[~null].astype(np.float64) for name in ("lo", "hi"))
    return TimelineCounts(first, last, n[~null], nulls=int(n[null].sum()))


def distinct_texts(rows: Rows, name: str, most: int) -> tuple[str, ...]:
    """The distinct values of a column as text, the most frequent first; null shows as ''."""
    statement = rows.select(
        "SELECT v FROM (SELECT $v AS v FROM data) GROUP BY v ORDER BY COUNT(*) DESC, v LIMIT $most",
        (name,),
        v=fill("COALESCE($v, '')", v=canonical(rows.column(name))),
        most=whole(most),
    )
    return tuple(str(v) for v in plain(rows.fetch(statement)["v"]))


Count = ExactValues | Histogram | DistinctRows | OutsideCount | PatternCount | Timeline


def answer_count(rows: Rows, request: Count) -> ExactCounts | Ints | int | TimelineCounts:
    """Answer a request about the rows of one side."""
    match request:
        case ExactValues():
            return count_exactly(rows, request)
        case Histogram():
            return count_between(rows, request)
        case DistinctRows():
            return count_distinct_rows(rows, request)
        case OutsideCount():
            return count_outside(rows, request)
        case PatternCount():
            return count_pattern(rows, request)
        case Timeline():
            return count_over_time(rows, request)
