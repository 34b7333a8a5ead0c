"""The OpenAPI document: what FastAPI gathers from the routes, and the schemas that they name."""

from __future__ import annotations

import json
from collections.abc import Iterable
from functools import cache
from importlib.resources import files
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute
from pydantic import BaseModel
from pydantic.json_schema import JsonSchemaMode, models_json_schema

from gate.server import resource

_TEMPLATE = "#/components/schemas/{model}"

DESCRIPTION = """\
Asks whether a model version may be promoted, waits for the answer, and reads what was decided.

Problems are `application/problem+json` with a stable `type`. Lists are paged: `next` of a page, or its `Link` header,
leads to the one that follows, and pages that are walked while new entries come show each entry once. Every response has
an `X-Request-Id`. Unknown members of a request are refused; unknown members of a response are to be ignored.
"""

TAGS = [
    {"name": "evaluations", "description": "Requests for a verdict, and their way to it."},
    {"name": "verdicts", "description": "What was decided. A verdict never changes."},
    {"name": "models", "description": "Where each model stands."},
    {"name": "policies", "description": "What the server judges by."},
    {"name": "operation", "description": "For whoever runs the server."},
]

_READ: tuple[type[BaseModel], ...] = (resource.Submission,)
_WRITTEN: tuple[type[BaseModel], ...] = (
    resource.Evaluation,
    resource.EvaluationPage,
    resource.Report,
    resource.ModelPage,
    resource.Policies,
    resource.Readiness,
    resource.Alive,
    resource.Problem,
)


def document_of(app: FastAPI, routes: Iterable[APIRoute]) -> dict[str, Any]:
    """Write the OpenAPI document of the server, whose own routes are `routes`."""
    document = get_openapi(
        title=app.title,
        version=app.version,
        summary=app.summary,
        description=app.description,
        routes=app.routes,
        tags=TAGS,
    )
    _restore_examples(document, routes)
    _drop_null_parameters(document)
    schemas = document.setdefault("components", {}).setdefault("schemas", {})
    for gone in ("HTTPValidationError", "ValidationError"):  # FastAPI's own problems, which never leave this server
        schemas.pop(gone, None)
    schemas.update(_schemas())
    schemas.update(_verdict())
    document["components"]["schemas"] = dict(sorted(schemas.items()))
    return document


def _restore_examples(document: dict[str, Any], routes: Iterable[APIRoute]) -> None:
    """Put back the content of answers as it was written: FastAPI leaves out what is null, also within an example."""
    for route in routes:
        for method in route.methods or ():
            answers = document["paths"][route.path][method.lower()]["responses"]
            for status, written in route.responses.items():
                if "content" in written:
                    answers[str(status)]["content"] = written["content"]


def _drop_null_parameters(document: dict[str, Any]) -> None:
    """Say that a parameter is left out, and not that it is null: text in an address or a header never is."""
    for item in document["paths"].values():
        for operation in item.values():
            for parameter in operation.get("parameters", ()):
                schema = parameter["schema"]
                others = [one for one in schema.get("anyOf", ()) if one != {"type": "null"}]
                if len(others) == 1:
                    parameter["schema"] = {
                        **others[0],
                        **{k: v for k, v in schema.items() if k not in ("anyOf", "default")},
                    }


def _schemas() -> dict[str, Any]:
    mode_of: list[tuple[type[BaseModel], JsonSchemaMode]] = [(model, "validation") for model in _READ]
    mode_of += [(model, "serialization") for model in _WRITTEN]
    _, schema = models_json_schema(mode_of, by_alias=True, ref_template=_TEMPLATE)
    return dict(schema["$defs"])


@cache
def _verdict_text() -> str:
    text = files("gate.flow").joinpath("verdict.schema.json").read_text(encoding="utf-8")
    for name in json.loads(text)["$defs"]:
        text = text.replace(f'"#/$defs/{name}"', f'"#/components/schemas/Verdict_{name}"')
    return text


def _verdict() -> dict[str, Any]:
    """The published schema of a verdict, with its parts as components."""
    schema = json.loads(_verdict_text())
    parts = schema.pop("$defs")
    for name in ("$schema", "$id"):
        schema.pop(name)
    return {"Verdict": schema, **{f"Verdict_{name}": part for name, part in parts.items()}}
