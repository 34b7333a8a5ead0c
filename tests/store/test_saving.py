"""Storing a verdict: everything that belongs to it, or nothing."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from gate.domain.evaluation import Event, State, Trigger
from gate.domain.verdict import Cause, Decision
from gate.errors import AttemptTakenError, GateError, StoreError, SupersededError
from gate.flow.document import document_of
from gate.store import open_store
from gate.store.verdicts import SqlVerdictStore

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
LATER = NOW + timedelta(minutes=5)


@pytest.fixture
def counts(gate):
    """How many rows each table has."""

    def do() -> dict[str, int]:
        tables = ("verdicts", "attempts", "verdict_totals", "events", "blobs", "report_pieces")
        with gate.database.reading() as connection:
            return {name: connection.exec_driver_sql(f"SELECT count(*) FROM {name}").scalar() for name in tables}

    return do


def test_a_verdict_ends_its_evaluation_in_the_same_transaction(gate, new_verdict, running):
    running()
    store = SqlVerdictStore(gate.database, clock=lambda: LATER)
    verdict = new_verdict()
    store.save(verdict, document_of(verdict), evaluation="e-1", report={"index.html": b"page"}, trigger=Trigger.CI)
    found = gate.evaluations.get("e-1")
    assert (found.state, found.verdict_id, found.finished_at) == (State.DONE, verdict.id, LATER)
    said = {"verdict_id": verdict.id, "decision": "hold", "cause": "failed"}
    assert gate.evaluations.events("e-1")[-1] == Event(3, LATER, "done", said)
    assert store.evaluation_of(verdict.id) == "e-1"
    assert store.report_file(verdict.id, "index.html") == b"page"
    assert store.totals() == {("pilot", "failed", "ci"): 1}
    assert not gate.evaluations.end("e-1", State.CANCELLED, LATER)


@pytest.mark.parametrize(
    ("end", "error", "said"),
    [
        (State.ERROR, SupersededError, "evaluation e-1 has ended as error: its verdict is not stored"),
        (State.CANCELLED, SupersededError, "evaluation e-1 has ended as cancelled: its verdict is not stored"),
        (State.DONE, SupersededError, "evaluation e-1 is done: its verdict is v-0, and stays so"),
        (State.QUEUED, StoreError, "evaluation e-1 is queued: only a running one gets a verdict"),
        (None, StoreError, "evaluation e-1: there is none, so it gets no verdict"),
    ],
)
def test_an_evaluation_that_does_not_run_gets_no_verdict(gate, save, counts, running, new_evaluation, end, error, said):
    if end is State.QUEUED:
        gate.evaluations.accept(new_evaluation())
    elif end is not None:
        running()
    if end is State.DONE:
        save("v-0", evaluation="e-1")
    elif end in (State.ERROR, State.CANCELLED):
        gate.evaluations.end("e-1", end, NOW)
    before = counts()
    with pytest.raises(StoreError) as raised:
        save("v-1", evaluation="e-1", report={"index.html": b"page"})
    assert type(raised.value) is error
    assert str(raised.value) == said
    assert counts() == before
    assert gate.verdicts.find("v-1") is None


@pytest.mark.parametrize("broken", ["verdict_totals", "report_pieces", "blobs", "attempts", "verdicts", "events"])
def test_what_fails_halfway_leaves_nothing(fresh, gate, save, counts, running, edit, broken):
    running()
    before = counts()
    edit(f"ALTER TABLE {broken} RENAME TO away")
    with pytest.raises(StoreError):
        save(evaluation="e-1", report={"index.html": b"page"})
    edit(f"ALTER TABLE away RENAME TO {broken}")
    assert counts() == before
    assert gate.evaluations.get("e-1").state is State.RUNNING
    save(evaluation="e-1", report={"index.html": b"page"})
    assert gate.evaluations.get("e-1").state is State.DONE


def test_the_same_verdict_twice_changes_nothing(gate, save, counts):
    save(report={"index.html": b"page"})
    before = counts()
    with pytest.raises(StoreError, match="verdict 11111111-aaaa is stored already; a verdict never changes"):
        save(report={"index.html": b"another page"})
    assert counts() == before
    assert gate.verdicts.totals() == {("pilot", "failed", "api"): 1}


def test_text_that_no_database_takes_is_refused_in_words(save, counts):
    with pytest.raises(StoreError) as raised:
        save(stage="a\0b")
    assert str(raised.value) == "stage: text with a NUL character or half a surrogate pair cannot be stored"
    assert counts()["verdicts"] == 0


def test_totals_count_by_stage_word_and_trigger(gate, save):
    save("1", trigger=Trigger.CI)
    save("2", trigger=Trigger.CI)
    save("3", decision=Decision.PROMOTE, cause=None, findings=())
    save("4", cause=Cause.ERROR, attempt=0, stage="wave-1", trigger=Trigger.SCHEDULE)
    assert gate.verdicts.totals() == {
        ("pilot", "failed", "ci"): 2,
        ("pilot", "promote", "api"): 1,
        ("wave-1", "error", "schedule"): 1,
    }


# --- attempts --------------------------------------------------------------------------------------------------------


def test_a_number_that_is_not_the_next_one_is_refused(gate, save, counts):
    save("1", inputs_digest="sha256:i1")
    before = counts()
    with pytest.raises(AttemptTakenError) as raised:
        save("2", inputs_digest="sha256:i2", attempt=1)
    assert str(raised.value) == "verdict 2: it says attempt 1, but it is attempt 2 by now"
    for attempt in (0, 3):
        with pytest.raises(AttemptTakenError):
            save("2", inputs_digest="sha256:i2", attempt=attempt)
    with pytest.raises(AttemptTakenError):
        save("2", inputs_digest="sha256:i1", attempt=2)
    assert counts() == before


def test_an_evaluation_goes_on_when_the_number_of_its_verdict_was_taken(gate, save, running):
    running()
    save("1", inputs_digest="sha256:i1")
    with pytest.raises(AttemptTakenError):
        save("2", inputs_digest="sha256:i2", attempt=1, evaluation="e-1")
    assert gate.evaluations.get("e-1").state is State.RUNNING
    save("2", inputs_digest="sha256:i2", attempt=2, evaluation="e-1")
    assert gate.evaluations.get("e-1").verdict_id == "2"


def test_verdicts_on_one_model_at_once_get_numbers_of_their_own(gate, new_verdict):
    def store_one(number: int) -> int:
        while True:
            inputs = f"sha256:{number}"
            attempt = gate.verdicts.attempt("sha256:aa", "pilot", inputs)
            verdict = new_verdict(f"v-{number}", inputs_digest=inputs, attempt=attempt)
            try:
                gate.verdicts.save(verdict, document_of(verdict))
            except AttemptTakenError:
                continue
            return attempt

    with ThreadPoolExecutor(8) as pool:
        assert sorted(pool.map(store_one, range(16))) == list(range(1, 17))


def test_of_verdicts_that_take_one_number_at_once_one_is_stored(gate, new_verdict):
    gate.verdicts.totals()
    barrier = threading.Barrier(8)

    def store_one(number: int) -> bool:
        verdict = new_verdict(f"v-{number}", inputs_digest=f"sha256:{number}")
        document = document_of(verdict)
        barrier.wait(30)
        try:
            gate.verdicts.save(verdict, document)
        except AttemptTakenError:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(store_one, range(8))).count(True) == 1
    assert gate.verdicts.totals() == {("pilot", "failed", "api"): 1}


# --- races -----------------------------------------------------------------------------------------------------------


def test_a_verdict_and_a_cancellation_never_both_win(gate, new_verdict, running):
    """Whoever is first decides; the other one hears of it, and the record says one thing."""
    for number in range(25):
        name = running(f"e-{number}")
        verdict = new_verdict(f"v-{number}")
        document = document_of(verdict)
        barrier = threading.Barrier(2)

        def save(verdict=verdict, document=document, name=name, barrier=barrier) -> bool:
            barrier.wait(30)
            try:
                gate.verdicts.save(verdict, document, evaluation=name)
            except SupersededError:
                return False
            return True

        def cancel(name=name, barrier=barrier) -> bool:
            barrier.wait(30)
            return gate.evaluations.end(name, State.CANCELLED, NOW)

        with ThreadPoolExecutor(2) as pool:
            saved, cancelled = pool.submit(save), pool.submit(cancel)
            assert {saved.result(60), cancelled.result(60)} == {True, False}
        found = gate.evaluations.get(name)
        assert found.state is (State.DONE if saved.result() else State.CANCELLED)
        assert (gate.verdicts.find(verdict.id) is not None) == saved.result()
        kinds = [event.kind for event in gate.evaluations.events(name)]
        assert kinds == ["queued", "started", str(found.state)]


def test_of_two_that_judge_the_same_evaluation_one_verdict_stays(gate, new_verdict, running):
    running()
    barrier = threading.Barrier(4)

    def save(number: int) -> bool:
        verdict = new_verdict(f"v-{number}")
        document = document_of(verdict)
        barrier.wait(30)
        try:
            gate.verdicts.save(verdict, document, evaluation="e-1")
        except SupersededError:
            return False
        return True

    with ThreadPoolExecutor(4) as pool:
        saved = list(pool.map(save, range(4)))
    assert saved.count(True) == 1
    assert gate.evaluations.get("e-1").verdict_id == f"v-{saved.index(True)}"
    assert len(gate.verdicts.page()[0]) == 1


_WRITER = """
import sys
sys.path.insert(0, sys.argv[2])
from importlib.util import module_from_spec, spec_from_file_location
spec = spec_from_file_location("conftest", sys.argv[3])
made = module_from_spec(spec); spec.loader.exec_module(made)
from gate.flow.document import document_of
from gate.store import open_store
store = open_store(sys.argv[1])
for number in range(10**6):
    name = f"{sys.argv[4]}-{number}"
    store.evaluations.accept(made.make_evaluation(name))
    store.evaluations.start(name, "w", made.NOW, made.NOW)
    verdict = made.make(f"v-{name}")
    report = {"index.html": name.encode() * 3000, "data.json": name.encode()}
    store.verdicts.save(verdict, document_of(verdict), evaluation=name, report=report)
    print(name, flush=True)
"""


def test_a_process_that_is_killed_while_it_stores_leaves_nothing_half(gate, url):
    """Whatever it had said to have stored is there; whatever it had begun is there whole or not at all."""
    chance = random.Random(7)
    acknowledged: list[str] = []
    gate.verdicts.totals()
    here = Path(__file__)
    for kill in range(3):
        arguments = [url, str(here.parents[1] / "support"), str(here.with_name("conftest.py")), str(kill)]
        writer = subprocess.Popen([sys.executable, "-c", _WRITER, *arguments], stdout=subprocess.PIPE, text=True)
        acknowledged.append(writer.stdout.readline().strip())
        time.sleep(chance.random() * 0.3)
        os.kill(writer.pid, signal.SIGKILL)
        acknowledged += writer.communicate()[0].split()
    for name in acknowledged:
        assert gate.evaluations.get(name).verdict_id == f"v-{name}"

    found = []
    cursor = None
    while True:
        page, cursor = gate.evaluations.page(limit=200, before=cursor)
        found += page
        if cursor is None:
            break
    for evaluation in found:
        stored = gate.verdicts.find(f"v-{evaluation.id}")
        kinds = [event.kind for event in gate.evaluations.events(evaluation.id)]
        names = gate.verdicts.report_names(f"v-{evaluation.id}")
        if evaluation.state is State.DONE:
            assert stored["id"] == evaluation.verdict_id == f"v-{evaluation.id}"
            assert kinds == ["queued", "started", "done"]
            assert names == ["data.json", "index.html"]
            assert gate.verdicts.report_file(stored["id"], "index.html") == evaluation.id.encode() * 3000
        else:
            assert stored is None
            assert kinds == ["queued", "started"][: 1 + evaluation.tries]
            assert names == []
    done = sum(evaluation.state is State.DONE for evaluation in found)
    assert gate.verdicts.totals() == {("pilot", "failed", "api"): done}


def test_a_store_error_says_nothing_of_the_verdict(fresh, store, save, edit):
    save("v-0")
    edit("DROP TABLE verdict_totals")
    with pytest.raises(GateError) as raised:
        save()
    said = str(raised.value).removeprefix(store._database.place + ": ")
    assert said in ("no such table: verdict_totals", 'relation "verdict_totals" does not exist')


def test_a_verdict_can_be_stored_by_many_stores_of_one_database(url, gate, new_verdict, running):
    running()
    other = open_store(url)
    verdict = replace(new_verdict(), id="v-1")
    other.verdicts.save(verdict, document_of(verdict), evaluation="e-1")
    assert gate.evaluations.get("e-1").verdict_id == "v-1"
    other.close()
