"""What surrounds every request: ids, headers, logs, counts, and what a client never sees."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import re
import socket
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from serving import Counts

from gate.errors import EngineError, MissingExtraError, RegistryError, StoreError
from gate.server import protocol
from gate.server.envelope import Envelope

NOBODY = "00000000-0000-5000-8000-000000000000"


def raw(gate, text: bytes) -> bytes:
    """Send bytes as they are; the answer, or what came of it before the connection was closed."""
    address, answer = gate.client.base_url, b""
    with contextlib.suppress(OSError), socket.create_connection((address.host, address.port), timeout=10) as connection:
        connection.sendall(text)
        connection.shutdown(socket.SHUT_WR)
        while piece := connection.recv(65_536):
            answer += piece
    return answer


@pytest.mark.parametrize("sent", ["a", "x" * 64, "7c1f.0a-52_E"])
def test_a_sane_request_id_comes_back(gate, sent):
    for path in ("/livez", "/nothing"):
        assert gate.get(path, headers={"X-Request-Id": sent}).headers["x-request-id"] == sent


@pytest.mark.parametrize("sent", ["", "x" * 65, "a b", "a;b", "<script>", "ü".encode(), b"a\tb"])
def test_another_request_id_is_replaced(gate, sent):
    answer = gate.get("/livez", headers={"X-Request-Id": sent})
    assert re.fullmatch("[0-9a-f]{32}", answer.headers["x-request-id"])


def test_two_request_ids_are_replaced(gate):
    answer = gate.get("/livez", headers=[("X-Request-Id", "a"), ("X-Request-Id", "b")])
    assert re.fullmatch("[0-9a-f]{32}", answer.headers["x-request-id"])


@pytest.mark.parametrize(
    "path", ["/livez", "/v1/evaluations", "/nothing", "/v1/evaluations?limit=0", "/v1/openapi.json"]
)
def test_every_answer_of_the_api_is_inert_in_a_browser(gate, path):
    headers = gate.get(path).headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["content-security-policy"] == "default-src 'none'; frame-ancestors 'none'"
    assert headers["cross-origin-resource-policy"] == "same-origin"
    assert "server" not in headers


def test_an_address_that_does_not_exist_is_a_problem(gate, problem):
    for path in ("/nothing", "/v1", "/v1/evaluations/", "/v2/evaluations", "//evil.example/..%2f", "/v1/%E2%80%AE"):
        problem(gate.get(path), "not-found", 404, "There is nothing here",
                "there is no such address here")  # fmt: skip


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("PUT", "/v1/evaluations", "GET, POST"),
        ("PATCH", f"/v1/evaluations/{NOBODY}", "DELETE, GET"),
        ("GET", f"/v1/evaluations/{NOBODY}/retry", "POST"),
        ("DELETE", "/v1/verdicts", "GET"),
        ("POST", "/livez", "GET"),
    ],
)
def test_what_cannot_be_done_names_what_can(gate, problem, method, path, allowed):
    answer = gate.client.request(method, path)
    assert answer.headers["allow"] == allowed
    problem(answer, "method-not-allowed", 405, "That cannot be done here",
            f"{method} cannot be done here; {allowed} can")  # fmt: skip


@pytest.mark.parametrize("site", ["cross-site", "same-site", "nonsense"])
def test_another_sites_page_changes_nothing(gate, problem, site):
    made = gate.new()["id"]
    for method, path in (("DELETE", f"/v1/evaluations/{made}"), ("POST", f"/v1/evaluations/{made}/retry")):
        answer = gate.client.request(method, path, headers={"Sec-Fetch-Site": site})
        problem(answer, "cross-site", 403, "A page of another site asked for a change",
                f"Sec-Fetch-Site: a {method} from another site's page is refused")  # fmt: skip
    assert gate.get(f"/v1/evaluations/{made}", headers={"Sec-Fetch-Site": site}).json()["state"] == "queued"
    assert gate.client.delete(f"/v1/evaluations/{made}", headers={"Sec-Fetch-Site": "same-origin"}).status_code == 200


PUBLIC = "https://gate.example.com/gate"
ELSEWHERE = "a browser asks under a name that this server does not have: see GATE_PUBLIC_URL"


@pytest.mark.parametrize(
    ("host", "origin"),
    [("gate.example.com", "https://gate.example.com"), ("GATE.example.com:8484", "https://gate.example.com"),
     ("127.0.0.1:8484", "http://127.0.0.1:8484"), ("[::1]:8484", "http://[::1]:8484"), ("10.0.0.7", "http://10.0.0.7"),
     ("localhost:8484", "http://localhost:8484"), ("gate-upstream:8484", "https://gate.example.com"),
     ("gate:8484", None), ("evil.example.com", None)],
)  # fmt: skip
def test_a_change_is_taken_under_the_servers_own_names_and_from_programs_under_any(public, host, origin):
    headers = {"Host": host} | ({"Origin": origin} if origin else {})
    answer = public.client.post("/v1/evaluations", json={"model": "models:/toy/1"}, headers=headers)
    assert answer.status_code == 202


@pytest.mark.parametrize(
    ("host", "origin"),
    [("evil.example.com", "http://evil.example.com"), ("evil.example.com:8484", "null"),
     ("localhost.evil.example.com", "http://localhost.evil.example.com"), ("127.0.0.1.evil.com", "http://evil.com"),
     ("gate.example.com.evil.com", "https://gate.example.com.evil.com"), ("[", "http://["), ("", "http://evil.com")],
)  # fmt: skip
def test_a_name_that_somebody_made_lead_here_changes_nothing(public, problem, host, origin):
    made = public.new()["id"]
    for method, path in (("DELETE", f"/v1/evaluations/{made}"), ("POST", f"/v1/evaluations/{made}/retry")):
        answer = public.client.request(method, path, headers={"Host": host, "Origin": origin})
        problem(answer, "unknown-host", 421, "The server does not have this name", ELSEWHERE)
    for path in ("/livez", "/metrics", "/readyz", f"/v1/evaluations/{made}"):  # reading is as before
        assert public.get(path, headers={"Host": host, "Origin": origin}).status_code == 200


def test_without_a_public_address_no_name_is_refused(gate):
    headers = {"Host": "gate.internal", "Origin": "http://gate.internal"}
    answer = gate.client.post("/v1/evaluations", json={"model": "models:/toy/1"}, headers=headers)
    assert answer.status_code == 202


@pytest.fixture
def public(another_gate):
    """A server that knows its address."""
    return another_gate(GATE_PUBLIC_URL=PUBLIC)


@pytest.mark.parametrize("has_begun", [False, True])
def test_a_request_that_the_end_of_the_process_cuts_off_is_no_error_of_the_server(has_begun, caplog):
    counts = Counts()

    async def ends(_scope, _receive, send):
        if has_begun:
            await send({"type": "http.response.start", "status": 200, "headers": []})
        raise asyncio.CancelledError

    async def send(_message):
        pass

    scope = {"type": "http", "method": "GET", "headers": [], "query_string": b""}
    with caplog.at_level(logging.INFO), pytest.raises(asyncio.CancelledError), ThreadPoolExecutor(1) as thread:
        thread.submit(lambda: asyncio.run(Envelope(ends, counts)(scope, None, send))).result()
    assert counts.answered_to == [("GET", "none", 200 if has_begun else 499)]
    assert {record.levelname for record in caplog.records} == {"INFO"}


SECRET = "postgresql+psycopg://gate:hunter2@db/gate: connection refused"


@pytest.mark.parametrize(
    ("error", "word", "status", "title", "detail", "retry_after"),
    [
        (StoreError(SECRET), "database-unavailable", 503, "The database does not answer",
         "the database does not answer; ask again in 5 s", "5"),
        (EngineError(SECRET), "engine-unavailable", 503, "The work cannot be put in line",
         "the work cannot be put in line; ask again in 5 s", "5"),
        (RegistryError(SECRET), "internal-error", 500, "A bug in gate",
         "something in gate broke; the server's log has it under this request_id", None),
        (MissingExtraError("server", SECRET), "internal-error", 500, "A bug in gate",
         "something in gate broke; the server's log has it under this request_id", None),
        (ZeroDivisionError(SECRET), "internal-error", 500, "A bug in gate",
         "something in gate broke; the server's log has it under this request_id", None),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else None,
)  # fmt: skip
def test_what_breaks_inside_is_told_without_its_inside(
    another_gate, problem, eventually, caplog, error, word, status, title, detail, retry_after
):
    def fail(*_args, **_named):
        raise error

    gate = another_gate(change=lambda service: setattr(service, "submit", fail))
    caplog.set_level(logging.INFO, "gate.server")
    answer = gate.client.post("/v1/evaluations", json={"model": "models:/toy/1"})
    problem(answer, word, status, title, detail)
    assert answer.headers.get("retry-after") == retry_after
    assert "hunter2" not in answer.text + str(answer.headers)
    assert "Traceback" not in answer.text

    def lines():
        return [record for record in caplog.records if record.request_id == answer.headers["x-request-id"]]

    eventually(lambda: len(lines()) == 2)  # the line of the request comes after its answer
    told = lines()[0].getMessage() + str(lines()[0].exc_info)
    assert "hunter2" in told  # the log is for whoever runs the server; it hides passwords by itself
    assert lines()[-1].levelno == logging.ERROR


def test_the_database_may_break_in_any_route(another_gate):
    def breaks(service):
        def fail(*_args, **_named):
            raise StoreError(SECRET)

        for part in (service.evaluations, service.archive):
            for method in ("get", "page", "find", "standings", "served", "report_names"):
                if hasattr(part, method):
                    setattr(part, method, fail)
        service.cancel = service.retry = fail

    gate = another_gate(change=breaks)
    paths = ["/v1/evaluations", f"/v1/evaluations/{NOBODY}", f"/v1/evaluations/{NOBODY}/events",
             "/v1/verdicts", "/v1/verdicts/abcd", "/v1/verdicts/abcd/report", "/v1/models",
             "/v1/models/a/versions/1/verdict"]  # fmt: skip
    answers = [gate.get(path) for path in paths]
    answers += [gate.client.delete(paths[1]), gate.client.post(f"{paths[1]}/retry")]
    assert {(answer.status_code, answer.headers.get("retry-after")) for answer in answers} == {(503, "5")}


def test_a_request_leaves_one_line_and_one_count_with_the_template_of_its_route(another_gate, eventually, caplog):
    gate = another_gate()
    caplog.set_level(logging.INFO, "gate.server")
    made = gate.new("toy-log")["id"]
    gate.get(f"/v1/evaluations/{made}", headers={"X-Request-Id": "mine"})
    gate.get("/v1/nothing%1b[31m")
    gate.client.request("PROPFIND", "/livez")
    eventually(lambda: len(gate.service.metrics.answered_to) == 4)
    lines = [record for record in caplog.records if record.name == "gate.server"]
    told = [(one.method, one.route, one.status, one.evaluation_id) for one in lines]
    assert told == [
        ("POST", "/v1/evaluations", 202, made),
        ("GET", "/v1/evaluations/{evaluation_id}", 200, made),
        ("GET", "none", 404, None),
        ("other", "/livez", 405, None),
    ]
    assert {one.getMessage() for one in lines} == {"request"}
    assert lines[1].request_id == "mine"
    assert all(one.ms >= 0 for one in lines)
    assert gate.service.metrics.answered_to == [(method, route, status) for method, route, status, _ in told]


@pytest.mark.parametrize(
    "text",
    [
        b"GET /livez HTTP/1.1\r\nHost: x\r\nX-Request-Id: a\r\nX-Request-Id: b\r\n\r\n",
        b"GET /v1/evaluations/%0d%0aSet-Cookie:%20a=b HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /v1/evaluations?before=%0d%0aSet-Cookie:%20a=b HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /v1/verdicts/abcd%0d%0aSet-Cookie:%20a=b/report HTTP/1.1\r\nHost: x\r\n\r\n",
        b"POST /v1/evaluations HTTP/1.1\r\nHost: x\r\nIdempotency-Key: a\x0bSet-Cookie: a=b\r\n\r\n",
        b"GET /livez HTTP/1.1\r\nHost: x\r\nX-Request-Id: \x01\r\n\r\n",
        b"GET http://evil.example/v1/evaluations HTTP/1.1\r\nHost: evil.example\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"GET /livez HTTP/1.1\r\nHost: x\r\n" + b"X-Many: y\r\n" * 20_000 + b"\r\n",
        b"GET /livez HTTP/1.1\r\nHost: x\r\nX-Long: " + b"y" * 1_000_000,
        b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
        b"POST /v1/evaluations HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"POST /v1/evaluations HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 90\r\n\r\n{",
        b"GET /v1/evaluations?\xff\xfe=%ff&%00=1 HTTP/1.1\r\nHost: x\r\n\r\n",
    ],
)  # fmt: skip
def test_hostile_bytes_get_an_answer_or_none_and_the_server_goes_on(gate, text):
    answer = raw(gate, text)
    assert b"set-cookie" not in answer.partition(b"\r\n\r\n")[0].lower()
    assert b"evil.example" not in answer
    assert not answer or answer.startswith((b"HTTP/1.1 2", b"HTTP/1.1 4"))
    assert gate.get("/livez").status_code == 200


def test_a_head_without_an_end_is_cut_off(gate):
    address = gate.client.base_url
    with socket.create_connection((address.host, address.port), timeout=10) as connection:
        connection.sendall(b"GET /livez HTTP/1.1\r\nHost: x\r\nX-Long: ")
        with pytest.raises(OSError, match=r"reset|pipe"):
            connection.sendall(b"y" * 100_000_000)
    assert gate.get("/livez").status_code == 200


def test_who_sends_no_request_or_drips_it_is_let_go(another_gate, monkeypatch):
    monkeypatch.setattr(protocol, "HEAD_SECONDS", 0.2)
    gate = another_gate()
    address = gate.client.base_url
    for sent in (b"", b"GET /livez HTTP/1.1\r\nHost: x\r\n"):
        with socket.create_connection((address.host, address.port), timeout=10) as connection:
            connection.sendall(sent)
            assert connection.recv(100) == b""


def test_a_second_request_over_the_same_connection_may_come_late(another_gate, monkeypatch):
    monkeypatch.setattr(protocol, "HEAD_SECONDS", 0.2)
    gate = another_gate()
    for _ in range(2):
        assert gate.get("/livez").status_code == 200
        time.sleep(0.3)
    assert gate.new()["state"] == "queued"
