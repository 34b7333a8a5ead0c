import duckdb
import pytest

from gate.datasets.connection import Engine, connect


@pytest.fixture
def locked(tmp_path):
    allowed = tmp_path / "it's allowed.csv"
    allowed.write_text("x\n1\n")
    other = tmp_path / "other.csv"
    other.write_text("x\n2\n")
    return connect(Engine(tmp_path, "200MB", 2), [allowed]), allowed, other


def test_the_listed_file_is_read(locked):
    connection, allowed, _ = locked
    assert connection.execute("SELECT x FROM read_csv(?)", [str(allowed)]).fetchall() == [(1,)]


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT * FROM read_csv('{other}')",
        "SELECT * FROM read_text('/etc/passwd')",
        "SELECT * FROM glob('{folder}/*')",
        "COPY (SELECT 1) TO '{folder}/new.csv'",
        "ATTACH '{folder}/new.db'",
        "INSTALL httpfs",
        "LOAD httpfs",
        "SELECT * FROM read_csv('http://127.0.0.1:1/x.csv')",
        "SET memory_limit = '9GB'",
        "SET enable_external_access = true",
        "SET lock_configuration = false",
        "SET disabled_optimizers = ''",
        "SELECT * FROM secret_frame",
    ],
)
def test_nothing_else_is(locked, statement):
    connection, _, other = locked
    secret_frame = duckdb.sql("SELECT 1 AS x").df()
    with pytest.raises(duckdb.Error):
        connection.execute(statement.format(other=other, folder=other.parent))
    assert len(secret_frame) == 1


def test_times_are_read_in_utc(locked):
    connection, _, _ = locked
    assert connection.execute("SELECT CAST(TIMESTAMPTZ '2026-01-01 00:00:00+02' AS VARCHAR)").fetchall() == [
        ("2025-12-31 22:00:00+00",)
    ]
