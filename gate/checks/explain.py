"""Explains the kinds of checks: what their docstrings and fields say, as values that a page or a terminal can show."""

from __future__ import annotations

import inspect
import sys
import textwrap
import types
import typing
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from gate.checks.contract import Check
from gate.checks.tighten import FREE, Order
from gate.domain.finding import Dimension

_EXAMPLE = "Example:\n"


@dataclass(frozen=True, slots=True)
class Parameter:
    """One key of a check in a policy, nested keys with dots.

    Attributes:
        name: as it is written.
        allowed: the values it may have, in words.
        default: the value it has when left out, as YAML; None if it must be given.
        tightening: what a policy that extends another one may do to it, in words.
    """

    name: str
    allowed: str
    default: str | None
    tightening: str


@dataclass(frozen=True, slots=True)
class Explanation:
    """A kind of check, explained.

    Attributes:
        kind: its name in a policy.
        dimension: the side of readiness that it looks at, unless a policy says otherwise.
        is_implicit: whether it is judged without being named.
        line: what it is for, in a line.
        text: everything its docstring says, without the example; paragraphs are separated by a blank line.
        example: YAML, an entry of the list `checks`.
        parameters: the keys of its own, in their order; those that all checks share are `shared_parameters`.
    """

    kind: str
    dimension: Dimension
    is_implicit: bool
    line: str
    text: str
    example: str
    parameters: tuple[Parameter, ...]


def explain(check: type[Check]) -> Explanation:
    """Explain one kind."""
    text, _, example = inspect.getdoc(check).partition(_EXAMPLE) if check.__doc__ else ("", "", "")  # type: ignore[union-attr]  # there is a docstring
    shared = set(Check.model_fields)
    own = {name: field for name, field in check.model_fields.items() if name not in shared}
    return Explanation(
        kind=check.kind,
        dimension=check.kind_dimension,
        is_implicit=check.is_implicit,
        line=(sys.modules[check.__module__].__doc__ or "").strip(),
        text=text.strip(),
        example=textwrap.dedent(example).strip() + "\n",
        parameters=tuple(_parameters(own, check.model_json_schema())),
    )


def shared_parameters() -> tuple[Parameter, ...]:
    """The keys that every check has."""
    return tuple(_parameters(Check.model_fields, Check.model_json_schema()))


def _parameters(fields: Mapping[str, FieldInfo], schema: Mapping[str, Any]) -> Iterator[Parameter]:
    for name, info in fields.items():
        yield from _parameter(name, info, schema["properties"][name], schema.get("$defs", {}))


def _parameter(name: str, info: FieldInfo, schema: Any, definitions: Mapping[str, Any]) -> Iterator[Parameter]:
    """One key, and the keys below it if it is a mapping with known ones."""
    default = None if info.is_required() else _yaml(info.default)
    order = next((entry for entry in info.metadata if isinstance(entry, Order)), None)
    model = _model(info.annotation)
    if model is None:
        tightening = "fixed once a base sets it" if order is None else f"may only be {order.words}"
        if order is FREE:
            tightening = "may be changed"
        yield Parameter(name, _words(schema, definitions), default, tightening)
        return
    yield Parameter(name, "mapping", default, "key by key")
    inner = model.model_json_schema()
    for key, field in model.model_fields.items():
        below = inner.get("$defs", {})
        for parameter in _parameter(key, field, inner["properties"][key], below):
            yield Parameter(f"{name}.{parameter.name}", parameter.allowed, parameter.default, parameter.tightening)


def _model(annotation: Any) -> type[BaseModel] | None:
    """The model that a field holds, alone or as an alternative to null."""
    is_union = typing.get_origin(annotation) in (typing.Union, types.UnionType)
    for one in typing.get_args(annotation) if is_union else (annotation,):
        if isinstance(one, type) and issubclass(one, BaseModel):
            return one
    return None


def _yaml(value: Any) -> str:
    match value:
        case None | "":
            return "nothing"
        case bool():
            return str(value).lower()
        case BaseModel():
            return "{" + ", ".join(f"{key}: {_yaml(inner)}" for key, inner in value) + "}"
        case Mapping():
            return "{}"
        case tuple():
            return "[]"
        case _:
            return str(value)


def _words(schema: Mapping[str, Any] | bool, definitions: Mapping[str, Any]) -> str:
    """Put a JSON schema into words; `true` is the schema of everything."""
    if isinstance(schema, bool):
        return "any value"
    if "$ref" in schema:
        return _words(definitions[schema["$ref"].rpartition("/")[2]], definitions)
    if "anyOf" in schema:
        options = [option for option in schema["anyOf"] if option.get("type") != "null"]
        return " or ".join(dict.fromkeys(_words(option, definitions) for option in options))
    if "enum" in schema or "const" in schema:
        return ", ".join(map(str, schema.get("enum", [schema.get("const")])))
    match schema.get("type"):
        case "array":
            return f"list of {_words(schema.get('items', {}), definitions)}"
        case "object" if "properties" in schema:
            return "{" + ", ".join(schema["properties"]) + "}"
        case "object":
            return f"mapping of names to {_words(schema.get('additionalProperties', {}), definitions)}"
        case _:
            return _plain_words(schema)


def _plain_words(schema: Mapping[str, Any]) -> str:
    match schema.get("type"):
        case "boolean":
            return "true or false"
        case "integer" | "number" as number:
            return {"integer": "whole number", "number": "number"}[number] + _bounds(schema)
        case "string":
            examples = schema.get("examples")
            return f"text such as {examples[0]}" if examples else _text(schema)
        case _:
            return "any value"


def _text(schema: Mapping[str, Any]) -> str:
    return "share such as 2%" if str(schema.get("pattern", "")).endswith("%$") else "text"


def _bounds(schema: Mapping[str, Any]) -> str:
    low, high = schema.get("minimum"), schema.get("maximum")
    if "exclusiveMaximum" in schema:
        high = f"below {schema['exclusiveMaximum']}"
    if low is None and high is None:
        return ""
    if high is None:
        return f" of at least {low}"
    return f" of at most {high}" if low is None else f" from {low} to {high}"
