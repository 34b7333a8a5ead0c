"""The catalogue of problems: each has its words, and every error of gate its place in it."""

from __future__ import annotations

import json

import pytest

import gate.errors
from gate.errors import GateError, KeyReusedError, MissingExtraError, PolicyError, TooBusyError
from gate.flow.work import WorkDiedError, WorkLateError, trouble_of
from gate.server.problem import CATALOGUE, MEDIA_TYPE, PREFIX, ProblemError, problem_of, title_of

_SPECIAL = {
    PolicyError: lambda: PolicyError([]),
    MissingExtraError: lambda: MissingExtraError("server", "x"),
    KeyReusedError: lambda: KeyReusedError(["a was 1 and is 2"]),
    TooBusyError: lambda: TooBusyError(3, 30),
}


def every_error() -> list[GateError]:
    found = [one for one in vars(gate.errors).values() if isinstance(one, type) and issubclass(one, GateError)]
    return [_SPECIAL.get(one, lambda one=one: one("secret"))() for one in found]


@pytest.mark.parametrize("error", every_error(), ids=lambda error: type(error).__name__)
def test_every_error_of_gate_has_a_problem_with_a_status(error):
    problem = problem_of(error)
    assert problem.kind.status is not None
    assert problem.kind.word in CATALOGUE
    if problem.status >= 500:
        assert "secret" not in problem.detail
    if problem.status in (429, 503):
        assert int(problem.headers["Retry-After"]) > 0


@pytest.mark.parametrize("error", [*every_error(), WorkLateError("x"), WorkDiedError("x"), ValueError("x")],
                         ids=lambda error: type(error).__name__)  # fmt: skip
def test_every_trouble_of_the_work_is_in_the_catalogue(error):
    assert trouble_of(error, 3.0).kind in CATALOGUE


def test_what_care_ends_is_in_the_catalogue_too():
    for word in ("abandoned", "never-begun", "deadline-exceeded"):
        assert word in CATALOGUE


@pytest.mark.parametrize("kind", CATALOGUE.values(), ids=lambda kind: kind.word)
def test_a_kind_has_a_stable_address_and_plain_words(kind):
    assert kind.uri == PREFIX + kind.word
    assert kind.word == kind.word.lower().replace(" ", "-")
    assert not kind.title.endswith(".")
    assert kind.meaning.endswith(".")


def test_a_document_is_ascii_json_with_its_extras():
    problem = ProblemError("already-over", "it is ü\ud800ber", state="done")
    assert problem.document("/v1/x", "id") == (
        b'{"type": "urn:gate:problem:already-over", "title": "The evaluation is over", "status": 409, '
        b'"detail": "it is \\u00fc\\ud800ber", "instance": "/v1/x", "request_id": "id", "state": "done"}'
    )
    assert json.loads(problem.document("/v1/x", "id"))["detail"] == "it is ü\ud800ber"
    assert MEDIA_TYPE == "application/problem+json"


def test_a_kind_that_nobody_knows_has_a_title_all_the_same():
    assert title_of("moon-too-bright") == "Moon too bright"
