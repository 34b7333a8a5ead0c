"""Every question to MLflow is told, with its operation and its answer in one word."""

from __future__ import annotations

import threading

import pytest

from gate.domain.candidate import ModelRef
from gate.errors import GateError
from gate.flow.ports import Silent
from gate.registry.calls import Calls, Observed
from gate.registry.mlflow import MlflowRegistry
from gate.registry.session import load_mlflow
from gate.telemetry.catalogue import ANSWERS, OPERATIONS


class Heard(Silent):
    def __init__(self) -> None:
        self.calls: list[tuple[str, str]] = []

    def called(self, operation: str, result: str, seconds: float) -> None:
        assert operation in OPERATIONS
        assert result in ANSWERS
        assert seconds >= 0
        self.calls.append((operation, result))


@pytest.fixture
def heard() -> Heard:
    return Heard()


@pytest.fixture
def _impatient(monkeypatch):
    load_mlflow(databases=False)
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")


def test_a_version_is_found_with_one_question_of_each_kind(seeded, heard):
    MlflowRegistry(seeded.uri, deadline_seconds=120, observer=heard).find(ModelRef("churn", version="2"))
    assert set(heard.calls) == {
        (operation, "ok") for operation in ("get_model", "get_version", "get_run", "get_logged_model", "get_location")
    }


def test_what_is_not_there_is_not_found_and_the_search_for_a_hint_counts(seeded, heard):
    with pytest.raises(GateError):
        MlflowRegistry(seeded.uri, deadline_seconds=120, observer=heard).find(ModelRef("churn", version="9"))
    assert heard.calls == [("get_model", "ok"), ("get_version", "not_found"), ("search", "ok")]


@pytest.mark.slow
def test_files_behind_a_server_are_questions_too(served, seeded, heard, tmp_path):
    registry = MlflowRegistry(served, deadline_seconds=120, observer=heard)
    registry.fetch(f"runs:/{seeded.ids['1']['run']}/gate/predictions.csv", tmp_path)
    assert heard.calls == [("get_run", "ok"), ("read_files", "ok"), ("read_files", "ok")]


@pytest.mark.usefixtures("_impatient")
@pytest.mark.parametrize(
    ("behaviour", "answer"),
    [
        ("busy", "server_error"),
        ("unauthenticated", "denied"),
        ("unauthenticated-json", "denied"),
        ("forbidden", "denied"),
        ("page", "bad_response"),
        ("garbage", "bad_response"),
        ("missing", "bad_response"),
        ("empty", "bad_response"),
        ("other", "bad_response"),
        ("circle", "bad_response"),
        ("hangs-up", "server_error"),
        ("too-many", "rate_limited"),
    ],
)
def test_a_bad_answer_is_counted_as_what_it_is(misbehaving, heard, behaviour, answer):
    with pytest.raises(GateError):
        MlflowRegistry(f"http://{misbehaving.place}/{behaviour}", deadline_seconds=30, observer=heard).find(
            ModelRef("churn", version="1")
        )
    assert heard.calls == [("get_model", answer)]


@pytest.mark.usefixtures("_impatient")
@pytest.mark.parametrize("behaviour", ["slow", "trickle"])
def test_a_question_that_is_given_up_is_a_timeout(misbehaving, heard, behaviour):
    with pytest.raises(GateError):
        MlflowRegistry(f"http://{misbehaving.place}/{behaviour}", deadline_seconds=1, observer=heard).find(
            ModelRef("churn", version="1")
        )
    assert heard.calls == [("get_model", "timeout")]


def test_an_answer_that_comes_after_the_work_was_given_up_is_not_heard(heard):
    asked, answered = threading.Event(), threading.Event()

    class Slow:
        def get_run(self, run_id: str) -> None:
            asked.set()
            answered.wait(20)
            raise RuntimeError("late")

    def ask() -> None:
        with pytest.raises(RuntimeError):
            Observed(Slow(), calls).get_run("r")

    calls = Calls(heard)
    thread = threading.Thread(target=ask)
    thread.start()
    assert asked.wait(20)
    calls.close()
    answered.set()
    thread.join()
    assert heard.calls == [("get_run", "timeout")]


def test_a_question_that_is_not_counted_cannot_be_asked(heard):
    with pytest.raises(AttributeError) as caught:
        Observed(object(), Calls(heard)).transition_model_version_stage("churn", "1", "Production")
    assert str(caught.value) == "transition_model_version_stage is not among the counted questions to MLflow"
