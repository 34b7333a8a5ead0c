"""`/livez`, `/readyz`, `/metrics`, and what a worker answers."""

from __future__ import annotations

import gzip
import threading

import httpx
import pytest
from serving import Check, Counts

from gate.errors import StoreError
from gate.server import health
from gate.server.readiness import Glance
from gate.server.run import in_background
from gate.server.side import create_side_app


def test_the_server_lives_whatever_is_broken_behind_it(another_gate):
    def breaks(service):
        def fail(*_args):
            raise StoreError("away")

        service.evaluations.get = service.archive.ping = service.ready = fail

    gate = another_gate(change=breaks)
    answer = gate.get("/livez")
    assert (answer.status_code, answer.json()) == (200, {"alive": True})


def test_the_server_is_ready_while_all_that_it_needs_is_well(another_gate):
    gate = another_gate()
    gate.service.checks = {
        "database": Check(True, "answers"),
        "policies": Check(False, "toy.yaml:1: wrong", needed=False),
    }
    answer = gate.get("/readyz")
    assert answer.status_code == 200
    assert answer.json() == {
        "ready": True,
        "checks": {
            "database": {"ok": True, "needed": True, "detail": "answers"},
            "policies": {"ok": False, "needed": False, "detail": "toy.yaml:1: wrong"},
        },
    }


def test_the_server_is_not_ready_while_something_that_it_needs_is_not_well(another_gate):
    gate = another_gate()
    gate.service.checks = {"database": Check(False, "does not answer; the log says why")}
    answer = gate.get("/readyz")
    assert (answer.status_code, answer.json()["ready"]) == (503, False)


def test_many_who_ask_whether_all_is_well_cost_one_look_each_two_seconds():
    looks, now = [], [100.0]

    def checks():
        looks.append(now[0])
        return {"database": Check(len(looks) > 1, "answers")}

    glance = Glance(checks, lambda: now[0])
    for at, is_ready in ((100.0, False), (101.9, False), (102.0, True), (103.9, True), (104.0, True)):
        now[0] = at
        assert glance.look().ready is is_ready
    assert looks == [100.0, 102.0, 104.0]


def test_a_look_that_breaks_is_not_remembered():
    def checks():
        raise StoreError("away")

    glance = Glance(checks)
    for _ in range(2):
        with pytest.raises(StoreError):
            glance.look()


def test_a_scrape_is_compressed_in_a_thread_and_not_on_the_event_loop(another_gate, monkeypatch):
    gate, threads = another_gate(), []
    gate.service.metrics.text = b"gate_up 1\n" * 10_000
    compress = gzip.compress
    monkeypatch.setattr(
        health.gzip, "compress", lambda *words: threads.append(threading.current_thread().name) or compress(*words)
    )
    assert gate.get("/metrics").content == gate.service.metrics.text
    assert [name.rpartition("_")[0] for name in threads] == ["gate-http"]


def test_metrics_come_as_the_exporter_writes_them(gate):
    answer = gate.get("/metrics")
    assert answer.content == b"# HELP gate_up One.\ngate_up 1\n"
    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert answer.headers["vary"] == "Accept, Accept-Encoding"


def test_a_large_scrape_is_compressed_for_whoever_takes_that(another_gate):
    gate = another_gate()
    gate.service.metrics.text = b"gate_up 1\n" * 10_000
    raw = httpx.stream("GET", f"{gate.client.base_url}/metrics", headers={"Accept-Encoding": "gzip"})
    with raw as answer:
        body = b"".join(answer.iter_raw())
    assert len(body) < 1_000
    assert gzip.decompress(body) == gate.service.metrics.text
    plain = gate.get("/metrics", headers={"Accept-Encoding": "identity"})
    assert (plain.content, "content-encoding" in plain.headers) == (gate.service.metrics.text, False)


class Worker:
    def __init__(self):
        self.metrics = Counts()

    def ready(self):
        return {"worker": Check(True, "works")}


@pytest.fixture(scope="module")
def side():
    worker = Worker()
    with in_background(create_side_app(worker)) as url, httpx.Client(base_url=url) as client:
        yield worker, client


def test_a_worker_says_that_it_lives_and_what_it_counts(side):
    worker, client = side
    assert client.get("/livez").json() == {"alive": True}
    ready = client.get("/readyz").json()
    assert ready == {"ready": True, "checks": {"worker": {"ok": True, "needed": True, "detail": "works"}}}
    assert client.get("/metrics").content == worker.metrics.text
    assert ("GET", "/livez", 200) in worker.metrics.answered_to


@pytest.mark.parametrize(("method", "path"), [("GET", "/v1/evaluations"), ("POST", "/livez"), ("GET", "/livez/")])
def test_a_worker_answers_nothing_else(side, problem, method, path):
    detail = "a worker answers /livez, /readyz and /metrics; the API is at `gate serve`"
    problem(side[1].request(method, path), "not-found", 404, "There is nothing here", detail)
