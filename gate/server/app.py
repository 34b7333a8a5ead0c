"""The HTTP server as one application."""

from __future__ import annotations

import contextlib
import functools
import json
from collections.abc import AsyncIterator
from http import HTTPStatus
from importlib.metadata import version
from typing import Any, NoReturn

import anyio.to_thread
from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from gate.server import evaluations, health, models, policies, verdicts
from gate.server.badge import badge_routes
from gate.server.body import invalid_request
from gate.server.context import Context, context_of
from gate.server.envelope import Envelope
from gate.server.openapi import DESCRIPTION, document_of
from gate.server.pages import page_routes
from gate.server.problem import ProblemError
from gate.server.readiness import Glance
from gate.server.reports import report_routes
from gate.server.service import Service
from gate.server.site import Site
from gate.server.threads import THREADS, Threads
from gate.server.watch import Watch

OPENAPI_PATH = "/v1/openapi.json"
_ROUTERS = (evaluations.router, verdicts.router, models.router, policies.router, health.router)


def create_app(service: Service) -> FastAPI:
    """Build the application over a service. Its event loop waits for nothing: all that may take time is in threads."""

    @contextlib.asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        anyio.to_thread.current_default_thread_limiter().total_tokens = THREADS  # what pages are rendered in
        try:
            yield
        finally:
            context.watch.close()
            context.database.close()

    context = Context(service, Threads(), Watch(service.evaluations), Glance(service.ready))
    app = _Application(
        title="gate",
        summary="Is this model ready for production?",
        description=DESCRIPTION,
        version=version("readiness-gate"),
        openapi_url=None,  # served below, made once
        docs_url=None,  # they load scripts from elsewhere
        redoc_url=None,
        redirect_slashes=False,  # a redirect would repeat the Host header
        lifespan=lifespan,
    )
    app.state.context = context
    app.state.site = Site(service.settings.public_url)
    app.add_middleware(Envelope, metrics=service.metrics, public_url=service.settings.public_url)
    app.add_exception_handler(HTTPException, _refused)
    app.add_exception_handler(RequestValidationError, _invalid)
    for router in (*_ROUTERS, page_routes(service), report_routes(service), badge_routes(service)):
        app.include_router(router)
    app.add_api_route(OPENAPI_PATH, _openapi, include_in_schema=False, response_class=Response)
    return app


class _Application(FastAPI):
    @functools.cached_property
    def openapi_bytes(self) -> bytes:
        """The OpenAPI document as it is sent, written once."""
        return json.dumps(self.openapi(), ensure_ascii=False).encode()

    def openapi(self) -> dict[str, Any]:
        """Make the OpenAPI document, once."""
        if self.openapi_schema is None:
            self.openapi_schema = document_of(
                self, [route for router in _ROUTERS for route in router.routes if isinstance(route, APIRoute)]
            )
        return self.openapi_schema


async def _openapi(request: Request) -> Response:
    """Answer with the OpenAPI document."""
    content = await context_of(request).database(lambda: request.app.openapi_bytes)
    return Response(content, media_type="application/json", headers={"Cache-Control": "no-cache"})


def _refused(request: Request, wrong: Exception) -> Response:
    """Turn Starlette's own refusals into problems; for a person who follows a wrong address, into a page."""
    assert isinstance(wrong, HTTPException)
    match wrong.status_code:
        case 404:
            standard = wrong.detail == HTTPStatus.NOT_FOUND.phrase
            problem = ProblemError("not-found", "there is no such address here" if standard else wrong.detail)
            if request.url.path.startswith("/v1/") or "text/html" not in request.headers.get("accept", ""):
                raise problem
            shown: Response = request.app.state.site.problem(request, problem)
            return shown
        case 405:
            methods = _methods(request)
            detail = f"{request.method} cannot be done here; {methods} can" if methods else "that cannot be done here"
            raise ProblemError("method-not-allowed", detail, headers={"Allow": methods} if methods else wrong.headers)
        case _:
            raise ProblemError("not-json", "the request cannot be read")


def _methods(request: Request) -> str:
    """What can be done at an address of the API: Starlette names the methods of only one of its routes."""
    operations = request.app.openapi()["paths"].get(getattr(request.scope.get("route"), "path", ""), {})
    return ", ".join(sorted(method.upper() for method in operations))


def _invalid(_: Request, wrong: Exception) -> NoReturn:
    """Turn FastAPI's list of errors into a problem."""
    assert isinstance(wrong, RequestValidationError)
    raise invalid_request(wrong.errors())
