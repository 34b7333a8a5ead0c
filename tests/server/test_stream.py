"""Event streams: everything since the last event that a client saw, until the end, whoever leaves in between."""

from __future__ import annotations

import json
import socket
import threading
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gate.domain.evaluation import Event
from gate.errors import StoreError
from gate.server import stream
from gate.server.stream import frame


def read(text: str) -> list[tuple[int, str, dict]]:
    """Read a stream as a browser would: comments and `retry` are no events."""
    events = []
    for block in text.split("\n\n"):
        fields = dict(line.split(": ", 1) for line in block.splitlines() if not line.startswith(":"))
        if "event" in fields:
            events.append((int(fields["id"]), fields["event"], json.loads(fields["data"])))
    return events


@pytest.fixture
def finished(gate, name):
    """An evaluation that went all the way."""
    model = name()
    made = gate.new(model)["id"]
    gate.service.begin(made)
    gate.service.note(made, "phase", name="registry", detail="models:/x\r\n\r\nevent: done\ndata: {}")
    gate.service.note(made, "rows", scanned=1_000)
    gate.service.judge(made, name=model)
    return made


def test_a_stream_tells_everything_and_ends_with_the_evaluation(gate, finished):
    answer = gate.get(f"/v1/evaluations/{finished}/events")
    assert answer.headers["content-type"] == "text/event-stream; charset=utf-8"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.text.startswith("retry: 2000\n\n")
    events = read(answer.text)
    assert [(number, kind) for number, kind, _ in events] == [
        (1, "queued"), (2, "started"), (3, "phase"), (4, "rows"), (5, "done")
    ]  # fmt: skip
    assert all(data["at"].endswith("Z") for _, kind, data in events if kind != "done")
    assert events[2][2]["detail"] == "models:/x\r\n\r\nevent: done\ndata: {}"
    assert events[3][2]["scanned"] == 1_000
    assert events[4][2] == gate.get(f"/v1/evaluations/{finished}").json()


@pytest.mark.parametrize("last", range(5))
def test_who_was_cut_off_goes_on_after_the_last_event(gate, finished, last):
    answer = gate.get(f"/v1/evaluations/{finished}/events", headers={"Last-Event-ID": str(last)})
    assert [number for number, _, _ in read(answer.text)] == list(range(last + 1, 6))


@pytest.mark.parametrize("last", ["5", "6", "999999999"])
def test_who_has_the_last_event_is_told_not_to_come_again(gate, finished, last):
    answer = gate.get(f"/v1/evaluations/{finished}/events", headers={"Last-Event-ID": last})
    assert (answer.status_code, answer.content) == (204, b"")


@pytest.mark.parametrize("last", ["-1", "x", "1.0", "1" * 10, "٣".encode()])
def test_a_last_event_that_is_no_number_is_refused(gate, problem, last):
    answer = gate.get("/v1/evaluations/00000000-0000-5000-8000-000000000000/events", headers={"Last-Event-ID": last})
    message = "String should match pattern '^[0-9]{1,9}$'"
    problem(answer, "invalid-request", 422, "The request is not right", f"header.Last-Event-ID: {message}",
            errors=[{"place": "header.Last-Event-ID", "message": message}])  # fmt: skip


def test_events_come_while_they_happen(gate):
    made = gate.new()["id"]
    with gate.client.stream("GET", f"/v1/evaluations/{made}/events") as answer:
        lines = answer.iter_lines()
        kinds = []
        for line in lines:
            if line.startswith("event: "):
                kinds.append(line.removeprefix("event: "))
                match kinds[-1]:
                    case "queued":
                        gate.service.begin(made)
                    case "started":
                        gate.service.note(made, "phase", name="registry", detail="")
                    case "phase":
                        assert gate.client.delete(f"/v1/evaluations/{made}").status_code == 200
    assert kinds == ["queued", "started", "phase", "cancelled"]


def test_a_comment_comes_where_nothing_happens(gate, monkeypatch):
    monkeypatch.setattr(stream, "HEARTBEAT_SECONDS", 0.1)
    made = gate.new()["id"]
    with gate.client.stream("GET", f"/v1/evaluations/{made}/events") as answer:
        assert next(line for line in answer.iter_lines() if line.startswith(":")) == ": still here"
    gate.client.delete(f"/v1/evaluations/{made}")


def test_who_leaves_is_forgotten(gate, eventually):
    made = gate.new()["id"]
    watch = gate.app.state.context.watch
    eventually(lambda: len(watch) == 0)
    for _ in range(3):
        with gate.client.stream("GET", f"/v1/evaluations/{made}/events") as answer:
            lines = answer.iter_lines()  # dropping it would close the connection
            next(lines)
            assert len(watch) == 1
        eventually(lambda: len(watch) == 0)
    gate.client.delete(f"/v1/evaluations/{made}")


def test_who_takes_nothing_is_let_go(gate, eventually, monkeypatch):
    monkeypatch.setattr(stream, "_WRITE_SECONDS", 0.2)
    made = gate.new()["id"]
    gate.service.begin(made)
    for _ in range(30):
        gate.service.note(made, "phase", name="x" * 400_000, detail="")
    watch, address = gate.app.state.context.watch, gate.client.base_url
    with socket.create_connection((address.host, address.port), timeout=10) as connection:
        connection.sendall(f"GET /v1/evaluations/{made}/events HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        eventually(lambda: len(watch) == 1)
        eventually(lambda: len(watch) == 0)
    gate.client.delete(f"/v1/evaluations/{made}")


def test_a_hundred_streams_at_once_hear_everything(gate, eventually, name):
    model = name()
    made = gate.new(model)["id"]
    url = f"{gate.client.base_url}/v1/evaluations/{made}/events"
    with ThreadPoolExecutor(100) as pool, httpx.Client(timeout=60, limits=httpx.Limits(max_connections=100)) as client:
        following = [pool.submit(client.get, url) for _ in range(100)]
        eventually(lambda: len(gate.app.state.context.watch) == 100)
        gate.service.begin(made)
        gate.service.note(made, "phase", name="registry", detail="")
        gate.service.judge(made, name=model)
        heard = [[kind for _, kind, _ in read(one.result().text)] for one in following]
    assert heard == [["queued", "started", "phase", "done"]] * 100
    assert len(gate.app.state.context.watch) == 0


def test_a_stream_ends_when_the_server_does(another_gate):
    gate = another_gate()
    made = gate.new()["id"]
    with httpx.Client(timeout=30) as client:
        with client.stream("GET", f"{gate.client.base_url}/v1/evaluations/{made}/events") as answer:
            threading.Timer(0.2, gate.app.state.context.watch.close).start()
            assert [kind for _, kind, _ in read(answer.read().decode())] == ["queued"]
        closed = client.get(f"{gate.client.base_url}/v1/evaluations/{made}?wait=30")
        assert closed.json()["state"] == "queued"


def test_a_stream_ends_with_the_database_and_goes_on_with_it(another_gate):
    gate = another_gate()
    made = gate.new()["id"]
    look, is_away = gate.service.evaluations.newest_events, threading.Event()

    def newest_events(ids):
        if is_away.is_set():
            raise StoreError("the database is away")
        return look(ids)

    gate.service.evaluations.newest_events = newest_events
    path = f"/v1/evaluations/{made}/events"
    threading.Timer(0.4, is_away.set).start()
    assert [kind for _, kind, _ in read(gate.get(path).text)] == ["queued"]
    assert gate.get(f"/v1/evaluations/{made}?wait=30").json()["state"] == "queued"  # it does not wait for what is away
    is_away.clear()
    gate.service.fail(made)
    assert [kind for _, kind, _ in read(gate.get(path, headers={"Last-Event-ID": "1"}).text)] == ["error"]


@given(st.text(), st.text())
def test_nothing_in_an_event_begins_another(kind_of_text, key):
    event = Event(3, None, "phase")
    text = frame(event, {key: kind_of_text}).decode("ascii")
    assert text.count("\n") == 4
    assert read(text) == [(3, "phase", {key: kind_of_text})]
