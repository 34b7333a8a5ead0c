"""The line of work: what is handed in is there, whoever asks."""

from __future__ import annotations

import subprocess
import sys
import threading
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import create_engine, text

from gate.engine.queue import DbosQueue
from gate.errors import EngineError

TOMORROW = datetime.now(UTC) + timedelta(days=1)


@pytest.fixture
def queue(url):
    opened = DbosQueue(url)
    yield opened
    opened.close()


def rows(url, columns="workflow_uuid, status, queue_partition_key, application_version"):
    engine = create_engine(url)
    table = "workflow_status" if url.startswith("sqlite") else "dbos.workflow_status"
    with engine.connect() as connection:
        found = [tuple(row) for row in connection.execute(text(f"SELECT {columns} FROM {table} ORDER BY created_at"))]
    engine.dispose()
    return found


def test_handing_in_twice_is_handing_in_once(url, queue):
    queue.submit("a", "bike")
    queue.submit("b", "income")
    queue.submit("a", "bike")
    assert rows(url) == [("a", "ENQUEUED", "bike", "eval-1"), ("b", "ENQUEUED", "income", "eval-1")]


def test_another_process_sees_what_was_handed_in(url, queue):
    queue.submit("a", "bike")
    other = DbosQueue(url)
    assert other.known(["a", "b"]) == {"a"}
    other.close()


def test_many_may_hand_in_at_the_same_time(queue):
    names = [f"e{number}" for number in range(200)]
    left = iter(names)
    lock = threading.Lock()
    failed = []

    def hand_in():
        while True:
            with lock:
                name = next(left, None)
            if name is None:
                return
            try:
                queue.submit(name, f"m{len(name)}")
            except EngineError as wrong:
                failed.append(wrong)

    threads = [threading.Thread(target=hand_in) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    assert queue.known(names) == set(names)


def test_what_is_in_line_is_text_that_runs_nothing(url, queue):
    queue.submit("a", "bike")
    engine = create_engine(url)
    table = "workflow_input" if url.startswith("sqlite") else "dbos.workflow_input"
    with engine.connect() as connection:
        assert connection.execute(text(f"SELECT inputs FROM {table}")).scalar() == (
            '{"namedArgs":{},"positionalArgs":["a"]}'
        )
    engine.dispose()


@pytest.mark.parametrize("name", ["m" * 500, "m" * 501, "鬱" * 3_000, 'bike\'s "demand"; --'])
def test_a_model_may_have_any_name(url, queue, name):
    queue.submit("a", name)
    queue.submit("b", name)
    [(first,), (second,)] = rows(url, "queue_partition_key")
    assert first == second
    assert (first == name) is (len(name.encode()) <= 500)


def test_what_is_cancelled_stays_known_and_is_not_in_line(url, queue):
    queue.submit("a", "bike")
    queue.cancel("a")
    queue.cancel("a")
    queue.submit("a", "bike")
    assert rows(url, "workflow_uuid, status") == [("a", "CANCELLED")]
    assert queue.known(["a"]) == {"a"}
    assert queue.abandoned() == []


def test_cancelling_what_is_not_there_changes_nothing(url, queue):
    queue.cancel("a")
    assert rows(url) == []


def test_a_purge_forgets_what_has_ended_and_nothing_else(queue):
    queue.submit("a", "bike")
    queue.submit("b", "bike")
    queue.cancel("a")
    assert queue.purge(datetime.now(UTC) - timedelta(days=1)) == 0
    assert queue.purge(TOMORROW) == 1
    assert queue.known(["a", "b"]) == {"b"}
    assert queue.purge(TOMORROW) == 0


def test_any_number_may_be_looked_up(queue):
    queue.submit("e7", "bike")
    assert queue.known([]) == set()
    assert queue.known([f"e{number}" for number in range(1_203)]) == {"e7"}


def test_a_line_that_answers_says_so(queue):
    queue.ping()


def test_a_database_that_is_away_is_an_engine_error_without_its_password():
    with pytest.raises(EngineError) as caught:
        DbosQueue("postgresql+psycopg://gate:secret@127.0.0.1:1/gate")
    assert str(caught.value).startswith(
        "postgresql+psycopg://gate:***@127.0.0.1:1/gate: cannot prepare the line of work: connection failed: "
    )
    assert "secret" not in str(caught.value)


def test_a_file_that_cannot_be_opened_is_an_engine_error(tmp_path):
    with pytest.raises(EngineError) as caught:
        DbosQueue(f"sqlite:///{tmp_path}/none/engine.db")
    assert str(caught.value) == (
        f"sqlite:///{tmp_path}/none/engine.db: cannot prepare the line of work: unable to open database file"
    )


@pytest.mark.slow
def test_a_database_that_goes_away_is_told_at_once(restarting):
    server, bench = restarting
    server.stop()
    for do in (
        lambda: bench.queue.submit("a", "m"),
        lambda: bench.queue.cancel("a"),
        lambda: bench.queue.known(["a"]),
        bench.queue.abandoned,
        bench.queue.ping,
        lambda: bench.queue.purge(TOMORROW),
    ):
        with pytest.raises(EngineError):
            do()
    server.start()
    bench.queue.submit("a", "m")
    assert bench.queue.known(["a"]) == {"a"}


def test_nothing_in_the_environment_counts(tmp_path):
    code = (
        "from gate.engine.queue import DbosQueue\n"
        f"queue = DbosQueue('sqlite:///{tmp_path}/engine.db'); queue.submit('a', 'm')\n"
        "from dbos._utils import GlobalParams\n"
        "print(GlobalParams.dbos_cloud, queue.known(['a']))"
    )
    environment = {
        "DBOS__CLOUD": "true",
        "DBOS__VMID": "another",
        "DBOS__APPVERSION": "another",
        "DBOS_APP_NAME": "another",
        "DBOS_SYSTEM_DATABASE_URL": "postgresql://nobody@127.0.0.1:1/another",
        "DBOS__CONDUCTOR_KEY": "another",
    }
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout == "False {'a'}\n"
    assert done.stderr == ""
