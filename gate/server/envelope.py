"""What surrounds every request: its id, the limits on it, headers of the answer, a line in the log, a count.

Plain ASGI: a request costs one call more, not a task of its own.
"""

from __future__ import annotations

import asyncio
import logging
import re
import time
import uuid
from dataclasses import dataclass
from urllib.parse import unquote_to_bytes

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gate.errors import GateError
from gate.server.hosts import refuse_foreign_host
from gate.server.problem import MEDIA_TYPE, ProblemError, internal, invalid, problem_of
from gate.server.service import Metrics

_log = logging.getLogger("gate.server")

MOST_BYTES = 512 * 1024  # of a body
_KEY = "gate.exchange"
_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
_METHODS = frozenset({"GET", "POST", "DELETE", "HEAD", "OPTIONS", "PUT", "PATCH"})  # what a metric may be labelled with
_REPEATABLE = frozenset({b"state"})  # parameters that may come more than once
_UNROUTED = "none"
_LEFT = 499  # nobody was answered, as proxies log it: the process ended first, or the client went

_HEADERS = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"x-frame-options", b"DENY"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"cache-control", b"no-store"),
)  # unless the answer has its own


@dataclass(slots=True)
class Exchange:
    """One request and its answer, as the log will tell of it."""

    request_id: str
    evaluation_id: str | None = None
    status: int = 500
    started: bool = False


def exchange_of(scope: Scope) -> Exchange:
    """The exchange that a request belongs to."""
    found = scope[_KEY]
    assert isinstance(found, Exchange)
    return found


class Envelope:
    """The outermost layer of the server."""

    def __init__(self, app: ASGIApp, metrics: Metrics, public_url: str | None = None) -> None:
        self._app = app
        self._metrics = metrics
        self._public_url = public_url

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request; whatever breaks on the way becomes a problem document."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers: list[tuple[bytes, bytes]] = scope["headers"]
        exchange = scope[_KEY] = Exchange(_request_id(headers))
        began = time.perf_counter()

        async def answer(message: Message) -> None:
            if message["type"] == "http.response.start":
                exchange.status, exchange.started = message["status"], True
                message["headers"] = _with_ours(message.get("headers", ()), exchange.request_id)
            await send(message)

        try:
            _refuse_early(scope, headers)
            if self._public_url is not None and scope["method"] not in _SAFE_METHODS:
                refuse_foreign_host(headers, self._public_url)
            await self._app(scope, _limited(receive), answer)
        except ProblemError as problem:
            await self._explain(problem, scope, exchange, answer)
        except GateError as wrong:
            _log.warning("%s: %s", type(wrong).__name__, wrong, extra={"request_id": exchange.request_id})
            await self._explain(problem_of(wrong), scope, exchange, answer)
        except asyncio.CancelledError:
            exchange.status = exchange.status if exchange.started else _LEFT  # the server ends: nothing is broken
            raise
        except Exception:  # noqa: BLE001  # the last place where it can be caught: the client gets an id, the log the reason
            _log.exception("a request broke", extra={"request_id": exchange.request_id})
            await self._explain(internal(), scope, exchange, answer)
        finally:
            self._record(scope, exchange, time.perf_counter() - began)

    async def _explain(self, problem: ProblemError, scope: Scope, exchange: Exchange, send: Send) -> None:
        if exchange.started:
            raise problem  # half an answer is out: only closing the connection says that it is not whole
        await send_problem(problem, scope, send)

    def _record(self, scope: Scope, exchange: Exchange, seconds: float) -> None:
        route = getattr(scope.get("route"), "path", _UNROUTED)
        method = scope["method"] if scope["method"] in _METHODS else "other"
        fields = {
            "request_id": exchange.request_id,
            "evaluation_id": exchange.evaluation_id,
            "method": method,
            "route": route,
            "status": exchange.status,
            "ms": round(seconds * 1000, 2),
        }
        level = logging.ERROR if exchange.status >= 500 else logging.INFO
        _log.log(level, "request", extra=fields)
        self._metrics.http(method, route, exchange.status, seconds)


async def send_problem(problem: ProblemError, scope: Scope, send: Send) -> None:
    """Answer with a problem document."""
    body = problem.document(_instance(scope), exchange_of(scope).request_id)
    headers = [(b"content-type", MEDIA_TYPE.encode()), (b"content-length", str(len(body)).encode())]
    headers += [(name.lower().encode(), value.encode()) for name, value in problem.headers.items()]
    await send({"type": "http.response.start", "status": problem.status, "headers": headers})
    await send({"type": "http.response.body", "body": body if scope["method"] != "HEAD" else b""})


def _instance(scope: Scope) -> str:
    """The path as it was sent: percent-encoded, so that it is plain ASCII whatever a client thinks up."""
    raw: bytes = scope.get("raw_path") or b"/"
    return raw.split(b"?", 1)[0][:500].decode("ascii", "replace")


def _request_id(headers: list[tuple[bytes, bytes]]) -> str:
    sent = [value for name, value in headers if name == b"x-request-id"]
    if len(sent) == 1 and _REQUEST_ID.fullmatch(text := sent[0].decode("latin-1")):
        return text
    return uuid.uuid4().hex


def _with_ours(headers: object, request_id: str) -> list[tuple[bytes, bytes]]:
    sent: list[tuple[bytes, bytes]] = list(headers)  # type: ignore[call-overload]  # ASGI: an iterable of pairs
    names = {name for name, _ in sent}
    return [*sent, *(ours for ours in _HEADERS if ours[0] not in names), (b"x-request-id", request_id.encode())]


def _refuse_early(scope: Scope, headers: list[tuple[bytes, bytes]]) -> None:
    """Refuse what needs no reading: a body that says that it is too long, another site's page, a parameter twice."""
    for name, value in headers:
        if name == b"content-length" and (len(value) > 15 or not value.isdigit() or int(value) > MOST_BYTES):
            raise _too_large()
        if (
            name == b"sec-fetch-site"
            and scope["method"] not in _SAFE_METHODS
            and value not in (b"same-origin", b"none")
        ):
            raise ProblemError("cross-site", f"Sec-Fetch-Site: a {scope['method']} from another site's page is refused")
    if query := scope["query_string"]:
        names = [unquote_to_bytes(part.split(b"=", 1)[0].replace(b"+", b" ")) for part in query.split(b"&") if part]
        twice = [name for name in names if name not in _REPEATABLE and names.count(name) > 1] if len(names) > 1 else []
        if twice:
            shown = ascii(twice[0].decode("utf-8", "replace")[:60])[1:-1]
            raise invalid(f"query.{shown}", "comes more than once; send it once")


def _limited(receive: Receive) -> Receive:
    """Count the bytes of a body as they come, for one that does not say how long it is."""
    count = 0

    async def receive_limited() -> Message:
        nonlocal count
        message = await receive()
        if message["type"] == "http.request":
            count += len(message.get("body", b""))
            if count > MOST_BYTES:
                raise _too_large()
        return message

    return receive_limited


def _too_large() -> ProblemError:
    return ProblemError(
        "too-large", f"the body has more than {MOST_BYTES:,} bytes", headers={"Connection": "close"}
    )  # fmt: skip
