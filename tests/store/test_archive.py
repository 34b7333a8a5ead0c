"""What a server reads of stored verdicts."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest

from gate.domain.evaluation import Served, State, Trigger
from gate.domain.verdict import Cause, Decision, ModelIdentity
from gate.errors import DamagedError, UsageError
from gate.flow.document import digest_of
from gate.store import cursors
from gate.store.verdicts import SqlVerdictStore

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


def model(name: str = "bike", version: str = "2") -> ModelIdentity:
    return ModelIdentity(name, version, f"models:/{name}/{version}", f"sha256:{name}{version}", "run")


# --- pages -----------------------------------------------------------------------------------------------------------


def test_pages_are_newest_first_and_stay_while_others_are_added(store, save):
    documents = [save(f"v-{number}", model=model(version=str(number)))[1] for number in range(5)]
    first, cursor = store.page(limit=2)
    save("v-new", model=model(version="9"))
    second, cursor = store.page(limit=2, before=cursor)
    third, last = store.page(limit=2, before=cursor)
    assert [*first, *second, *third] == documents[::-1]
    assert last is None


def test_pages_are_of_a_model_a_version_a_stage_and_a_decision(store, save):
    save("v-1", model=model("bike", "1"))
    save("v-2", model=model("bike", "2"), decision=Decision.PROMOTE, cause=None, findings=())
    save("v-3", model=model("income", "2"), stage="wave-1")
    save("v-4", model=model("bike", "2"), stage="wave-1")

    def ids(**wanted) -> list[str]:
        return [document["id"] for document in store.page(**wanted)[0]]

    assert ids() == ["v-4", "v-3", "v-2", "v-1"]
    assert ids(model_name="bike") == ["v-4", "v-2", "v-1"]
    assert ids(model_name="bike", version="2") == ["v-4", "v-2"]
    assert ids(model_name="bike", version="2", stage="pilot") == ["v-2"]
    assert ids(stage="wave-1") == ["v-4", "v-3"]
    assert ids(decision="promote") == ["v-2"]
    assert ids(model_name="b%") == ids(stage="pilot\0") == ids(version="\ud800") == []


@pytest.mark.parametrize("cursor", ["", "x", cursors.write("evaluation", 3)])
def test_a_cursor_of_somebody_else_is_a_usage_error(store, cursor):
    with pytest.raises(UsageError) as raised:
        store.page(before=cursor)
    assert str(raised.value) == f"before: {cursor!r} is no cursor of this list; use a page's `next`, or leave it out"


# --- standings -------------------------------------------------------------------------------------------------------


def test_a_standing_is_the_newest_verdict_of_a_model_in_a_stage_on_whichever_version(store, save):
    save("v-1", model=model("bike", "2"), decision=Decision.PROMOTE, cause=None, findings=(), trigger=Trigger.CI)
    save("v-2", model=model("bike", "3"), trigger=Trigger.SCHEDULE)
    save("v-3", model=model("bike", "2"), stage="wave-1")
    save("v-4", model=model("alpha", "1"))
    found = store.standings()
    assert [(each.model_name, each.stage, each.verdict_id, each.trigger) for each in found] == [
        ("alpha", "pilot", "v-4", Trigger.API),
        ("bike", "pilot", "v-2", Trigger.SCHEDULE),
        ("bike", "wave-1", "v-3", Trigger.API),
    ]
    assert [each.document["id"] for each in found] == ["v-4", "v-2", "v-3"]


def test_there_are_no_standings_without_verdicts(store):
    assert store.standings() == []


@pytest.mark.parametrize(
    "change",
    [
        "document = '{'",
        "document = replace(document, 'pilot', 'wave-1')",
        "decision = 'hold'",
        "digest = 'x'",
    ],
)
def test_a_damaged_verdict_stands_as_an_error_and_hides_no_other(store, save, edit, caplog, change):
    save("v-1", model=model("alpha", "1"), decision=Decision.PROMOTE, cause=None, findings=())
    _, whole = save("v-2", model=model("bike", "2"), trigger=Trigger.CI)
    edit(f"UPDATE verdicts SET {change} WHERE id = 'v-1'")
    for _ in range(2):
        damaged, intact = store.standings()
        assert intact.document == whole
    document = damaged.document
    assert (damaged.model_name, damaged.stage, damaged.verdict_id, damaged.trigger) == (
        "alpha", "pilot", "v-1", Trigger.API,
    )  # fmt: skip
    assert (document["decision"], document["cause"], document["enforced"]) == ("hold", "error", True)
    assert document["model"]["uri"] == "models:/alpha/1"
    assert document["evaluated_at"] == document["valid_until"] == "2026-11-22T12:00:00Z"
    assert [finding["reason"] for finding in document["findings"]] == [
        "the stored verdict was changed after it was stored: its digest does not match"
    ]
    (told,) = caplog.messages
    assert told.endswith(": verdict v-1 was changed after it was stored (its digest does not match)")
    with pytest.raises(DamagedError):
        store.find("v-1")


@pytest.mark.parametrize("when", ["today", "2026-11-22T12:00:00", ""])
def test_a_damaged_verdict_whose_time_nobody_can_read_is_old(store, save, edit, when):
    save()
    edit("UPDATE verdicts SET document = '', evaluated_at = :at, trigger = 'moon'", at=when)
    (damaged,) = store.standings()
    assert damaged.document["evaluated_at"] == "1970-01-01T00:00:00Z"
    assert damaged.trigger is Trigger.API


def test_a_digest_that_was_right_is_not_computed_again(store, save, monkeypatch):
    _, document = save()
    assert store.find("11111111-aaaa") == document
    monkeypatch.setattr("gate.store.documents.digest_of", lambda _: pytest.fail("computed again"))
    assert store.standings()[0].document == store.find("11111111-aaaa") == document


def test_standings_are_read_once_and_again_when_memory_is_short(store, save, monkeypatch):
    documents = [save(f"v-{name}", model=model(name))[1] for name in "abc"]
    monkeypatch.setattr("gate.store.documents._MOST_CHARACTERS", 2 * len(json.dumps(documents[0])) + 9)
    read, honest = [], store._documents.read
    monkeypatch.setattr(store._documents, "read", lambda row: read.append(row.id) or honest(row))
    for _ in range(2):
        assert [standing.document for standing in store.standings()] == documents
    assert read[:3] == ["v-a", "v-b", "v-c"]
    assert 0 < len(read[3:]) < 4
    assert len(store._documents._kept) == 2
    monkeypatch.setattr("gate.store.documents._MOST_CHARACTERS", 10**9)
    store.standings()
    read.clear()
    assert [standing.document for standing in store.standings()] == documents
    assert read == []


# --- ids -------------------------------------------------------------------------------------------------------------


def test_the_beginning_of_an_id_means_its_case_too(store, save):
    save("abcd-1")
    assert store.find("abcd")["id"] == "abcd-1"
    assert store.find("ABCD") is None
    assert store.find("abc_") is None
    assert store.find("abcd\0") is None
    assert store.find("\ud800" * 5) is None


def test_the_evaluation_of_a_verdict_is_known(store, save, running):
    save("v-1", evaluation=running())
    save("v-2")
    assert (store.evaluation_of("v-1"), store.evaluation_of("v-2"), store.evaluation_of("v-3")) == ("e-1", None, None)


# --- counts ----------------------------------------------------------------------------------------------------------


def test_the_backlog_counts_what_waits_and_since_when(gate, new_evaluation):
    assert gate.verdicts.backlog().counts == {State.QUEUED: 0, State.RUNNING: 0}
    assert gate.verdicts.backlog().oldest_queued is None
    for number in range(5):
        gate.evaluations.accept(new_evaluation(f"e-{number}", created_at=NOW - timedelta(minutes=number)))
    gate.evaluations.start("e-4", "w", NOW, NOW)
    gate.evaluations.end("e-3", State.ERROR, NOW)
    backlog = gate.verdicts.backlog()
    assert backlog.counts == {State.QUEUED: 3, State.RUNNING: 1}
    assert backlog.oldest_queued == NOW - timedelta(minutes=2)


def test_totals_of_nothing_are_nothing(store):
    assert store.totals() == {}


# --- aliases ---------------------------------------------------------------------------------------------------------


def test_an_alias_is_remembered_as_it_was_last_seen(store):
    first = Served("bike", "champion", "1", "bike.yaml", "pilot", NOW)
    gone = Served("bike", "champion", None, "bike.yaml", "wave-1", NOW + timedelta(minutes=1))
    other = Served("bike", "challenger", "2", "bike.yaml", "pilot", NOW)
    for seen in (first, other, gone):
        store.see(seen)
    assert store.served() == [other, gone]


def test_an_alias_that_nobody_looks_at_any_more_is_forgotten(store):
    seen = [Served(name, "champion", "1", "p.yaml", "pilot", NOW - timedelta(days=days))
            for name, days in (("a", 8), ("b", 7), ("c", 6), ("d", 0))]  # fmt: skip
    for one in seen:
        store.see(one)
    assert store.forget_served(NOW - timedelta(days=7)) == 1
    assert store.served() == seen[1:]
    assert store.purge(NOW - timedelta(days=5))["served"] == 2
    assert store.served() == seen[3:]


# --- ping ------------------------------------------------------------------------------------------------------------


def test_a_ping_writes(url, gate):
    clock = SimpleNamespace(now=NOW)
    store = SqlVerdictStore(gate.database, clock=lambda: clock.now)
    for minutes in (0, 1):
        clock.now = NOW + timedelta(minutes=minutes)
        store.ping()
    with gate.database.reading() as connection:
        rows = connection.exec_driver_sql("SELECT id, at FROM pulse").all()
    assert [tuple(row) for row in rows] == [(1, "2026-11-22T12:01:00.000000Z")]


def test_a_document_of_an_error_is_read_back_too(store, save):
    _, document = save(cause=Cause.ERROR, attempt=0)
    assert digest_of(store.find("11111111-aaaa")) == document["digest"]
