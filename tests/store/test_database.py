"""The database under trouble: never a traceback of its own, never a lost verdict."""

from __future__ import annotations

import multiprocessing
import os
import sqlite3
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
from alembic.config import Config
from alembic.script import ScriptDirectory
from postgres import PostgresServer
from sqlalchemy import inspect

import gate.store
from gate.errors import StoreError, UsageError
from gate.flow.document import document_of
from gate.store import open_store
from gate.store.database import NEWEST, VERSION_TABLE, Database, open_database
from gate.store.tables import metadata
from gate.store.verdicts import SqlVerdictStore


@pytest.fixture
def sqlite_save(sqlite_url, new_verdict):
    """Store a verdict in the SQLite database; the verdict."""

    def do(verdict_id: str = "11111111-aaaa"):
        verdict = new_verdict(verdict_id)
        store = open_store(sqlite_url)
        store.verdicts.save(verdict, document_of(verdict))
        store.close()
        return verdict

    return do


# --- the schema ------------------------------------------------------------------------------------------------------


def test_every_commit_is_on_disk_and_readers_do_not_wait(sqlite_url):
    with open_database(sqlite_url).connect() as connection:
        pragmas = {name: connection.exec_driver_sql(f"PRAGMA {name}").scalar()
                   for name in ("journal_mode", "synchronous", "busy_timeout", "foreign_keys")}  # fmt: skip
    assert pragmas == {"journal_mode": "wal", "synchronous": 2, "busy_timeout": 30_000, "foreign_keys": 1}


def test_the_migrations_end_where_the_code_expects():
    config = Config()
    config.set_main_option("script_location", str(Path(gate.store.__file__).parent / "migrations"))
    assert ScriptDirectory.from_config(config).get_current_head() == NEWEST


def test_the_migrated_tables_are_those_of_the_code(url, fresh):
    engine = open_database(url)
    found, dialect = inspect(engine), engine.dialect
    assert set(found.get_table_names()) == {*metadata.tables, VERSION_TABLE}
    for name, table in metadata.tables.items():
        columns = {each["name"]: (each["type"].compile(dialect), each["nullable"]) for each in found.get_columns(name)}
        assert columns == {each.name: (each.type.compile(dialect), each.nullable) for each in table.columns}
        uniques = {each["name"] for each in found.get_unique_constraints(name)}  # PostgreSQL lists their indexes too
        indexes = {
            each["name"]: bool(each["unique"]) for each in found.get_indexes(name) if each["name"] not in uniques
        }
        assert indexes == {each.name: each.unique for each in table.indexes}
        keys = {each["referred_table"] for each in found.get_foreign_keys(name)}
        assert keys == {each.column.table.name for each in table.foreign_keys}
        assert found.get_pk_constraint(name)["constrained_columns"] == [each.name for each in table.primary_key]
    engine.dispose()


def test_opening_an_up_to_date_database_needs_no_alembic(sqlite_url):
    open_database(sqlite_url)
    code = (
        "import sys; from gate.store.database import open_database\n"
        f"open_database({sqlite_url!r}); print('alembic' in sys.modules)"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ended.stdout == "False\n"


def test_processes_that_begin_at_once_all_store_their_verdict(url, fresh, new_verdict):
    """Each of them finds no tables, makes them, and writes while the others do the same."""
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
    opened = open_store(url)
    assert all(opened.verdicts.find(f"{writer:04}-{number:08}") for writer in range(4) for number in range(10))
    assert opened.verdicts.totals() == {("pilot", "failed", "api"): 40}
    opened.close()


# --- trouble with SQLite ---------------------------------------------------------------------------------------------


def test_a_file_that_is_no_database_is_a_store_error(tmp_path, sqlite_url):
    (tmp_path / "gate.db").write_bytes(b"this is not a database, whatever its name says" * 100)
    with pytest.raises(StoreError) as raised:
        SqlVerdictStore(sqlite_url).find("11111111")
    assert str(raised.value) == f"{sqlite_url}: file is not a database"


def test_a_damaged_database_is_a_store_error(tmp_path, sqlite_url, sqlite_save):
    sqlite_save()
    for name in ("gate.db-wal", "gate.db-shm"):
        (tmp_path / name).unlink(missing_ok=True)
    damaged = bytearray((tmp_path / "gate.db").read_bytes())
    damaged[100 : len(damaged)] = os.urandom(len(damaged) - 100)
    (tmp_path / "gate.db").write_bytes(damaged)
    with pytest.raises(StoreError):
        SqlVerdictStore(sqlite_url).find("11111111-aaaa")


def test_a_missing_folder_is_a_store_error(tmp_path):
    with pytest.raises(StoreError, match="unable to open database file"):
        SqlVerdictStore(f"sqlite:///{tmp_path / 'missing' / 'gate.db'}").find("11111111")


def test_a_database_of_a_newer_gate_is_left_alone(tmp_path, sqlite_url, sqlite_save):
    sqlite_save()
    with sqlite3.connect(tmp_path / "gate.db") as connection:
        connection.execute(f"UPDATE {VERSION_TABLE} SET version_num = '9999'")
    connection.close()
    with pytest.raises(StoreError) as raised:
        SqlVerdictStore(sqlite_url).find("11111111")
    assert str(raised.value) == f"{sqlite_url}: its schema '9999' is of a newer gate; this one knows up to '{NEWEST}'"


def test_a_write_that_fails_stores_nothing_and_says_so(tmp_path, sqlite_url, sqlite_save):
    verdict = replace(sqlite_save(), id="22222222")
    with sqlite3.connect(tmp_path / "gate.db") as connection:
        connection.execute("CREATE TRIGGER full BEFORE INSERT ON verdicts BEGIN SELECT RAISE(FAIL, 'disk full'); END")
    connection.close()
    store = SqlVerdictStore(sqlite_url)
    with pytest.raises(StoreError) as raised:
        store.save(verdict, document_of(verdict))
    assert str(raised.value) == f"{sqlite_url}: disk full"
    assert store.find("22222222") is None
    assert store.totals() == {("pilot", "failed", "api"): 1}


def test_a_reader_does_not_wait_for_a_writer(sqlite_url, sqlite_save):
    sqlite_save()
    opened = open_store(sqlite_url)
    with opened.database.writing():  # holds the write lock of the file
        read = ThreadPoolExecutor(1).submit(opened.verdicts.find, "11111111-aaaa")
        assert read.result(20)["id"] == "11111111-aaaa"


# --- many at once ----------------------------------------------------------------------------------------------------


def test_sixteen_writers_and_eight_readers_never_find_the_database_locked(gate, new_verdict, new_evaluation):
    from gate.domain.evaluation import State

    now = new_evaluation().created_at
    done = threading.Event()

    def write(writer: int) -> None:
        for number in range(4):
            name = f"{writer:04}-{number}"
            gate.evaluations.accept(new_evaluation(name))
            gate.evaluations.start(name, "w", now, now)
            gate.evaluations.note(name, "phase", {"name": "data"}, now)
            if number % 2:
                verdict = new_verdict(f"v-{name}")
                gate.verdicts.save(verdict, document_of(verdict), evaluation=name, report={"index.html": b"x" * 9_999})
            else:
                gate.evaluations.end(name, State.CANCELLED, now)

    def read() -> int:
        reads = 0
        while not done.is_set():
            gate.verdicts.backlog()
            gate.verdicts.standings()
            gate.evaluations.events("0000-0")
            gate.evaluations.page(limit=5)
            reads += 1
            done.wait(0.05)
        return reads

    with ThreadPoolExecutor(24) as pool:  # all of them at once
        readers = [pool.submit(read) for _ in range(8)]
        writers = [pool.submit(write, writer) for writer in range(16)]
        try:
            for writer in writers:
                writer.result(120)
        finally:
            done.set()
        assert all(reader.result(60) for reader in readers)
    assert gate.verdicts.totals() == {("pilot", "failed", "api"): 32}
    assert not gate.evaluations.open_ids()
    assert [event.sequence for event in gate.evaluations.events("0015-3")] == [1, 2, 3, 4]


def test_a_forked_process_shares_no_connection_with_its_parent(gate, save):
    """Both use the database at the same time, and the child's end leaves the parent's connections whole."""
    save()
    fork = multiprocessing.get_context("fork")
    barrier = fork.Barrier(2)

    def ask() -> None:
        barrier.wait(30)
        for _ in range(30):
            assert gate.verdicts.find("11111111-aaaa")["id"] == "11111111-aaaa"
            gate.verdicts.ping()

    child = fork.Process(target=ask)
    child.start()
    ask()
    child.join(60)
    assert child.exitcode == 0
    ask_again = gate.verdicts.find("11111111-aaaa")
    assert ask_again["id"] == "11111111-aaaa"


def test_a_process_may_be_forked_while_a_thread_writes(gate, save):
    save()
    with gate.database.writing():  # this thread's locks are copied into the child as they are
        child = multiprocessing.get_context("fork").Process(target=gate.verdicts.find, args=("11111111-aaaa",))
        child.start()
        child.join(60)
    assert child.exitcode == 0


# --- trouble with PostgreSQL -----------------------------------------------------------------------------------------


def test_a_server_that_is_lost_is_a_store_error_until_it_is_back(postgres, new_verdict):
    with PostgresServer() as server:
        opened = open_store(server.new_database())
        verdict = new_verdict()
        opened.verdicts.save(verdict, document_of(verdict))
        server.stop()
        for ask in (opened.verdicts.ping, lambda: opened.verdicts.find("11111111"), opened.evaluations.open_ids):
            with pytest.raises(StoreError) as raised:
                ask()
            assert str(raised.value).startswith(opened.database.place + ": ")
            assert server.password not in str(raised.value)
            assert "\n" not in str(raised.value)
        server.start()
        assert opened.verdicts.find("11111111-aaaa")["id"] == "11111111-aaaa"
        opened.verdicts.ping()
        opened.close()


def test_a_server_that_is_lost_within_a_transaction_stores_nothing(postgres, new_verdict):
    with PostgresServer() as server:
        opened = open_store(server.new_database())
        verdict = new_verdict()

        def write_while_it_goes() -> None:
            with opened.database.writing() as connection:
                connection.exec_driver_sql("INSERT INTO pulse VALUES (7, 'now')")
                server.stop()
                connection.exec_driver_sql("INSERT INTO pulse VALUES (8, 'now')")

        with pytest.raises(StoreError):
            write_while_it_goes()
        server.start()
        opened.verdicts.save(verdict, document_of(verdict))
        with opened.database.reading() as connection:
            assert connection.exec_driver_sql("SELECT count(*) FROM pulse").scalar() == 0
        opened.close()


def test_what_nobody_answers_fails_once_for_all_who_wait():
    database = Database("postgresql+psycopg://gate:geheim@127.0.0.1:1/gate")
    with ThreadPoolExecutor(8) as pool:
        answers = [pool.submit(database._open) for _ in range(8)]
    said = {str(answer.exception()) for answer in answers}
    assert len(said) == 1
    assert next(iter(said)).startswith("postgresql+psycopg://gate:***@127.0.0.1:1/gate: connection ")


def test_a_value_that_the_database_refuses_is_not_in_the_message(postgres_url):
    database = Database(postgres_url)
    with database.writing() as connection:
        connection.exec_driver_sql("INSERT INTO pulse VALUES (1, 'a secret')")
    with pytest.raises(StoreError) as raised, database.writing() as connection:
        connection.exec_driver_sql("INSERT INTO pulse VALUES (1, 'a secret')")
    assert str(raised.value) == f'{database.place}: duplicate key value violates unique constraint "pulse_pkey"'
    database.close()


def test_a_url_without_a_driver_means_psycopg(postgres_url):
    store = open_store(postgres_url.replace("+psycopg", ""))
    store.verdicts.ping()
    assert store.database.place.startswith("postgresql+psycopg://gate:***@")
    store.close()


# --- addresses -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ("geheim", "is no database URL"),
        ("", "is no database URL"),
        ("postgresql+psycopg://gate:geheim@host:port/gate", "is no database URL"),
        ("mysql://gate:geheim@host/gate", "is a URL of 'mysql'"),
        ("postgresql+asyncpg://gate:geheim@host/gate", "is a URL of 'postgresql+asyncpg'"),
    ],
)
def test_an_address_of_no_database_of_ours_is_a_usage_error(wrong, said):
    with pytest.raises(UsageError) as raised:
        open_store(wrong)
    assert str(raised.value) == (f"GATE_DATABASE: {said}; write sqlite:///PATH or postgresql+psycopg://USER@HOST/NAME")


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///:memory:"])
def test_a_database_in_memory_is_a_usage_error(url):
    with pytest.raises(UsageError) as raised:
        open_store(url)
    assert str(raised.value) == "GATE_DATABASE: a database in memory forgets its verdicts; write sqlite:///PATH"


def test_no_password_of_a_database_is_ever_shown():
    with pytest.raises(StoreError) as raised:
        SqlVerdictStore("sqlite://user:geheim@host/gate.db").find("11111111")
    assert "geheim" not in str(raised.value)
