"""Serving: one process, one port, and an end in good order."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from typing import Literal

import uvicorn
from starlette.types import ASGIApp

from gate.errors import UsageError
from gate.server.app import create_app
from gate.server.service import Service, Worker
from gate.server.side import create_side_app

_GRACE_SECONDS = 10  # for answers that are on their way; streams end at once
_START_SECONDS = 30
_BACKLOG = 1024
_SIGNALS = (signal.SIGINT, signal.SIGTERM)


def serve(service: Service, host: str, port: int, *, note: str = "") -> None:
    """Serve the API and the pages until SIGTERM or SIGINT, then return.

    Says `gate serves on http://HOST:PORT` on stderr, with `note` after it, once connections are taken.

    Raises:
        UsageError: the port is taken, the address is not this machine's, or PROMETHEUS_MULTIPROC_DIR is set.
    """
    app = create_app(service)
    _server(app, bind(host, port), "gate serves on", note, app.state.context.watch.close).run_bound()


def serve_worker(service: Worker, host: str, port: int) -> None:
    """Serve what a worker has to say, likewise."""
    app = create_side_app(service)
    _server(app, bind(host, port), "gate worker answers on", "", lambda: None).run_bound()


@contextlib.contextmanager
def in_background(app: ASGIApp, host: str = "127.0.0.1", port: int = 0) -> Iterator[str]:
    """Serve an application in a thread for as long as the context lasts; its address is what the context gives."""
    bound = bind(host, port)
    context = getattr(getattr(app, "state", None), "context", None)
    server = _server(app, bound, "", "", context.watch.close if context else lambda: None)
    address = address_of(bound)
    thread = threading.Thread(target=server.run_bound, name="gate-serves", daemon=True)
    thread.start()
    server.is_up.wait(_START_SECONDS)
    try:
        yield address
    finally:
        server.should_exit = True
        thread.join(_GRACE_SECONDS + 5)


def address_of(bound: socket.socket) -> str:
    """The URL of a bound port."""
    host, port = bound.getsockname()[:2]
    return f"http://{_shown(host)}:{port}"


def bind(host: str, port: int) -> socket.socket:
    """Bind the port, before anything says that it is served. Port 0 takes a free one."""
    try:
        [(family, kind, protocol, _, address), *_] = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )
        bound = socket.socket(family, kind, protocol)
    except OSError as wrong:
        raise UsageError(f"GATE_HOST: {host} is no address of this machine: {wrong.strerror}") from wrong
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind(address)
        bound.listen(_BACKLOG)
    except OSError as wrong:
        bound.close()
        raise UsageError(
            f"{_shown(host)}:{port}: cannot be served on: {wrong.strerror}; another process may hold the port, "
            f"GATE_PORT or --port names another"
        ) from wrong
    return bound


class _Server(uvicorn.Server):
    """uvicorn, which says when it is up, ends streams before it waits for them, and leaves signals to the caller."""

    def __init__(self, config: uvicorn.Config, bound: socket.socket, says: str, closing: Callable[[], None]) -> None:
        super().__init__(config)
        self._bound = bound
        self._says = says
        self._closing = closing
        self.is_up = threading.Event()

    def run_bound(self) -> None:
        """Serve until told to end."""
        self.run(sockets=[self._bound])

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets=sockets)
        if self._says:
            print(self._says, file=sys.stderr, flush=True)  # noqa: T201  # whoever starts it waits for this line
        self.is_up.set()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._closing()
        await super().shutdown(sockets=sockets)

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Hear the signals while serving. uvicorn would raise them again afterwards, and nobody could clean up."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = {number: signal.signal(number, self.handle_exit) for number in _SIGNALS}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


def _server(app: ASGIApp, bound: socket.socket, says: str, note: str, closing: Callable[[], None]) -> _Server:
    if os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
        bound.close()
        raise UsageError(
            "PROMETHEUS_MULTIPROC_DIR: is set, and metrics of several processes in files lose half of what gate says; "
            "unset it, and scale out by more `gate serve` with one port each"
        )
    config = uvicorn.Config(
        app,
        http=_protocol(),
        ws="none",
        lifespan="on",
        log_config=None,
        log_level="warning",
        access_log=False,  # the envelope writes a line a request
        proxy_headers=False,  # nothing here depends on who or where a client is
        server_header=False,
        timeout_keep_alive=30,
        timeout_graceful_shutdown=_GRACE_SECONDS,
        limit_concurrency=None,
    )
    words = " ".join(part for part in (says, address_of(bound) if says else "", note) if part)
    return _Server(config, bound, words, closing)


def _protocol() -> Literal["h11"] | type[asyncio.Protocol]:
    """Ours over httptools where that is installed; h11 is slower, and bounds a head by itself."""
    if find_spec("httptools") is None:
        return "h11"
    from gate.server.protocol import Protocol

    return Protocol


def _shown(host: str) -> str:
    return f"[{host}]" if ":" in host else host
