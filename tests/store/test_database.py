"""The database under trouble: never a traceback of its own, never a lost verdict."""

from __future__ import annotations

import multiprocessing
import os
import sqlite3
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import inspect

import gate.store
from gate.errors import StoreError
from gate.flow.document import document_of
from gate.store.database import NEWEST, VERSION_TABLE, open_database
from gate.store.tables import metadata
from gate.store.verdicts import SqlVerdictStore


def test_every_commit_is_on_disk_and_readers_do_not_wait(url):
    with open_database(url).connect() as connection:
        pragmas = {name: connection.exec_driver_sql(f"PRAGMA {name}").scalar()
                   for name in ("journal_mode", "synchronous", "busy_timeout")}  # fmt: skip
    assert pragmas == {"journal_mode": "wal", "synchronous": 2, "busy_timeout": 30_000}


def test_the_migrations_end_where_the_code_expects():
    config = Config()
    config.set_main_option("script_location", str(Path(gate.store.__file__).parent / "migrations"))
    assert ScriptDirectory.from_config(config).get_current_head() == NEWEST


def test_the_migrated_tables_are_those_of_the_code(url):
    found = inspect(open_database(url))
    assert set(found.get_table_names()) == {*metadata.tables, VERSION_TABLE}
    for name, table in metadata.tables.items():
        columns = {column["name"]: (str(column["type"]), column["nullable"]) for column in found.get_columns(name)}
        assert columns == {column.name: (str(column.type), column.nullable) for column in table.columns}
        assert {index["name"] for index in found.get_indexes(name)} == {index.name for index in table.indexes}


def test_opening_an_up_to_date_database_needs_no_alembic(url):
    open_database(url)
    code = (
        "import sys; from gate.store.database import open_database\n"
        f"open_database({url!r}); print('alembic' in sys.modules)"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ended.stdout == "False\n"


def test_processes_that_begin_at_once_all_store_their_verdict(url, new_verdict):
    """Each of them finds no database, makes one, and writes while the others do the same."""
    fork = multiprocessing.get_context("fork")
    barrier = fork.Barrier(4)

    def store_ten(writer: int) -> None:
        barrier.wait(30)
        store = SqlVerdictStore(url)
        for number in range(10):
            verdict = new_verdict(f"{writer:04}-{number:08}")
            store.save(verdict, document_of(verdict))

    processes = [fork.Process(target=store_ten, args=(writer,)) for writer in range(4)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)
    assert [process.exitcode for process in processes] == [0] * 4
    store = SqlVerdictStore(url)
    assert all(store.find(f"{writer:04}-{number:08}") for writer in range(4) for number in range(10))


def test_a_file_that_is_no_database_is_a_store_error(tmp_path, url, store):
    (tmp_path / "gate.db").write_bytes(b"this is not a database, whatever its name says" * 100)
    with pytest.raises(StoreError) as raised:
        store.find("11111111")
    assert str(raised.value) == f"{url}: file is not a database"


def test_a_damaged_database_is_a_store_error(tmp_path, url, save):
    save()
    for name in ("gate.db-wal", "gate.db-shm"):
        (tmp_path / name).unlink(missing_ok=True)
    damaged = bytearray((tmp_path / "gate.db").read_bytes())
    damaged[100 : len(damaged)] = os.urandom(len(damaged) - 100)
    (tmp_path / "gate.db").write_bytes(damaged)
    with pytest.raises(StoreError):
        SqlVerdictStore(url).find("11111111-aaaa")


def test_a_missing_folder_is_a_store_error(tmp_path):
    with pytest.raises(StoreError, match="unable to open database file"):
        SqlVerdictStore(f"sqlite:///{tmp_path / 'missing' / 'gate.db'}").find("11111111")


def test_a_database_of_a_newer_gate_is_left_alone(tmp_path, url, store, save):
    save()
    with sqlite3.connect(tmp_path / "gate.db") as connection:
        connection.execute(f"UPDATE {VERSION_TABLE} SET version_num = '9999'")
    connection.close()
    with pytest.raises(StoreError) as raised:
        SqlVerdictStore(url).find("11111111")
    assert str(raised.value) == f"{url}: its schema '9999' is of a newer gate; this one knows up to '{NEWEST}'"


def test_a_write_that_fails_stores_nothing_and_says_so(tmp_path, url, save):
    verdict, _ = save()
    with sqlite3.connect(tmp_path / "gate.db") as connection:
        connection.execute("CREATE TRIGGER full BEFORE INSERT ON verdicts BEGIN SELECT RAISE(FAIL, 'disk full'); END")
    connection.close()
    store, verdict = SqlVerdictStore(url), replace(verdict, id="22222222")
    with pytest.raises(StoreError) as raised:
        store.save(verdict, document_of(verdict))
    assert str(raised.value) == f"{url}: disk full"
    assert store.find("22222222") is None


def test_no_password_of_a_database_is_ever_shown():
    with pytest.raises(StoreError) as raised:
        SqlVerdictStore("sqlite://user:geheim@host/gate.db").find("11111111")
    assert "geheim" not in str(raised.value)
