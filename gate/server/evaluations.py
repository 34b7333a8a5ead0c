"""`/v1/evaluations`: ask for a verdict, wait for it, cancel, ask again."""

from __future__ import annotations

import asyncio
import re
import secrets
from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Header, Path, Query
from pydantic import BaseModel, ConfigDict, Field
from starlette.requests import Request
from starlette.responses import Response

from gate.domain.evaluation import Evaluation, Event, State
from gate.errors import OverError
from gate.server import resource
from gate.server.answers import LINK, answer, documented, link_to_next, problems
from gate.server.body import read_body
from gate.server.context import Context, Outcome, context_of
from gate.server.envelope import exchange_of
from gate.server.problem import ProblemError, invalid, not_found
from gate.server.stream import EventStream

router = APIRouter(prefix="/v1/evaluations", tags=["evaluations"])

PRINCIPAL = "anonymous"
_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_LAST_EVENT = re.compile(r"[0-9]{1,9}")

EvaluationId = Annotated[str, Path(description="The id of an evaluation.", examples=[resource.ID])]
IdempotencyKey = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=255,
        pattern="^[!-~]([ -~]*[!-~])?$",
        description="The client's own name for this request, printable ASCII: the same key is the same evaluation, "
        "however often it is sent. Without one the server makes one up.",
        examples=["github-acme/bikes-4711-gate"],
    ),
]

_EVALUATION_EXAMPLE = {
    "id": resource.ID,
    "state": "queued",
    "model": "models:/bike-demand/3",
    "model_name": "bike-demand",
    "stage": None,
    "report_only": False,
    "trigger": "ci",
    "created_at": "2026-11-22T12:00:00Z",
    "started_at": None,
    "finished_at": None,
    "expires_at": "2026-11-23T12:00:00Z",
    "tries": 0,
    "retry_of": None,
    "verdict_id": None,
    "verdict_url": None,
    "decision": None,
    "exit_code": None,
    "trouble": None,
    "phase": None,
    "links": {
        "self": f"/v1/evaluations/{resource.ID}",
        "events": f"/v1/evaluations/{resource.ID}/events",
        "verdict": None,
        "page": f"/evaluations/{resource.ID}",
    },
}
_LOCATION = {
    "Location": {"description": "Where the evaluation is.", "schema": {"type": "string", "format": "uri-reference"}}
}
_KEY = {"Idempotency-Key": {"description": "The key that names this request.", "schema": {"type": "string"}}}

_EVENT = {
    "type": "object",
    "description": "One event of the stream. The stream itself is text, as the HTML standard defines it.",
    "required": ["id", "event", "data"],
    "properties": {
        "id": {"type": "string", "pattern": "^[1-9][0-9]*$"},
        "event": {"type": "string", "description": "What happened; kinds that you do not know are to be ignored."},
        "data": {"type": "string", "contentMediaType": "application/json"},
    },
}


class Listing(BaseModel):
    """What a list of evaluations may be asked for."""

    model_config = ConfigDict(extra="forbid")

    model: resource.Name | None = Field(None, description="Only those of this registered model.")
    state: list[State] = Field([], max_length=5, description="Only those in these states.")
    limit: int = Field(50, ge=1, le=200, description="At most so many on a page.")
    before: resource.Cursor | None = Field(None, description="`next` of the page before.")


class Waiting(BaseModel):
    """How long an answer may take."""

    model_config = ConfigDict(extra="forbid")

    wait: Annotated[float, Field(ge=0, le=30, allow_inf_nan=False)] = Field(
        0.0, description="Answer only once it is over, or after so many seconds."
    )


@router.post(
    "",
    operation_id="submitEvaluation",
    summary="Ask for a verdict",
    description="Records the request durably and answers at once. The same `Idempotency-Key` with the same body is the "
    "same evaluation, also after a lost connection or a restart.",
    status_code=202,
    response_class=Response,
    responses={
        202: documented("Accepted, and on disk.", _EVALUATION_EXAMPLE, model=resource.Evaluation,
                        headers={**_LOCATION, **_KEY}),
        200: documented("This key came before, with the same body: its evaluation as it is now.", _EVALUATION_EXAMPLE,
                        model=resource.Evaluation, headers={**_LOCATION, **_KEY}),
        **problems("client-policy-refused", "cross-site", "unknown-host", "key-reused", "policy-error",
                   "engine-unavailable", body=True),
    },
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {
                "application/json": {
                    "schema": {"$ref": "#/components/schemas/Submission"},
                    "examples": {
                        "newest": {"summary": "A version, under the server's policy",
                                   "value": {"model": "models:/bike-demand/3"}},
                        "ci": {"summary": "From a pipeline, by alias, without enforcing it",
                               "value": {"model": "models:/bike-demand@challenger", "report_only": True,
                                         "trigger": "ci"}},
                    },
                }
            },
        }
    },
)  # fmt: skip
async def submit(request: Request, key: IdempotencyKey = None) -> Response:
    """Accept a request for a verdict."""
    if len(request.headers.getlist("idempotency-key")) > 1:
        raise invalid("header.Idempotency-Key", "comes more than once; send it once")
    body = await read_body(request, resource.Submission)
    context = context_of(request)
    name = key or secrets.token_hex(16)

    def accept() -> tuple[resource.Evaluation, bool]:
        found, is_new = context.service.submit(body.to_domain(), principal=PRINCIPAL, key=name, now=context.now())
        return describe(found, context), is_new

    found, is_new = await context.database(accept)
    exchange_of(request.scope).evaluation_id = found.id
    headers = {"Location": found.links.self_, "Idempotency-Key": name}
    return answer(found, 202 if is_new else 200, headers)


@router.get(
    "",
    operation_id="listEvaluations",
    summary="List evaluations, newest first",
    response_class=Response,
    responses={
        200: documented("A page.", {"items": [_EVALUATION_EXAMPLE], "next": None}, model=resource.EvaluationPage,
                        headers=LINK),
        **problems(),
    },
)  # fmt: skip
async def listing(request: Request, asked: Annotated[Listing, Query()]) -> Response:
    """List evaluations."""
    context = context_of(request)
    states = [str(state) for state in asked.state]

    def read() -> Response:
        found, following = context.service.evaluations.page(
            model_name=asked.model, states=asked.state, before=asked.before, limit=asked.limit
        )
        page = resource.EvaluationPage(items=[describe(one, context) for one in found], next=following)
        link = link_to_next("/v1/evaluations", following, model=asked.model, state=states, limit=asked.limit)
        return answer(page, headers=link)

    return await context.database(read)


@router.get(
    "/{evaluation_id}",
    operation_id="getEvaluation",
    summary="See an evaluation, or wait for its end",
    description="With `wait` the answer comes when the evaluation is over, or after that many seconds with its state "
    "by then. Waiting costs the server next to nothing.",
    response_class=Response,
    responses={
        200: documented("The evaluation.", _EVALUATION_EXAMPLE, model=resource.Evaluation),
        **problems("not-found"),
    },
)
async def get(request: Request, evaluation_id: EvaluationId, asked: Annotated[Waiting, Query()]) -> Response:
    """See an evaluation."""
    context = context_of(request)
    found = await _found(request, evaluation_id)
    if asked.wait and not found.state.is_over:
        await _wait(context, evaluation_id, asked.wait)
        found = await _found(request, evaluation_id)
    return answer(found)


@router.get(
    "/{evaluation_id}/events",
    operation_id="followEvaluation",
    summary="Follow an evaluation",
    description="Server-sent events: `queued`, `started`, `phase` (data: `name`, `detail`), `rows` (data: `scanned`), "
    "and last `done`, `error` or `cancelled`, whose data is the evaluation. Each has the data `at` and an id; a client "
    "that was cut off sends the last one as `Last-Event-ID` and goes on after it. A comment comes every 15 seconds.",
    response_class=Response,
    responses={
        200: documented(
            "Events until the evaluation is over, or the server closes.",
            {"id": "1", "event": "queued", "data": '{"at": "2026-11-22T12:00:00Z"}'},
            schema=_EVENT,
            media_type="text/event-stream",
        ),
        204: documented("It is over, and `Last-Event-ID` was its last event: there is no more to come."),
        **problems("not-found"),
    },
)
async def events(
    request: Request,
    evaluation_id: EvaluationId,
    last: Annotated[
        str | None,
        Header(
            alias="Last-Event-ID",
            pattern="^[0-9]{1,9}$",
            description="The id of the last event that the client has.",
            examples=["3"],
        ),
    ] = None,
) -> Response:
    """Follow an evaluation."""
    context = context_of(request)
    seen = int(last) if last else 0
    found = await _found(request, evaluation_id)
    evaluations = context.service.evaluations
    if found.state.is_over and seen and not await context.database(evaluations.events, evaluation_id, seen):
        return Response(status_code=204)

    def final() -> Mapping[str, Any]:
        ended = evaluations.get(evaluation_id)
        return {} if ended is None else describe(ended, context).model_dump(mode="json", by_alias=True)

    def read(after: int) -> Sequence[Event]:
        return evaluations.events(evaluation_id, after)

    return EventStream(context.watch, context.database, evaluation_id, seen, read, final)


@router.delete(
    "/{evaluation_id}",
    operation_id="cancelEvaluation",
    summary="Cancel an evaluation",
    description="What waits is taken out of the line, what runs is stopped. Cancelling twice is cancelling once.",
    response_class=Response,
    responses={
        200: documented("It is cancelled.", {**_EVALUATION_EXAMPLE, "state": "cancelled", "exit_code": 4,
                                             "finished_at": "2026-11-22T12:00:02Z"}, model=resource.Evaluation),
        **problems("cross-site", "unknown-host", "not-found", "already-over", "engine-unavailable"),
    },
)  # fmt: skip
async def cancel(request: Request, evaluation_id: EvaluationId) -> Response:
    """Cancel an evaluation."""
    context = context_of(request)
    name = _named(request, evaluation_id)

    def end() -> resource.Evaluation | None:
        try:
            ended = context.service.cancel(name, context.now())
        except OverError as over:
            raise ProblemError("already-over", str(over), state=_state(context, name)) from over
        return describe(ended, context) if ended else None

    ended = await context.database(end)
    if ended is None:
        raise not_found(f"evaluation {name}")
    return answer(ended)


@router.post(
    "/{evaluation_id}/retry",
    operation_id="retryEvaluation",
    summary="Try an evaluation again that ended without a verdict",
    description="Makes a new evaluation of the same request, linked to the old one. Asking twice makes one.",
    status_code=202,
    response_class=Response,
    responses={
        202: documented("Accepted, and on disk.", {**_EVALUATION_EXAMPLE, "retry_of": _EVALUATION_EXAMPLE["id"]},
                        model=resource.Evaluation, headers=_LOCATION),
        200: documented("It is being tried again already: that evaluation as it is now.",
                        {**_EVALUATION_EXAMPLE, "retry_of": _EVALUATION_EXAMPLE["id"]},
                        model=resource.Evaluation, headers=_LOCATION),
        **problems("cross-site", "unknown-host", "not-found", "not-retryable", "engine-unavailable"),
    },
)  # fmt: skip
async def retry(request: Request, evaluation_id: EvaluationId) -> Response:
    """Try again."""
    context = context_of(request)
    name = _named(request, evaluation_id)

    def again() -> tuple[resource.Evaluation, bool] | None:
        try:
            tried = context.service.retry(name, context.now())
        except OverError as over:
            raise ProblemError("not-retryable", str(over), state=_state(context, name)) from over
        return (describe(tried[0], context), tried[1]) if tried else None

    tried = await context.database(again)
    if tried is None:
        raise not_found(f"evaluation {name}")
    found, is_new = tried
    return answer(found, 202 if is_new else 200, {"Location": found.links.self_})


def describe(evaluation: Evaluation, context: Context) -> resource.Evaluation:
    """Write an evaluation as a resource. May wait for the database unless it is queued."""
    path = f"/v1/evaluations/{evaluation.id}"
    verdict = evaluation.verdict_id
    outcome = context.outcome(verdict) if verdict else None
    return resource.Evaluation(
        id=evaluation.id,
        state=evaluation.state,
        model=evaluation.submission.model,
        model_name=evaluation.model_name,
        stage=evaluation.submission.stage,
        report_only=not evaluation.submission.enforced,
        trigger=evaluation.submission.trigger,
        created_at=evaluation.created_at,
        started_at=evaluation.started_at,
        finished_at=evaluation.finished_at,
        expires_at=evaluation.expires_at,
        tries=evaluation.tries,
        retry_of=evaluation.retry_of,
        verdict_id=verdict,
        verdict_url=context.page_address(f"/verdicts/{verdict}") if verdict else None,
        decision=outcome.decision if outcome else None,
        exit_code=_exit_code(evaluation, outcome),
        trouble=resource.Trouble.of(evaluation.trouble) if evaluation.trouble else None,
        phase=context.phase(evaluation) if evaluation.state is State.RUNNING else None,
        links=resource.Links(
            self_=path,
            events=f"{path}/events",
            verdict=f"/v1/verdicts/{verdict}" if verdict else None,
            page=context.page_address(f"/evaluations/{evaluation.id}"),
        ),
    )


def _exit_code(evaluation: Evaluation, outcome: Outcome | None) -> int | None:
    """What `gate check` exits with; nobody knows of one that is under way, or whose verdict is gone."""
    match evaluation.state:
        case State.DONE:
            return outcome.exit_code(enforced=evaluation.submission.enforced) if outcome else None
        case State.ERROR:
            return evaluation.trouble.exit_code if evaluation.trouble else 4
        case State.CANCELLED:
            return 4
        case State.QUEUED | State.RUNNING:
            return None


def _named(request: Request, evaluation_id: str) -> str:
    """Check that an id looks like one, before it reaches a database or a log."""
    if not _ID.fullmatch(evaluation_id):
        raise ProblemError("not-found", "that is not the id of an evaluation, which looks like " + resource.ID)
    exchange_of(request.scope).evaluation_id = evaluation_id
    return evaluation_id


async def _found(request: Request, evaluation_id: str) -> resource.Evaluation:
    context = context_of(request)
    name = _named(request, evaluation_id)

    def read() -> resource.Evaluation | None:
        known = context.service.evaluations.get(name)
        return describe(known, context) if known else None

    found = await context.database(read)
    if found is None:
        raise not_found(f"evaluation {name}")
    return found


def _state(context: Context, evaluation_id: str) -> str | None:
    known = context.service.evaluations.get(evaluation_id)
    return str(known.state) if known else None


async def _wait(context: Context, evaluation_id: str, seconds: float) -> None:
    """Wait until the evaluation is over, the time is up, or the server closes or cannot look."""
    loop = asyncio.get_running_loop()
    ends = loop.time() + seconds
    async with context.watch.ticket(evaluation_id) as ticket:
        while not (ticket.is_over or ticket.away or context.watch.is_closed):
            left = ends - loop.time()
            if left <= 0 or not await ticket.wait(left):
                return
            if ticket.newest is not None:
                ticket.seen = ticket.newest.sequence
