"""Late labels: truth that arrives after the prediction, joined to the rows by a key."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

import duckdb
from sqlglot import exp

from gate.datasets.relation import Relation, free_name
from gate.datasets.storage import Family, canonical, family, key, moment, raw
from gate.datasets.template import fill, render
from gate.datasets.window import time_column, timestamp
from gate.domain.columns import Column, Schema
from gate.domain.dataset import LateLabels, Source
from gate.errors import DataError, UsageError

_WHOLE_OR_DECIMAL = {Family.INTEGER, Family.FLOAT, Family.DECIMAL}


@dataclass(frozen=True, slots=True)
class Ripe:
    """The rows that are old enough to have a label: those whose time is not after `until`."""

    column: Column
    until: datetime


def ripeness(source: Source, labels: LateLabels, schema: Schema, *, now: datetime) -> Ripe | None:
    """Which rows may have a label; None if all may, since there is no delay.

    A row is as old as it was at the end of the window: a window that ends on a fixed day is judged as of that day,
    so that equal inputs give equal findings. Without an end, or with one that lies ahead, that is the moment of the
    evaluation: no row is older than it is now.
    """
    if not labels.delay:
        return None
    name = source.window.column if source.window else source.timestamp
    if name is None:
        raise UsageError(
            f"{source.uri}: labels have a delay, and nothing says how old a row is; "
            "name the time column (data.columns.timestamp, or the window of data.current)"
        )
    end = min((source.window.until if source.window else None) or now, now)
    return Ripe(time_column(name, schema, source.uri), end.astimezone(UTC) - labels.delay)


def join_labels(
    connection: duckdb.DuckDBPyConnection, rows: Schema, labels: Relation, on: str, ripe: Ripe | None, uri: str
) -> Schema:
    """Make the relation `labelled`: every row of `data`, with the columns of its label or nulls.

    Returns:
        The columns that the labels bring.

    Raises:
        DataError: the key is absent on one side or of another type there, keys repeat in the labels (a row would be
            judged twice), or the labels have a column that the data has too (nobody said which one is the truth).
    """
    ours, theirs = _keys(rows, labels, on, uri)
    brought = Schema(tuple(column for column in labels.schema if column.name != on))
    shared = [column.name for column in brought if column.name.lower() in {name.lower() for name in rows.names}]
    if shared:
        raise DataError(
            f"{labels.uri}: the labels and the data both have {', '.join(map(repr, shared))}; "
            f"labels bring {on!r} and columns that the data lacks"
        )
    if not brought.columns:
        raise DataError(f"{labels.uri}: the labels have no column besides {on!r}")
    columns = [raw(column) for column in brought]
    name = free_name("label_key", Schema((*rows.columns, *brought.columns)))
    made = labels.select.select(*columns, theirs.as_(name, quoted=True))
    labels.prepare()
    connection.execute(f"CREATE TABLE labels AS {render(made)}")
    _refuse_repeated(connection, name, on, labels.uri)
    match: exp.Expr = fill("$ours = $theirs", ours=ours, theirs=exp.column(name, quoted=True))
    if ripe is not None:
        match = exp.and_(match, fill("$t <= $until", t=moment(ripe.column), until=timestamp(ripe.until)))
    joined = exp.select("data.*", *columns).from_("data").join("labels", on=match, join_type="left")
    connection.execute(f"CREATE VIEW labelled AS {render(joined)}")
    return brought


def _keys(rows: Schema, labels: Relation, on: str, uri: str) -> tuple[exp.Expr, exp.Expr]:
    """The key on both sides as values that can be compared; that of no labels has no type and equals nothing."""
    ours, theirs = rows.find(on), labels.schema.find(on)
    if ours is None or theirs is None:
        side, place = ("data", uri) if ours is None else ("labels", labels.uri)
        raise DataError(f"{place}: the {side} have no column {on!r} to join the labels on")
    if not labels.rows:
        return exp.null(), exp.null()
    families = {family(ours), family(theirs)}
    if Family.OTHER in families or (len(families) > 1 and not families <= _WHOLE_OR_DECIMAL):
        raise DataError(
            f"{labels.uri}: the labels are joined on {on!r}, which is {theirs.type} in them and {ours.type} in the data"
        )
    if len(families) > 1:
        return canonical(ours), canonical(theirs)  # as text: 64-bit identifiers would collide as doubles
    return key(ours), key(theirs)


def _refuse_repeated(connection: duckdb.DuckDBPyConnection, name: str, on: str, uri: str) -> None:
    counted = fill(
        "SELECT COUNT(*) FROM (SELECT $k AS k FROM labels WHERE $k IS NOT NULL GROUP BY $k HAVING COUNT(*) > 1)",
        k=exp.column(name, quoted=True),
    )
    found = connection.execute(render(counted)).fetchone()
    if found and found[0]:
        keys = "1 key occurs" if found[0] == 1 else f"{found[0]:,} keys occur"
        raise DataError(f"{uri}: {keys} more than once in {on!r}; a row has one label")
