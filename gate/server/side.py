"""What a worker answers over HTTP: whether it lives, whether it can work, and its metrics. Nothing else."""

from __future__ import annotations

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from gate.server.envelope import Envelope
from gate.server.health import alive, exposition, readiness
from gate.server.problem import ProblemError
from gate.server.readiness import Glance
from gate.server.service import Worker
from gate.server.threads import Threads


def create_side_app(worker: Worker) -> Starlette:
    """Build the application of a worker."""
    database = Threads(2, "gate-side")
    glance = Glance(worker.ready)

    async def livez(_: Request) -> Response:
        return alive()

    async def readyz(_: Request) -> Response:
        return readiness(await database(glance.look))

    async def scrape(request: Request) -> Response:
        return await database(exposition, worker.metrics, request)

    async def refused(_: Request, __: Exception) -> Response:
        raise ProblemError("not-found", "a worker answers /livez, /readyz and /metrics; the API is at `gate serve`")

    routes = [Route("/livez", livez), Route("/readyz", readyz), Route("/metrics", scrape)]
    app = Starlette(routes=routes, exception_handlers={404: refused, 405: refused})
    app.router.redirect_slashes = False
    app.add_middleware(Envelope, metrics=worker.metrics)
    return app
