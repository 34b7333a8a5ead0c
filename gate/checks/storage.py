"""Families of storage types: which of them a column may move between without being another column."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from enum import StrEnum

from gate.domain.columns import Column, Kind


class Family(StrEnum):
    """What a type holds, in the words of a finding. Whole and decimal numbers are one family: either reads as both."""

    NUMBERS = "numbers"
    TEXT = "text"
    BOOLEANS = "booleans"
    TIMES = "times"
    OTHER = "other values"


_OF_SIGNATURE = {
    "boolean": Family.BOOLEANS,
    "string": Family.TEXT,
    "integer": Family.NUMBERS,
    "long": Family.NUMBERS,
    "float": Family.NUMBERS,
    "double": Family.NUMBERS,
    "datetime": Family.TIMES,
}

_WHOLE_BELOW = Decimal("9.2e18")  # a larger float is spelled with its exponent


def stored(column: Column) -> Family:
    """The family of a stored column. What is categorical by storage and not boolean is text."""
    match column.kind:
        case Kind.NUMERIC:
            return Family.NUMBERS
        case Kind.TIMESTAMP:
            return Family.TIMES
        case Kind.CATEGORICAL:
            return Family.BOOLEANS if column.type.upper() in ("BOOLEAN", "BOOL") else Family.TEXT
        case Kind.OTHER:
            return Family.OTHER


def declared(signature_type: str) -> Family | None:
    """The family of a type in a model signature; None for one that says nothing of how a column is stored."""
    return _OF_SIGNATURE.get(signature_type)


def spelled(value: str | int | bool, column: Column) -> str | None:
    """`value` as the text that the rows of `column` are compared as; None if the type of the column cannot hold it."""
    match stored(column):
        case Family.BOOLEANS:
            text = str(value).lower()
            return text if text in ("true", "false") else None
        case Family.NUMBERS:
            return None if isinstance(value, bool) else _number(str(value), column)
        case Family.TEXT:
            return str(value).lower() if isinstance(value, bool) else str(value)
        case Family.TIMES:
            return value if isinstance(value, str) else None
        case Family.OTHER:
            return None


def _number(text: str, column: Column) -> str | None:
    """A number as its column spells it: a whole one without a point, `1`, any other in its shortest form, `0.5`."""
    try:
        exact = Decimal(text)
    except InvalidOperation:
        return None
    type_ = column.type.upper()
    decimals = type_ in ("FLOAT", "DOUBLE") or type_.startswith("DECIMAL")
    if exact.is_nan() or (not decimals and (exact.is_infinite() or exact % 1)):
        return None
    if type_.startswith("DECIMAL"):
        return _plain(exact) if exact.is_finite() else None
    if not decimals or (abs(exact) < _WHOLE_BELOW and not exact % 1):
        return str(int(exact))
    return repr(float(exact))


def _plain(exact: Decimal) -> str:
    text = f"{exact:f}"
    return (text.rstrip("0").rstrip(".") if "." in text else text) or "0"
