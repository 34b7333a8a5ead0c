"""The pages: all models, one model, one verdict, one evaluation. Plain HTML; they work without a script."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse
from starlette.exceptions import HTTPException

from gate.domain.evaluation import Evaluation, State
from gate.errors import DamagedError
from gate.publish.findings import CAUSES, show_findings
from gate.server.assets import asset_routes
from gate.server.service import Service
from gate.server.site import Site
from gate.server.view.history import attempts_of, latest_changes, versions_of
from gate.server.view.portfolio import owner_of, pilot_age, policy_of, portfolio_of
from gate.server.view.progress import progress_of
from gate.server.view.standing import Answer, Document, position_of
from gate.server.view.verdict import command_of, sides_of

_log = logging.getLogger(__name__)

_UNDER_WAY = (State.QUEUED, State.RUNNING)
_READ = ["GET", "HEAD"]
_ATTEMPTS = 25  # on one page of a model's history


def now_in_utc() -> datetime:
    """What the clock says."""
    return datetime.now(UTC)


def _history(service: Service, name: str, before: str | None) -> tuple[Sequence[Document], str | None, bool]:
    """The verdicts on a model, the cursor of older ones, and whether one of them is damaged, which hides them all."""
    try:
        documents, older = service.archive.page(model_name=name, before=before, limit=_ATTEMPTS)
    except DamagedError as damaged:
        _log.error("%s", damaged)
        return (), None, True
    return documents, older, False


def _verdict_of(service: Service, evaluation: Evaluation) -> tuple[Document | None, bool]:
    """The verdict of an evaluation, if there is one, and whether it is damaged."""
    try:
        return service.archive.find(evaluation.verdict_id) if evaluation.verdict_id else None, False
    except DamagedError as damaged:
        _log.error("%s", damaged)
        return None, True


def page_routes(service: Service, clock: Callable[[], datetime] = now_in_utc) -> APIRouter:
    """The routes of the pages and of the files that they load."""
    site = Site(service.settings.public_url)
    router = APIRouter(route_class=site.route(), include_in_schema=False)

    @router.api_route("/", methods=_READ)
    def portfolio(request: Request, show: str = "") -> Response:
        only = next((answer for answer in Answer if answer == show), None)
        if show and only is None:
            raise HTTPException(400, f"show is one of {', '.join(Answer)}.")
        running, _ = service.evaluations.page(states=_UNDER_WAY, limit=50)
        return site.show(
            request,
            "portfolio.html.j2",
            portfolio=portfolio_of(
                service.archive.standings(), service.archive.served(), running, service.shelf.current(), clock(), only
            ),
        )

    @router.api_route("/models/{name}", methods=_READ)
    def model(request: Request, name: str, before: str | None = None) -> Response:
        now = clock()
        documents, older, is_damaged = _history(service, name, before)
        running, _ = service.evaluations.page(model_name=name, states=_UNDER_WAY, limit=20)
        standings = [standing for standing in service.archive.standings() if standing.model_name == name]
        if not (documents or running or standings):
            raise HTTPException(404, f"No verdict on a model called {name} is kept here.")
        policies = service.shelf.current()
        newest = max((standing.document for standing in standings), key=lambda d: d["evaluated_at"], default=None)
        policy = policy_of(policies, newest) if newest else None
        attempts = attempts_of(documents)
        return site.show(
            request,
            "model.html.j2",
            name=name,
            positions=[position_of(s.document, now, owner_of(policy_of(policies, s.document))) for s in standings],
            owner=owner_of(policy),
            description=(policy.policy.description or "") if policy else "",
            pilot=pilot_age(policy, now.date()),
            served=[seen for seen in service.archive.served() if seen.model_name == name],
            running=running,
            attempts=attempts,
            versions=versions_of(attempts),
            changes=latest_changes(documents) if before is None else (),
            older=older,
            is_newest=before is None,
            is_damaged=is_damaged,
        )

    @router.api_route("/verdicts/{verdict_id}", methods=_READ)
    def verdict(request: Request, verdict_id: str) -> Response:
        document: Document | None = service.archive.find(verdict_id)
        if document is None:
            raise HTTPException(404, f"No verdict begins with {verdict_id}.")
        if document["id"] != verdict_id:
            return RedirectResponse(site.links.verdict(str(document["id"])), 307, {"Cache-Control": "no-store"})
        findings = show_findings(document)
        return site.show(
            request,
            "verdict.html.j2",
            document=document,
            position=position_of(document, clock(), owner_of(policy_of(service.shelf.current(), document))),
            cause=CAUSES.get(str(document["cause"]), ""),
            urgent=[shown for shown in findings if not shown.is_pass],
            passed=[shown for shown in findings if shown.is_pass],
            sides=sides_of(findings),
            engine=", ".join(f"{name} {version}" for name, version in document["engine"].items()),
            command=command_of(document),
            evaluation=service.archive.evaluation_of(verdict_id),
            files=list(service.archive.report_names(verdict_id)),
        )

    @router.api_route("/evaluations/{evaluation_id}", methods=_READ)
    def evaluation(request: Request, evaluation_id: str) -> Response:
        found = service.evaluations.get(evaluation_id)
        if found is None:
            raise HTTPException(404, f"There is no evaluation {evaluation_id}.")
        progress = progress_of(found, service.evaluations.events(evaluation_id))
        document, is_damaged = _verdict_of(service, found)
        return site.show(
            request,
            "evaluation.html.j2",
            evaluation=found,
            progress=progress,
            position=position_of(document, clock()) if document else None,
            is_damaged=is_damaged,
        )

    routes = APIRouter(include_in_schema=False)
    routes.include_router(asset_routes())
    routes.include_router(router)
    return routes
