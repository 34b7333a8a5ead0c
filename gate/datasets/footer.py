"""Parquet, as its footers say: columns, rows, and whether the files of a dataset belong together. No row is read."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any

import duckdb
from sqlglot import exp

from gate.datasets.files import Files
from gate.datasets.parts.answering import first_line
from gate.datasets.storage import column_of
from gate.datasets.template import fill, render
from gate.domain.columns import Schema
from gate.errors import DataError

MOST_COLUMNS = 5_000
MOST_ROWS = 2_000_000_000


def read_footers(connection: duckdb.DuckDBPyConnection, files: Files, uri: str) -> tuple[Schema, tuple[int, ...]]:
    """Read the columns of a dataset and the rows of each of its files.

    DataError: a file is no parquet or cut short, the files differ in their columns, two columns have one name, or
    there are more columns or rows than gate takes on.
    """
    names = {str(file.path): file.name for file in files.files}
    for file in files.files:
        if file.stamp.size_bytes == 0:
            raise DataError(f"{uri}: {file.name} is empty; a parquet file has a footer at least")
    try:
        counted = _rows(connection, "SELECT file_name, num_rows FROM PARQUET_FILE_METADATA($files)", files)
        roots = _rows(
            connection, "SELECT file_name, num_children FROM PARQUET_SCHEMA($files) WHERE column_id = 0", files
        )
        widest = max(int(children or 0) for _, children in roots)
        rows = {str(path): int(n) for path, n in counted}
        if widest > MOST_COLUMNS:
            raise DataError(f"{uri}: {widest:,} columns, more than the {MOST_COLUMNS:,} that gate takes on")
        if sum(rows.values()) > MOST_ROWS:
            raise DataError(f"{uri}: {sum(rows.values()):,} rows, more than the {MOST_ROWS:,} that gate takes on")
        elements = _rows(
            connection,
            "SELECT file_name, name, COALESCE(num_children, 0), type, type_length, converted_type, scale, precision, "
            "logical_type FROM PARQUET_SCHEMA($files)",
            files,
        )
        trees = {path: list(some) for path, some in groupby(elements, key=lambda element: str(element[0]))}
        first, *others = (str(path) for path in files.paths)
        columns = _described(connection, first)
        _refuse_ambiguous(trees[first], uri)
        for other in others:
            if _shape(trees[other]) != _shape(trees[first]):
                _refuse_difference(columns, _described(connection, other), names[first], names[other], uri)
    except duckdb.Error as wrong:
        raise DataError(f"{uri}: {_blamed(connection, files)} is no readable parquet file: {_reason(wrong)}") from wrong
    schema = Schema(tuple(column_of(name, type_) for name, type_ in columns.items()))
    return schema, tuple(rows[str(path)] for path in files.paths)


def _rows(connection: duckdb.DuckDBPyConnection, template: str, files: Files) -> list[tuple[Any, ...]]:
    statement = fill(template, files=exp.array(*(exp.Literal.string(str(path)) for path in files.paths)))
    found: list[tuple[Any, ...]] = connection.execute(render(statement)).fetchall()
    return found


def _described(connection: duckdb.DuckDBPyConnection, path: str) -> dict[str, str]:
    statement = fill("SELECT * FROM READ_PARQUET($file, hive_partitioning = FALSE)", file=exp.Literal.string(path))
    return {str(name): str(type_) for name, type_, *_ in connection.execute(f"DESCRIBE {render(statement)}").fetchall()}


def _shape(tree: Sequence[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """What two files must share: everything but where they are."""
    return [tuple(element[1:]) for element in tree[1:]]


def _refuse_ambiguous(tree: Sequence[tuple[Any, ...]], uri: str) -> None:
    """The engine ignores case and renames the second of two equal names: gate would measure one for the other."""
    seen: dict[str, str] = {}
    for name in _top_level(tree):
        if not name:
            raise DataError(f"{uri}: a column has no name")
        if name.lower() in seen:
            raise DataError(f"{uri}: columns {seen[name.lower()]!r} and {name!r} differ in no more than their case")
        seen[name.lower()] = name


def _top_level(tree: Sequence[tuple[Any, ...]]) -> list[str]:
    """The names of the outermost columns: a schema is written depth first, each element with its count of children."""
    names: list[str] = []
    skip = 0
    for element in tree[1:]:
        children = int(element[2])
        if skip == 0:
            names.append(str(element[1]))
        else:
            skip -= 1
        skip += children
    return names


def _refuse_difference(one: Mapping[str, str], other: Mapping[str, str], first: str, second: str, uri: str) -> None:
    for name in one.keys() | other.keys():
        if one.get(name) != other.get(name):
            here, there = (types.get(name, "absent") for types in (one, other))
            raise DataError(f"{uri}: the files differ: column {name!r} is {here} in {first} and {there} in {second}")


def _blamed(connection: duckdb.DuckDBPyConnection, files: Files) -> str:
    """The first file that cannot be read by itself."""
    for file in files.files:
        try:
            _described(connection, str(file.path))
        except duckdb.Error:
            return file.name
    return files.files[0].name


def _reason(wrong: Exception) -> str:
    """The engine's reason without the path of the file, which may be that of a private copy."""
    text = re.sub(r"^[A-Za-z ]+ Error: (Failed to read Parquet file '.*?': )?", "", first_line(wrong))
    return "it is damaged or cut short" if "'" in text or "/" in text else text
