from datetime import timedelta

import pytest

from gate.domain.evaluation import Served, State, Submission, Trigger, Trouble
from gate.errors import CandidateError, DamagedError, RegistryError
from gate.flow.care import Care, carefully

DAY = timedelta(days=1)
MINUTE = timedelta(minutes=1)


class Registry:
    """Which models there are, which version serves, and the tags of it."""

    def __init__(self, **served):
        self.versions = served
        self.tags = {}

    def matching(self, globs):
        return [name for name in self.versions if any(name.startswith(glob.rstrip("*")) for glob in globs)]

    def served(self, name, alias):
        assert alias == "champion"
        version = self.versions[name]
        if isinstance(version, Exception):
            raise version
        return None if version is None else (version, self.tags.get(name, {}))


@pytest.fixture
def told():
    return {"swept": [], "failed": []}


@pytest.fixture
def care(desk, store, line, shelf, told):
    return Care(
        desk, store.evaluations, store.verdicts, line, shelf, Registry(toy="3", **{"toy-two": None}, other="1"),
        timedelta(days=30), told["swept"].append, told["failed"].append,
    )  # fmt: skip


@pytest.fixture
def write(policies, shelf, now):
    """Write policies by name, and have the shelf take them."""

    def write(**texts):
        for name, text in texts.items():
            (policies / f"{name}.yaml").write_text(text)
        shelf.refresh(now)
        assert shelf.status().ok, shelf.status().problems

    return write


@pytest.fixture
def daily(policies, write):
    write(toy=(policies / "toy.yaml").read_text() + "evaluate: {every: 1d}\n")


def submit(desk, now, key="k"):
    return desk.submit(Submission("models:/toy/1"), principal="anonymous", key=key, now=now)[0]


def unfinished(store):
    return [store.evaluations.get(name) for name, _ in store.evaluations.open_ids()]


def serving(store):
    return {(each.model_name, each.version) for each in store.verdicts.served()}


# --- sweep ------------------------------------------------------------------------------------------------------------


def test_what_nobody_began_in_time_is_swept_up(care, desk, store, line, told, now):
    evaluation = submit(desk, now)
    assert care.sweep(now + 59 * MINUTE) == 0
    assert store.evaluations.get(evaluation.id).state is State.QUEUED
    assert care.sweep(now + 61 * MINUTE) == 1
    ended = store.evaluations.get(evaluation.id)
    assert (ended.state, ended.trouble.kind, ended.trouble.detail, ended.trouble.exit_code) == (
        State.ERROR, "never-begun", "nobody began to work on it in time; is a worker running?", 4,
    )  # fmt: skip
    assert line.cancelled == [evaluation.id]
    assert care.sweep(now + 61 * MINUTE) == 0
    assert told["swept"] == [0, 1, 0]


def test_work_past_its_deadline_is_swept_up_once_no_clock_could_think_otherwise(care, desk, store, line, now):
    evaluation = submit(desk, now)
    store.evaluations.start(evaluation.id, "w1", now, now + 5 * MINUTE)
    assert care.sweep(now + 5.9 * MINUTE) == 0
    assert care.sweep(now + 6 * MINUTE) == 1
    assert store.evaluations.get(evaluation.id).trouble.detail == (
        "worker w1 did not end it in time, and did not say why"
    )
    assert line.cancelled == [evaluation.id]


def test_work_that_began_again_meanwhile_is_left_alone(care, desk, store, line, now, monkeypatch):
    evaluation = submit(desk, now)
    late = store.evaluations.overdue(now + 61 * MINUTE)
    store.evaluations.start(evaluation.id, "w1", now, now + 90 * MINUTE)
    monkeypatch.setattr(type(store.evaluations), "overdue", lambda *_: late)
    assert care.sweep(now + 61 * MINUTE) == 0
    assert store.evaluations.get(evaluation.id).state is State.RUNNING
    assert line.cancelled == []


def test_what_the_line_gave_up_is_swept_up(care, desk, store, line, now):
    evaluation = submit(desk, now)
    store.evaluations.start(evaluation.id, "w1", now, now + 5 * MINUTE)
    line.given_up.append(evaluation.id)
    assert care.sweep(now) == 1
    assert store.evaluations.get(evaluation.id).trouble.kind == "abandoned"
    assert line.cancelled == [evaluation.id]
    assert care.sweep(now) == 0


# --- reconcile --------------------------------------------------------------------------------------------------------


def test_what_is_recorded_and_not_in_line_is_put_there(care, desk, line, now):
    kept, lost, over = (submit(desk, now, key) for key in "abc")
    desk.cancel(over.id, now)
    line.lost = {lost.id, over.id}
    assert care.reconcile(now) == 1
    assert line.submitted[-1] == (lost.id, "toy")
    assert kept.id in line.known([kept.id])
    assert care.reconcile(now) == 0


def test_what_a_worker_that_never_came_back_holds_is_released_once_the_record_says_it_is_over(
    care, desk, store, line, now
):  # fmt: skip
    over, running = submit(desk, now, "a"), submit(desk, now, "b")
    for one in (over, running):
        store.evaluations.start(one.id, "w1", now, now + DAY)
    store.evaluations.end(over.id, State.ERROR, now, Trouble("data-unreadable", "gone"))
    line.taken = [over.id, running.id, "purged"]
    assert care.reconcile(now + 0.5 * MINUTE) == 1
    assert line.cancelled == ["purged"]
    line.taken.remove("purged")
    assert care.reconcile(now + 2 * MINUTE) == 1
    assert line.cancelled == ["purged", over.id]
    assert store.evaluations.get(running.id).state is State.RUNNING


def test_what_cannot_be_read_is_released_once_it_is_not_open(care, desk, store, line, now, monkeypatch):
    opened, over = submit(desk, now, "a"), submit(desk, now, "b")
    desk.cancel(over.id, now)
    line.cancelled.clear()
    line.taken = [opened.id, over.id]

    def damaged(*_):
        raise DamagedError("a row")

    monkeypatch.setattr(type(store.evaluations), "get", damaged)
    assert care.reconcile(now) == 1
    assert line.cancelled == [over.id]


def test_what_was_taken_from_the_line_and_never_begun_is_ended(care, desk, store, line, now):
    evaluation = submit(desk, now)
    line.taken = [evaluation.id]
    assert care.reconcile(now) == 0
    assert care.reconcile(now + 9 * MINUTE) == 0
    assert care.reconcile(now + 11 * MINUTE) == 1
    assert store.evaluations.get(evaluation.id).trouble.detail == "a worker took it from the line and never began"
    assert line.cancelled == [evaluation.id]


# --- watch ------------------------------------------------------------------------------------------------------------


def test_the_versions_that_serve_are_looked_up_for_the_models_of_the_policies(care, store, now):
    assert care.watch(now) == 2
    assert serving(store) == {("toy", "3")}


def test_an_alias_that_moves_is_seen_to_move_and_one_that_is_gone_is_forgotten(care, store, now):
    care.watch(now)
    care.aliases.versions["toy"] = "4"
    care.watch(now + MINUTE)
    assert serving(store) == {("toy", "4")}
    care.aliases.versions["toy"] = None
    care.watch(now + 10 * MINUTE)
    assert serving(store) == {("toy", "4")}
    care.watch(now + 12 * MINUTE)
    assert serving(store) == set()


def test_one_model_that_cannot_be_looked_up_keeps_no_other_from_it(care, store, told, now):
    care.aliases.versions |= {"toy-a": CandidateError("gone"), "toy-b": ZeroDivisionError(), "toy-c": "7"}
    assert care.watch(now) == 3
    assert serving(store) == {("toy", "3"), ("toy-c", "7")}
    assert told["failed"] == ["watch", "watch"]


def test_what_was_seen_earlier_is_remembered_while_the_registry_is_away(care, store, told, now, monkeypatch):
    care.watch(now)
    care.aliases.versions["toy"] = RegistryError("registry: away")
    care.watch(now + MINUTE)
    assert serving(store) == {("toy", "3")}
    assert told["failed"] == ["watch"]


def test_the_policy_that_applies_by_its_tags_is_the_one_that_counts(care, store, policies, write, now):
    toy = (policies / "toy.yaml").read_text()
    write(
        all=toy.replace("name: toy", "name: all").replace('models: ["toy*"]', 'models: ["*"], tags: {live: yes-sir}'),
        toy=toy + "evaluate: {every: 1d}\n",
    )  # fmt: skip
    care.watch(now)
    assert {(each.model_name, each.policy) for each in store.verdicts.served()} == {("toy", f"{policies}/toy.yaml")}
    care.aliases.tags["other"] = {"live": "yes-sir"}
    care.watch(now)
    assert ("other", f"{policies}/all.yaml") in {(each.model_name, each.policy) for each in store.verdicts.served()}


# --- schedule ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def judged(store, now):
    """Pretend that verdicts on the served version were stored: their fields that count, newest first."""
    documents = []

    def page(**wanted):
        assert wanted["version"] == "3"
        return documents, None

    def add(at, **changed):
        document = {"evaluated_at": at.isoformat(), "enforced": True, "data": {"overridden": False}, "cause": None}
        documents.insert(0, document | changed)

    store.verdicts.page = page
    return add


@pytest.mark.usefixtures("daily")
def test_what_serves_is_asked_about_once_however_often_the_clock_is_read(care, store, now):
    care.watch(now)
    assert care.schedule(now) == 1
    assert care.schedule(now + MINUTE) == 0
    [asked] = unfinished(store)
    assert (asked.submission.model, asked.submission.trigger, asked.principal) == (
        "models:/toy/3", Trigger.SCHEDULE, "schedule",
    )  # fmt: skip
    assert care.schedule(now + 3 * DAY) == 0  # nobody has worked on the first one yet


@pytest.mark.usefixtures("daily")
def test_it_is_asked_again_a_span_after_the_last_decision(care, desk, store, judged, now):
    care.watch(now)
    assert care.schedule(now) == 1
    [asked] = unfinished(store)
    store.evaluations.end(asked.id, State.ERROR, now + MINUTE, Trouble("x", "y"))  # stands for done: it is over
    judged(now + MINUTE)
    assert care.schedule(now + DAY) == 0
    assert care.schedule(now + DAY + MINUTE) == 1


@pytest.mark.usefixtures("daily")
@pytest.mark.parametrize(
    "no_answer", [{"enforced": False}, {"data": {"overridden": True}}, {"cause": "error"}], ids=str
)
def test_a_verdict_that_is_no_judgement_under_the_policy_keeps_nothing_from_being_asked(care, judged, now, no_answer):
    care.watch(now)
    judged(now - MINUTE, **no_answer)
    assert care.schedule(now) == 1


@pytest.mark.usefixtures("daily")
@pytest.mark.parametrize("state", [State.ERROR, State.CANCELLED])
def test_what_ended_without_an_answer_is_asked_again_after_growing_pauses(care, store, now, state):
    care.watch(now)
    moment = now
    for pause in (15, 30, 60, 120):
        assert care.schedule(moment) == 1
        [asked] = unfinished(store)
        store.evaluations.end(asked.id, state, moment, Trouble("registry-unreachable", "away"))
        assert care.schedule(moment + (pause - 1) * MINUTE) == 0
        moment += pause * MINUTE
    assert care.schedule(moment) == 1


@pytest.mark.usefixtures("daily")
def test_a_model_that_cannot_be_asked_about_keeps_no_other_from_it(care, store, told, policies, now):
    for name in ("toy@odd", "toy-b"):
        store.verdicts.see(Served(name, "champion", "1", f"{policies}/toy.yaml", "pilot", now))
    assert care.schedule(now) == 1
    assert [asked.model_name for asked in unfinished(store)] == ["toy-b"]
    assert told["failed"] == ["schedule"]


def test_without_a_schedule_nothing_is_asked(care, store, now):
    care.watch(now)
    assert care.schedule(now) == 0
    assert not unfinished(store)


def test_a_task_that_fails_is_logged_and_counted_and_does_not_end_the_others(caplog):
    def broken():
        raise ZeroDivisionError

    failed = []
    assert carefully(broken, "sweep", failed.append) is None
    assert (caplog.messages, failed) == (["sweep failed"], ["sweep"])
