"""Children: killable work that tells what happened to it."""

from __future__ import annotations

import os
import pickle
import signal
import socket
import subprocess
import sys
import textwrap
import threading
import time
from pathlib import Path

import engine_jobs
import pytest

import gate.errors
from gate.engine.children import ChildDied, ChildFailed, ChildLate, Children, ChildStopped, LeftForLater
from gate.errors import GateError, MissingExtraError, PolicyError, Problem, TooBusyError

PATIENCE = 30.0


@pytest.fixture(scope="module")
def children():
    with Children(["duckdb"]) as started:
        yield started


def run(children, target, job=None, *, on_message=lambda _: None, should_stop=lambda: False, seconds=PATIENCE, **more):
    return children.run(
        target, job or {}, on_message=on_message, should_stop=should_stop, seconds=seconds, poll=0.02, **more
    )


def describe(children):
    return run(children, engine_jobs.describe, {"modules": ["duckdb", "sqlite3"], "variable": "GATE_TEST"})


def alive(pid):
    """Whether a process runs; a zombie does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def becomes(what):
    give_up = time.monotonic() + PATIENCE
    while not what() and time.monotonic() < give_up:
        time.sleep(0.01)
    return what()


def test_a_child_answers_and_says_things_meanwhile(children):
    heard = []
    answer = run(children, engine_jobs.echo, {"times": 3, "text": "é"}, on_message=heard.append)
    assert answer == {"echo": "é"}
    assert heard == [{"number": 0}, {"number": 1}, {"number": 2}]


def test_a_job_may_be_large_and_messages_may_be_many(children):
    heard = []
    text = "x" * 3_000_000
    assert run(children, engine_jobs.echo, {"times": 2_000, "text": text}, on_message=heard.append) == {"echo": text}
    assert len(heard) == 2_000


def test_a_child_is_a_process_of_its_own_without_anything_of_the_server(children, monkeypatch):
    with socket.create_server(("127.0.0.1", 0)) as listening:
        os.set_inheritable(listening.fileno(), True)
        found = describe(children)
    assert found["pid"] == found["session"] == found["group"] != os.getpid()
    assert found["parent"] != os.getpid()
    assert found["signals"] == {"SIGINT": True, "SIGTERM": True, "SIGCHLD": True}
    assert found["blocked"] == []
    kinds = [fd.partition(":")[0] for fd in found["fds"]]
    assert kinds.count("socket") == 1, found["fds"]  # its line to the server
    assert "pipe" not in kinds
    assert "anon_inode" not in kinds


def test_what_is_preloaded_is_there_at_once(children):
    assert describe(children)["modules"] == ["duckdb"]


def test_a_preload_that_cannot_be_imported_is_left_to_the_work_that_needs_it():
    with Children(["no_such_module", "sqlite3"]) as few:
        assert describe(few)["modules"] == ["sqlite3"]


def test_two_jobs_run_at_the_same_time(children):
    together = threading.Barrier(2, timeout=PATIENCE)
    results = []

    def one():
        results.append(run(children, engine_jobs.echo, {"times": 1, "text": "a"}, on_message=lambda _: together.wait()))

    threads = [threading.Thread(target=one) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [{"echo": "a"}] * 2


@pytest.mark.parametrize("kind", ["UsageError", "CandidateError", "RegistryError", "DataError", "SupersededError"])
def test_an_error_of_gate_comes_back_as_it_was(children, kind):
    with pytest.raises(GateError) as caught:
        run(children, engine_jobs.raise_named, {"kind": kind, "message": "models:/x/1: no such version"})
    assert type(caught.value) is getattr(gate.errors, kind)
    assert str(caught.value) == "models:/x/1: no such version"


def test_a_wrong_policy_comes_back_with_all_its_problems(children):
    with pytest.raises(PolicyError) as caught:
        run(children, engine_jobs.raise_named, {"kind": "PolicyError"})
    assert caught.value.problems == [Problem("a.yaml", None, "one"), Problem("b.yaml", 3, "two")]
    assert str(caught.value) == "a.yaml: one\nb.yaml:3: two"


def test_errors_that_are_built_from_facts_come_back_with_them(children):
    with pytest.raises(MissingExtraError) as caught:
        run(children, engine_jobs.raise_named, {"kind": "MissingExtraError"})
    assert str(caught.value) == str(MissingExtraError("evaluate", "duckdb"))
    with pytest.raises(TooBusyError) as busy:
        run(children, engine_jobs.raise_named, {"kind": "TooBusyError"})
    assert busy.value.retry_after == 30


def test_any_other_error_is_a_failure_with_its_traceback(children):
    with pytest.raises(ChildFailed) as caught:
        run(children, engine_jobs.divide, {"by": 0})
    assert str(caught.value) == "ZeroDivisionError: division by zero"
    assert 'return {"quotient": 1 / job["by"]}' in caught.value.traceback


@pytest.mark.parametrize(
    ("nan", "message"),
    [
        (True, "ValueError: Out of range float values are not JSON compliant: nan"),
        (False, "TypeError: Object of type PosixPath is not JSON serializable"),
    ],
)
def test_an_answer_that_is_not_json_is_a_failure(children, nan, message):
    with pytest.raises(ChildFailed) as caught:
        run(children, engine_jobs.answer_nonsense, {"nan": nan})
    assert str(caught.value).startswith(message.rpartition(":")[0])


@pytest.mark.parametrize(
    ("job", "message"),
    [
        (
            {"signal": 0, "code": 3},
            "the process that evaluates exited with code 3; its last words: these are my last words",
        ),
        (
            {"signal": 0, "code": 0},
            "the process that evaluates exited with code 0; its last words: these are my last words",
        ),
        (
            {"signal": signal.SIGKILL},
            "the process that evaluates was killed by SIGKILL; its last words: these are my last words",
        ),
    ],
)
def test_a_child_that_ends_without_an_answer_has_died(children, job, message):
    with pytest.raises(ChildDied) as caught:
        run(children, engine_jobs.die, job)
    assert str(caught.value) == message


def test_a_crash_in_native_code_leaves_its_traceback_as_last_words(children):
    with pytest.raises(ChildDied) as caught:
        run(children, engine_jobs.crash)
    assert str(caught.value).startswith(
        "the process that evaluates was killed by SIGSEGV; its last words: Fatal Python"
    )


@pytest.mark.parametrize("target", [engine_jobs.count_in_duckdb, engine_jobs.spin_with_the_interpreter])
def test_a_child_is_stopped_in_the_middle_of_native_code(children, target):
    heard = []
    with pytest.raises(ChildStopped) as caught:
        run(children, target, on_message=heard.append, should_stop=lambda: bool(heard))
    assert str(caught.value) == "the evaluation was stopped"
    assert not alive(heard[0]["pid"])  # when this is told, it is dead already


def test_a_stopped_child_takes_with_it_what_it_started(children):
    heard = []
    with pytest.raises(ChildStopped):
        run(children, engine_jobs.sleep, {"seconds": 600}, on_message=heard.append, should_stop=lambda: bool(heard))
    assert becomes(lambda: not alive(heard[0]["grandchild"]))


def test_what_a_child_left_running_ends_with_it(children):
    left = run(children, engine_jobs.leave_a_grandchild)
    assert becomes(lambda: not alive(left["pid"]))


def test_a_child_is_stopped_when_its_time_is_over(children):
    heard = []
    with pytest.raises(ChildLate) as caught:
        run(children, engine_jobs.sleep, {"seconds": 600}, on_message=heard.append, seconds=0.5)
    assert str(caught.value) == "the evaluation took longer than 0.5 seconds and was stopped"
    assert not heard or not alive(heard[0]["pid"])


def test_a_listener_that_fails_ends_the_child(children):
    heard = []

    def listen(message):
        heard.append(message)
        raise OSError("the database is away")

    with pytest.raises(OSError, match="the database is away"):
        run(children, engine_jobs.sleep, {"seconds": 600}, on_message=listen)
    assert becomes(lambda: not alive(heard[0]["pid"]))


def test_temporary_files_of_a_child_go_with_it(children):
    left = Path(describe(children)["file"])
    assert becomes(lambda: not left.parent.exists())


def test_a_killed_fork_server_is_told_and_replaced():
    with Children() as few:
        heard = []

        def kill_the_parent(message):
            heard.append(message)
            os.kill(message["parent"], signal.SIGKILL)

        with pytest.raises(ChildDied) as caught:
            run(few, engine_jobs.sleep, {"seconds": 600}, on_message=kill_the_parent)
        assert str(caught.value) == "the process that evaluates was lost: its fork server has died"
        assert becomes(lambda: not alive(heard[0]["pid"]) and not alive(heard[0]["grandchild"]))
        assert run(few, engine_jobs.echo, {"times": 0, "text": "again"}) == {"echo": "again"}


def test_a_terminal_or_a_supervisor_does_not_end_the_fork_server(children):
    parent = describe(children)["parent"]
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        os.kill(parent, number)
    assert describe(children)["parent"] == parent


def test_closing_kills_the_children_and_the_fork_server():
    few = Children()
    heard = []

    def close(message):
        heard.append(message)
        few.close()

    with pytest.raises(LeftForLater):
        run(few, engine_jobs.sleep, {"seconds": 600}, on_message=close)
    with pytest.raises(LeftForLater):
        run(few, engine_jobs.echo, {"times": 0, "text": "again"})
    assert not any(alive(pid) for pid in (heard[0]["pid"], heard[0]["parent"]))


SERVER = textwrap.dedent("""
    import sys
    sys.path[:] = {path!r}
    import engine_jobs
    from gate.engine.children import ChildDied, Children, ChildFailed, ChildLate, ChildStopped, LeftForLater
    def tell(message):
        print(*message.values(), flush=True)
    with Children(["duckdb"]) as children:
        children.run(engine_jobs.{target}, {job!r}, on_message=tell, should_stop=lambda: False, seconds=600)
""")


@pytest.mark.parametrize(
    ("target", "job"), [("sleep", {"seconds": 600}), ("count_in_duckdb", {}), ("spin_with_the_interpreter", {})]
)
def test_nothing_outlives_a_server_that_is_killed(target, job):
    code = SERVER.format(path=sys.path, target=target, job=job)
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) as server:
        pids = [int(pid) for pid in server.stdout.readline().split()]
        assert all(map(alive, pids))
        server.kill()
    assert becomes(lambda: not any(map(alive, pids)))


def test_a_job_that_cannot_travel_is_refused_before_anything_starts(children):
    with pytest.raises((pickle.PicklingError, AttributeError)):
        run(children, lambda job, send: {})


def test_a_preload_may_be_a_function_that_fills_a_cache():
    with Children(["engine_jobs:fill"]) as few:
        assert run(few, engine_jobs.look) == {"filled": True}
