"""Forgetting: only what ended before, never what still counts."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor, wait
from datetime import UTC, datetime, timedelta

import pytest

from gate.domain.evaluation import State
from gate.domain.verdict import Cause, ModelIdentity
from gate.flow.document import document_of
from gate.store import purge as purging
from gate.store import reports
from gate.store.verdicts import SqlVerdictStore

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
DAY = timedelta(days=1)
NOTHING = {"evaluations": 0, "events": 0, "reports": 0, "served": 0, "verdicts": 0}


@pytest.fixture
def old(gate, new_verdict, new_evaluation):
    """Store a verdict as of some days ago, valid for a day, with an evaluation and a report."""

    def do(verdict_id: str, days: int, **changes) -> None:
        at = NOW - days * DAY
        gate.evaluations.accept(new_evaluation(f"e-{verdict_id}", created_at=at))
        gate.evaluations.start(f"e-{verdict_id}", "w", at, at)
        verdict = new_verdict(verdict_id, **{"evaluated_at": at, "valid_until": at + DAY} | changes)
        store = SqlVerdictStore(gate.database, clock=lambda: at)
        report = {"index.html": b"<script>" + b"shared" * 1000 + b"</script>" + verdict_id.encode() * 1000}
        store.save(verdict, document_of(verdict), evaluation=f"e-{verdict_id}", report=report)

    return do


def ids(gate) -> set[str]:
    return {document["id"] for document in gate.verdicts.page()[0]}


def test_nothing_is_forgotten_of_nothing(gate):
    assert gate.verdicts.purge(NOW) == NOTHING


def test_an_old_verdict_goes_with_its_evaluation_its_events_and_its_report(gate, old):
    old("v-1", days=9)
    old("v-2", days=3)
    assert gate.verdicts.purge(NOW - 5 * DAY) == NOTHING | {"evaluations": 1, "events": 3, "reports": 1, "verdicts": 1}
    assert ids(gate) == {"v-2"}
    assert gate.evaluations.get("e-v-1") is None
    assert gate.evaluations.events("e-v-1") == []
    assert gate.verdicts.report_names("v-1") == []
    assert gate.verdicts.report_file("v-2", "index.html").endswith(b"v-2")
    assert len(gate.evaluations.events("e-v-2")) == 3
    assert gate.verdicts.purge(NOW - 5 * DAY) == NOTHING


def test_the_newest_of_each_model_version_and_stage_stays(gate, old):
    for number, (name, version, stage) in enumerate(
        [("bike", "1", "pilot"), ("bike", "2", "pilot"), ("bike", "1", "wave-1"), ("income", "1", "pilot")]
    ):
        identity = ModelIdentity(name, version, "uri", f"sha256:{name}{version}", None)
        for turn in ("older", "newer"):
            old(f"{turn}-{number}", days=9, model=identity, stage=stage)
    went = gate.verdicts.purge(NOW)
    assert went["verdicts"] == went["evaluations"] == went["reports"] == 4
    assert ids(gate) == {f"newer-{number}" for number in range(4)}


def test_a_verdict_that_is_still_valid_stays(gate, old):
    old("ended", days=9, valid_until=NOW)
    old("valid", days=9, valid_until=NOW + timedelta(seconds=1))
    old("newest", days=9)
    gate.verdicts.purge(NOW)
    assert ids(gate) == {"valid", "newest"}


def test_the_moment_itself_is_not_before(gate, old):
    old("v-1", days=5, valid_until=NOW - 5 * DAY)
    old("v-2", days=5)
    assert gate.verdicts.purge(NOW - 5 * DAY) == NOTHING
    assert gate.verdicts.purge(NOW - 5 * DAY + timedelta(seconds=1))["verdicts"] == 1


def test_evaluations_without_a_verdict_go_when_they_ended_before(gate, new_evaluation):
    long_ago = NOW - 9 * DAY
    for state, ended in ((State.ERROR, long_ago), (State.CANCELLED, long_ago), (State.CANCELLED, NOW)):
        name = f"{state}-{ended.day}"
        gate.evaluations.accept(new_evaluation(name, created_at=long_ago))
        gate.evaluations.end(name, state, ended)
    gate.evaluations.accept(new_evaluation("queued", created_at=long_ago, expires_at=long_ago))
    gate.evaluations.accept(new_evaluation("running", created_at=long_ago, expires_at=long_ago))
    gate.evaluations.start("running", "w", long_ago, long_ago)
    assert gate.verdicts.purge(NOW) == NOTHING | {"evaluations": 2, "events": 4}
    assert {each.id for each in gate.evaluations.page()[0]} == {"cancelled-22", "queued", "running"}


def test_an_evaluation_stays_as_long_as_its_verdict(gate, old):
    """So that a key that is used again finds the verdict that it made."""
    old("v-1", days=9)
    assert gate.verdicts.purge(NOW) == NOTHING
    assert gate.evaluations.get("e-v-1").verdict_id == "v-1"
    assert gate.verdicts.evaluation_of("v-1") == "e-v-1"


def test_totals_and_the_numbers_of_attempts_are_never_forgotten(gate, old):
    for number in range(1, 4):
        old(f"v-{number}", days=9, inputs_digest=f"sha256:{number}", attempt=number)
    old("v-4", days=9, cause=Cause.ERROR, attempt=0)
    totals = gate.verdicts.totals()
    assert gate.verdicts.purge(NOW)["verdicts"] == 3
    assert gate.verdicts.totals() == totals
    assert gate.verdicts.attempt("sha256:aa", "pilot", "sha256:2") == 2
    assert gate.verdicts.attempt("sha256:aa", "pilot", "sha256:new") == 4


def test_what_no_report_has_any_more_is_removed_and_what_is_shared_stays(gate, old):
    old("v-1", days=9)
    old("v-2", days=9)
    with gate.database.reading() as connection:
        before = connection.exec_driver_sql("SELECT count(*) FROM blobs").scalar()
    gate.verdicts.purge(NOW)
    with gate.database.reading() as connection:
        after = connection.exec_driver_sql("SELECT count(*) FROM blobs").scalar()
    assert (before, after) == (3, 2)
    assert gate.verdicts.report_file("v-2", "index.html").endswith(b"v-2")


def test_more_than_one_batch_goes_at_once(gate, old, monkeypatch):
    monkeypatch.setattr(purging, "_AT_ONCE", 2)
    for number in range(7):
        old(f"v-{number}", days=9)
    assert gate.verdicts.purge(NOW) == NOTHING | {"evaluations": 6, "events": 18, "reports": 6, "verdicts": 6}
    assert ids(gate) == {"v-6"}


def test_one_process_forgets_at_a_time(gate, old, url):
    """Two would delete the same rows, each in its own order, and wait for each other."""
    old("v-1", days=9)
    old("v-2", days=9)
    if url.startswith("sqlite"):
        pytest.skip("SQLite has one writer")
    with gate.database.writing() as connection:
        assert purging._is_alone(connection)
        assert gate.verdicts.purge(NOW) == NOTHING
    assert gate.verdicts.purge(NOW)["verdicts"] == 1


def test_what_several_forget_at_once_goes_once(gate, old, monkeypatch):
    monkeypatch.setattr(purging, "_AT_ONCE", 1)
    for number in range(7):
        old(f"v-{number}", days=9)
    with ThreadPoolExecutor(4) as pool:
        went = list(pool.map(gate.verdicts.purge, [NOW] * 4))
    went.append(gate.verdicts.purge(NOW))
    assert {kind: sum(some[kind] for some in went) for kind in NOTHING} == NOTHING | {
        "evaluations": 6, "events": 18, "reports": 6, "verdicts": 6,
    }  # fmt: skip


def test_reports_that_are_stored_while_others_are_purged_stay_whole(gate, old, new_verdict):
    """They share pieces with what goes."""
    for number in range(10):
        old(f"v-{number}", days=9)
    shared = b"<script>" + b"shared" * 1000 + b"</script>"
    done = threading.Event()

    def purge() -> None:
        while not done.is_set():
            gate.verdicts.purge(NOW)

    def save(number: int) -> None:
        verdict = new_verdict(f"new-{number}", evaluated_at=NOW - 9 * DAY, valid_until=NOW - 8 * DAY)
        gate.verdicts.save(verdict, document_of(verdict), report={"index.html": shared + b"new" * number})

    with ThreadPoolExecutor(5) as pool:
        purger = pool.submit(purge)
        try:
            list(pool.map(save, range(24)))
        finally:
            done.set()
        purger.result(60)
    gate.verdicts.purge(NOW)
    (left,) = gate.verdicts.page()[0]
    assert gate.verdicts.report_file(left["id"], "index.html").startswith(shared)


def test_a_purge_waits_for_a_report_that_is_being_stored_with_pieces_that_nobody_else_has(gate, save):
    page = b"<script>" + b"shared" * 1000 + b"</script>"
    save("v-1", report={"index.html": page})
    save("v-2")
    with gate.database.writing() as connection:
        reports.forget(connection, ["v-1"])  # its pieces are still there, and unused
    with ThreadPoolExecutor(1) as pool:
        with gate.database.writing() as connection:
            reports.store(connection, "v-2", reports.pack({"index.html": page}, reports.digests({"index.html": page})))
            purger = pool.submit(gate.verdicts.purge, NOW - 99 * DAY)
            wait([purger], timeout=1)
            assert not purger.done()
        assert purger.result(60) == NOTHING
    assert gate.verdicts.report_file("v-2", "index.html") == page
