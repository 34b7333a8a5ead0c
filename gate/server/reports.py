"""Reports: the files that a verdict's evidence was written into, served so that nothing in them can do harm.

What lies in a report was drawn from other people's data. Each file is served with a content security policy that puts
it into a sandbox: its origin is opaque, so it can read neither cookies nor this server's answers; it loads nothing from
anywhere and may not connect, submit, open windows or move the page around it. Evidently's page needs its own inline
script; no other file may run any. Should a browser not know sandboxes, the same policy still keeps out whatever is not
in the file, and the files themselves are inert (`gate.evidence.inert`, `gate.publish.page`).
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Path, Request, Response
from fastapi.responses import RedirectResponse
from starlette.exceptions import HTTPException

from gate.errors import UsageError
from gate.server.answers import documented, problems
from gate.server.problem import ProblemError, not_found
from gate.server.service import Service
from gate.server.site import Site
from gate.server.verdicts import ETAG, IF_NONE_MATCH, VerdictId

FileName = Annotated[str, Path(description="The name of the file.", examples=["index.html"])]

_READ = ["GET", "HEAD"]
_SHUT = "default-src 'none'; connect-src 'none'; form-action 'none'; base-uri 'none'; frame-ancestors 'self'"
_STILL = f"sandbox; {_SHUT}; style-src 'unsafe-inline'; img-src data:"
_SCRIPTED = (
    f"sandbox allow-scripts; {_SHUT}; script-src 'unsafe-inline' 'unsafe-eval'; style-src 'unsafe-inline'; "
    "img-src data: blob:; font-src data:"
)
_WITH_SCRIPT = frozenset({"evidently.html"})
_TYPES: Mapping[str, str] = {
    "html": "text/html; charset=utf-8",
    "json": "application/json",
    "txt": "text/plain; charset=utf-8",
    "csv": "text/plain; charset=utf-8",
    "png": "image/png",
}


@dataclass(frozen=True, slots=True)
class Entry:
    """A file of a report for people: what it is, and whether it can be shown in a frame."""

    name: str
    title: str
    about: str
    in_frame: bool


_KNOWN: Mapping[str, tuple[str, str]] = {
    "index.html": ("Drawings", "every finding with its distributions, its days and its segments"),
    "evidently.html": ("Evidently", "the measurements as Evidently reports them"),
    "evidently.json": ("Evidently snapshot", "the same as JSON, which opens in Evidently's own interface"),
}


def entries_of(names: list[str]) -> list[Entry]:
    """The files in the order in which people want them: our drawings, Evidently's page, the rest by name."""
    order = list(_KNOWN)
    known = sorted(names, key=lambda name: (order.index(name) if name in _KNOWN else len(order), name))
    return [Entry(name, *_KNOWN.get(name, (name, "")), in_frame=_ending(name) == "html") for name in known]


def headers_of(name: str) -> dict[str, str]:
    """The headers of a file by its name. What no table knows is a download of bytes."""
    headers = {
        "Content-Security-Policy": _SCRIPTED if name in _WITH_SCRIPT else _STILL,
        "Content-Type": _TYPES.get(_ending(name), "application/octet-stream"),
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "SAMEORIGIN",
        "Referrer-Policy": "no-referrer",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Permissions-Policy": "camera=(), microphone=(), geolocation=(), clipboard-read=(), fullscreen=()",
        "X-DNS-Prefetch-Control": "off",
        "Cache-Control": "private, no-cache",
    }
    if _ending(name) not in _TYPES:
        headers["Content-Disposition"] = "attachment"
    return headers


def report_routes(service: Service) -> APIRouter:
    """The routes of report files, and of the page that frames them."""
    site = Site(service.settings.public_url)
    routes = APIRouter()
    routes.include_router(_frame_routes(service, site))
    routes.include_router(_file_routes(service, site))
    return routes


def _frame_routes(service: Service, site: Site) -> APIRouter:
    pages = APIRouter(route_class=site.route(), include_in_schema=False)

    @pages.api_route("/verdicts/{verdict_id}/report/", methods=_READ)
    def report(request: Request, verdict_id: str, file: str = "") -> Response:
        document = service.archive.find(verdict_id)
        if document is None:
            raise HTTPException(404, f"No verdict begins with {verdict_id}.")
        if document["id"] != verdict_id:
            return RedirectResponse(site.links.report(str(document["id"]), file), 307, {"Cache-Control": "no-store"})
        entries = entries_of(list(service.archive.report_names(verdict_id)))
        framed = [entry for entry in entries if entry.in_frame]
        shown = next((entry for entry in framed if entry.name == file), None) if file else next(iter(framed), None)
        if file and shown is None:
            raise HTTPException(404, f"The report has no page {file}.")
        return site.show(request, "report.html.j2", document=document, entries=entries, shown=shown)

    @pages.api_route("/verdicts/{verdict_id}/report", methods=_READ)
    def report_without_slash(verdict_id: str) -> Response:
        return RedirectResponse(site.links.report(verdict_id), 307)

    return pages


def _file_routes(service: Service, site: Site) -> APIRouter:
    files = APIRouter()

    @files.get(
        "/v1/verdicts/{verdict_id}/report/{name}",
        operation_id="getReportFile",
        tags=["verdicts"],
        summary="Get a file of a verdict's report",
        description="The file as it was written, under a content security policy that puts it into a sandbox.",
        response_class=Response,
        responses={
            200: documented("The file.", schema={"type": "string"}, media_type="text/html", headers=ETAG),
            304: documented("The client has this file already.", headers=ETAG),
            307: documented("The id was the beginning of a verdict's: the file is there."),
            **problems("not-found", "ambiguous-id", "verdict-damaged"),
        },
        openapi_extra={"parameters": [IF_NONE_MATCH]},
    )
    def report_file(request: Request, verdict_id: VerdictId, name: FileName) -> Response:
        body = service.archive.report_file(verdict_id, name)
        if body is None:
            return _elsewhere(verdict_id, name)
        headers = headers_of(name) | {"ETag": f'"{hashlib.sha256(body).hexdigest()}"'}
        if headers["ETag"] in request.headers.get("if-none-match", ""):
            return Response(status_code=304, headers=headers)
        return Response(body, headers=headers)

    def _elsewhere(verdict_id: str, name: str) -> Response:
        """Lead from the beginning of an id to the whole one."""
        try:
            document = service.archive.find(verdict_id)
        except UsageError as several:
            raise ProblemError("ambiguous-id", str(several)) from several
        if document is None or document["id"] == verdict_id:
            raise not_found(f"report file {name} of verdict {verdict_id}")
        return RedirectResponse(site.links.file(str(document["id"]), name), 307, {"Cache-Control": "no-store"})

    return files


def _ending(name: str) -> str:
    return name.rpartition(".")[2].lower()
