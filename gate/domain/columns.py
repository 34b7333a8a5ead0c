"""Columns: their names, storage types and kinds."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """How a column is measured. Pinned by policy, signature or storage type; never guessed from values."""

    NUMERIC = "numeric"
    CATEGORICAL = "categorical"
    TIMESTAMP = "timestamp"
    OTHER = "other"  # nested, binary, interval: named in the findings, never measured


@dataclass(frozen=True, slots=True)
class Column:
    """A column as stored: its name, the engine's type name (`DOUBLE`, `VARCHAR`) and the kind that follows from it."""

    name: str
    type: str
    kind: Kind


@dataclass(frozen=True, slots=True)
class Schema:
    """The columns of a dataset or a signature, in order. Names are unique."""

    columns: tuple[Column, ...]

    def __iter__(self) -> Iterator[Column]:
        return iter(self.columns)

    def __contains__(self, name: object) -> bool:
        return any(column.name == name for column in self.columns)

    @property
    def names(self) -> tuple[str, ...]:
        """The column names, in order."""
        return tuple(column.name for column in self.columns)

    def find(self, name: str) -> Column | None:
        """Look a column up by its exact name."""
        return next((column for column in self.columns if column.name == name), None)
