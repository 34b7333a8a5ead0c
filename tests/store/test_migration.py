"""A database of the first release becomes one of this release, with every verdict in it."""

from __future__ import annotations

import json
import multiprocessing
from datetime import timedelta
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import create_engine, text

import gate.store
from gate.domain.verdict import Cause, Decision
from gate.flow.document import document_of
from gate.store import open_store
from gate.store.database import NEWEST, VERSION_TABLE

_INSERT = text(
    "INSERT INTO verdicts (id, model_name, model_version, model_digest, stage, decision, cause, enforced, attempt, "
    "inputs_digest, evaluated_at, digest, document) VALUES (:id, :name, :version, :model, :stage, :decision, :cause, "
    ":enforced, :attempt, :inputs, :at, :digest, :document)"
)


def insert(connection, verdict, **changes) -> dict:
    """Store a verdict as the first release did; its document."""
    document = document_of(verdict)
    row = {
        "id": verdict.id, "name": verdict.model.name, "version": verdict.model.version, "model": verdict.model.digest,
        "stage": verdict.stage, "decision": str(verdict.decision), "cause": verdict.cause and str(verdict.cause),
        "enforced": verdict.enforced, "attempt": verdict.attempt, "inputs": verdict.inputs_digest,
        "at": document["evaluated_at"], "digest": document["digest"], "document": json.dumps(document),
    }  # fmt: skip
    connection.execute(_INSERT, row | changes)
    return document


@pytest.fixture
def first_release(url, fresh, new_verdict):
    """A database of the first release with five verdicts; their documents."""
    engine = create_engine(url)
    config = Config()
    config.set_main_option("script_location", str(Path(gate.store.__file__).parent / "migrations"))
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
        documents = [
            insert(connection, new_verdict("v-1", inputs_digest="sha256:1")),
            insert(connection, new_verdict("v-2", inputs_digest="sha256:2", attempt=2)),
            insert(connection, new_verdict("v-3", inputs_digest="sha256:1", cause=Cause.ERROR, attempt=0)),
            insert(connection, new_verdict("v-4", decision=Decision.PROMOTE, cause=None, attempt=3, findings=())),
        ]
        insert(connection, new_verdict("broken", stage="wave-1"), document="{")
    engine.dispose()
    return documents


def test_every_verdict_is_there_and_attempts_go_on(url, first_release):
    opened = open_store(url)
    assert [opened.verdicts.find(document["id"]) for document in first_release] == first_release
    assert opened.verdicts.totals() == {
        ("pilot", "failed", "api"): 2,
        ("pilot", "error", "api"): 1,
        ("pilot", "promote", "api"): 1,
        ("wave-1", "failed", "api"): 1,
    }
    assert opened.verdicts.attempt("sha256:aa", "pilot", "sha256:2") == 2
    assert opened.verdicts.attempt("sha256:aa", "pilot", "sha256:new") == 4
    assert opened.verdicts.evaluation_of("v-1") is None
    assert opened.verdicts.report_names("v-1") == []
    opened.close()


def test_validities_are_known_so_that_a_purge_keeps_what_is_valid_or_cannot_be_read(url, first_release, new_verdict):
    opened = open_store(url)
    ends = new_verdict().valid_until
    assert opened.verdicts.purge(ends - timedelta(seconds=1))["verdicts"] == 0
    assert opened.verdicts.purge(ends)["verdicts"] == 3
    with opened.database.reading() as connection:
        left = connection.exec_driver_sql("SELECT id FROM verdicts ORDER BY id").scalars().all()
    assert left == ["broken", "v-4"]
    opened.close()


def test_processes_that_meet_an_old_database_at_once_migrate_it_once(url, first_release):
    fork = multiprocessing.get_context("fork")
    barrier = fork.Barrier(4)

    def begin() -> None:
        barrier.wait(30)
        assert open_store(url).verdicts.find("v-1") == first_release[0]

    processes = [fork.Process(target=begin) for _ in range(4)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)
    assert [process.exitcode for process in processes] == [0] * 4
    engine = create_engine(url)
    with engine.connect() as connection:
        assert connection.exec_driver_sql(f"SELECT version_num FROM {VERSION_TABLE}").scalars().all() == [NEWEST]
        assert connection.exec_driver_sql("SELECT sum(number) FROM verdict_totals").scalar() == 5
    engine.dispose()
