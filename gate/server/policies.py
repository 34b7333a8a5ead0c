"""`/v1/policies`: what the server judges by, and whether the last reload went well."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from gate.domain.moments import format_duration
from gate.policy.load import LoadedPolicy
from gate.server import resource
from gate.server.answers import answer, documented, problems
from gate.server.context import context_of

router = APIRouter(prefix="/v1/policies", tags=["policies"])

_SHA = "sha256:" + "ab" * 32


@router.get(
    "",
    operation_id="listPolicies",
    summary="List the policies in force",
    description="A server judges only by these. If a reload is broken, the last good set stays in force and `status` "
    "says what is wrong.",
    response_class=Response,
    responses={
        200: documented(
            "All of them.",
            {
                "items": [{"name": "bike-demand", "source": "policies/bike-demand.yaml", "digest": _SHA,
                           "owner": "mobility-analytics", "models": ["bike-demand*"], "every": "1d"}],
                "status": {"ok": True, "at": "2026-11-22T08:00:00Z", "problems": [], "digest": _SHA},
            },
            model=resource.Policies,
        ),
        **problems(),
    },
)  # fmt: skip
async def listing(request: Request) -> Response:
    """List policies."""
    shelf = context_of(request).service.shelf
    status = shelf.status()
    body = resource.Policies(
        items=[_entry(loaded) for loaded in shelf.current().policies],
        status=resource.ReloadStatus(ok=status.ok, at=status.at, problems=list(status.problems), digest=status.digest),
    )
    return answer(body)


def _entry(loaded: LoadedPolicy) -> resource.PolicyEntry:
    policy = loaded.policy
    every = policy.evaluate.every
    return resource.PolicyEntry(
        name=policy.name,
        source=loaded.source,
        digest=loaded.digest,
        owner=policy.owner,
        models=list(policy.applies_to.models),
        every=format_duration(every) if every is not None else None,
    )
