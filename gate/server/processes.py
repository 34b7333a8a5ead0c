"""The processes that a server is made of: `gate serve`, and `gate worker` where one machine is not enough."""

from __future__ import annotations

from contextlib import ExitStack

from gate.errors import UsageError
from gate.wiring.service import build_service, caring, require_server, working
from gate.wiring.settings import Settings


def run_server(settings: Settings) -> None:
    """Answer over HTTP, and work unless GATE_WORKERS is 0, until the process is told to end."""
    require_server()
    from gate.server.run import serve
    from gate.telemetry.logs import configure

    configure()
    with ExitStack() as running:
        service = running.enter_context(build_service(settings))
        if settings.workers:
            running.enter_context(working(service))
        running.enter_context(caring(service))
        serve(service, settings.host, settings.port)


def run_worker(settings: Settings) -> None:
    """Work, and answer only for monitoring, until the process is told to end."""
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
    with ExitStack() as running:
        service = running.enter_context(build_service(settings))
        running.enter_context(working(service))
        running.enter_context(caring(service))
        serve_worker(service, settings.host, settings.port)
