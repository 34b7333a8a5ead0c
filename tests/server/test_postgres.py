"""The same server over PostgreSQL, and what it answers while the database is away."""

from __future__ import annotations

import json
import threading
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from postgres import PostgresServer

NOBODY = "00000000-0000-5000-8000-000000000000"


def kinds(text: str) -> list[str]:
    return [line.removeprefix("event: ") for line in text.splitlines() if line.startswith("event: ")]


def test_an_evaluation_goes_its_way(another_gate, postgres_url):
    gate = another_gate(postgres_url)
    made = gate.new("toy-pg", current="日本.parquet")["id"]
    gate.service.begin(made)
    ending = threading.Timer(0.3, lambda: gate.service.judge(made, name="toy-pg"))
    ending.start()
    done = gate.get(f"/v1/evaluations/{made}?wait=30").json()
    assert (done["state"], done["decision"], done["exit_code"]) == ("done", "hold", 1)
    assert kinds(gate.get(f"/v1/evaluations/{made}/events").text) == ["queued", "started", "done"]
    document = gate.get(f"/v1/verdicts/{done['verdict_id']}")
    assert document.headers["etag"] == f'"{document.json()["digest"]}"'
    assert gate.get("/v1/models").json()["items"][0]["stages"]["pilot"]["verdict_id"] == done["verdict_id"]
    assert gate.get("/v1/verdicts?model=toy-pg&limit=1").json()["items"] == [document.json()]


def test_many_who_send_one_key_at_once_get_one_evaluation(another_gate, postgres_url):
    gate = another_gate(postgres_url)
    start = threading.Barrier(12)

    def ask(_: int) -> httpx.Response:
        start.wait()
        url = f"{gate.client.base_url}/v1/evaluations"
        return httpx.post(url, json={"model": "models:/toy/1"}, headers={"Idempotency-Key": "one"}, timeout=30)

    with ThreadPoolExecutor(12) as pool:
        answers = list(pool.map(ask, range(12)))
    assert sorted(answer.status_code for answer in answers) == [200] * 11 + [202]
    assert len({answer.json()["id"] for answer in answers}) == 1


@pytest.mark.parametrize(
    "path",
    ["/v1/evaluations?model=%00", "/v1/evaluations/%00", "/v1/verdicts/abc%00", "/v1/models/%00/versions/1/verdict",
     "/v1/evaluations?before=ZXZhbHVhdGlvbi45OTk5OTk5OTk5OTk5OTk5OTk", "/v1/verdicts?model=%F0%9F%92%A9&stage=x",
     "/v1/models/%ED%A0%80/versions/1/verdict", "/verdicts/%00", "/models/%00", "/evaluations/%00"],
)  # fmt: skip
def test_what_postgresql_cannot_take_is_no_error_of_the_server(another_gate, postgres_url, path):
    assert another_gate(postgres_url).get(path).status_code in (200, 400, 404, 422)


def test_a_database_that_is_gone_is_said_so_and_it_goes_on_with_it(another_gate, problem):
    with PostgresServer() as server:
        gate = another_gate(server.new_database())
        body, headers = (
            json.dumps({"model": "models:/toy/1"}),
            {"Content-Type": "application/json", "Idempotency-Key": "k"},
        )
        made = gate.client.post("/v1/evaluations", content=body, headers=headers).json()["id"]
        server.stop()
        refused = [
            gate.client.post("/v1/evaluations", content=body, headers=headers),
            gate.get("/v1/evaluations"),
            gate.get(f"/v1/evaluations/{made}?wait=30"),
            gate.get(f"/v1/evaluations/{made}/events"),
        ]
        for answer in refused:
            assert answer.headers["retry-after"] == "5"
            problem(answer, "database-unavailable", 503, "The database does not answer",
                    "the database does not answer; ask again in 5 s")  # fmt: skip
            assert server.password not in answer.text
        assert gate.get("/livez").status_code == 200
        server.start()
        again = gate.client.post("/v1/evaluations", content=body, headers=headers)
        assert (again.status_code, again.json()["id"]) == (200, made)
