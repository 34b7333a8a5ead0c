"""What all answers to part requests share: the rows they run over, how a query fails, how groups are told apart."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

import duckdb
import numpy as np
from numpy.typing import NDArray
from sqlglot import exp

from gate.datasets.storage import Family, canonical, day, family
from gate.datasets.template import fill, fill_select, render, string, whole
from gate.domain.columns import Column, Kind, Schema
from gate.domain.evidence import Missing
from gate.domain.part import NULL_GROUP, Split
from gate.errors import DataError
from gate.statistics.parts import Part, SplitParts

MOST_GROUPS = 1000
"""Groups that a Split may have. A column with more values is a key or a number, and no segment."""

Arrays = Mapping[str, NDArray[Any]]
T = TypeVar("T")


class Unanswered(Exception):  # noqa: N818  # the name of a case, which ends as Missing
    """The data cannot answer a request; ends it with the reason, and no other request."""


@dataclass(frozen=True, eq=False)
class Rows:
    """The rows of one side inside a connection.

    Attributes:
        uri: what people call them.
        connection: where they are attached.
        schema: their columns, those of joined labels included.
        labelled: names of the columns that labels brought. They are in the relation `labelled`, which costs a join;
            every other column is read from `data`.
        position: the name of the column with the place of a row in its files, which is in no schema.
        progress: hears about every scan before it begins.
        scanned: is told when one has ended.
    """

    uri: str
    connection: duckdb.DuckDBPyConnection
    schema: Schema
    labelled: frozenset[str]
    position: str
    progress: Callable[[str], None] = field(default=lambda _: None)
    scanned: Callable[[], None] = field(default=lambda: None)

    def column(self, name: str) -> Column:
        """A column that can be measured, or Unanswered."""
        found = self.schema.find(name)
        if found is None:
            raise Unanswered(f"there is no column {name!r}")
        if found.kind is Kind.OTHER:
            raise Unanswered(f"column {name!r} is stored as {found.type}, which is not measured")
        return found

    def numeric(self, name: str) -> Column:
        """A column that reads as numbers. A text does if every value is one: its query may fail, alone."""
        return self.column(name)

    def timed(self, name: str) -> Column:
        """A column that reads as moments; a text does if every value is an ISO time."""
        found = self.column(name)
        if found.kind is Kind.NUMERIC or family(found) is Family.BOOLEAN:
            raise Unanswered(f"column {name!r} is stored as {found.type}, which is no time")
        return found

    def select(self, template: str, columns: tuple[str, ...], **parts: exp.Expr) -> exp.Select:
        """Fill a template whose innermost FROM names `data`, and read it from where `columns` are."""
        relation = "labelled" if self.labelled.intersection(columns) else "data"
        return fill_select(template.replace("FROM data", f"FROM {relation}"), **parts)

    def fetch(self, *arms: exp.Expr) -> Arrays:
        """Run the arms as one statement and fetch their columns; nulls are masked. Each call is a scan."""
        self.progress(f"scan {self.uri}")
        statement = " UNION ALL ".join(map(render, arms))  # exp.union copies what it has at every step
        arrays: Arrays = self.connection.execute(statement).fetchnumpy()
        self.scanned()
        return arrays


def guarded(rows: Rows, what: str, answer: Callable[[], T]) -> T | Missing:
    """Answer one request. What the data cannot answer is Missing; what cannot be read at all is a DataError."""
    try:
        return answer()
    except Unanswered as unanswered:
        return Missing(str(unanswered))
    except duckdb.OutOfMemoryException:
        return Missing(f"{what} needs more memory than GATE_MEMORY_LIMIT allows", broken=True)
    except CANNOT_BE_CAST as wrong:
        return Missing(f"{what} cannot be computed: {first_line(wrong)}")
    except duckdb.Error as wrong:
        raise DataError(f"{rows.uri}: cannot be read: {first_line(wrong)}") from wrong


CANNOT_BE_CAST = (
    duckdb.ConversionException,
    duckdb.OutOfRangeException,
    duckdb.BinderException,
    duckdb.TypeMismatchException,
    duckdb.InvalidInputException,  # a pattern that is none
)
"""What the engine raises when values do not fit a request, as opposed to files that cannot be read."""


def first_line(wrong: Exception) -> str:
    """The first line of an engine's message, short enough for a finding."""
    text = str(wrong).strip().split("\n", 1)[0].split(" when casting from ", 1)[0]
    return text if len(text) <= 200 else text[:197] + "..."


def group_of(rows: Rows, split: Split) -> exp.Expr:
    """The text that a Split tells its groups apart by. See Split for null."""
    if split.unit == "day":
        return fill("COALESCE($g, '')", g=day(rows.timed(split.column)))
    return fill("COALESCE($g, $missing)", g=canonical(rows.column(split.column)), missing=string(NULL_GROUP))


def refuse_many_groups(rows: Rows, split: Split) -> None:
    """Raise Unanswered where a Split would have too many groups; the scan stops as soon as that is known."""
    counted = rows.select(
        "SELECT COUNT(*) AS n FROM (SELECT DISTINCT $g AS g FROM data LIMIT $most)",
        (split.column,),
        g=group_of(rows, split),
        most=whole(MOST_GROUPS + 1),
    )
    if int(rows.fetch(counted)["n"][0]) > MOST_GROUPS:
        what = "days" if split.unit == "day" else "values"
        raise Unanswered(f"column {split.column!r} has more than {MOST_GROUPS:,} {what}, too many to split by")


def by_group(arrays: Arrays, make: Callable[[Arrays], Part]) -> SplitParts:
    """Cut fetched arrays at the column `g` and make a part of each group."""
    names, group = np.unique(plain(arrays["g"]), return_inverse=True)
    order = np.argsort(group, kind="stable")
    cuts = np.split(order, np.searchsorted(group[order], np.arange(1, len(names))))
    parts = {str(name): make({k: a[rows] for k, a in arrays.items()}) for name, rows in zip(names, cuts, strict=False)}
    return SplitParts(parts)


def plain(array: NDArray[Any]) -> NDArray[Any]:
    """The values of a column without nulls, out of its mask."""
    return np.ma.getdata(array)


def is_null(array: NDArray[Any]) -> NDArray[np.bool_]:
    """Where a fetched column is null."""
    return np.ma.getmaskarray(array)


def list_of(values: tuple[str, ...]) -> list[exp.Expr]:
    """Texts as SQL literals."""
    return [string(value) for value in values]
