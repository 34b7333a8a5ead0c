"""A server on 127.0.0.1 that answers whatever bytes a test wants, and one that answers as a gate server does."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import format_datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import gate
from gate.flow.document import digest_of

DOCUMENTS = Path(__file__).parents[1] / "cli" / "documents"
ID = "0a5f3c1e-0000-5000-8000-000000000001"


@dataclass(frozen=True)
class Asked:
    """A request as it came."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes

    @property
    def path(self) -> str:
        return urlsplit(self.target).path

    @property
    def query(self) -> dict[str, list[str]]:
        return parse_qs(urlsplit(self.target).query)

    @property
    def json(self) -> Any:
        return json.loads(self.body)


Answer = bytes | Iterable[bytes]


class Wire:
    """Listens on a free port, and answers each connection's one request with the bytes that `answer` gives for it."""

    def __init__(self) -> None:
        self.answer: Callable[[Asked], Answer] = lambda _: b""
        self.asked: list[Asked] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._stopped = False
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    def close(self) -> None:
        self._stopped = True
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        while not self._stopped:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with connection, suppress(OSError):
            connection.settimeout(10)
            asked = _read(connection)
            if asked is None:
                return
            self.asked.append(asked)
            answer = self.answer(asked)
            for part in [answer] if isinstance(answer, bytes) else answer:
                connection.sendall(part)
            connection.shutdown(socket.SHUT_WR)


def _read(connection: socket.socket) -> Asked | None:
    content = b""
    while b"\r\n\r\n" not in content:
        part = connection.recv(65536)
        if not part:
            return None
        content += part
        if content.startswith(b"\x16"):  # a TLS handshake
            return Asked("TLS", "/", {}, b"")
    head, _, body = content.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    method, target, _ = first.split(" ", 2)
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    while len(body) < int(headers.get("content-length", 0)):
        body += connection.recv(65536)
    return Asked(method, target, headers, body)


@contextmanager
def wire() -> Iterator[Wire]:
    listening = Wire()
    try:
        yield listening
    finally:
        listening.close()


def http(body: bytes | str | Any = b"", status: int = 200, kind: str = "application/json", **headers: str) -> bytes:
    """An HTTP/1.1 answer; anything but bytes and text goes as JSON."""
    content = body if isinstance(body, bytes) else body.encode() if isinstance(body, str) else json.dumps(body).encode()
    stated = {
        "Content-Type": kind,
        "Content-Length": str(len(content)),
        "Connection": "close",
        "Date": format_datetime(datetime.now(UTC), usegmt=True),
        **{name.replace("_", "-"): value for name, value in headers.items()},
    }
    head = "".join(f"{name}: {value}\r\n" for name, value in stated.items())
    return f"HTTP/1.1 {status} Said\r\n{head}\r\n".encode() + content


def problem(status: int, word: str, detail: str, **more: Any) -> bytes:
    """A refusal of gate."""
    headers = {name: more.pop(name) for name in list(more) if name[0].isupper()}
    body = {"type": f"urn:gate:problem:{word}", "title": word, "status": status, "detail": detail, **more}
    return http(body, status, "application/problem+json", **headers)


def verdict(name: str = "promote", **changes: Any) -> dict[str, Any]:
    """A verdict document by name, valid for long, changed as wanted, true to its digest."""
    document = json.loads((DOCUMENTS / f"{name}.json").read_text(encoding="utf-8"))
    document = deepcopy(document) | {"valid_until": "2099-01-01T00:00:00Z", "id": ID, "store": "server"} | changes
    return document | {"digest": digest_of(document)}


def evaluation(state: str = "queued", **changes: Any) -> dict[str, Any]:
    """An evaluation as a gate server tells of it."""
    return {
        "id": ID, "state": state, "model": "models:/bike-demand/2", "model_name": "bike-demand", "stage": None,
        "report_only": False, "trigger": "api", "created_at": "2026-11-22T12:00:00Z", "started_at": None,
        "finished_at": None, "expires_at": "2026-11-23T12:00:00Z", "tries": 0, "retry_of": None, "verdict_id": None,
        "verdict_url": None, "decision": None, "exit_code": None, "trouble": None, "phase": None,
        "links": {"self": f"/v1/evaluations/{ID}", "events": f"/v1/evaluations/{ID}/events", "verdict": None,
                  "page": f"/evaluations/{ID}"},
    } | changes  # fmt: skip


def over(document: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """The evaluation that a document is the verdict of."""
    codes = {None: 0, "failed": 1, "error": 4, "awaiting": 3, "insufficient": 3}
    code = codes[document["cause"]]
    return evaluation(
        "done", verdict_id=document["id"], decision=document["decision"], model=document["model"]["uri"],
        report_only=not document["enforced"], exit_code=0 if not document["enforced"] and code in (1, 3) else code,
        verdict_url=f"/verdicts/{document['id']}",
    ) | changes  # fmt: skip


def stream(*events: tuple[int, str, Any]) -> bytes:
    """An answer of server-sent events that ends after the last one."""
    body = "".join(f"id: {number}\nevent: {kind}\ndata: {json.dumps(data)}\n\n" for number, kind, data in events)
    head = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\nConnection: close\r\n\r\n"
    return (head + ": hello\n\n" + body).encode()


@dataclass
class Pretender:
    """Answers as a gate server does, about one evaluation whose verdict is `document`."""

    document: dict[str, Any] = field(default_factory=verdict)
    ended: dict[str, Any] | None = None  # the evaluation at its end; None: as the document says
    polls: int = 0  # how often the record says `running` first
    files: dict[str, bytes] = field(default_factory=lambda: {"index.html": b"<p>drawn", "evidently.json": b"{}"})
    submitted: list[Any] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)

    def __call__(self, asked: Asked) -> Answer:  # noqa: C901  # a table of routes
        final = self.ended or over(self.document)
        match asked.method, asked.path.strip("/").split("/"):
            case "POST", ["v1", "evaluations"]:
                self.submitted.append(asked.json)
                self.keys.append(asked.headers["idempotency-key"])
                return http(evaluation(model=final["model"], report_only=final["report_only"]), 202)
            case "GET", ["v1", "evaluations", name] if name == ID:
                if self.polls:
                    self.polls -= 1
                    return http(final | {"state": "running", "verdict_id": None, "phase": "evidence"})
                return http(final)
            case "GET", ["v1", "evaluations", name, "events"] if name == ID:
                return stream(
                    (1, "queued", {}), (2, "started", {}), (3, "phase", {"name": "registry", "detail": "models:/x/1"}),
                    (4, "rows", {"scanned": 4_000}), (5, final["state"], final),
                )  # fmt: skip
            case "GET", ["v1", "verdicts", name] if self.document["id"].startswith(name):
                return http(self.document)
            case "GET", ["v1", "verdicts"]:
                return http({"items": [self.document, {"id": "11111111-0000"}], "next": None})
            case "GET", ["v1", "verdicts", _, "report"]:
                return http({"files": [{"name": name, "url": f"/elsewhere/{name}"} for name in self.files]})
            case "GET", ["v1", "verdicts", _, "report", name]:
                return http(self.files[name], kind="text/html")
            case "GET", ["readyz"]:
                return http({"ready": True, "checks": {"database": {"ok": True, "needed": True, "detail": "answers"}}})
            case "GET", ["v1", "openapi.json"]:
                return http({"openapi": "3.1.0", "info": {"title": "gate", "version": gate.__version__}})
            case _:
                return problem(404, "not-found", f"{asked.path}: there is none here")


@dataclass
class FakeTime:
    """A clock that stands still but for what is slept; chance is always in the middle."""

    moment: float = 1_000.0
    slept: list[float] = field(default_factory=list)

    def now(self) -> float:
        return self.moment

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.moment += seconds
        time.sleep(0)
