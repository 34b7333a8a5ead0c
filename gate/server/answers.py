"""What routes have in common: documented answers, pages of a list, and the JSON that leaves the server."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from pydantic import BaseModel
from starlette.responses import Response

from gate.server.problem import CATALOGUE, MEDIA_TYPE, Kind

_WITH_A_BODY = ("not-json", "request-timeout", "too-large", "unsupported-media-type")
_ALWAYS = ("invalid-request", "internal-error", "database-unavailable", "too-many-requests")

_HEADERS = {
    "X-Request-Id": {
        "description": "The request's own X-Request-Id if it is 1 to 64 of `A-Za-z0-9._-`, else a new one.",
        "schema": {"type": "string"},
    }
}
RETRY_AFTER = {"Retry-After": {"description": "Seconds to wait before asking again.", "schema": {"type": "integer"}}}
LINK = {
    "Link": {
        "description": '`<...>; rel="next"`, the page that follows; absent on the last one.',
        "schema": {"type": "string"},
    }
}


def documented(
    description: str,
    example: Any = None,
    *,
    model: type[BaseModel] | None = None,
    schema: Mapping[str, Any] | None = None,
    media_type: str = "application/json",
    headers: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Describe one answer of a route for the OpenAPI document."""
    answer: dict[str, Any] = {"description": description, "headers": {**_HEADERS, **(headers or {})}}
    content: dict[str, Any] = {}
    if model is not None:
        content["schema"] = {"$ref": f"#/components/schemas/{model.__name__}"}
    elif schema is not None:
        content["schema"] = dict(schema)
    if example is not None:
        content["example"] = example
    if content:
        answer["content"] = {media_type: content}
    return answer


def problems(*words: str, body: bool = False) -> dict[int | str, dict[str, Any]]:
    """Describe the problems that a route may answer with, beside those that every route of the API may."""
    by_status: dict[int, list[Kind]] = {}
    for word in (*words, *(_WITH_A_BODY if body else ()), *_ALWAYS):
        kind = CATALOGUE[word]
        assert kind.status is not None
        kinds = by_status.setdefault(kind.status, [])
        if kind not in kinds:
            kinds.append(kind)
    return {status: _problem_answer(status, kinds) for status, kinds in sorted(by_status.items())}


def _problem_answer(status: int, kinds: list[Kind]) -> dict[str, Any]:
    examples = {
        kind.word: {
            "summary": kind.title,
            "value": {
                "type": kind.uri,
                "title": kind.title,
                "status": status,
                "detail": kind.meaning,
                "instance": "/v1/...",
                "request_id": "7c1f0a52e6b94d0f8f0b8a4e1d2c3b4a",
            },
        }
        for kind in kinds
    }
    return {
        "description": "; ".join(f"`{kind.word}`: {kind.title.lower()}" for kind in kinds),
        "headers": {**_HEADERS, **(RETRY_AFTER if status in (429, 503) else {})},
        "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}, "examples": examples}},
    }


def answer(body: BaseModel, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """Write a resource."""
    content = body.model_dump_json(by_alias=True)
    return Response(content, status, headers, "application/json")


def answer_plain(body: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """Write plain JSON values, members in their order."""
    content = json.dumps(body, allow_nan=False, separators=(",", ":"))  # ASCII: a lone surrogate passes as an escape
    return Response(content.encode(), status, headers, "application/json")


def link_to_next(path: str, following: str | None, **filters: object) -> dict[str, str]:
    """Make the Link header of a page; none for the last one. The address is relative: no Host header is trusted."""
    if following is None:
        return {}
    stated = {name: value for name, value in filters.items() if value not in (None, [], ())}
    return {"Link": f'<{path}?{urlencode({**stated, "before": following}, doseq=True)}>; rel="next"'}
