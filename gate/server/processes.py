"""The processes that a server is made of: `gate serve`, and `gate worker` where one machine is not enough."""

from __future__ import annotations

import logging
import os
import resource
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from typing import NoReturn

from gate.errors import UsageError
from gate.wiring.caring import caring
from gate.wiring.extras import require_server
from gate.wiring.service import build_service
from gate.wiring.settings import Settings
from gate.wiring.working import working

_log = logging.getLogger(__name__)

_ENDING_SECONDS = 25.0  # less than supervisors wait before they kill


def run_server(settings: Settings) -> NoReturn:
    """Answer over HTTP, and work unless GATE_WORKERS is 0, until the process is told to end; then end it."""
    require_server()
    from gate.server.run import serve
    from gate.telemetry.logs import configure

    configure()
    raise_file_limit()
    with ExitStack() as running:
        service = running.enter_context(build_service(settings))
        if settings.workers:
            running.enter_context(working(service))
        running.enter_context(caring(service))
        running.enter_context(_ending_in_time())
        serve(service, settings.host, settings.port)
    _end(0)


def run_worker(settings: Settings) -> NoReturn:
    """Work, and answer only for monitoring, until the process is told to end; then end it."""
    require_server()
    from gate.server.run import serve_worker
    from gate.telemetry.logs import configure

    if not settings.workers:
        raise UsageError("GATE_WORKERS is 0: a worker that does nothing; set how many evaluations it does at once")
    if settings.database is None:
        raise UsageError(
            "gate worker needs a database that it shares with gate serve: set GATE_DATABASE=postgresql+psycopg://...; "
            "without one, gate serve works by itself"
        )
    configure()
    raise_file_limit()
    with ExitStack() as running:
        service = running.enter_context(build_service(settings))
        running.enter_context(working(service))
        running.enter_context(caring(service))
        running.enter_context(_ending_in_time())
        serve_worker(service, settings.host, settings.port)
    _end(0)


def raise_file_limit() -> None:
    """Open as many files as the system allows: each client that waits is one, and the usual limit is 1,024."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        with suppress(ValueError, OSError):  # where "no limit" cannot be had, what there is has to do
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


@contextmanager
def _ending_in_time() -> Iterator[None]:
    """End the process if all that is closed after this block takes too long, as where the database is away."""
    yield
    watchdog = threading.Timer(_ENDING_SECONDS, _give_up)
    watchdog.daemon = True
    watchdog.start()


def _give_up() -> None:
    _log.warning("not everything could be closed within %g s; what was begun is taken up again", _ENDING_SECONDS)
    _end(0)


def _end(code: int) -> NoReturn:
    """End now. The interpreter would first wait for threads, and those of the engine may wait for a database."""
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):
            stream.flush()
    logging.shutdown()
    os._exit(code)
