"""`/v1/models`: where each model stands, and the newest verdict on a version."""

from __future__ import annotations

import base64
import binascii
import re
from bisect import bisect_right
from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel, ConfigDict, Field
from starlette.requests import Request
from starlette.responses import Response

from gate.domain.evaluation import Served
from gate.flow.ports import Standing
from gate.server import resource
from gate.server.answers import LINK, answer, documented, link_to_next, problems
from gate.server.context import context_of
from gate.server.problem import invalid, not_found
from gate.server.verdicts import ETAG, IF_NONE_MATCH, document_answer

router = APIRouter(prefix="/v1/models", tags=["models"])

_VERSION = re.compile(r"[1-9][0-9]{0,8}")
_MODEL_EXAMPLE = {
    "name": "bike-demand",
    "stages": {
        "pilot": {
            "verdict_id": "b7f6c1d2-4a53-4b0e-9a37-2f6f0c9d8e10",
            "decision": "hold",
            "cause": "failed",
            "version": "3",
            "evaluated_at": "2026-11-22T12:00:01Z",
            "valid_until": "2026-12-06T12:00:01Z",
            "enforced": True,
        }
    },
    "served": [{"alias": "champion", "version": "2", "seen_at": "2026-11-22T11:59:30Z"}],
}


class Listing(BaseModel):
    """What a list of models may be asked for."""

    model_config = ConfigDict(extra="forbid")

    limit: int = Field(50, ge=1, le=200, description="At most so many on a page.")
    before: resource.Cursor | None = Field(None, description="`next` of the page before.")


class OfStage(BaseModel):
    """Which stage is meant."""

    model_config = ConfigDict(extra="forbid")

    stage: resource.Stage | None = Field(None, description="Only verdicts for this stage.")


@router.get(
    "",
    operation_id="listModels",
    summary="List models by name, with the newest verdict of each stage",
    response_class=Response,
    responses={
        200: documented("A page.", {"items": [_MODEL_EXAMPLE], "next": None}, model=resource.ModelPage, headers=LINK),
        **problems("verdict-damaged"),
    },
)
async def listing(request: Request, asked: Annotated[Listing, Query()]) -> Response:
    """List models."""
    archive = context_of(request).service.archive
    after = _name_of(asked.before) if asked.before else ""

    def read() -> Response:
        models = _models(archive.standings(), archive.served())
        names = sorted(models)
        begin = bisect_right(names, after) if asked.before else 0
        shown = names[begin : begin + asked.limit]
        more = len(names) > begin + asked.limit
        following = _cursor(shown[-1]) if more else None
        page = resource.ModelPage(items=[models[name] for name in shown], next=following)
        return answer(page, headers=link_to_next("/v1/models", following, limit=asked.limit))

    return await context_of(request).database(read)


@router.get(
    "/{name}/versions/{version}/verdict",
    operation_id="getVersionVerdict",
    summary="See the newest verdict on a version",
    response_class=Response,
    responses={
        200: documented("The verdict.", schema={"$ref": "#/components/schemas/Verdict"}, headers=ETAG),
        304: documented("The client has this document already.", headers=ETAG),
        **problems("not-found", "verdict-damaged"),
    },
    openapi_extra={"parameters": [IF_NONE_MATCH]},
)
async def newest(
    request: Request,
    name: Annotated[str, Path(description="The registered model.", examples=["bike-demand"])],
    version: Annotated[str, Path(description="Its version.", examples=["3"])],
    asked: Annotated[OfStage, Query()],
) -> Response:
    """See the newest verdict on a version."""
    context = context_of(request)
    if not _VERSION.fullmatch(version) or not name.isprintable() or len(name) > 256:
        raise not_found("a verdict on that version")
    found, _ = await context.database(
        context.service.archive.page, model_name=name, version=version, stage=asked.stage, limit=1
    )
    if not found:
        where = f" in stage {asked.stage}" if asked.stage else ""
        raise not_found(f"a verdict on models:/{name}/{version}{where}")
    return document_answer(request, found[0])


def _models(standings: Sequence[Standing], served: Sequence[Served]) -> dict[str, resource.Model]:
    """Bring together what is known of each model."""
    models: dict[str, resource.Model] = {}
    for one in standings:
        document = one.document
        models.setdefault(one.model_name, resource.Model(name=one.model_name, stages={}, served=[])).stages[
            one.stage
        ] = resource.StageVerdict(
            verdict_id=one.verdict_id,
            decision=document["decision"],
            cause=document["cause"],
            version=document["model"]["version"],
            evaluated_at=document["evaluated_at"],
            valid_until=document["valid_until"],
            enforced=document["enforced"],
        )
    for alias in served:
        models.setdefault(alias.model_name, resource.Model(name=alias.model_name, stages={}, served=[])).served.append(
            resource.ServedAlias(alias=alias.alias, version=alias.version, seen_at=alias.seen_at)
        )
    return models


def _cursor(name: str) -> str:
    return base64.urlsafe_b64encode(name.encode()).decode()


def _name_of(cursor: str) -> str:
    try:
        return base64.b64decode(cursor, altchars=b"-_", validate=True).decode()
    except (binascii.Error, ValueError):
        raise invalid("query.before", "is no cursor of this list; take `next` of the page before") from None
