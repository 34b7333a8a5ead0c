"""CSV: the header is read here, and a column has a type only if every value of the file has it.

    type         every non-empty value is
    BOOLEAN      true or false, in any case
    BIGINT       a whole number of 64 bits, written plainly: no plus, no leading zero
    DOUBLE       a number: 1, -0.5, .5, 1e-3, nan, inf; but 007 is a code, and 19 digits or more are an identifier
    DATE         2026-11-22
    TIMESTAMP    2026-11-22 12:00 or 2026-11-22T12:00:00.5; dates among them are their midnights
    TIMESTAMPTZ  the same with Z or an offset such as +02:00
    VARCHAR      anything else; also a column without values

Fields are separated by commas, or by tabs where the header has tabs and no comma; a quote is doubled inside quotes; an
empty field is null. The engine's own sniffer is never asked: it reads a ragged file as one column of text.
"""

from __future__ import annotations

import csv
import gzip
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb
from sqlglot import exp

from gate.datasets.files import DataFile, Files
from gate.datasets.footer import MOST_COLUMNS
from gate.datasets.parts.answering import first_line
from gate.datasets.storage import column_of
from gate.datasets.template import fill, render
from gate.domain.columns import Schema
from gate.errors import DataError

_MOST_HEADER_BYTES = 4 * 2**20
_MOST_LINE_BYTES = 8 * 2**20
_FIRST_ROWS = 1000
_IS_NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")
_DATE = r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
_TIME = rf"{_DATE}[T ][0-9]{{2}}:[0-9]{{2}}(:[0-9]{{2}}(\.[0-9]{{1,9}})?)?"
_NO_NUMBER = r"^[+-]?0[0-9]|^[+-]?[0-9]{19,}$|_|\s|[xX]"
_OFFSET = r"(Z|[+-][0-9]{2}(:?[0-9]{2})?)"

# The engine casts more texts than the table above allows (1.5 to the integer 2, 1_000, 0x1F), so a cast that succeeds
# is not enough. `$v` is the text.
_CONDITIONS = {
    "BOOLEAN": "LOWER($v) IN ('true', 'false')",
    "BIGINT": "CAST(TRY_CAST($v AS BIGINT) AS VARCHAR) = $v",
    "DOUBLE": f"TRY_CAST($v AS DOUBLE) IS NOT NULL AND NOT REGEXP_MATCHES($v, '{_NO_NUMBER}')",
    "DATE": "CAST(TRY_CAST($v AS DATE) AS VARCHAR) = $v",
    "TIMESTAMP": f"REGEXP_FULL_MATCH($v, '{_TIME}|{_DATE}') AND TRY_CAST($v AS TIMESTAMP) IS NOT NULL",
    "TIMESTAMPTZ": f"REGEXP_FULL_MATCH($v, '{_TIME}{_OFFSET}') AND TRY_CAST($v AS TIMESTAMPTZ) IS NOT NULL",
}  # fmt: skip
_WIDER = {"BIGINT": "DOUBLE", "DATE": "TIMESTAMP"}
_ENGINE_NAMES = {"TIMESTAMPTZ": "TIMESTAMP WITH TIME ZONE"}


@dataclass(frozen=True, slots=True)
class Header:
    """The first line of a CSV file."""

    delimiter: str
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Delimited:
    """CSV files whose every value was read: their header, the type of each column, their rows."""

    header: Header
    types: tuple[str, ...]
    rows: int

    @property
    def schema(self) -> Schema:
        """The columns, as the engine names their types."""
        pairs = zip(self.header.names, self.types, strict=True)
        return Schema(tuple(column_of(name, _ENGINE_NAMES.get(type_, type_)) for name, type_ in pairs))


def read_headers(files: Files, uri: str) -> Header:
    """Read the one header that all files share; DataError if they do not, or if one has none."""
    headers = [_header(file, uri) for file in files.files]
    for file, header in zip(files.files, headers, strict=True):
        if header != headers[0]:
            raise DataError(f"{uri}: the header of {file.name} is not that of {files.files[0].name}")
    return headers[0]


def load_delimited(
    connection: duckdb.DuckDBPyConnection,
    table: str,
    files: Files,
    header: Header,
    types: Sequence[str] | None,
    uri: str,
) -> Delimited:
    """Load CSV files into `table`, whole or not at all; DataError names the line that is wrong.

    Args:
        connection: may read the files.
        table: the name of the table to be made; its columns are c0, c1, ..., since their own names could be anything.
        files: the files.
        header: their header.
        types: the type of each column where an earlier load has established them, else None: then the first values
            of each column propose the narrowest type, every value is held against it, and a column that has a value
            beyond it starts over with the next wider one.
        uri: what people call them.
    """
    try:
        wanted = list(types) if types else _proposed(connection, files, header)
        while True:
            try:
                rows = _load(connection, table, files, header, wanted)
            except duckdb.InvalidInputException as refused:
                column = re.search(r"gate: column ([0-9]+) is no ", str(refused))
                if column is None:
                    raise
                wanted[int(column[1])] = _WIDER.get(wanted[int(column[1])], "VARCHAR")
            else:
                return Delimited(header, tuple(wanted), rows)
    except duckdb.Error as wrong:
        raise DataError(f"{uri}: {_what_is_wrong(str(wrong), files, header)}") from wrong


def _proposed(connection: duckdb.DuckDBPyConnection, files: Files, header: Header) -> list[str]:
    """The narrowest type of the first values of each column."""
    columns = [exp.column(f"c{i}") for i in range(len(header.names))]
    first = _source(files, header).limit(_FIRST_ROWS).subquery("first")
    types = _narrowest(connection, first, columns)
    for i, column in enumerate(columns):
        if types[i] is None:  # no value in the first rows: look for the first values
            some = _source(files, header).where(column.is_(exp.Null()).not_()).limit(_FIRST_ROWS).subquery("first")
            types[i] = _narrowest(connection, some, [column])[0]
    return [type_ or "VARCHAR" for type_ in types]


def _narrowest(
    connection: duckdb.DuckDBPyConnection, rows: exp.Subquery, columns: Sequence[exp.Column]
) -> list[str | None]:
    """The first type that all values have, for each column; None for a column without values."""
    counts: list[exp.Expr] = []
    for column in columns:
        counts.append(fill("COUNT($v)", v=column))
        counts += [fill(f"COUNT_IF({condition})", v=column) for condition in _CONDITIONS.values()]
    found = connection.execute(render(exp.select(*counts).from_(rows))).fetchone()
    assert found is not None
    width = len(_CONDITIONS) + 1
    types: list[str | None] = []
    for i in range(len(columns)):
        total, *matching = found[i * width : (i + 1) * width]
        fits = (type_ for type_, n in zip(_CONDITIONS, matching, strict=True) if n == total)
        types.append(next(fits, "VARCHAR") if total else None)
    return types


def _load(connection: duckdb.DuckDBPyConnection, table: str, files: Files, header: Header, types: Sequence[str]) -> int:
    """Make the table, or fail with the number of the first column that has a value beyond its type."""
    fields: list[exp.Expr] = []
    for i, type_ in enumerate(types):
        column = exp.column(f"c{i}")
        if type_ == "VARCHAR":
            fields.append(column.as_(f"c{i}"))
            continue
        guarded = fill(
            f"CASE WHEN $v IS NULL THEN NULL WHEN {_CONDITIONS[type_]} THEN CAST($v AS {type_}) "
            f"ELSE CAST(ERROR('gate: column {i} is no {type_}') AS {type_}) END",
            v=column,
        )
        fields.append(guarded.as_(f"c{i}"))
    select = _source(files, header).select(*fields, append=False)
    connection.execute(f"CREATE OR REPLACE TABLE {table} AS {render(select)}")
    counted = connection.execute(f"SELECT COUNT(*) FROM {table}").fetchone()  # noqa: S608  # a name of our own
    assert counted is not None
    return int(counted[0])


def _source(files: Files, header: Header) -> exp.Select:
    """All fields as text. Every option that the sniffer would choose is given."""
    columns = ", ".join(f"'c{i}': 'VARCHAR'" for i in range(len(header.names)))
    template = (
        "SELECT * FROM READ_CSV($files, auto_detect = FALSE, header = TRUE, delim = $delimiter, "  # noqa: S608  # numbers
        "quote = '\"', "
        f"escape = '\"', strict_mode = TRUE, max_line_size = {_MOST_LINE_BYTES}, columns = {{{columns}}})"
    )
    select = fill(
        template,
        files=exp.array(*(exp.Literal.string(str(path)) for path in files.paths)),
        delimiter=exp.Literal.string(header.delimiter),
    )
    assert isinstance(select, exp.Select)
    return select


def _header(file: DataFile, uri: str) -> Header:
    """Read the first line of a file."""
    where = f"{uri}: {file.name} line 1"
    try:
        start = _first_bytes(file.path)
    except (OSError, EOFError) as wrong:
        raise DataError(f"{where}: cannot be read: {first_line(wrong)}") from wrong
    line, newline, _ = start.partition(b"\n")
    if not newline and len(start) > _MOST_HEADER_BYTES:
        raise DataError(f"{where}: longer than {_MOST_HEADER_BYTES:,} bytes")
    try:
        text = line.decode("utf-8-sig").rstrip("\r")
    except UnicodeDecodeError as wrong:
        raise DataError(f"{where}: not UTF-8") from wrong
    text = text.split("\r", 1)[0]  # a file of the old kind, whose lines end with a carriage return
    delimiter = "\t" if "\t" in text and "," not in text else ","
    names = tuple(next(csv.reader(io.StringIO(text), delimiter=delimiter), ()))
    _refuse_no_header(names, text, where)
    return Header(delimiter, names)


def _first_bytes(path: Path) -> bytes:
    if path.suffix == ".gz":
        with gzip.open(path, "rb") as stream:
            return stream.readline(_MOST_HEADER_BYTES + 1)
    with path.open("rb") as stream:
        return stream.readline(_MOST_HEADER_BYTES + 1)


def _refuse_no_header(names: Sequence[str], text: str, where: str) -> None:
    """Raise DataError unless these can be the names of columns."""
    if not text.strip():
        raise DataError(f"{where}: empty; the first line of a CSV file names its columns")
    if len(names) > MOST_COLUMNS:
        raise DataError(f"{where}: {len(names):,} columns, more than the {MOST_COLUMNS:,} that gate takes on")
    foreign = re.search(r"[;|]", names[0]) if len(names) == 1 else None
    if foreign:
        raise DataError(f"{where}: separated by {foreign[0]!r}; gate reads commas and tabs")
    seen: dict[str, str] = {}
    for i, name in enumerate(names, 1):
        if not name.strip():
            raise DataError(f"{where}: column {i} has no name (an index that was written along? leave it out)")
        if not name.isprintable():
            raise DataError(f"{where}: column {i} has a name with control characters: {name[:40]!r}")
        if _IS_NUMBER.fullmatch(name.strip()):
            raise DataError(f"{where}: {name!r} is a value, not the name of a column; gate needs a header line")
        if name.lower() in seen:
            raise DataError(f"{where}: two columns are named {seen[name.lower()]!r} and {name!r}")
        seen[name.lower()] = name


def _what_is_wrong(message: str, files: Files, header: Header) -> str:
    """Say where a line is wrong and how. The engine quotes the line: a message never holds a whole row."""
    paths = {str(file.path): file.name for file in files.files}
    found = re.search(r"^\s*file = (.*)$", message, re.MULTILINE)
    name = paths.get(found[1].strip() if found else "", files.files[0].name)
    line = re.search(r"CSV Error on Line: ([0-9]+)", message)
    where = f"{name} line {line[1]}" if line else name
    fields = re.search(r"Expected Number of Columns: ([0-9]+) Found: ([0-9]+)", message)
    if fields:
        return f"{where}: {fields[2]} fields, and the header names {len(header.names)}"
    for sign, words in _WRONG.items():
        if sign in message:
            return f"{where}: {words}"
    return f"{where}: no readable CSV file"


_WRONG = {
    "unterminated quote": "a quote is opened and never closed",
    "Invalid unicode": "not UTF-8",
    "not utf-8": "not UTF-8",
    "Maximum line size": f"a line of more than {_MOST_LINE_BYTES:,} bytes",
    "maximum_line_size": f"a line of more than {_MOST_LINE_BYTES:,} bytes",
    "invalid state": "not CSV as RFC 4180 has it (lines that end in different ways, or a quote inside a field)",
    "gzip": "not a whole gzip file",
    "GZIP": "not a whole gzip file",
}
