"""Which rows of a relation count: those of a window, or the last ones, as a condition on a row."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import duckdb
from sqlglot import exp

from gate.datasets.files import Files
from gate.datasets.relation import Relation
from gate.datasets.storage import Family, family, moment, raw
from gate.datasets.template import fill, fill_select, render, whole
from gate.datasets.window import Span, resolve, time_column, timestamp
from gate.domain.dataset import Source
from gate.errors import DataError


@dataclass(frozen=True, slots=True)
class Selection:
    """The rows that count. `condition` None is every row; `manifest` is what stands in the data digest for it."""

    span: Span | None
    condition: exp.Expr | None
    manifest: Mapping[str, Any]


def select_rows(
    connection: duckdb.DuckDBPyConnection, relation: Relation, source: Source, *, now: datetime
) -> Selection:
    """Resolve the window or the last rows of a source; DataError if its time column is none."""
    if source.window is not None:
        span = resolve(source.window, relation.schema, source.uri, now=now)
        _refuse_other_texts(connection, relation, span)
        window = {"column": span.column.name, "since": span.since.isoformat(), "until": span.until.isoformat()}
        return Selection(span, span.condition, {"window": window})
    if source.last_rows is not None:
        by = source.timestamp
        manifest = {"count": source.last_rows, "by": by}
        return Selection(None, _last(connection, relation, source.last_rows, by), {"lastRows": manifest})
    return Selection(None, None, {})


def refuse_unordered(source: Source, files: Files) -> None:
    """Raise DataError where nothing says which rows are the last: rows have an order within a file, files have none."""
    if source.last_rows is not None and source.timestamp is None and len(files.files) > 1:
        raise DataError(
            f"{source.uri}: nothing says which rows of {len(files.files):,} files are the last; "
            "name the time column (data.columns.timestamp)"
        )


def _last(connection: duckdb.DuckDBPyConnection, relation: Relation, count: int, by: str | None) -> exp.Expr | None:
    """The last rows by time, rows of the same time in the order of the files; without a time column by place in a file.

    A row without a time is older than any other.
    """
    if count >= relation.rows:
        return None
    if by is None:
        return fill("$place >= $first", place=relation.place, first=whole(relation.rows - count))
    time = moment(time_column(by, relation.schema, relation.uri))
    relation.prepare()
    ordered = fill_select(
        "SELECT t, p FROM $rows ORDER BY t DESC NULLS LAST, p DESC LIMIT 1 OFFSET $skipped",
        rows=relation.select.select(time.as_("t"), relation.place.as_("p")).subquery("rows"),
        skipped=whole(count - 1),
    )
    found = connection.execute(render(ordered)).fetchone()
    assert found is not None
    edge, place = found
    after = fill("$place >= $first", place=relation.place, first=whole(int(place)))
    if edge is None:
        return exp.or_(fill("$t IS NOT NULL", t=time), after)
    return fill("$t > $edge OR ($t = $edge AND $after)", t=time, edge=timestamp(edge), after=after)


def _refuse_other_texts(connection: duckdb.DuckDBPyConnection, relation: Relation, span: Span) -> None:
    """Raise DataError unless every text of a time column is an ISO time: a row must not fall out for its spelling."""
    if family(span.column) is not Family.TEXT:
        return
    relation.prepare()
    wrong = relation.select.select(raw(span.column)).where(
        fill("$c IS NOT NULL AND TRY_CAST($c AS TIMESTAMPTZ) IS NULL", c=raw(span.column))
    )
    found = connection.execute(render(wrong.limit(1))).fetchone()
    if found is not None:
        raise DataError(
            f"{relation.uri}: column {span.column.name!r} is no time: {str(found[0])[:40]!r} is not ISO 8601"
        )
