from dataclasses import dataclass, field
from datetime import timedelta

import pytest

from gate.domain.evaluation import State, Submission
from gate.errors import (
    CandidateError,
    DataError,
    DataRefusedError,
    EvidenceError,
    PolicyError,
    Problem,
    RegistryError,
    StoreError,
    SupersededError,
    UsageError,
)
from gate.flow.work import Work, WorkCrashedError, WorkDiedError, WorkLateError, WorkStoppedError

ANSWER = {"verdict_id": "v", "decision": "hold", "cause": "failed", "findings": [], "phases": {"data": 0.1}}


LATE = "no verdict within 60 s; the policy's evaluate.deadline, or GATE_EVALUATION_SECONDS of the server, allows more"

BUG = "something went wrong that gate never expects: this is a bug in gate, and the server's log has its traceback"


@dataclass
class Scripted:
    """A runner that does one thing after the other: raise, or send messages and answer."""

    script: list
    jobs: list = field(default_factory=list)
    stops: list = field(default_factory=list)

    def run(self, job, *, on_message, should_stop):
        self.jobs.append(job)
        step = self.script.pop(0)
        if isinstance(step, Exception):
            raise step
        for message in step:
            on_message(message)
        self.stops.append(should_stop())
        return ANSWER


@dataclass
class Heard:
    """What the observer was told."""

    outcomes: list = field(default_factory=list)
    calls: list = field(default_factory=list)
    running: int = 0
    rows: int = 0

    def begun(self):
        self.running += 1

    def ended(self, evaluation, outcome, seconds, answer):
        self.running -= 1
        self.outcomes.append(outcome)

    def called(self, *call):
        self.calls.append(call)

    def scanned(self, rows):
        self.rows += rows


class Told:
    def __init__(self):
        self.copies = []

    def tell(self, document, url):
        self.copies.append((document, url))


@pytest.fixture
def world(desk, store, shelf, now):
    """A function that submits one evaluation and makes the work that will do it."""

    def make(*script):
        evaluation, _ = desk.submit(Submission("models:/toy/1"), principal="anonymous", key="k", now=now)
        heard = Heard()
        work = Work(
            store.evaluations, store.verdicts, shelf, Scripted(list(script)), Told(), heard, lambda: now, "w1", 60,
            lambda verdict: f"https://gate.example.com/verdicts/{verdict}",
        )  # fmt: skip
        return work, evaluation, heard

    return make


def test_progress_is_recorded_as_it_comes(world, store, caplog):
    work, evaluation, heard = world(
        [
            {"kind": "phase", "name": "registry", "detail": "models:/toy/1"},
            {"kind": "called", "operation": "get_version", "result": "ok", "seconds": 0.1},
            {"kind": "rows", "scanned": 2000},
            {"kind": "log", "logger": "gate.flow.judge", "level": 40, "text": "check psi crashed"},
            {"kind": "nonsense"},
        ]
    )
    work.perform(evaluation.id)
    events = store.evaluations.events(evaluation.id)
    assert [event.kind for event in events] == ["queued", "started", "phase", "rows"]
    assert events[2].data == {"name": "registry", "detail": "models:/toy/1"}
    assert events[3].data == {"scanned": 2000}
    assert heard.calls == [("get_version", "ok", 0.1)]
    assert heard.rows == 2000
    assert [(record.name, record.levelname, record.getMessage(), record.evaluation_id)
            for record in caplog.records if record.levelname == "ERROR"] == [
        ("gate.flow.judge", "ERROR", "check psi crashed", evaluation.id)
    ]  # fmt: skip
    assert (heard.outcomes, heard.running) == (["hold"], 0)


def test_the_job_names_the_evaluation_and_its_policies(world, shelf):
    work, evaluation, _ = world([])
    work.perform(evaluation.id)
    [job] = work.runner.jobs
    assert (job.evaluation_id, job.submission, job.policies) == (evaluation.id, evaluation.submission, shelf.current())


@pytest.mark.parametrize(
    ("wrong", "kind", "exit_code", "detail"),
    [
        (RegistryError("registry: away"), "registry-unreachable", 4, "registry: away"),
        (DataError("now.parquet: no such file"), "data-unreadable", 4, "now.parquet: no such file"),
        (DataRefusedError("now.parquet: outside"), "data-refused", 2, "now.parquet: outside"),
        (EvidenceError("broken"), "evidence-failed", 4, "broken"),
        (CandidateError("no such model"), "candidate-error", 2, "no such model"),
        (UsageError("no policy applies"), "usage-error", 2, "no policy applies"),
        (PolicyError([Problem("p.yaml", 3, "bad")]), "policy-error", 2, "p.yaml:3: bad"),
        (
            WorkLateError("late"), "deadline-exceeded", 4,
            LATE,
        ),
        (WorkCrashedError("KeyError: 'x'"), "internal-error", 4, BUG),
        (ZeroDivisionError("no"), "internal-error", 4, BUG),
    ],
)  # fmt: skip
def test_what_goes_wrong_ends_the_evaluation_in_words(world, store, wrong, kind, exit_code, detail):
    work, evaluation, heard = world(wrong)
    work.perform(evaluation.id)
    ended = store.evaluations.get(evaluation.id)
    assert ended.state is State.ERROR
    assert (ended.trouble.kind, ended.trouble.exit_code, ended.trouble.detail) == (kind, exit_code, detail)
    assert store.evaluations.events(evaluation.id)[-1].kind == "error"
    assert (heard.outcomes, heard.running) == (["refused" if exit_code == 2 else "error"], 0)


def test_a_process_that_is_killed_is_tried_again(world, store):
    work, evaluation, heard = world(WorkDiedError("killed by SIGKILL"), WorkDiedError("killed by SIGKILL"), [])
    work.perform(evaluation.id)
    assert len(work.runner.jobs) == 3
    assert heard.outcomes == ["hold"]


def test_a_process_that_dies_each_time_ends_in_error(world, store):
    work, evaluation, _ = world(*[WorkDiedError("killed by SIGKILL")] * 4)
    work.perform(evaluation.id)
    ended = store.evaluations.get(evaluation.id)
    assert len(work.runner.jobs) == 3
    assert (ended.state, ended.trouble.kind) == (State.ERROR, "process-died")
    assert ended.trouble.detail == (
        "the process that evaluated ended without an answer; the server's log says how. Where memory ran short, "
        "lower GATE_MEMORY_LIMIT"
    )


def test_a_database_that_is_away_is_worth_another_try_and_not_for_ever(world, store):
    work, evaluation, heard = world(*[StoreError("gate.db: locked")] * 3)
    for _ in range(2):
        with pytest.raises(StoreError):
            work.perform(evaluation.id)
        assert store.evaluations.get(evaluation.id).state is State.RUNNING
    work.perform(evaluation.id)
    assert store.evaluations.get(evaluation.id).trouble.kind == "store-unavailable"
    assert (heard.outcomes, heard.running) == (["retried", "retried", "error"], 0)


@pytest.mark.parametrize("gone", [SupersededError("over"), WorkStoppedError("stopped")])
def test_what_was_cancelled_meanwhile_stays_cancelled(world, store, now, gone):
    work, evaluation, heard = world(gone)
    start = store.evaluations.start

    def started_and_cancelled(*words):
        begun = start(*words)
        store.evaluations.end(evaluation.id, State.CANCELLED, now)
        return begun

    object.__setattr__(work, "evaluations", _Instead(store.evaluations, start=started_and_cancelled))
    work.perform(evaluation.id)
    assert store.evaluations.get(evaluation.id).state is State.CANCELLED
    assert heard.outcomes == ["cancelled"]


class _Instead:
    """A record of which one method is another one."""

    def __init__(self, real, **methods):
        self._real, self._methods = real, methods

    def __getattr__(self, name):
        return self._methods.get(name) or getattr(self._real, name)


def test_what_is_over_is_not_worked_on(world, store, now):
    work, evaluation, heard = world()
    store.evaluations.end(evaluation.id, State.CANCELLED, now)
    work.perform(evaluation.id)
    work.perform("unknown")
    assert (work.runner.jobs, heard.outcomes) == ([], [])


def test_the_policy_says_how_long_the_work_may_take(world, store, shelf, policies, now):
    text = (policies / "toy.yaml").read_text()
    (policies / "toy.yaml").write_text(text + "evaluate: {deadline: 10m}\n")
    shelf.refresh(now)
    work, evaluation, _ = world([])
    work.perform(evaluation.id)
    assert work.runner.jobs[0].seconds == 600
    assert store.evaluations.get(evaluation.id).expires_at == now + timedelta(seconds=605)


def test_nothing_is_told_without_a_verdict(world):
    work, evaluation, _ = world()
    work.tell(evaluation.id)
    work.tell("unknown")
    assert work.notices.copies == []


def test_how_an_evaluation_went_is_one_line_in_the_log(world, caplog):
    caplog.set_level("INFO")
    work, evaluation, _ = world(DataError("now.parquet: no such file"))
    work.perform(evaluation.id)
    said = [record for record in caplog.records if record.name == "gate.flow.work"]
    assert [record.getMessage() for record in said] == [
        "work begins on models:/toy/1",
        "models:/toy/1 ends as error: now.parquet: no such file",
    ]
    assert {record.evaluation_id for record in said} == {evaluation.id}
