"""Storage types: which kind of column follows from them, and how a value is read as a number, a moment or a text.

Canonical text is one spelling for equal values whatever they are stored as, so that a label written as 1, stored as
BIGINT on one side and as DOUBLE on the other, is one category:

    booleans     true, false
    numbers      whole numbers below 2^63 without a point (1.0 is `1`), others in their shortest form (`0.1`, `1e+20`)
    dates        2026-11-22
    timestamps   2026-11-22 12:00:00 or 2026-11-22 12:00:00.5, in UTC; a zoneless one is UTC already
    texts        themselves

Null and NaN have no text.
"""

from __future__ import annotations

from enum import Enum, auto

from sqlglot import exp

from gate.datasets.template import fill
from gate.domain.columns import Column, Kind


class Family(Enum):
    """Storage types that are read alike."""

    INTEGER = auto()
    FLOAT = auto()
    DECIMAL = auto()
    BOOLEAN = auto()
    TEXT = auto()
    DATE = auto()
    MOMENT = auto()
    OTHER = auto()


_FAMILIES = {
    **dict.fromkeys(("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT"), Family.INTEGER),
    **dict.fromkeys(("UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT", "UHUGEINT"), Family.INTEGER),
    **dict.fromkeys(("FLOAT", "DOUBLE"), Family.FLOAT),
    **dict.fromkeys(("VARCHAR", "ENUM", "UUID", "JSON"), Family.TEXT),
    "NULL": Family.TEXT,  # what a writer stores that saw no value: measured as all missing, not left out
    **dict.fromkeys(("TIMESTAMP", "TIMESTAMP_S", "TIMESTAMP_MS", "TIMESTAMP_NS"), Family.MOMENT),
    **dict.fromkeys(("TIMESTAMP WITH TIME ZONE", "TIMESTAMPTZ_NS"), Family.MOMENT),
    "DECIMAL": Family.DECIMAL,
    "BOOLEAN": Family.BOOLEAN,
    "DATE": Family.DATE,
}
_KINDS = {
    Family.INTEGER: Kind.NUMERIC,
    Family.FLOAT: Kind.NUMERIC,
    Family.DECIMAL: Kind.NUMERIC,
    Family.BOOLEAN: Kind.CATEGORICAL,
    Family.TEXT: Kind.CATEGORICAL,
    Family.DATE: Kind.TIMESTAMP,
    Family.MOMENT: Kind.TIMESTAMP,
    Family.OTHER: Kind.OTHER,
}


def column_of(name: str, engine_type: str) -> Column:
    """Describe a column by the engine's name of its type. Nested types keep their outer name only."""
    nested = engine_type.endswith("]")
    word = "LIST" if nested else engine_type.split("(", 1)[0].strip(' "')
    shown = engine_type if word == "DECIMAL" else word
    return Column(name, shown, _KINDS[_FAMILIES.get(word, Family.OTHER)])


def family(column: Column) -> Family:
    """The family of a column as `column_of` described it."""
    return _FAMILIES.get(column.type.split("(", 1)[0], Family.OTHER)


def holds_integers(column: Column) -> bool:
    """Whether every value that the type can store is a whole number; booleans are 0 and 1."""
    return family(column) in {Family.INTEGER, Family.BOOLEAN}


def raw(column: Column) -> exp.Column:
    """The column itself, quoted."""
    return exp.column(column.name, quoted=True)


def moment(column: Column) -> exp.Expr:
    """The column as TIMESTAMP in UTC, microseconds. A text must be an ISO time, or the engine refuses it."""
    match family(column):
        case Family.TEXT:
            return fill("CAST(CAST($c AS TIMESTAMPTZ) AS TIMESTAMP)", c=raw(column))
        case _ if column.type == "TIMESTAMPTZ_NS":  # has no cast to TIMESTAMP of its own
            return fill("CAST(CAST($c AS TIMESTAMPTZ) AS TIMESTAMP)", c=raw(column))
        case _ if column.type == "TIMESTAMP":
            return raw(column)
        case _:
            return fill("CAST($c AS TIMESTAMP)", c=raw(column))


def number(column: Column) -> exp.Expr:
    """The column as DOUBLE: booleans as 0 and 1, times in microseconds; a text that is no number is refused there."""
    if family(column) in {Family.DATE, Family.MOMENT}:
        return microseconds(column)
    return fill("CAST($c AS DOUBLE)", c=raw(column))


def microseconds(column: Column) -> exp.Expr:
    """A time column as DOUBLE, in microseconds since 1970, UTC.

    The infinite times of DuckDB become infinities: EPOCH_US alone would make them null.
    """
    return fill(
        "CASE WHEN NOT ISINF($t) THEN CAST(EPOCH_US($t) AS DOUBLE) "
        "WHEN $t > TIMESTAMP '1970-01-01' THEN CAST('inf' AS DOUBLE) WHEN ISINF($t) THEN CAST('-inf' AS DOUBLE) END",
        t=moment(column),
    )


def key(column: Column) -> exp.Expr:
    """The column as a value to group by: NaN is null, times are UTC. Its canonical text is `text`."""
    match family(column):
        case Family.FLOAT:
            return fill("CASE WHEN NOT ISNAN($c) THEN $c END", c=raw(column))
        case Family.MOMENT:
            return moment(column)
        case _:
            return raw(column)


def text(column: Column, grouped: exp.Expr) -> exp.Expr:
    """The canonical text of `grouped`, which is the `key` of `column`."""
    match family(column):
        case Family.FLOAT:
            return fill(
                "CASE WHEN $v = TRUNC($v) AND ABS($v) < 9.2e18 THEN CAST(CAST($v AS BIGINT) AS VARCHAR) "
                "ELSE CAST($v AS VARCHAR) END",
                v=grouped,
            )
        case Family.DECIMAL if not column.type.endswith(",0)"):
            return fill("RTRIM(RTRIM(CAST($v AS VARCHAR), '0'), '.')", v=grouped)
        case _:
            return fill("CAST($v AS VARCHAR)", v=grouped)


def canonical(column: Column) -> exp.Expr:
    """The canonical text of the column itself."""
    return text(column, key(column))


def day(column: Column) -> exp.Expr:
    """The UTC day of a time column as text; null where there is none."""
    return fill("CASE WHEN NOT ISINF($t) THEN CAST(CAST($t AS DATE) AS VARCHAR) END", t=moment(column))
