"""How gate words what is wrong with a file: the thing, what was got, what is allowed, and what was probably meant."""

from __future__ import annotations

import difflib
import typing
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from pydantic import BaseModel, ValidationError

from gate.policy.document import Path

# Later versions of gate enforce these. Taking one in silence would promise what nobody checks.
RESERVED = frozenset({"success", "stages", "sign_offs", "on", "on_promote", "max_attempts"})


def meant(word: str, allowed: Iterable[str]) -> str:
    """Propose the closest allowed word, else list all of them."""
    known = sorted(allowed)
    close = difflib.get_close_matches(word, known, n=1, cutoff=0.6)
    return f"did you mean {close[0]!r}?" if close else f"allowed are {', '.join(known)}"


def shown(value: Any) -> str:
    """Show a value as it would stand in YAML, short."""
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case str():
            return f"the text {value if len(value) <= 60 else value[:57] + '...'!r}"
        case Mapping():
            return "a mapping"
        case list() | tuple():
            return "a list" if value else "an empty list"
        case _:
            return f"{value}"


def spelled(path: Path) -> str:
    """Write a path as people do: `data.columns.segments[1]`."""
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path)
    return text.removeprefix(".")


def wordings(error: ValidationError, model: type[BaseModel], value: Any, name: str = "") -> Iterator[tuple[Path, str]]:
    """Word every error of one validation, each with the path in `value` that it is about.

    `name` stands before the path in the text: the check that the value belongs to.
    """
    allowed: dict[Path, list[str]] = {}
    errors = error.errors(include_url=False)
    unknown = [one["loc"] for one in errors if one["type"] == "extra_forbidden"]
    for one in errors:
        path, kind = _path(one["loc"], value, one["type"]), one["type"]
        match kind:
            case "extra_forbidden":
                yield path, _unknown_key(path, model, name)
            case "missing" if any(_is_meant(other, one["loc"]) for other in unknown):
                continue  # it is there, misspelt, and reported as that
            case "missing":
                yield path[:-1], f"{_subject(name, path[:-1])}'{path[-1]}' is missing"
            case "value_error" | "assertion_error":
                yield path, f"{_subject(name, path)}{one['msg'].partition(', ')[2]}"
            case _:
                allowed.setdefault(path, []).append(_allowed(kind, one["msg"], one.get("ctx", {})))
    for path, choices in allowed.items():
        # One alternative fits in shape and is wrong further inside: that is what was meant, and what is reported.
        if not any(other != path and other[: len(path)] == path for other in allowed):
            what = " or ".join(dict.fromkeys(choices))
            yield path, f"{_subject(name, path)}got {shown(_at(value, path))}, allowed is {what}"


def _is_meant(written: tuple[int | str, ...], missing: tuple[int | str, ...]) -> bool:
    """Whether an unknown key is probably a missing one, misspelt."""
    return written[:-1] == missing[:-1] and bool(difflib.get_close_matches(str(written[-1]), [str(missing[-1])]))


def _subject(name: str, path: Path) -> str:
    place = spelled(path)
    text = f"{name}.{place}" if name and place else name or place
    return f"{text}: " if text else ""


def _unknown_key(path: Path, model: type[BaseModel], name: str) -> str:
    key = str(path[-1])
    if (key in RESERVED and not name and path in ((key,), ("defaults", key))) or path == ("champion", "data"):
        return f"{spelled(path)} is reserved for a later version of gate; this one would not enforce it, so remove it"
    known = fields_at(model, path[:-1])
    return f"{_subject(name, path[:-1])}unknown key {key!r}; {meant(key, known)}"


def fields_at(model: type[BaseModel], path: Path) -> frozenset[str]:
    """The keys that are allowed at a path below `model`."""
    models: set[type[BaseModel]] = {model}
    for part in path:
        if isinstance(part, str):
            fields = [m.model_fields[part].annotation for m in models if part in m.model_fields]
            models = {inner for annotation in fields for inner in _models_in(annotation)} or models
    return frozenset(field for m in models for field in m.model_fields)


def _models_in(annotation: Any) -> set[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return {annotation}
    return {inner for argument in typing.get_args(annotation) for inner in _models_in(argument)}


def _path(loc: tuple[int | str, ...], value: Any, kind: str) -> Path:
    """The path in the file: pydantic's location without the names of union members, which are in no file."""
    path: list[str | int] = []
    for index, part in enumerate(loc):
        inside = (isinstance(value, Mapping) and part in value) or (
            isinstance(value, list) and isinstance(part, int) and part < len(value)
        )
        if inside:
            value = value[part]
            path.append(part)
        elif kind == "missing" and index == len(loc) - 1:
            path.append(part)
    return tuple(path)


def _at(value: Any, path: Path) -> Any:
    for part in path:
        value = value[part]
    return value


_SHAPES = {
    **dict.fromkeys(("float_type", "float_parsing"), "a number"),
    **dict.fromkeys(("int_type", "int_from_float", "int_parsing"), "a whole number"),
    **dict.fromkeys(("bool_type", "bool_parsing"), "true or false"),
    **dict.fromkeys(("tuple_type", "list_type", "set_type", "frozen_set_type"), "a list"),
    **dict.fromkeys(("dict_type", "mapping_type", "model_type", "model_attributes_type"), "a mapping"),
    "string_type": "text (a number or a word that means something else in YAML goes in quotes)",
    "none_required": "null",
}
_COMPARED = {
    "greater_than_equal": "of at least",
    "less_than_equal": "of at most",
    "greater_than": "above",
    "less_than": "below",
}


def _allowed(kind: str, message: str, context: Mapping[str, Any]) -> str:
    """Say what pydantic would have taken."""
    if kind in _SHAPES:
        return _SHAPES[kind]
    if kind in _COMPARED:
        return f"a number {_COMPARED[kind]} {next(iter(context.values()))}"
    match kind:
        case "literal_error" | "enum":
            return str(context["expected"]).replace("'", "")
        case "string_too_short":
            least = context["min_length"]
            return "text that is not empty" if least == 1 else f"text of at least {least} characters"
        case "string_too_long":
            return f"text of at most {context['max_length']} characters"
        case "too_short":
            return f"at least {_entries(context['min_length'])}"
        case "too_long":
            return f"at most {_entries(context['max_length'])}"
        case "string_pattern_mismatch":
            return f"text that matches {context['pattern']}"
        case "allowed":  # our own words
            return message
        case _:
            text = message.removeprefix("Input should be ")
            return text[:1].lower() + text[1:]


def _entries(count: int) -> str:
    return "one entry" if count == 1 else f"{count} entries"
