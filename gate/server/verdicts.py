"""`/v1/verdicts`: what was decided, verbatim."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal
from urllib.parse import quote

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel, ConfigDict, Field
from starlette.requests import Request
from starlette.responses import Response

from gate.errors import UsageError
from gate.server import resource
from gate.server.answers import LINK, answer, answer_plain, documented, link_to_next, problems
from gate.server.context import context_of
from gate.server.problem import ProblemError, not_found

router = APIRouter(prefix="/v1/verdicts", tags=["verdicts"])

_ID = re.compile(r"[A-Za-z0-9_-]{4,64}")
_VERDICT = {"$ref": "#/components/schemas/Verdict"}
ETAG = {"ETag": {"description": "The digest of the document; it never changes.", "schema": {"type": "string"}}}
IF_NONE_MATCH = {
    "name": "If-None-Match",
    "in": "header",
    "required": False,
    "description": "The ETag of the document that the client has.",
    "schema": {"type": "string"},
    "example": '"sha256:' + "ab" * 32 + '"',
}

VerdictId = Annotated[
    str,
    Path(
        description="The id of a verdict, or its beginning: at least 4 characters, and only one verdict begins so.",
        examples=["b7f6c1d2-4a53-4b0e-9a37-2f6f0c9d8e10"],
    ),
]


class Listing(BaseModel):
    """What a list of verdicts may be asked for."""

    model_config = ConfigDict(extra="forbid")

    model: resource.Name | None = Field(None, description="Only those on this registered model.")
    stage: resource.Stage | None = Field(None, description="Only those for this stage.")
    decision: Literal["promote", "hold"] | None = Field(None, description="Only these.")
    version: resource.Version | None = Field(None, description="Only those on this version of a model.")
    limit: int = Field(50, ge=1, le=200, description="At most so many on a page.")
    before: resource.Cursor | None = Field(None, description="`next` of the page before.")


@router.get(
    "",
    operation_id="listVerdicts",
    summary="List verdicts, newest first",
    response_class=Response,
    responses={
        200: documented(
            "A page of verdict documents.",
            {"items": [], "next": None},
            schema={
                "type": "object",
                "required": ["items", "next"],
                "properties": {
                    "items": {"type": "array", "items": _VERDICT},
                    "next": {"type": ["string", "null"], "description": "`before` of the page that follows."},
                },
            },
            headers=LINK,
        ),
        **problems("verdict-damaged"),
    },
)
async def listing(request: Request, asked: Annotated[Listing, Query()]) -> Response:
    """List verdicts."""
    context = context_of(request)
    filters = asked.model_dump(include={"model", "stage", "decision", "version", "limit"})

    def read() -> Response:  # whole: a page may have ten megabytes, which the event loop must not write
        items, following = context.service.archive.page(
            model_name=asked.model,
            stage=asked.stage,
            decision=asked.decision,
            version=asked.version,
            before=asked.before,
            limit=asked.limit,
        )
        link = link_to_next("/v1/verdicts", following, **filters)
        return answer_plain({"items": list(items), "next": following}, headers=link)

    return await context.database(read)


@router.get(
    "/{verdict_id}",
    operation_id="getVerdict",
    summary="See a verdict",
    description="The document as it was stored; its members in their order. Its digest is the ETag.",
    response_class=Response,
    responses={
        200: documented("The verdict.", schema=_VERDICT, headers=ETAG),
        304: documented("The client has this document already.", headers=ETAG),
        **problems("not-found", "ambiguous-id", "verdict-damaged"),
    },
    openapi_extra={"parameters": [IF_NONE_MATCH]},
)
async def get(request: Request, verdict_id: VerdictId) -> Response:
    """See a verdict."""
    return document_answer(request, await _found(request, verdict_id))


@router.get(
    "/{verdict_id}/report",
    operation_id="listReport",
    summary="List the files of a verdict's report",
    response_class=Response,
    responses={
        200: documented("The files, by name; empty if none were kept, or they were purged.",
                        {"files": [{"name": "index.html", "url": "/v1/verdicts/b7f6c1d2/report/index.html"}]},
                        model=resource.Report),
        **problems("not-found", "ambiguous-id", "verdict-damaged"),
    },
)  # fmt: skip
async def report(request: Request, verdict_id: VerdictId) -> Response:
    """List report files."""
    context = context_of(request)
    name = str((await _found(request, verdict_id))["id"])
    names = await context.database(context.service.archive.report_names, name)
    files = [resource.ReportFile(name=one, url=f"/v1/verdicts/{name}/report/{quote(one)}") for one in names]
    return answer(resource.Report(files=files))


def document_answer(request: Request, document: Mapping[str, Any]) -> Response:
    """Answer with a verdict document, or with 304 if the client has it."""
    tag = f'"{document["digest"]}"'
    headers = {"ETag": tag, "Cache-Control": "private, no-cache"}
    if _has(request.headers.getlist("if-none-match"), tag):
        return Response(status_code=304, headers=headers)
    return answer_plain(document, headers=headers)


def _has(stated: list[str], tag: str) -> bool:
    """Whether If-None-Match names the tag; weak and strong ones compare alike there (RFC 9110, 13.1.2)."""
    named = [one.strip().removeprefix("W/") for line in stated for one in line.split(",")]
    return tag in named or "*" in named


async def _found(request: Request, verdict_id: str) -> Mapping[str, Any]:
    context = context_of(request)
    if not _ID.fullmatch(verdict_id):
        raise ProblemError("not-found", "that is not the id of a verdict, nor 4 or more characters of its beginning")
    try:
        found = await context.database(context.service.archive.find, verdict_id)
    except UsageError as several:
        raise ProblemError("ambiguous-id", str(several)) from several
    if found is None:
        raise not_found(f"verdict {verdict_id}")
    return found
