"""Rows as a relation of the engine: what is read, from where, and the place of each row in its files."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import duckdb
from sqlglot import exp

from gate.datasets.delimited import Delimited, load_delimited, read_headers
from gate.datasets.files import Files
from gate.datasets.footer import read_footers
from gate.datasets.storage import column_of, raw
from gate.datasets.template import fill
from gate.domain.columns import Schema
from gate.errors import DataError

if TYPE_CHECKING:
    import pyarrow as pa

_FILE_STRIDE = 2**40
"""Rows that a file may have before its places run into those of the next."""


@dataclass(frozen=True, eq=False)
class Relation:
    """All rows behind a URI.

    Attributes:
        uri: what people call them.
        schema: their columns.
        rows: how many there are.
        select: a SELECT without columns, to which fields and conditions are added.
        place: the expression that is the place of a row, ascending in the order of the files.
        prepare: must be called once before `select` is run.
    """

    uri: str
    schema: Schema
    rows: int
    select: exp.Select
    place: exp.Expr
    prepare: Callable[[], None]

    def view(self, name: str, position: str, condition: exp.Expr | None) -> exp.Expr:
        """A statement that makes a view of the columns and, as `position`, the place of each row."""
        fields = [raw(column) for column in self.schema]
        select = self.select.select(*fields, self.place.as_(position, quoted=True))
        return exp.Create(this=exp.to_table(name), kind="VIEW", expression=select.where(condition))


def parquet_relation(connection: duckdb.DuckDBPyConnection, files: Files, uri: str) -> Relation:
    """The rows of parquet files. Only the footers are read."""
    schema, counts = read_footers(connection, files, uri)
    select = fill(
        # Directories named column=value are names, not columns: what is not in the files was never checked.
        "SELECT FROM READ_PARQUET($files, hive_partitioning = FALSE)",
        files=exp.array(*(exp.Literal.string(str(path)) for path in files.paths)),
    )
    assert isinstance(select, exp.Select)
    if {"file_index", "file_row_number"} & {name.lower() for name in schema.names}:
        return _numbered(uri, schema, sum(counts), select)  # columns of the data hide the engine's own
    place = fill(f"file_index * {_FILE_STRIDE} + file_row_number")
    return Relation(uri, schema, sum(counts), select, place, _ready)


def csv_relation(
    connection: duckdb.DuckDBPyConnection, table: str, files: Files, uri: str, known: Delimited | None
) -> tuple[Relation, Delimited]:
    """The rows of CSV files, loaded into `table`: now, or on `prepare` if an earlier load has left `known`."""
    if known is None:
        found = load_delimited(connection, table, files, read_headers(files, uri), None, uri)
        return _loaded(uri, table, found, _ready), found
    types = known.types

    def prepare() -> None:
        load_delimited(connection, table, files, known.header, types, uri)

    return _loaded(uri, table, known, prepare), known


def _loaded(uri: str, table: str, found: Delimited, prepare: Callable[[], None]) -> Relation:
    """The rows of a table whose columns are numbered, under their own names."""
    place = free_name("place", found.schema)
    fields = [exp.column(f"c{i}").as_(name, quoted=True) for i, name in enumerate(found.header.names)]
    rows = exp.select(*fields, exp.column("rowid").as_(place, quoted=True)).from_(table).subquery("loaded")
    return Relation(uri, found.schema, found.rows, exp.Select().from_(rows), exp.column(place, quoted=True), prepare)


def _numbered(uri: str, schema: Schema, rows: int, select: exp.Select) -> Relation:
    """Rows that are counted as they come: the engine keeps them in the order of their files."""
    place = free_name("place", schema)
    fields = [raw(column) for column in schema]
    counted = select.select(*fields, fill("ROW_NUMBER() OVER () - 1").as_(place, quoted=True)).subquery("counted")
    return Relation(uri, schema, rows, exp.Select().from_(counted), exp.column(place, quoted=True), _ready)


def _ready() -> None:
    """Nothing has to be done before the rows are read."""


def frame_relation(connection: duckdb.DuckDBPyConnection, name: str, table: pa.Table, uri: str) -> Relation:
    """The rows of an Arrow table in this process."""
    seen: dict[str, str] = {}
    for column in table.column_names:
        if not column or column.lower() in seen:
            raise DataError(f"{uri}: columns need names that differ in more than their case, got {column!r}")
        seen[column.lower()] = column
    connection.register(name, table)
    described = connection.execute(f"DESCRIBE {name}").fetchall()
    schema = Schema(tuple(column_of(str(row[0]), str(row[1])) for row in described))
    return _numbered(uri, schema, table.num_rows, exp.Select().from_(name))


def free_name(wanted: str, schema: Schema) -> str:
    """A name that no column has, in any case of its letters."""
    taken = {name.lower() for name in schema.names}
    while wanted in taken:
        wanted += "_"
    return wanted
