"""Families of storage types: which of them a column may move between without being another column."""

from __future__ import annotations

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
