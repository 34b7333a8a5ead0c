"""Workers: what is in line is done, whatever dies meanwhile. Each is a real process; DBOS allows one in a process."""

from __future__ import annotations

import signal
import threading

import pytest
from engine_worker import alive, becomes
from sqlalchemy import create_engine, text

from gate.engine.queue import DbosQueue
from gate.engine.worker import Worker
from gate.errors import EngineError, UsageError


def test_work_is_done_and_told_once_and_the_worker_says_nothing(bench):
    worker = bench.worker().ready()
    bench.ask("a")
    assert bench.over("a")
    assert becomes(lambda: bench.noted("told", "a") == [[]])
    assert worker.stop() == 0
    assert worker.said == ""
    assert bench.noted("begun", "a") == [["w1"]]


def test_work_of_a_killed_worker_is_done_by_the_next_one_of_its_name(bench):
    worker = bench.worker().ready()
    bench.ask("a", held=True)
    child = bench.working_on("a")
    worker.kill()
    assert becomes(lambda: not alive(child))
    assert not bench.record.is_over("a")
    bench.record.release("a")
    bench.worker().ready()
    assert bench.over("a")
    assert bench.noted("begun", "a") == [["w1"], ["w1"]]
    assert bench.noted("ended", "a") == [["done"]]


def test_work_that_was_put_in_line_before_any_worker_came_is_done(bench):
    for number in range(5):
        bench.ask(f"a{number}", model=f"m{number % 2}")
    bench.worker(name="newer").ready()
    assert bench.over(*(f"a{number}" for number in range(5)))


def test_cancelling_ends_the_process_and_lets_the_model_s_next_one_begin(bench):
    worker = bench.worker().ready()
    bench.ask("a", held=True)
    bench.ask("b")
    child = bench.working_on("a")
    assert not bench.noted("begun", "b")
    bench.record.end("a", "cancelled")
    bench.queue.cancel("a")
    assert becomes(lambda: not alive(child))
    assert bench.over("b")
    assert bench.noted("ended", "a") == [["cancelled"]]
    assert bench.noted("told", "a") == []
    assert worker.stop() == 0
    assert worker.said == ""


def test_what_is_cancelled_while_it_waits_is_never_begun(bench):
    bench.ask("a")
    bench.ask("b")
    bench.queue.cancel("a")
    bench.worker().ready()
    assert bench.over("b")
    assert bench.noted("begun", "a") == []


def test_one_model_is_worked_on_once_at_a_time_and_another_beside_it(bench):
    bench.worker(concurrency=3).ready()
    bench.ask("a", model="x", held=True)
    bench.ask("b", model="x")
    bench.ask("c", model="y")
    bench.working_on("a")
    assert bench.over("c")
    assert bench.noted("begun", "b") == []
    bench.record.end("a", "cancelled")
    assert bench.over("b")


def test_a_second_worker_of_the_same_name_refuses_to_start(bench):
    first = bench.worker().ready()
    second = bench.worker()
    assert second.wait() == 1
    if bench.url.startswith("sqlite"):
        assert second.said == (
            f"{bench.folder / 'engine.lock'}: another gate works here already (process {first.pid}, worker w1), "
            "and only one may on an SQLite database: stop that one, set GATE_WORKERS=0 for this one, or set "
            "GATE_DATABASE to a PostgreSQL database\n"
        )
    else:
        place = bench.url.partition("//")[0] + "//gate:***@" + bench.url.rpartition("@")[2]
        assert second.said == (
            f"GATE_WORKER_NAME: a living process works as 'w1' on {place}; give each worker a name of its own, and the "
            "same one again when it is restarted\n"
        )
    bench.ask("a")
    assert bench.over("a")


def test_a_stopped_worker_leaves_its_work_for_the_next_start(bench):
    worker = bench.worker().ready()
    bench.ask("a", held=True)
    child = bench.working_on("a")
    assert worker.stop() == 0
    assert worker.said == ""
    assert not alive(child)
    assert not bench.record.is_over("a")
    assert bench.queue.abandoned() == []
    bench.record.release("a")
    bench.worker().ready()
    assert bench.over("a")


def test_a_stopped_worker_gives_work_the_time_it_was_granted(bench):
    worker = bench.worker(grace=30).ready()
    bench.ask("a", held=True)
    bench.working_on("a")
    threading.Timer(0.3, bench.record.release, ["a"]).start()
    assert worker.stop() == 0
    assert worker.said == ""
    assert bench.noted("ended", "a") == [["done"]]


def test_work_is_tried_again_while_a_database_is_away(bench):
    worker = bench.worker().ready()
    bench.ask("a", fails=2)
    assert bench.over("a")
    assert worker.said == (
        "gate.engine.worker: tried again in 0.5 s: the database is away\n"
        "gate.engine.worker: tried again in 1 s: the database is away\n"
    )


def test_work_is_abandoned_when_the_database_stays_away(bench):
    bench.worker(patience=0.1).ready()
    bench.ask("a", fails=1_000)
    bench.ask("b")
    assert becomes(lambda: bench.queue.abandoned() == ["a"])
    assert bench.over("b")


def test_work_on_a_damaged_record_is_abandoned_at_once(bench):
    worker = bench.worker().ready()
    bench.ask("a", damaged=True, fails=1)
    bench.ask("b")
    assert bench.over("b")
    assert bench.queue.abandoned() == ["a"]
    assert bench.noted("begun", "a") == [["w1"]]
    assert "tried again" not in worker.said


def test_cancelling_what_a_lost_worker_had_begun_lets_another_one_work_on_its_model(bench):
    """Its name never comes back, and what it had begun is over: its verdict is stored, or it was swept up."""
    lost = bench.worker("lost").ready()
    bench.ask("a", held=True)
    bench.ask("b")
    bench.working_on("a")
    lost.kill()
    bench.record.end("a", "done")
    bench.ask("c", model="another")
    bench.worker("other").ready()
    assert bench.over("c")
    assert becomes(lambda: bench.queue.begun() == ["a"])
    assert bench.noted("begun", "b") == []
    bench.queue.cancel("a")
    assert bench.over("b")
    assert bench.noted("begun", "b") == [["other"]]
    assert becomes(lambda: bench.queue.begun() == [])


def test_work_that_takes_its_worker_down_each_time_is_abandoned(bench):
    bench.ask("a", deadly=True)
    for _ in range(2):
        assert bench.worker(deaths=1).wait() == -signal.SIGKILL
    assert bench.queue.abandoned() == []
    bench.worker(deaths=1).ready()
    assert becomes(lambda: bench.queue.abandoned() == ["a"])
    assert len(bench.noted("begun", "a")) == 2
    bench.ask("b")
    assert bench.over("b")


def test_a_verdict_stands_without_its_copies(bench):
    worker = bench.worker(copy=0.1).ready()
    bench.ask("a", untellable=True)
    bench.ask("b")
    assert bench.over("a", "b")
    assert becomes(lambda: bench.noted("told", "b") == [[]])
    assert bench.queue.abandoned() == []
    assert worker.said == "gate.engine.worker: no copy was left: nobody listens\n"


def test_two_workers_share_a_line_and_a_killed_one_s_work_waits_for_its_restart(shared):
    first = shared.worker("w1", concurrency=1).ready()
    shared.ask("a", model="x", held=True)
    child = shared.working_on("a")
    shared.worker("w2", concurrency=1).ready()
    shared.ask("b", model="y")
    shared.ask("c", model="x")
    first.kill()
    assert shared.over("b")
    assert shared.noted("begun", "b") == [["w2"]]
    assert becomes(lambda: not alive(child))
    assert not shared.record.is_over("a")
    shared.record.release("a")
    shared.worker("w1", concurrency=1).ready()
    assert shared.over("a", "c")
    assert shared.noted("ended", "a") == [["done"]]


def test_a_worker_works_on_no_more_than_its_own_number_whatever_another_one_says_for_all(shared):
    worker = shared.worker("w1", concurrency=1).ready()
    assert shared.worker("w2", concurrency=3).ready().stop() == 0
    told = (
        "gate.engine.worker: worker 'w1': GATE_WORKERS is 1 here, but a worker that was started later says 3 for all: "
        "give all workers the same number\n"
    )
    assert becomes(lambda: worker.said == told)
    for name in ("a", "b", "c"):
        shared.ask(name, model=name, held=True)
    assert becomes(lambda: len(shared.queue.begun()) == 3)
    for number in (1, 2, 3):
        assert becomes(lambda number=number: len(shared.record.noted("pids")) == number)
        assert len(shared.record.noted("begun")) == number
        shared.record.release(shared.record.noted("begun")[-1][0])
    assert shared.over("a", "b", "c")
    assert worker.stop() == 0
    assert worker.said == told


def test_a_stopped_worker_leaves_what_waits_for_its_turn(shared):
    worker = shared.worker("w1", concurrency=1).ready()
    assert shared.worker("w2", concurrency=3).ready().stop() == 0
    assert becomes(lambda: "says 3 for all" in worker.said)
    for name in ("a", "b"):
        shared.ask(name, model=name, held=True)
    assert becomes(lambda: len(shared.queue.begun()) == 2)
    assert becomes(lambda: len(shared.record.noted("pids")) == 1)
    assert worker.stop() == 0
    for name in ("a", "b"):
        shared.record.release(name)
    shared.worker("w1", concurrency=1).ready()
    assert shared.over("a", "b")


def test_a_frozen_worker_that_lost_its_slot_ends_when_it_wakes(shared):
    frozen = shared.worker(retake=0.1).ready()
    shared.ask("a", held=True)
    shared.working_on("a")
    frozen.send(signal.SIGSTOP)
    assert shared.worker().stop() == 1  # its slot is taken still
    engine = create_engine(shared.url)
    with engine.begin() as connection:
        connection.execute(text("SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory'"))
    engine.dispose()
    shared.worker().ready()
    assert becomes(lambda: len(shared.noted("begun", "a")) == 2)
    frozen.send(signal.SIGCONT)
    assert frozen.wait() == 75
    assert "another process works as 'w1': this one stops" in frozen.said
    shared.record.release("a")
    assert shared.over("a")
    assert shared.noted("ended", "a") == [["done"]]


@pytest.mark.slow
def test_work_and_workers_survive_the_restart_of_their_database(restarting):
    server, bench = restarting
    worker = bench.worker().ready()
    bench.ask("a", held=True)
    bench.working_on("a")
    server.stop()
    server.start()
    bench.record.release("a")
    assert bench.over("a")
    bench.ask("b")
    assert bench.over("b")
    assert bench.noted("begun", "a") == [["w1"]]
    assert becomes(lambda: "worker 'w1' has its slot again" in worker.said)
    assert bench.worker().wait() == 1


def test_a_worker_that_finds_no_database_says_so():
    worker = Worker("postgresql+psycopg://gate:secret@127.0.0.1:1/gate", "w1", print, print, 1)
    with pytest.raises(EngineError) as caught:
        worker.start()
    assert str(caught.value).startswith(
        "postgresql+psycopg://gate:***@127.0.0.1:1/gate: cannot take the slot of worker 'w1': connection failed: "
    )
    assert not worker.is_alive
    worker.stop()


def test_a_worker_may_be_started_again_in_its_process_but_not_twice_at_once(tmp_path):
    done = []
    url = f"sqlite:///{tmp_path / 'engine.db'}"
    queue = DbosQueue(url)
    for name in ("a", "b"):
        worker = Worker(url, "w1", done.append, lambda _: None, 1)
        worker.start()
        assert worker.is_alive
        assert worker.slots == 1
        with pytest.raises(UsageError, match="worker 'w2': there is a worker in this process already"):
            Worker(url, "w2", done.append, lambda _: None, 1).start()
        queue.submit(name, "m")
        assert becomes(lambda name=name: name in done)
        worker.stop()
        assert not worker.is_alive
        assert worker.slots == 0
    assert done == ["a", "b"]
    queue.close()
