"""Evaluations: each change of state happens once, and each event has its number."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gate.domain.evaluation import ClientPolicy, Event, State, Submission, Trigger, Trouble
from gate.errors import DamagedError, StoreError, UsageError
from gate.flow.ports import Late
from gate.store import cursors

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
LATER = NOW + timedelta(minutes=5)
ODD = "'; DROP TABLE evaluations; -- \"鬱\x00\ud800"


def test_what_was_accepted_comes_back_as_it_was(evaluations, new_evaluation):
    wanted = new_evaluation(
        submission=Submission(
            "models:/bike/2", "pilot", ODD, ODD, False, ClientPolicy(ODD, "policy: gate/v1\n" * 999), Trigger.CI
        ),
        created_at=NOW.replace(microsecond=1),
        retry_of="e-0",
    )
    assert evaluations.accept(wanted) is None
    assert evaluations.get("e-1") == wanted
    assert evaluations.events("e-1") == [Event(1, wanted.created_at, "queued", {})]


def test_times_of_other_zones_come_back_as_the_same_moment(evaluations, new_evaluation):
    there = datetime(2026, 11, 22, 3, 30, tzinfo=timezone(timedelta(hours=-8, minutes=-30)))
    evaluations.accept(new_evaluation(created_at=there))
    assert evaluations.get("e-1").created_at == NOW


def test_an_id_is_accepted_once_and_the_first_one_stays(evaluations, new_evaluation):
    first, second = new_evaluation(), new_evaluation(key="other", submission=Submission("models:/bike/3"))
    assert evaluations.accept(first) is None
    assert evaluations.accept(second) == first
    assert evaluations.get("e-1") == first
    assert len(evaluations.events("e-1")) == 1


def test_of_many_that_accept_the_same_id_at_once_one_is_first(evaluations, new_evaluation):
    wanted = [new_evaluation(key=str(number)) for number in range(16)]
    evaluations.open_ids()
    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(evaluations.accept, wanted))
    assert answers.count(None) == 1
    winner = wanted[answers.index(None)]
    assert {answer.key for answer in answers if answer} == {winner.key}
    assert len(evaluations.events("e-1")) == 1


def test_an_unknown_id_is_none(evaluations, running):
    running()
    for name in ("e-2", "", "E-1", "e-1\0", "\ud800"):
        assert evaluations.get(name) is None
        assert evaluations.events(name) == []


@pytest.mark.parametrize("name", ["id", "principal", "key", "model_name"])
@pytest.mark.parametrize("text", ["a\0b", "\ud800"])
def test_text_that_no_database_takes_is_refused_in_words(evaluations, new_evaluation, name, text):
    with pytest.raises(StoreError) as raised:
        evaluations.accept(new_evaluation(**{name: text}))
    assert str(raised.value) == f"{name}: text with a NUL character or half a surrogate pair cannot be stored"
    assert evaluations.open_ids() == []


# --- start -----------------------------------------------------------------------------------------------------------


def test_work_begins_and_begins_again(evaluations, new_evaluation):
    evaluations.accept(new_evaluation())
    first = evaluations.start("e-1", "worker-1", NOW, LATER)
    assert first == replace(
        new_evaluation(), state=State.RUNNING, started_at=NOW, expires_at=LATER, tries=1, worker="worker-1"
    )
    second = evaluations.start("e-1", "worker-2", LATER, LATER + timedelta(hours=1))
    assert (second.started_at, second.tries, second.worker) == (NOW, 2, "worker-2")
    assert evaluations.get("e-1") == second
    assert [(event.kind, event.at, event.data) for event in evaluations.events("e-1")[1:]] == [
        ("started", NOW, {"tries": 1, "worker": "worker-1"}),
        ("started", LATER, {"tries": 2, "worker": "worker-2"}),
    ]


@pytest.mark.parametrize("state", [State.ERROR, State.CANCELLED])
def test_what_is_over_does_not_begin_again(evaluations, running, state):
    running()
    assert evaluations.end("e-1", state, LATER)
    assert evaluations.start("e-1", "worker-1", LATER, LATER) is None
    assert evaluations.get("e-1").tries == 1
    assert evaluations.events("e-1")[-1].kind == state


def test_what_was_never_accepted_does_not_begin(evaluations):
    assert evaluations.start("e-1", "worker-1", NOW, LATER) is None


# --- end -------------------------------------------------------------------------------------------------------------


def test_an_end_says_when_and_why(evaluations, running):
    trouble = Trouble("policy-error", ODD, 2, (ODD, "b.yaml:3: no"))
    running()
    assert evaluations.end("e-1", State.ERROR, LATER, trouble)
    found = evaluations.get("e-1")
    assert (found.state, found.finished_at, found.trouble) == (State.ERROR, LATER, trouble)
    assert evaluations.events("e-1", after=2) == [
        Event(3, LATER, "error",
              {"kind": "policy-error", "detail": ODD, "exit_code": 2, "problems": [ODD, "b.yaml:3: no"]})
    ]  # fmt: skip


def test_a_queued_one_can_be_cancelled(evaluations, new_evaluation):
    evaluations.accept(new_evaluation())
    assert evaluations.end("e-1", State.CANCELLED, LATER)
    assert (evaluations.get("e-1").state, evaluations.get("e-1").started_at) == (State.CANCELLED, None)


def test_nothing_ends_twice(evaluations, running):
    running()
    assert evaluations.end("e-1", State.CANCELLED, NOW)
    assert not evaluations.end("e-1", State.ERROR, LATER, Trouble("a", "b"))
    assert not evaluations.end("e-2", State.ERROR, LATER)
    found = evaluations.get("e-1")
    assert (found.state, found.finished_at, found.trouble) == (State.CANCELLED, NOW, None)
    assert [event.kind for event in evaluations.events("e-1")] == ["queued", "started", "cancelled"]


def test_of_many_that_end_it_at_once_one_does(evaluations, running):
    running()
    states = [State.ERROR, State.CANCELLED] * 8
    with ThreadPoolExecutor(16) as pool:
        ended = list(pool.map(lambda state: evaluations.end("e-1", state, NOW), states))
    assert ended.count(True) == 1
    assert evaluations.get("e-1").state == states[ended.index(True)]
    assert len(evaluations.events("e-1")) == 3


def test_what_began_again_since_it_was_looked_at_is_not_ended_for_its_earlier_time(evaluations, running):
    running()
    seen = evaluations.overdue(NOW + timedelta(hours=2))[0].expires_at
    evaluations.start("e-1", "worker-2", LATER, NOW + timedelta(hours=3))
    assert not evaluations.end("e-1", State.ERROR, LATER, expires_at=seen)
    assert evaluations.get("e-1").state is State.RUNNING
    assert evaluations.end("e-1", State.ERROR, LATER, expires_at=NOW + timedelta(hours=3))


@pytest.mark.parametrize("state", [State.QUEUED, State.RUNNING, State.DONE])
def test_without_a_verdict_it_is_never_done(evaluations, running, state):
    running()
    with pytest.raises(ValueError, match="an evaluation without a verdict ends as error or cancelled"):
        evaluations.end("e-1", state, NOW)
    assert evaluations.get("e-1").state is State.RUNNING


# --- events ----------------------------------------------------------------------------------------------------------


def test_events_count_from_1_within_each_evaluation(evaluations, running):
    for name in ("e-1", "e-2"):
        running(name)
    evaluations.note("e-1", "phase", {"name": "data", "detail": ODD}, NOW)
    evaluations.note("e-2", "rows", {"scanned": 2**53}, NOW)
    evaluations.note("e-1", "rows", {"scanned": 0}, LATER)
    assert evaluations.events("e-1", after=2) == [
        Event(3, NOW, "phase", {"name": "data", "detail": ODD}),
        Event(4, LATER, "rows", {"scanned": 0}),
    ]
    assert evaluations.events("e-2", after=2) == [Event(3, NOW, "rows", {"scanned": 2**53})]
    assert evaluations.events("e-1", after=4) == []


def test_events_of_many_threads_have_no_gap_and_no_number_twice(evaluations, running):
    running()
    with ThreadPoolExecutor(16) as pool:
        list(pool.map(lambda number: evaluations.note("e-1", "rows", {"scanned": number}, NOW), range(64)))
    found = evaluations.events("e-1")
    assert [event.sequence for event in found] == list(range(1, 67))
    assert sorted(event.data["scanned"] for event in found[2:]) == list(range(64))


def test_the_newest_event_of_a_kind_is_found_among_others(evaluations, running):
    made = running()
    assert evaluations.newest_event(made, "phase") is None
    for kind, data in (("phase", {"name": "a"}), ("phase", {"name": "b"}), ("rows", {"scanned": 1})):
        evaluations.note(made, kind, data, NOW)
    found = evaluations.newest_event(made, "phase")
    assert (found.kind, found.data) == ("phase", {"name": "b"})
    assert evaluations.newest_event("nobody", "phase") is evaluations.newest_event("\0", "phase") is None


def test_nothing_is_noted_after_the_end(evaluations, running):
    running()
    evaluations.end("e-1", State.CANCELLED, NOW)
    evaluations.note("e-1", "phase", {"name": "data"}, LATER)
    evaluations.note("e-2", "phase", {"name": "data"}, LATER)
    assert evaluations.events("e-1")[-1].kind == "cancelled"
    assert evaluations.events("e-2") == []


@pytest.mark.parametrize("data", [{"a": float("nan")}, {"a": object()}])
def test_an_event_that_is_not_json_is_refused(evaluations, running, data):
    running()
    with pytest.raises(StoreError, match="not JSON, so it cannot be stored"):
        evaluations.note("e-1", "phase", data, NOW)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("UPDATE evaluations SET submission = '{'", "evaluation e-1: its record was changed, and cannot be read"),
        ("UPDATE evaluations SET submission = '{}'", "evaluation e-1: its record was changed, and cannot be read"),
        ("UPDATE evaluations SET state = 'promoted'", "evaluation e-1: its record was changed, and cannot be read"),
        ("UPDATE evaluations SET created_at = 'today'", "evaluation e-1: its record was changed, and cannot be read"),
        ("UPDATE events SET data = '{'", "evaluation e-1: event 1 was changed, and cannot be read"),
    ],
)
def test_a_record_that_somebody_changed_is_damage(evaluations, running, edit, change, said):
    running()
    edit(change)
    with pytest.raises(DamagedError) as raised:
        (evaluations.events if "event 1" in said else evaluations.get)("e-1")
    assert str(raised.value) == said


# --- rows that somebody changed, or that another release wrote -------------------------------------------------------


def test_what_a_newer_release_wrote_beside_is_left_aside(evaluations, new_evaluation, edit):
    """While servers are renewed one by one, older ones read what newer ones accepted."""
    wanted = new_evaluation(submission=Submission("models:/bike/2", policy=ClientPolicy("p.yaml", "policy: gate/v1")))
    evaluations.accept(wanted)
    edit("""UPDATE evaluations SET submission = replace(submission, '{"', '{"newer": 1, "')""")
    edit("""UPDATE evaluations SET trouble = '{"kind": "a", "detail": "b", "problems": [], "newer": 1}'""")
    assert evaluations.get("e-1") == replace(wanted, trouble=Trouble("a", "b"))


@pytest.mark.parametrize("change", ["submission = '{'", "created_at = 'today'", "trouble = '{}'"])
def test_one_that_nobody_can_read_hides_no_other_and_can_be_ended(evaluations, running, edit, change):
    for name in ("e-1", "e-2"):
        running(name)
    edit(f"UPDATE evaluations SET {change} WHERE id = 'e-1'")
    late = evaluations.overdue(NOW + timedelta(days=1))
    assert late == [Late(name, "bike", State.RUNNING, "worker-1", NOW + timedelta(hours=1)) for name in ("e-1", "e-2")]
    assert evaluations.open_ids() == [("e-1", "bike"), ("e-2", "bike")]
    assert evaluations.end("e-1", State.ERROR, LATER, Trouble("a", "b"), expires_at=late[0].expires_at)
    assert evaluations.open_ids() == [("e-2", "bike")]


def test_a_time_that_nobody_can_read_is_told_and_keeps_no_other_from_its_end(evaluations, running, edit, caplog):
    for name in ("e-1", "e-2"):
        running(name)
    edit("UPDATE evaluations SET expires_at = '1' WHERE id = 'e-1'")
    assert [late.id for late in evaluations.overdue(NOW + timedelta(days=1))] == ["e-2"]
    assert caplog.messages == ["evaluation e-1: its time was changed, and cannot be read; delete its row"]


# --- lists -----------------------------------------------------------------------------------------------------------


def test_what_is_not_over_is_listed_oldest_first(evaluations, new_evaluation):
    for number in range(5):
        evaluations.accept(new_evaluation(f"e-{number}", created_at=NOW - timedelta(hours=number)))
    evaluations.start("e-1", "w", NOW, LATER)
    evaluations.end("e-2", State.CANCELLED, NOW)
    assert evaluations.open_ids() == [(f"e-{number}", "bike") for number in (0, 1, 3, 4)]


def test_overdue_is_what_waits_or_runs_past_its_time(evaluations, new_evaluation):
    for number, minutes in enumerate((-1, 0, 1)):
        for state in (State.QUEUED, State.RUNNING, State.ERROR):
            name = f"{state}{number}"
            evaluations.accept(new_evaluation(name, expires_at=NOW + timedelta(minutes=minutes)))
            if state is not State.QUEUED:
                evaluations.start(name, "w", NOW, NOW + timedelta(minutes=minutes))
            if state is State.ERROR:
                evaluations.end(name, State.ERROR, NOW)
    assert [each.id for each in evaluations.overdue(NOW)] == ["queued0", "running0", "queued1", "running1"]
    assert evaluations.overdue(NOW - timedelta(hours=1)) == []


def test_pages_are_newest_first_and_stay_while_others_are_added(evaluations, new_evaluation):
    for number in range(5):
        evaluations.accept(new_evaluation(f"e-{number}"))
    first, cursor = evaluations.page(limit=2)
    evaluations.accept(new_evaluation("e-new"))
    second, cursor = evaluations.page(limit=2, before=cursor)
    third, last = evaluations.page(limit=2, before=cursor)
    assert [each.id for page in (first, second, third) for each in page] == ["e-4", "e-3", "e-2", "e-1", "e-0"]
    assert last is None
    assert evaluations.page(limit=6)[1] is None
    assert evaluations.page(limit=5)[1] is not None


def test_pages_are_of_a_model_and_of_states(evaluations, new_evaluation):
    for number, model in enumerate(("bike", "income", "bike", "Bike")):
        evaluations.accept(new_evaluation(f"e-{number}", model_name=model))
    evaluations.start("e-0", "w", NOW, LATER)

    def ids(**wanted) -> list[str]:
        return [each.id for each in evaluations.page(**wanted)[0]]

    assert ids(model_name="bike") == ["e-2", "e-0"]
    assert ids(model_name="bike", states=[State.RUNNING]) == ["e-0"]
    assert ids(states=[State.RUNNING, State.QUEUED]) == ["e-3", "e-2", "e-1", "e-0"]
    assert ids(states=[State.DONE]) == []
    assert ids(model_name="bi%") == ids(model_name="bike\0") == []


@pytest.mark.parametrize(
    "cursor", ["", "x", "1", "\0", "ü", "a" * 99, cursors.write("verdict", 3), "ZXZhbHVhdGlvbi4z="]
)
def test_a_cursor_of_somebody_else_is_a_usage_error(evaluations, cursor):
    with pytest.raises(UsageError) as raised:
        evaluations.page(before=cursor)
    shown = cursor if len(cursor) < 41 else cursor[:40] + "..."
    assert str(raised.value) == f"before: {shown!r} is no cursor of this list; use a page's `next`, or leave it out"


@given(st.integers(0, 2**31 - 1))
def test_a_cursor_is_read_as_it_was_written(sequence):
    assert cursors.read("evaluation", cursors.write("evaluation", sequence)) == sequence


@given(st.text())
def test_whatever_is_no_cursor_is_a_usage_error(text):
    try:
        sequence = cursors.read("evaluation", text)
    except UsageError:
        return
    assert cursors.write("evaluation", sequence) == text
