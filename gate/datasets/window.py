"""Which rows count: the resolved window, the last rows, and what stands in the digest for them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from sqlglot import exp

from gate.datasets.storage import Family, family, moment
from gate.datasets.template import fill, string
from gate.domain.columns import Column, Kind, Schema
from gate.domain.dataset import Window
from gate.errors import DataError


@dataclass(frozen=True, slots=True)
class Span:
    """A window in absolute UTC times: since < time <= until."""

    column: Column
    since: datetime
    until: datetime

    @property
    def condition(self) -> exp.Expr:
        """True for the rows of the window. A row without a time is in no window."""
        return fill(
            "$t > $since AND $t <= $until",
            t=moment(self.column),
            since=timestamp(self.since),
            until=timestamp(self.until),
        )


def resolve(window: Window, schema: Schema, uri: str, *, now: datetime) -> Span:
    """Anchor a window: at its own end, else at the moment of the evaluation."""
    until = (window.until or now).astimezone(UTC)
    try:
        since = until - window.last
    except OverflowError as wrong:
        raise DataError(f"{uri}: the window begins before the year 1") from wrong
    return Span(time_column(window.column, schema, uri), since, until)


def time_column(name: str, schema: Schema, uri: str) -> Column:
    """The column that says when; DataError if there is none or it holds no times."""
    column = schema.find(name)
    if column is None:
        raise DataError(f"{uri}: there is no column {name!r} to tell the time by; there are {listed(schema)}")
    if column.kind is not Kind.TIMESTAMP and family(column) is not Family.TEXT:
        raise DataError(f"{uri}: column {name!r} is stored as {column.type}, which is no time")
    return column


def timestamp(value: datetime) -> exp.Expr:
    """A moment as TIMESTAMP in UTC."""
    utc = value.astimezone(UTC).replace(tzinfo=None)
    return exp.cast(string(utc.isoformat(sep=" ")), "timestamp")


def listed(schema: Schema) -> str:
    """The names of a schema, at most twenty of them."""
    names = [repr(name) for name in schema.names[:20]]
    return ", ".join(names) + (", ..." if len(schema.names) > 20 else "")
