"""Bodies: what is no JSON, what could be read in two ways, and what is not allowed is refused, in words."""

from __future__ import annotations

import json
import socket

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gate.server.body import parse
from gate.server.envelope import MOST_BYTES
from gate.server.problem import ProblemError

JSON = {"Content-Type": "application/json"}


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        (b"", "line 1, column 1: Expecting value"),
        (b"{", "line 1, column 2: Expecting property name enclosed in double quotes"),
        (b'{"model": "a"} x', "line 1, column 16: Extra data"),
        (b'{"model": "a", "model": "b"}', "the member 'model' comes twice"),
        (b'{"policy": {"file": "a", "file": "b"}}', "the member 'file' comes twice"),
        (b'{"model": NaN}', "NaN is not JSON"),
        (b'{"model": -Infinity}', "-Infinity is not JSON"),
        (b'{"model": "\xff"}', "the body is not UTF-8"),
        ('{"model": "a"}'.encode("utf-16"), "the body is not UTF-8"),
        (b'\xef\xbb\xbf{"model": "a"}', "line 1, column 1: Unexpected UTF-8 BOM (decode using utf-8-sig)"),
        (b"[" * 100_000, "the body is nested too deeply"),
        (b'{"model": "a\nb"}', "line 1, column 13: Invalid control character at"),
        (b'{"stage": ' + b"9" * 5000 + b"}", "the body has a number of too many digits"),
    ],
)
def test_what_is_not_json_is_refused_with_the_place(gate, problem, body, detail):
    answer = gate.client.post("/v1/evaluations", content=body, headers=JSON)
    problem(answer, "not-json", 400, "The body is not JSON", detail)


PATTERN = "String should match pattern"


@pytest.mark.parametrize(
    ("body", "place", "message"),
    [
        ([], "body", "it should be a JSON object"),
        ({}, "body.model", "Field required"),
        ({"model": None}, "body.model", "Input should be a valid string"),
        ({"model": 3}, "body.model", "Input should be a valid string"),
        ({"model": "models:/a/1", "modle": "x"}, "body.modle", "it is unknown; /v1/openapi.json lists what there is"),
        ({"model": "models:/a/1", "report_only": "yes"}, "body.report_only", "Input should be a valid boolean"),
        ({"model": "models:/a/1", "report_only": 1}, "body.report_only", "Input should be a valid boolean"),
        ({"model": "models:/a/1", "trigger": "schedule"}, "body.trigger", "Input should be 'ci', 'api' or 'ui'"),
        ({"model": "models:/a/1", "policy": {"file": "a"}}, "body.policy.text", "Field required"),
        ({"model": "models:/a/1", "policy": {"file": "a", "text": ""}}, "body.policy.text",
         "String should have at least 1 character"),
        ({"model": "models:/a/1", "reference": ""}, "body.reference", "String should have at least 1 character"),
        ({"model": "models:/a/1", "reference": "x" * 2049}, "body.reference",
         "String should have at most 2048 characters"),
    ],
)  # fmt: skip
def test_what_is_not_allowed_is_refused_with_its_place(gate, problem, body, place, message):
    answer = gate.client.post("/v1/evaluations", json=body)
    problem(answer, "invalid-request", 422, "The request is not right", f"{place}: {message}",
            errors=[{"place": place, "message": message}])  # fmt: skip


@pytest.mark.parametrize("field", ["stage", "reference", "current", "model"])
@pytest.mark.parametrize("text", ["a\x00b", "a\nb", "\x1b[31m", "\u202egpj", "\x85", "\ud800"])
def test_no_field_takes_what_could_disturb_a_terminal_or_a_database(gate, field, text):
    body = {"model": "models:/a/1", field: text}
    answer = gate.client.post("/v1/evaluations", content=json.dumps(body), headers=JSON)
    assert answer.status_code == 422
    assert [error["place"] for error in answer.json()["errors"]] == [f"body.{field}"]


def test_the_name_of_an_unknown_member_is_shown_without_what_disturbs(gate):
    body = json.dumps({"model": "models:/a/1", "\x1b[31m\u202e\n" + "x" * 900: 1})
    answer = gate.client.post("/v1/evaluations", content=body, headers=JSON)
    place = answer.json()["errors"][0]["place"]
    assert place.startswith("body.?[31m??xxx")
    assert len(place) == 300


def test_a_name_of_half_a_character_is_refused(gate):
    answer = gate.client.post("/v1/evaluations", content=b'{"model": "models:/a/1", "\\ud800": 1}', headers=JSON)
    assert answer.status_code == 422


def test_everything_that_is_wrong_is_said_at_once_and_nothing_that_was_sent(gate):
    body = {"model": "hunter2", "trigger": "hunter2", "nonsense": "hunter2"}
    answer = gate.client.post("/v1/evaluations", json=body)
    assert [error["place"] for error in answer.json()["errors"]] == ["body.model", "body.trigger", "body.nonsense"]
    assert answer.json()["detail"].endswith(" (and 2 more)")
    assert "hunter2" not in answer.text


def test_a_thousand_unknown_members_are_not_all_told_of(gate):
    answer = gate.client.post("/v1/evaluations", json={f"x{number}": 1 for number in range(1000)})
    assert len(answer.json()["errors"]) == 50


@pytest.mark.parametrize(
    "model",
    ["models:/a", "models:/a/0", "models:/a/01", "models:/a/1.0", "models:/a/latest", "models:/a/b/1", "models:/a@",
     "models:/ a/1", "models:/a/9999999999", "runs:/x/model", "models:/a@b@c", "MODELS:/a/1", "models:/a/1\n"],
)  # fmt: skip
def test_what_is_no_model_uri_is_refused(gate, model):
    answer = gate.client.post("/v1/evaluations", json={"model": model})
    assert answer.status_code == 422
    assert [error["place"] for error in answer.json()["errors"]] == ["body.model"]


@pytest.mark.parametrize(
    "model", ["models:/a/1", "models:/a@champion", "models:/Größe v2/999999999", "models://a.b-c_d/7"]
)
def test_a_model_uri_is_one_of_mlflow(gate, model):
    assert gate.client.post("/v1/evaluations", json={"model": model}).status_code == 202


@pytest.mark.parametrize(
    ("sent", "shown"),
    [
        ([], "nothing"),
        (["text/plain"], "'text/plain'"),
        (["application/x-www-form-urlencoded"], "'application/x-www-form-urlencoded'"),
        (["application/json; charset=latin-1"], "'application/json; charset=latin-1'"),
        (["application/jsonp"], "'application/jsonp'"),
        (["application/json", "application/json"], "2 content types"),
    ],
)
def test_a_body_that_is_not_declared_as_json_is_refused(gate, problem, sent, shown):
    headers = [("Content-Type", value) for value in sent]
    answer = gate.client.post("/v1/evaluations", content=b'{"model": "models:/a/1"}', headers=headers)
    problem(answer, "unsupported-media-type", 415, "The body is not declared as JSON",
            f"Content-Type: got {shown}; send application/json")  # fmt: skip


@pytest.mark.parametrize(
    "sent", ["application/json", "Application/JSON; charset=UTF-8", 'application/json;charset="utf-8"']
)
def test_json_may_be_declared_in_several_ways(gate, sent):
    answer = gate.client.post("/v1/evaluations", content=b'{"model": "models:/a/1"}', headers={"Content-Type": sent})
    assert answer.status_code == 202


def test_a_body_that_says_that_it_is_too_large_is_refused_unread(gate, problem):
    answer = gate.client.post("/v1/evaluations", content=b" " * (MOST_BYTES + 1), headers=JSON)
    problem(answer, "too-large", 413, "The body is too large", "the body has more than 524,288 bytes")
    assert answer.headers["connection"] == "close"


def test_a_body_that_does_not_say_how_large_it_is_is_refused_once_it_is_too_large(gate, problem):
    answer = gate.client.post("/v1/evaluations", content=iter([b" " * 65_536] * 9), headers=JSON)
    problem(answer, "too-large", 413, "The body is too large", "the body has more than 524,288 bytes")


def test_a_body_of_just_the_size_is_read(gate):
    text = b'{"model": "models:/a/1"}'
    answer = gate.client.post("/v1/evaluations", content=text + b" " * (MOST_BYTES - len(text)), headers=JSON)
    assert answer.status_code == 202


@pytest.mark.parametrize("length", ["-1", "1e3", "0x10", "9" * 14, "9" * 30, "2, 2"])
def test_a_length_that_is_no_number_is_refused(gate, length):
    address = gate.client.base_url
    with socket.create_connection((address.host, address.port), timeout=10) as connection:
        head = f"POST /v1/evaluations HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: {length}"
        connection.sendall(f"{head}\r\n\r\n".encode())
        status = int(connection.recv(1000).split()[1])
    assert status in (400, 413)


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


@given(values)
def test_json_is_read_as_it_was_written(value):
    assert parse(json.dumps(value).encode()) == value


@given(st.binary())
def test_any_bytes_are_json_or_refused(raw):
    try:
        parse(raw)
    except ProblemError as problem:
        found = problem.kind.word
    else:
        found = "not-json"
    assert found == "not-json"
