"""What to ask of a column: by its pinned kind and by how each side stores it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from gate.domain.columns import Kind, Schema
from gate.domain.dataset import Side
from gate.domain.part import Bins, Grid, GridOf, Split, Values
from gate.domain.scope import Scope
from gate.evidence.asking import Ask, Asking, Unanswerable, ask
from gate.flow.ports import Dataset
from gate.statistics.parts import BinCounts, ValueCounts

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Setting:
    """What every question may look at: the scope, both datasets and the moment of the evaluation."""

    scope: Scope
    reference: Dataset
    current: Dataset
    now: datetime
    _samples: dict[tuple[Side, int, int], pd.DataFrame] = field(default_factory=dict, repr=False)

    def dataset(self, side: Side) -> Dataset:
        """One of the two datasets."""
        return self.reference if side is Side.REFERENCE else self.current

    def sample(self, side: Side, rows: int, seed: int) -> pd.DataFrame:
        """Rows of one side on all columns that can be measured, drawn once for each size and seed."""
        key = (side, rows, seed)
        if key not in self._samples:
            columns = [column.name for column in self.schema(side) if column.kind is not Kind.OTHER]
            self._samples[key] = self.dataset(side).sample(rows, seed, columns)
        return self._samples[key]

    def rows(self, side: Side) -> int:
        """The rows of one side."""
        return self.dataset(side).facts.rows

    def schema(self, side: Side) -> Schema:
        """The columns of one side as stored."""
        return self.scope.reference if side is Side.REFERENCE else self.scope.current

    def require(self, *columns: str, sides: tuple[Side, ...] = (Side.CURRENT,)) -> None:
        """End the question unless every column is on all `sides`, and each of these has rows."""
        for column in columns:
            lacking = [side for side in sides if column not in self.schema(side)]
            if lacking:
                raise Unanswerable(f"{column} is absent in {' and '.join(lacking)}")
        for side in sides:
            if not self.rows(side):
                raise Unanswerable(f"{side} has no rows")

    def kind(self, column: str) -> Kind:
        """The pinned kind of a column."""
        return self.scope.kinds.get(column, Kind.OTHER)

    def require_kind(self, column: str, kind: Kind, *sides: Side) -> None:
        """End the question unless `column` is pinned as `kind` and stored so that it can be measured as that."""
        if self.kind(column) is not kind:
            raise Unanswerable(f"{column} is {self.kind(column)}, and only {kind} columns can be measured so")
        for side in sides:
            stored = self.schema(side).find(column)
            if stored is not None and not _readable(stored.kind, kind):
                raise Unanswerable(f"{column} is {kind}, but stored as {stored.type} in {side}")


def _readable(stored: Kind, kind: Kind) -> bool:
    """Whether a stored column can be read as `kind`: numbers and times only as such, categories from all but nested."""
    return stored is kind or (kind is Kind.CATEGORICAL and stored is not Kind.OTHER)


def bins_of(setting: Setting, column: str, split: Split | None = None) -> Asking[Bins]:
    """The request for the fine bins of `column`, on the grid that the reference pins (so that both sides share it).

    A column that the reference lacks, or stores as something else, has no grid to share and takes the plain one.
    """
    stored = setting.scope.reference.find(column)
    if stored is None or stored.kind not in (Kind.NUMERIC, Kind.TIMESTAMP) or not setting.rows(Side.REFERENCE):
        return Bins(column, Grid(), split)
    grid = yield from ask(Grid, Side.REFERENCE, GridOf(column))
    return Bins(column, grid, split)


def counts_request(setting: Setting, column: str, side: Side) -> Asking[Bins | Values]:
    """The cheapest part that knows how many rows of `column` are null: bins of a number, values of anything else."""
    stored = setting.schema(side).find(column)
    if stored is None or stored.kind is Kind.OTHER:
        as_what = "nothing" if stored is None else stored.type
        raise Unanswerable(f"{column} is stored as {as_what} in {side}, which gate does not measure")
    if stored.kind is Kind.CATEGORICAL or setting.kind(column) is Kind.CATEGORICAL:
        return Values(column)
    return (yield from bins_of(setting, column))


def counts_of(setting: Setting, column: str, *sides: Side) -> Asking[list[BinCounts | ValueCounts]]:
    """Count the rows of `column` on each of `sides`, nulls apart, in one round."""
    asks = []
    for side in sides:
        request = yield from counts_request(setting, column, side)
        asks.append(Ask(side, request))
    found = yield tuple(asks)
    counts = [part for part in found if isinstance(part, BinCounts | ValueCounts)]
    if len(counts) < len(found):
        raise TypeError(f"expected counts from the dataset, got {[type(part).__name__ for part in found]}")
    return counts


def missing_in(counts: BinCounts | ValueCounts) -> int:
    """Rows that are null or NaN."""
    return counts.missing if isinstance(counts, BinCounts) else counts.nulls


def refuse_all_null(column: str, side: Side, present: int, rows: int) -> None:
    """End the question if no row of `column` has a value."""
    if not present:
        raise Unanswerable(f"{column} is null in all {rows:,} rows of {side}")
