"""What Evidently can measure, read from the catalogue that ships with gate: no Evidently needed, nothing imported."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from gate.policy.wording import meant, shown

# The parts of a value that a limit can be held against, by its shape; None: a part named by the data.
_FIELDS: Mapping[str, tuple[str, ...] | None] = {
    "single": (),
    "count": ("count", "share"),
    "mean_std": ("mean", "std"),
    "by_label": None,
    "by_label_count": None,
}


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter of a metric; `type` in words: `text`, `number`, `list of text`, `auto | pearson`."""

    type: str
    required: bool


@dataclass(frozen=True, slots=True)
class Metric:
    """A metric of Evidently: the shape of its value, whether it leaves the machine, its parameters."""

    result: str
    network: bool
    parameters: Mapping[str, Parameter]


@cache
def catalog() -> Mapping[str, Metric]:
    """Every public metric of the Evidently that gate was written for."""
    read = json.loads((files("gate.policy") / "evidently_catalog.json").read_text("utf-8"))
    return {
        name: Metric(
            metric["result"],
            metric["network"],
            {key: Parameter(**parameter) for key, parameter in metric["parameters"].items()},
        )
        for name, metric in read["metrics"].items()
    }


def complaints(name: str, parameters: Mapping[str, Any], field: str | None) -> Iterator[tuple[str, str]]:
    """What is wrong with asking for a metric, as (key of the check, message); nothing if it can be measured."""
    metric = catalog().get(name)
    if metric is None:
        yield "metric", f"Evidently has no metric {name!r}; {meant(name, catalog())}"
        return
    if metric.network:
        yield "metric", f"{name} uses the network, which gate refuses"
    yield from _value(name, metric, field)
    for key, value in parameters.items():
        parameter = metric.parameters.get(key)
        if parameter is None:
            known = meant(key, metric.parameters) if metric.parameters else "it has none"
            yield "parameters", f"{name} has no parameter {key!r}; {known}"
        elif not _fits(value, parameter.type):
            yield "parameters", f"{key}: got {shown(value)}, allowed is {parameter.type}"
    for key, parameter in metric.parameters.items():
        if parameter.required and key not in parameters:
            yield "parameters", f"{name} needs the parameter {key!r}: {parameter.type}"


def _value(name: str, metric: Metric, field: str | None) -> Iterator[tuple[str, str]]:
    if metric.result not in _FIELDS:
        yield "metric", f"the value of {name} is a table, which no limit can be held against"
        return
    allowed = _FIELDS[metric.result]
    if allowed is None:
        if field is None:
            yield "field", f"the value of {name} has a part for each label; name one in field"
    elif not allowed:
        if field is not None:
            yield "field", f"the value of {name} is one number; leave field out"
    elif field not in allowed:
        got = "is missing" if field is None else f"got {shown(field)}"
        yield "field", f"{got}, allowed for {name} are {' and '.join(allowed)}"


def _fits(value: Any, words: str) -> bool:
    """Whether a value is of a type in words; a list and a mapping are looked into."""
    if words.startswith("list of "):
        return isinstance(value, list | tuple) and all(_fits(entry, words.removeprefix("list of ")) for entry in value)
    if words.startswith("mapping to "):
        inner = words.removeprefix("mapping to ")
        return isinstance(value, Mapping) and all(_fits(entry, inner) for entry in value.values())
    if " | " in words:
        return value in words.split(" | ")
    return any(_is(value, word) for word in words.replace("true or false", "boolean").split(" or "))


def _is(value: Any, word: str) -> bool:
    match value:
        case bool():
            return word == "boolean"
        case int():
            return word in ("whole number", "number")
        case float():
            return word == "number"
        case _:
            return isinstance(value, str) and word == "text"
