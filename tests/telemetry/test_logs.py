"""Log lines: one JSON object each, with the evaluation they belong to, and nothing for a terminal or a thief to use."""

from __future__ import annotations

import io
import json
import logging
import threading
import warnings
from contextvars import copy_context

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gate.telemetry.logs import about, configure, scrubbed

_log = logging.getLogger("gate.test")


@pytest.fixture(autouse=True)
def _as_before():
    root = logging.getLogger()
    kept = list(root.handlers), root.level
    yield
    root.handlers[:], _ = kept
    root.setLevel(kept[1])
    logging.captureWarnings(False)


@pytest.fixture
def stream() -> io.StringIO:
    made = io.StringIO()
    configure(live=False, stream=made)
    return made


def lines(stream: io.StringIO) -> list[dict]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def break_with(text: str) -> None:
    try:
        raise ZeroDivisionError(text)  # noqa: TRY301 - its traceback is the subject
    except ZeroDivisionError:
        _log.exception("broke")


def test_a_line_is_one_object_with_its_fields(stream):
    _log.info("%s %s", "GET", "/livez", extra={"request_id": "r-1", "ms": 1.5, "evaluation_id": None})
    (line,) = lines(stream)
    assert line.pop("ts").endswith("Z")
    assert line == {
        "level": "info", "logger": "gate.test", "event": "GET /livez", "request_id": "r-1", "ms": 1.5,
    }  # fmt: skip


def test_every_line_of_an_evaluation_carries_its_id_also_on_other_threads_of_it(stream):
    _log.info("before")
    with about("e-1"):
        _log.info("within")
        thread = threading.Thread(target=copy_context().run, args=(_log.info, "elsewhere"))
        thread.start()
        thread.join()
        with about("e-2"):
            _log.info("deeper")
        _log.info("told", extra={"evaluation_id": "e-7"})
    _log.info("after")
    assert [(line["event"], line.get("evaluation_id")) for line in lines(stream)] == [
        ("before", None), ("within", "e-1"), ("elsewhere", "e-1"), ("deeper", "e-2"), ("told", "e-7"), ("after", None),
    ]  # fmt: skip


def test_a_line_of_the_engine_carries_the_id_of_its_workflow(stream):
    logging.getLogger("dbos").warning(
        "recovering", extra={"operationUUID": "e-1", "executorID": "w", "applicationID": ""}
    )
    (line,) = lines(stream)
    assert {key: line[key] for key in line if key != "ts"} == {
        "level": "warning", "logger": "dbos", "event": "recovering", "evaluation_id": "e-1",
    }  # fmt: skip


def test_a_traceback_is_a_field_of_its_line(stream):
    break_with("for http://me:s3cret@db/")
    (line,) = lines(stream)
    assert line["event"] == "broke"
    assert line["exception"].endswith("ZeroDivisionError: for http://***@db/")


def test_a_field_cannot_pose_as_one_of_the_lines_own(stream):
    _log.info("honest", extra={"level": "debug", "event": "forged", "ts": "never"})
    (line,) = lines(stream)
    assert (line["event"], line["level"], line["event_"], line["ts_"]) == ("honest", "info", "forged", "never")


def test_arguments_that_do_not_fit_cost_no_line(stream):
    configure(live=False, stream=stream)  # without the handler of pytest, which raises
    _log.info("%d rows of %s", "many")
    assert lines(stream)[0]["event"] == "%d rows of %s ('many',)"


def test_what_is_no_json_is_its_text(stream):
    _log.info("x", extra={"what": object, "rows": {"a": [1, (2, "http://u:p@h")]}, "bad": float("nan")})
    (line,) = lines(stream)
    assert line["what"] == "<class 'object'>"
    assert line["rows"] == {"a": [1, [2, "http://***@h"]]}


@given(st.text(max_size=80), st.text(max_size=80))
def test_whatever_is_said_stays_on_its_line_in_ascii(event, value):
    stream = io.StringIO()
    configure(live=False, stream=stream)
    _log.info("%s", event, extra={"value": value})
    text = stream.getvalue()
    assert text.count("\n") == 1
    assert all(" " <= char <= "~" for char in text[:-1])
    assert json.loads(text)["logger"] == "gate.test"


# --- secrets ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("postgresql+psycopg://gate:s3cret@db:5432/gate is away", "postgresql+psycopg://***@db:5432/gate is away"),
        ("http://me:p@ss@host/path", "http://***@host/path"),
        ("https://host/path?mail=a@b", "https://host/path?mail=a@b"),
        ("Authorization: Bearer abc.def-ghi", "Authorization: ***"),
        ("{'Authorization': 'Basic bWU6czNjcmV0'}", "{'Authorization': '***'}"),
        ("[(b'authorization', b'x')] authorization=s3cret", "[(b'authorization', b'x')] authorization=***"),
        ("sent Bearer abcdefgh12345678", "sent Bearer ***"),
        ("password=s3cret&user=me", "password=***&user=me"),
        ('{"password": "s3cret", "user": "me"}', '{"password": "***", "user": "me"}'),
        ("GET /x?token=s3cret HTTP/1.1", "GET /x?token=*** HTTP/1.1"),
        ("api_key: s3cret", "api_key: ***"),
        ("the bearer of bad news; passwords are hard", "the bearer of bad news; passwords are hard"),
    ],
)
def test_secrets_are_hidden_and_nothing_else_is(said, shown):
    assert scrubbed(said) == shown


def test_secrets_are_hidden_wherever_they_stand(stream):
    _log.warning(
        "connecting to %s", "postgresql://gate:s3cret@db/gate",
        extra={"headers": {"Authorization": "Bearer s3cret"}, "url": "http://u:s3cret@h", "api_key": "s3cret"},
    )  # fmt: skip
    assert "s3cret" not in stream.getvalue()
    assert lines(stream)[0]["headers"] == {"Authorization": "***"}


# --- people, and others -----------------------------------------------------------------------------------------------


def test_a_person_gets_a_plain_line_whose_text_moves_no_cursor():
    stream = io.StringIO()
    configure(live=True, stream=stream)
    _log.warning("late: \x1b[2J%s", "a\nb", extra={"request_id": "r-1"})
    (line,) = stream.getvalue().splitlines()
    assert line[8:] == " WARNING late: \\x1b[2Ja\\nb  request_id=r-1"


def test_a_person_sees_a_traceback_below_its_line():
    stream = io.StringIO()
    configure(live=True, stream=stream)
    break_with("x\x1b[2J")
    first, *below = stream.getvalue().splitlines()
    assert first.endswith("ERROR   broke")
    assert below[-1] == "    ZeroDivisionError: x\\x1b[2J"
    assert all(line.startswith("    ") for line in below)


def test_a_file_is_no_terminal():
    stream = io.StringIO()
    configure(stream=stream)
    _log.info("x")
    assert json.loads(stream.getvalue())["event"] == "x"


def test_libraries_speak_only_of_warnings_and_warnings_are_lines(stream):
    for name in ("sqlalchemy.engine", "httpx", "urllib3.connectionpool", "dbos", "alembic.runtime"):
        logging.getLogger(name).info("in passing")
    logging.getLogger("sqlalchemy.pool").warning("worth it")
    warnings.warn("old", DeprecationWarning, stacklevel=1)
    assert [line["logger"] for line in lines(stream)] == ["sqlalchemy.pool", "py.warnings"]


def test_configuring_again_says_nothing_twice(stream):
    configure(live=False, stream=stream)
    _log.info("once")
    assert len(lines(stream)) == 1
