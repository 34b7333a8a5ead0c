"""A DuckDB connection that can read the files it was given, and nothing else."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import duckdb
from sqlglot import exp


@dataclass(frozen=True, slots=True)
class Engine:
    """How much of the machine DuckDB may use, and the private folder that it may spill into."""

    folder: Path
    memory_limit: str
    threads: int


def connect(engine: Engine, files: Iterable[Path]) -> duckdb.DuckDBPyConnection:
    """Open an in-memory database that reads exactly `files`.

    No other path, no network, no extension, no Python variable as a table; and no setting can be changed afterwards.
    The spill folder is the one place that SQL could write to, so it is a new and empty one for each connection.
    Source: the order of the last two settings and the choice of exact paths over directories were measured; a
    directory on the list could be written to, and let hard links in.
    """
    connection = duckdb.connect()
    spill = tempfile.mkdtemp(prefix="spill-", dir=engine.folder)
    connection.execute(f"SET allowed_paths = [{', '.join(_text(path) for path in files)}]")
    connection.execute(f"SET temp_directory = {_text(spill)}")
    connection.execute(f"SET memory_limit = {_text(engine.memory_limit)}")
    connection.execute(f"SET threads = {engine.threads:d}")
    for setting in (
        "TimeZone = 'UTC'",
        "autoinstall_known_extensions = false",
        "autoload_known_extensions = false",
        "allow_community_extensions = false",
        "allow_unsigned_extensions = false",
        "allow_persistent_secrets = false",
        "python_enable_replacements = false",
        "max_temp_directory_size = '64GB'",
        # Parquet keeps the smallest and largest value of a column without its NaNs, and the optimizer believes that
        # nothing else is there: ISNAN(x) becomes FALSE, and a NaN becomes a value. Conditions in a WHERE are still
        # held against those two numbers, so no statement may *look for* NaN there; leaving it out is sound.
        # Late materialization trips over a column of the data that is named rowid.
        "disabled_optimizers = 'statistics_propagation,late_materialization'",
        "enable_progress_bar = false",
        "enable_external_access = false",
        "lock_configuration = true",
    ):
        connection.execute(f"SET {setting}")
    return connection


def _text(value: object) -> str:
    return exp.Literal.string(str(value)).sql(dialect="duckdb")
