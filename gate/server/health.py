"""`/livez`, `/readyz`, `/metrics`: for whoever runs the server."""

from __future__ import annotations

import gzip

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from gate.server import resource
from gate.server.answers import answer, documented, problems
from gate.server.context import context_of
from gate.server.service import Metrics

router = APIRouter(tags=["operation"])

_GZIP_FROM = 1_000  # bytes
_READY = {
    "ready": True,
    "checks": {"database": {"ok": True, "needed": True, "detail": "answers, and takes writes"}},
}


@router.get(
    "/livez",
    operation_id="isAlive",
    summary="Does the process answer?",
    description="Touches nothing: a server whose database is away is alive, and starting it anew would not help.",
    response_class=Response,
    responses={200: documented("It does.", {"alive": True}, model=resource.Alive)},
)
async def livez() -> Response:
    """Say that the process answers."""
    return alive()


@router.get(
    "/readyz",
    operation_id="isReady",
    summary="Can the server do its work?",
    description="A broken reload of the policies shows here, but the server stays ready: the last good set judges.",
    response_class=Response,
    responses={
        200: documented("It can.", _READY, model=resource.Readiness),
        503: documented("It cannot.", {**_READY, "ready": False}, model=resource.Readiness),
    },
)
async def readyz(request: Request) -> Response:
    """Say whether the server can do its work."""
    context = context_of(request)
    return readiness(await context.database(context.readiness.look))


@router.get(
    "/metrics",
    operation_id="getMetrics",
    summary="Metrics, in the format of Prometheus",
    response_class=Response,
    responses={
        200: documented("`docs/metrics.md` lists them.", "# HELP gate_build_info ...\n", schema={"type": "string"},
                        media_type="text/plain"),
        500: problems()[500],
    },
)  # fmt: skip
async def metrics(request: Request) -> Response:
    """Write the metrics."""
    context = context_of(request)
    return await context.database(exposition, context.service.metrics, request)


def alive() -> Response:
    """Answer of `/livez`."""
    return answer(resource.Alive(alive=True))


def readiness(found: resource.Readiness) -> Response:
    """Answer of `/readyz`."""
    return answer(found, 200 if found.ready else 503)


def exposition(metrics: Metrics, request: Request) -> Response:
    """Answer of `/metrics`, compressed where Prometheus asks for it: a large gate has a megabyte of text.

    Takes its time: not for the event loop.
    """
    content, kind = metrics.render(request.headers.get("accept", ""))
    accepted = request.headers.get("accept-encoding", "")
    headers = {"Vary": "Accept, Accept-Encoding"}
    if len(content) >= _GZIP_FROM and "gzip" in accepted.lower():
        content = gzip.compress(content, 1)
        headers["Content-Encoding"] = "gzip"
    return Response(content, 200, {**headers, "Content-Type": kind})
