"""Write `gate/policy/evidently_catalog.json`: which metrics the installed Evidently has, for the linter.

Run it after Evidently was updated:  python bench/evidently_catalog.py
The linter reads the file, so that `gate policy lint` needs no Evidently and starts in a moment.
"""

from __future__ import annotations

import enum
import inspect
import json
import os
import re
import sys
import typing
from importlib.metadata import version
from pathlib import Path
from typing import Any

CATALOG = Path(__file__).parents[1] / "gate" / "policy" / "evidently_catalog.json"

# gate holds the value against its own limits: Evidently's tests are never asked for.
_OF_TESTS = frozenset({"type", "tests", "share_tests", "mean_tests", "std_tests", "include_tests"})
# What a module mentions that leaves the machine: language models, downloads of word lists and of models.
_NETWORK = re.compile(
    r"\b(llm|openai|litellm|nltk|transformers|sentence_transformers|huggingface|requests|httpx|urllib)\b"
)
_WORDS = {str: "text", int: "whole number", float: "number", bool: "true or false", type(None): "null"}


def catalog() -> dict[str, Any]:
    """Describe every public metric of the installed Evidently."""
    os.environ.setdefault("DO_NOT_TRACK", "true")  # before the import: Evidently reports its use otherwise
    from evidently import metrics

    classes = {name: member for name, member in sorted(vars(metrics).items()) if inspect.isclass(member)}
    return {
        "evidently": version("evidently"),
        "metrics": {
            name: {"result": shape(metric), "network": uses_network(metric), "parameters": parameters(metric)}
            for name, metric in classes.items()
            if name in metrics.__all__
        },
    }


def shape(metric: type) -> str:
    """The shape of a metric's value: `single` and its like can be held against a limit, a table cannot."""
    from evidently.core import metric_types as kinds

    shapes = (
        (kinds.SingleValueMetric, "single"),
        (kinds.CountMetric, "count"),
        (kinds.MeanStdMetric, "mean_std"),
        (kinds.ByLabelCountMetric, "by_label_count"),
        (kinds.ByLabelMetric, "by_label"),
        (kinds.DataframeMetric, "table"),
    )
    return next((word for kind, word in shapes if issubclass(metric, kind)), "other")


def uses_network(metric: type) -> bool:
    """Whether the module of the metric, or of a metric that it builds on, mentions what leaves the machine."""
    modules = {
        sys.modules[base.__module__] for base in metric.__mro__ if base.__module__.startswith("evidently.metrics")
    }
    return any(_NETWORK.search(inspect.getsource(module)) for module in modules)


def parameters(metric: type) -> dict[str, Any]:
    """The parameters that a policy may give, each with its type in words."""
    hints = typing.get_type_hints(metric)
    found: dict[str, Any] = {}
    for name, field in metric.__fields__.items():  # type: ignore[attr-defined]  # Evidently's models are pydantic v1
        words = word(hints[name])
        if name not in _OF_TESTS and words is not None:
            found[name] = {"type": words, "required": bool(field.required)}
    return found


def word(hint: Any) -> str | None:
    """A type in words, or None for what YAML cannot say (a function, an object)."""
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if inspect.isclass(hint) and hint in _WORDS:
        return _WORDS[hint]
    if hint.__class__ is type and hint.__name__ == "StrictBool":
        return _WORDS[bool]
    if inspect.isclass(hint) and issubclass(hint, enum.Enum):
        return " | ".join(str(member.value) for member in hint)
    if origin is typing.Literal:
        return " | ".join(map(str, arguments))
    if origin is list:
        inner = word(arguments[0])
        return inner and f"list of {inner}"
    if origin is dict:
        inner = word(arguments[1])
        return inner and f"mapping to {inner}"
    if origin is typing.Union:
        words = [text for argument in arguments if argument is not type(None) and (text := word(argument))]
        return " or ".join(dict.fromkeys(words)) or None
    return None


def rendered() -> str:
    """The catalogue as the file holds it."""
    return json.dumps(catalog(), indent=1, sort_keys=True) + "\n"


if __name__ == "__main__":
    CATALOG.write_text(rendered())
    print(f"{CATALOG}: {len(json.loads(CATALOG.read_text())['metrics'])} metrics")
