"""Reading a body: declared as JSON, UTF-8, no member twice, and exactly what the class allows."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NoReturn, TypeVar

from pydantic import BaseModel, ValidationError
from starlette.requests import ClientDisconnect, Request

from gate.server.problem import ProblemError

_SECONDS = 30.0  # for the whole body: a sender that drips holds a connection no longer
_MOST_ERRORS = 50
_MOST_TEXT = 300

_Model = TypeVar("_Model", bound=BaseModel)


async def read_body(request: Request, model: type[_Model]) -> _Model:
    """Read the body as a `model`; ProblemError says what is wrong with it, and where."""
    _require_json(request.headers.getlist("content-type"))
    try:
        async with asyncio.timeout(_SECONDS):
            raw = await request.body()
    except TimeoutError:
        raise ProblemError(
            "request-timeout", f"the body was not there after {_SECONDS:g} s", headers={"Connection": "close"}
        ) from None
    except ClientDisconnect:
        raise ProblemError("not-json", "the body ended before it was complete") from None
    value = parse(raw)
    try:
        return model.model_validate(value)
    except ValidationError as wrong:
        errors = wrong.errors(include_url=False, include_context=False, include_input=False)
        raise invalid_request(errors, within=("body",)) from None


def parse(raw: bytes) -> Any:
    """Read JSON of a kind that cannot be read in two ways: no member twice, no NaN, no lone surrogates."""
    try:
        text = raw.decode("utf-8")
        value = json.loads(text, object_pairs_hook=_once, parse_constant=_no_constant)
    except UnicodeDecodeError:
        raise ProblemError("not-json", "the body is not UTF-8") from None
    except RecursionError:
        raise ProblemError("not-json", "the body is nested too deeply") from None
    except json.JSONDecodeError as wrong:
        raise ProblemError(
            "not-json", f"line {wrong.lineno}, column {wrong.colno}: {wrong.msg}"
        ) from None  # fmt: skip
    except _UnclearError as wrong:
        raise ProblemError("not-json", str(wrong)) from None
    except ValueError:  # Python reads no number of thousands of digits
        raise ProblemError("not-json", "the body has a number of too many digits") from None
    return value


class _UnclearError(ValueError):
    """Text that different readers of JSON read differently."""


def invalid_request(errors: Iterable[Mapping[str, Any]], within: tuple[str, ...] = ()) -> ProblemError:
    """Say everything that is wrong, by place (`body.policy.text`, `query.limit`); never what was sent."""
    found = [
        {"place": _short(".".join(map(str, (*within, *error["loc"])))), "message": _short(_said(error))}
        for error in errors
    ]
    first = found[0]
    more = f" (and {len(found) - 1} more)" if len(found) > 1 else ""
    return ProblemError(
        "invalid-request", f"{first['place']}: {first['message']}{more}", errors=found[:_MOST_ERRORS]
    )  # fmt: skip


def _said(error: Mapping[str, Any]) -> str:
    """What is wrong, in the words of people rather than of regular expressions and classes."""
    match error["type"], error["loc"][-1:]:
        case "string_pattern_mismatch", ("model",):
            return "it is no model URI; write models:/NAME/VERSION or models:/NAME@ALIAS"
        case "extra_forbidden", _:
            return "it is unknown; /v1/openapi.json lists what there is"
        case (("model_type" | "model_attributes_type" | "dict_type"), _):
            return "it should be a JSON object"
        case _:
            return str(error["msg"])


def _require_json(types: Sequence[str]) -> None:
    if len(types) == 1:
        essence, _, parameters = types[0].partition(";")
        name, _, value = parameters.strip().partition("=")
        is_utf8 = not parameters.strip() or (
            name.lower() == "charset" and value.strip('"').lower() in ("utf-8", "utf8")
        )
        if essence.strip().lower() == "application/json" and is_utf8:
            return
    got = "nothing" if not types else repr(_short(types[0])) if len(types) == 1 else f"{len(types)} content types"
    raise ProblemError(
        "unsupported-media-type",
        f"Content-Type: got {got}; send application/json",
        headers={"Accept-Post": "application/json"},
    )


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise _UnclearError(f"the member {_short(twice)!r} comes twice")
    return members


def _no_constant(name: str) -> NoReturn:
    raise _UnclearError(f"{name} is not JSON")


def _short(text: str) -> str:
    """Keep a message readable, and free of what could disturb a log or a terminal."""
    plain = "".join(c if c.isprintable() else "?" for c in text)
    return plain if len(plain) <= _MOST_TEXT else plain[: _MOST_TEXT - 3] + "..."
