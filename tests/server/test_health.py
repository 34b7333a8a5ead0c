"""`/livez`, `/readyz`, `/metrics`, and what a worker answers."""

from __future__ import annotations

import gzip

import httpx
import pytest
from serving import Check, Counts

from gate.errors import StoreError
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
    gate.service.checks["database"] = Check(False, "the database does not answer")
    answer = gate.get("/readyz")
    assert (answer.status_code, answer.json()["ready"]) == (503, False)


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
