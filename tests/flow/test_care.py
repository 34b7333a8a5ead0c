from datetime import timedelta

import pytest

from gate.domain.evaluation import State, Submission, Trigger
from gate.errors import RegistryError
from gate.flow.care import Care, carefully


class Registry:
    """Which models there are, and which version serves."""

    def __init__(self, **served):
        self.versions = served

    def matching(self, globs):
        return [name for name in self.versions if any(name.startswith(glob.rstrip("*")) for glob in globs)]

    def served(self, name, alias):
        assert alias == "champion"
        return self.versions[name]


@pytest.fixture
def swept():
    return []


@pytest.fixture
def care(desk, store, line, shelf, swept):
    return Care(
        desk, store.evaluations, store.verdicts, line, shelf, Registry(toy="3", **{"toy-two": None}, other="1"),
        timedelta(days=30), swept.append,
    )  # fmt: skip


@pytest.fixture
def daily(policies, shelf, now):
    (policies / "toy.yaml").write_text((policies / "toy.yaml").read_text() + "evaluate: {every: 1d}\n")
    shelf.refresh(now)


def submit(desk, now, key="k"):
    return desk.submit(Submission("models:/toy/1"), principal="anonymous", key=key, now=now)[0]


def test_what_nobody_began_in_time_is_swept_up(care, desk, store, line, swept, now):
    evaluation = submit(desk, now)
    assert care.sweep(now + timedelta(minutes=59)) == 0
    assert store.evaluations.get(evaluation.id).state is State.QUEUED
    assert care.sweep(now + timedelta(minutes=61)) == 1
    ended = store.evaluations.get(evaluation.id)
    assert (ended.state, ended.trouble.kind, ended.trouble.detail, ended.trouble.exit_code) == (
        State.ERROR, "never-begun", "nobody began to work on it in time; is a worker running?", 4,
    )  # fmt: skip
    assert line.cancelled == [evaluation.id]
    assert care.sweep(now + timedelta(minutes=61)) == 0
    assert swept == [0, 1, 0]


def test_work_past_its_deadline_is_swept_up_and_frees_the_line(care, desk, store, line, now):
    evaluation = submit(desk, now)
    store.evaluations.start(evaluation.id, "w1", now, now + timedelta(minutes=5))
    assert care.sweep(now + timedelta(minutes=6)) == 1
    assert store.evaluations.get(evaluation.id).trouble.detail == (
        "worker w1 did not end it in time, and did not say why"
    )
    assert line.cancelled == [evaluation.id]


def test_what_the_line_gave_up_is_swept_up(care, desk, store, line, now):
    evaluation = submit(desk, now)
    store.evaluations.start(evaluation.id, "w1", now, now + timedelta(minutes=5))
    line.given_up.append(evaluation.id)
    assert care.sweep(now) == 1
    assert store.evaluations.get(evaluation.id).trouble.kind == "abandoned"
    assert line.cancelled == [evaluation.id]
    assert care.sweep(now) == 0


def test_what_is_recorded_and_not_in_line_is_put_there(care, desk, line, now):
    kept, lost, over = (submit(desk, now, key) for key in "abc")
    desk.cancel(over.id, now)
    line.lost = {lost.id, over.id}
    assert care.reconcile() == 1
    assert line.submitted[-1] == (lost.id, "toy")
    assert kept.id in line.known([kept.id])
    assert care.reconcile() == 0


def test_the_versions_that_serve_are_looked_up_for_the_models_of_the_policies(care, store, now):
    assert care.watch(now) == 2
    assert {(each.model_name, each.alias, each.version, each.seen_at) for each in store.verdicts.served()} == {
        ("toy", "champion", "3", now),
        ("toy-two", "champion", None, now),
    }


def test_an_alias_that_moves_is_seen_to_move(care, store, now):
    care.watch(now)
    care.aliases.versions["toy"] = "4"
    care.watch(now + timedelta(minutes=1))
    assert [each.version for each in store.verdicts.served() if each.model_name == "toy"] == ["4"]


@pytest.mark.usefixtures("daily")
def test_what_serves_is_asked_about_once_in_each_span_however_often_the_clock_is_read(care, desk, store, now):
    care.watch(now)
    assert care.schedule(now) == 1
    assert care.schedule(now + timedelta(minutes=1)) == 0
    [asked] = store.evaluations.unfinished()
    assert (asked.submission.model, asked.submission.trigger, asked.principal) == (
        "models:/toy/3", Trigger.SCHEDULE, "schedule",
    )  # fmt: skip
    assert care.schedule(now + timedelta(days=1)) == 1
    assert care.schedule(now + timedelta(days=1, minutes=1)) == 0


def test_without_a_schedule_nothing_is_asked(care, store, now):
    care.watch(now)
    assert care.schedule(now) == 0
    assert not store.evaluations.unfinished()


@pytest.mark.usefixtures("daily")
def test_a_registry_that_is_away_keeps_what_was_seen(care, store, now, monkeypatch):
    care.watch(now)

    def away(_globs):
        raise RegistryError("registry: away")

    monkeypatch.setattr(care.aliases, "matching", away)
    carefully(lambda: care.watch(now), "watch aliases")
    assert [each.version for each in store.verdicts.served() if each.model_name == "toy"] == ["3"]
    assert care.schedule(now) == 1


def test_a_task_that_fails_is_logged_and_does_not_end_the_others(caplog):
    def broken():
        raise ZeroDivisionError

    carefully(broken, "sweep")
    assert caplog.messages == ["sweep failed"]
